"""Text with formatting: a little HTML in our own templates becomes plain text and entities."""

from __future__ import annotations

from dataclasses import dataclass
from html.parser import HTMLParser

from bot.core.events import Entity, EntityKind
from bot.core.text import length, nfc, shift

_TAGS = {
    "b": EntityKind.BOLD,
    "i": EntityKind.ITALIC,
    "u": EntityKind.UNDERLINE,
    "s": EntityKind.STRIKETHROUGH,
    "code": EntityKind.CODE,
    "blockquote": EntityKind.BLOCKQUOTE,
    "a": EntityKind.LINK,
}


@dataclass(frozen=True, slots=True)
class Rich:
    """Plain text and its formatting (offsets in UTF-16 units)."""

    text: str
    entities: tuple[Entity, ...] = ()

    def __add__(self, other: Rich) -> Rich:
        return Rich(self.text + other.text, self.entities + shift(other.entities, length(self.text)))


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.used = 0
        self.open: list[tuple[str, int, str | None]] = []
        self.entities: list[Entity] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _TAGS:
            raise ValueError(f"<{tag}> is not one of {', '.join(_TAGS)}")
        self.open.append((tag, self.used, dict(attrs).get("href")))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open[-1][0] != tag:
            raise ValueError(f"</{tag}> closes nothing")
        name, start, url = self.open.pop()
        if self.used > start:
            self.entities.append(Entity(_TAGS[name], start, self.used - start, url))

    def handle_data(self, data: str) -> None:
        text = nfc(data)
        self.parts.append(text)
        self.used += length(text)


def from_html(markup: str) -> Rich:
    """Read our own small HTML. Raises `ValueError` for a tag that is unknown, unopened or unclosed."""
    reader = _Reader()
    reader.feed(markup)
    reader.close()
    if reader.open:
        raise ValueError(f"<{reader.open[-1][0]}> is not closed")
    entities = sorted(reader.entities, key=lambda e: (e.offset, -e.length))
    return Rich("".join(reader.parts), tuple(entities))
