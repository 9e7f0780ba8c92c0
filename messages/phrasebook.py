"""Finding and filling a message by its key, in the language of whoever reads it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from bot.core.errors import UserError
from messages.rich import Rich, from_html

if TYPE_CHECKING:  # commands that say nothing start without Jinja
    import jinja2

ROOT = Path(__file__).parent
FALLBACK = "vi"
_WEEK = 7


@cache
def languages(root: Path = ROOT) -> tuple[str, ...]:
    """The languages that the bot speaks: a folder of messages each, the first language first."""
    found = (folder.name for folder in root.iterdir() if _is_language(folder))
    return tuple(sorted(found, key=lambda name: (name != FALLBACK, name)))


class UnknownMessage(UserError):
    """No language has a message under this key."""


class Phrasebook:
    """All messages of all languages. Templates are Jinja with `<b> <i> <u> <s> <code> <blockquote> <a href>`;
    what is filled in is escaped, so that nobody's name can break or format a message. How a language writes days and
    thousands stands among its messages: `common.weekdays`, Monday first, and `common.thousands`."""

    def __init__(self, zone: ZoneInfo, root: Path = ROOT) -> None:
        self.zone = zone
        self.root = root
        self._made: dict[tuple[str, str], jinja2.Template] = {}
        self._environments: dict[str, jinja2.Environment] = {}

    @cached_property
    def languages(self) -> Mapping[str, Mapping[str, str]]:
        """The sources of all messages by language and key."""
        return {name: dict(self._sources(self.root / name)) for name in sorted(languages(self.root))}

    def check(self) -> None:
        """Read every message. Raises `UserError` for one that cannot be."""
        for language, sources in self.languages.items():
            for key in sources:
                self._template(language, key)

    def keys(self, language: str = FALLBACK) -> frozenset[str]:
        return frozenset(self.languages[language])

    def say(self, language: str, key: str, **fields: Any) -> Rich:
        """The message under `key`, filled in. A language that lacks it falls back to Vietnamese.

        Raises `UnknownMessage`; and `jinja2.UndefinedError` when a field that the template uses is missing.
        """
        return from_html(self._template(language, key).render(fields).strip())

    def label(self, language: str, key: str, **fields: Any) -> str:
        """A message without formatting: for buttons, notices and file names."""
        return self.say(language, key, **fields).text

    def has(self, key: str, language: str = FALLBACK) -> bool:
        return key in self.languages[language]

    def _template(self, language: str, key: str) -> jinja2.Template:
        """Made when it is first needed: most processes say few things."""
        found = self._made.get((language, key))
        if found is None:
            spoken = language if key in self.languages.get(language, {}) else FALLBACK
            found = self._made[language, key] = self._compiled(spoken, key)
        return found

    def _compiled(self, language: str, key: str) -> jinja2.Template:
        import jinja2

        source = self.languages[language].get(key)
        if source is None:
            raise UnknownMessage(f"No message is called {key}")
        try:
            return self._environment(language).from_string(source)
        except jinja2.TemplateSyntaxError as error:
            raise UserError(f"{self.root / language}: {key}: {error}") from error

    def _environment(self, language: str) -> jinja2.Environment:
        if language not in self._environments:
            self._environments[language] = self._environment_of(self.languages[language])
        return self._environments[language]

    def _environment_of(self, sources: Mapping[str, str]) -> jinja2.Environment:
        import jinja2

        days = sources.get("common.weekdays", "").split("|")
        thousands = sources.get("common.thousands", ",")
        made = jinja2.Environment(
            autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        made.filters |= {
            "hour": self._hour,
            "day": lambda moment: self._day(moment, days),
            "date": self._date,
            "moment": lambda moment: f"{self._hour(moment)} {self._day(moment, days)}",
            "number": lambda value: f"{value:,}".replace(",", thousands),
        }
        return made

    def _sources(self, folder: Path) -> Iterator[tuple[str, str]]:
        import yaml

        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        for path in sorted(folder.glob("*.yaml")):
            for name, source in yaml.load(path.read_text("utf-8"), Loader=loader).items():  # noqa: S506  # a safe one
                yield f"{path.stem}.{name}", str(source)

    def _hour(self, moment: datetime) -> str:
        return moment.astimezone(self.zone).strftime("%H:%M")

    def _day(self, moment: datetime | date, days: Sequence[str]) -> str:
        local = moment.astimezone(self.zone).date() if isinstance(moment, datetime) else moment
        return f"{days[local.weekday()]}, {self._date(local)}" if len(days) == _WEEK else self._date(local)

    def _date(self, moment: datetime | date) -> str:
        local = moment.astimezone(self.zone).date() if isinstance(moment, datetime) else moment
        return f"{local.day}/{local.month}/{local.year}"


def _is_language(folder: Path) -> bool:
    return folder.is_dir() and len(folder.name) == 2 and any(folder.glob("*.yaml"))
