"""What the page needs of a platform: the chats on a phone, what one can do in them, and news of what happens."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bot.sandbox.sample import Character, Town
from bot.sandbox.telegram.errors import Json

SAMPLES = Path(__file__).parent.parent / "sample" / "media"
PREFIX = "/demo/"
"""Where the page is on the product's own web server."""
USUAL = "bot"
"""The place on somebody's phone where they meet Loa Số first; others are named by their channel or group."""

ChatId = int | str
Do = Callable[[Json], Awaitable[Json]]
Tell = Callable[[str, Json], None]
"""Is told of an event for every page: its kind, and `chat` with what belongs to the kind."""


class Wrong(Exception):
    """An errand that cannot be run; the text is shown on the page."""


@dataclass(frozen=True, slots=True)
class File:
    """A file that the page fetches."""

    content: bytes
    mime: str


@dataclass(slots=True)
class Site:
    """Where the page is: platforms that fetch pictures fetch them here. `root` is known once the server listens."""

    root: str = ""

    def address(self, path: str) -> str:
        """The whole address of something on the page."""
        return f"{self.root}{PREFIX}{path}"

    def local(self, url: str) -> str:
        """An address of this server as the browser asks for it, under whatever name it knows the server."""
        return url.removeprefix(self.root) if self.root and url.startswith(f"{self.root}/") else url


class Line(Protocol):
    """One chat as one person has it on their phone."""

    @property
    def chat(self) -> ChatId:
        """What events call it."""
        ...

    @property
    def blocked(self) -> bool:
        """Whether the person lets nothing through."""
        ...

    @property
    def errands(self) -> Mapping[str, Do]:
        """What one can do here, by name. Each reads its fields, acts, says what came, or raises `Wrong`."""
        ...

    def shown(self) -> Json:
        """The chat for the page: `messages`, oldest first, and how things stand."""
        ...

    def last(self) -> Json | None:
        """The newest message on one line, with its date."""
        ...


class Platform(Protocol):
    """One platform with the product's account on it."""

    @property
    def channel(self) -> str: ...

    def about(self) -> Json:
        """How the account looks to people: `name` of the platform, `title`, `note`, `about`, `commands`, `link`; and
        `max_text`, `replies` (whether one can answer to a certain message)."""
        ...

    def line(self, who: Character, chat: ChatId) -> Line:
        """Somebody's chat with the account. Raises `LookupError` for one who is not on this platform."""
        ...

    def groups(self, who: Character) -> Mapping[str, Line]:
        """The groups in which somebody is together with the account, by place."""
        ...

    async def listen(self, tell: Tell) -> None:
        """Tell what happens, until cancelled."""
        ...

    def file(self, path: str) -> File | None:
        """A file that a message of this platform names."""
        ...

    def sent(self) -> int:
        """How many messages the product has sent here."""
        ...

    def refused(self) -> int:
        """How often it was told that it sends too fast."""
        ...


class Lines:
    """Every chat of everybody, by the person's number and the place on their phone."""

    def __init__(self, town: Town, platforms: Sequence[Platform]) -> None:
        self.platforms = {platform.channel: platform for platform in platforms}
        self.channels: dict[int, dict[str, str]] = {}
        self.of: dict[int, dict[str, Line]] = {}
        for who in town.people.values():
            channels, found = self.channels.setdefault(who.id, {}), self.of.setdefault(who.id, {})
            for home in who.homes:
                place, chat = (home.channel, f"{who.id}.{home.channel}") if found else (USUAL, who.id)
                channels[place] = home.channel
                found[place] = self.platforms[home.channel].line(who, chat)
            for platform in platforms:
                found.update(platform.groups(who))

    def usual(self, who: Character) -> Line:
        return self.of[who.id][USUAL]

    def places(self, who: Character) -> list[Json]:
        """Where somebody meets the product, apart from groups."""
        mine = self.of[who.id]
        return [{"place": p, "chat": mine[p].chat, "channel": c} for p, c in self.channels[who.id].items()]


def words(asked: Json, name: str, most: int) -> str:
    """A text among the fields of an errand. Raises `Wrong`."""
    value = asked.get(name, "")
    if not isinstance(value, str) or len(value) > most:
        raise Wrong(f"Nhiều nhất {most} chữ một tin.")
    return value


def said(asked: Json, most: int) -> str:
    """What somebody has typed. Raises `Wrong` for nothing."""
    text = words(asked, "text", most)
    if not text.strip():
        raise Wrong("Hãy gõ vài chữ trước khi gửi.")
    return text


def sample(asked: Json, *suffixes: str) -> Path:
    """One of the files that come with the demo. Raises `Wrong`."""
    name = words(asked, "name", 64)
    path = SAMPLES / name
    if name not in {p.name for p in SAMPLES.iterdir()} or path.suffix not in suffixes:
        raise Wrong("Không có tệp mẫu này.")
    return path
