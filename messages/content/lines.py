"""YAML read as plain strings, with the line of every value, so that each problem can name its place."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

Key = tuple[str | int, ...]
_DEEPEST = 20


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong, where (line counted from 1), in plain English."""

    path: Path
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"


@dataclass(slots=True)
class Document:
    """One YAML file: values (mappings, lists, strings, None), the line of each, what is wrong with the file."""

    path: Path
    value: Any = None
    lines: dict[Key, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def line(self, key: Key) -> int:
        """The line of the value at `key`, or of the nearest value around it."""
        while key not in self.lines and key:
            key = key[:-1]
        return self.lines.get(key, 1)

    def wrong(self, key: Key, text: str) -> None:
        self.problems.append(Problem(self.path, self.line(key), text))


_LOADER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
"""The one in C is several times faster. Values are made from its events, with bounds: it makes nothing itself, so 0368
keeps its zero, no alias makes a file explode and no nesting exhausts the stack."""


def read(path: Path) -> Document:
    """Read one file. Never raises for what the file holds: all that is wrong is in `problems`."""
    document = Document(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        document.wrong((), f"cannot be read as UTF-8 text: {error}")
        return document
    return parse(text, document)


class _Refused(Exception):
    """The file cannot be read any further from this line (counted from 1) on."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line


def parse(text: str, document: Document) -> Document:
    """Fill the document from YAML text."""
    try:
        document.value = _Reading(text, document).whole()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = min(mark.line, text.rstrip().count("\n")) + 1 if mark else 1
        document.problems.append(Problem(document.path, line, f"not valid YAML: {_reason(error)}"))
    except _Refused as error:
        document.problems.append(Problem(document.path, error.line, f"not valid YAML for a pack: {error}"))
    return document


def _reason(error: yaml.YAMLError) -> str:
    return str(getattr(error, "problem", None) or getattr(error, "reason", None) or "unreadable")


class _Reading:
    """One pass over the events of a text."""

    def __init__(self, text: str, document: Document) -> None:
        self._document = document
        self._events: Iterator[yaml.Event] = yaml.parse(text, Loader=_LOADER)

    def whole(self) -> Any:
        """The one value that a file holds. Raises `yaml.YAMLError` and `_Refused`."""
        value, documents = None, 0
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
            elif isinstance(event, yaml.NodeEvent):
                if documents > 1:
                    raise _Refused(_line(event), "a file is one document, without `---` in the middle")
                value = self._value(event, ())
        return value

    def _value(self, event: yaml.Event, key: Key) -> Any:
        self._document.lines[key] = _line(event)
        if len(key) > _DEEPEST:
            raise _Refused(_line(event), "nested too deep")
        if isinstance(event, yaml.AliasEvent):
            raise _Refused(_line(event), "aliases (*name) are not used in packs")
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(key)
        if isinstance(event, yaml.SequenceStartEvent):
            return [self._value(child, (*key, i)) for i, child in enumerate(self._until(yaml.SequenceEndEvent))]
        return self._scalar(event, key)

    def _mapping(self, key: Key) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name in self._until(yaml.MappingEndEvent):
            if not isinstance(name, yaml.ScalarEvent):
                raise _Refused(_line(name), "a key must be a plain word")
            word = str(name.value)
            value = self._value(next(self._events), (*key, word))
            if word in found:
                problem = f"`{word}` is written twice"
                self._document.problems.append(Problem(self._document.path, _line(name), problem))
            found.setdefault(word, value)
        return found

    def _until(self, end: type[yaml.Event]) -> Iterator[yaml.Event]:
        for event in self._events:
            if isinstance(event, end):
                return
            yield event

    def _scalar(self, event: Any, key: Key) -> str | None:
        text = str(event.value)
        if not text and not event.style:
            return None
        if text != unicodedata.normalize("NFC", text):
            self._document.wrong(key, "marks are typed as separate characters: save the text as Unicode NFC")
        if any(unicodedata.category(c) in {"Cc", "Cf"} for c in text if c != "\n"):
            self._document.wrong(key, "holds an invisible control character")
        return text.strip()


def _line(event: Any) -> int:
    """Counted from 1."""
    return int(event.start_mark.line) + 1
