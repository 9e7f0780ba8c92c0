"""Drafts: what somebody is putting together, kept in the conversation so that a restart loses nothing."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from bot.core.events import Inbound, Outbound
from bot.core.text import fold
from bot.outreach import items

MOST_PARTS = 5
_LONG = 40
_POLITE = re.compile(
    r"^(?:(?:da|thua|em|anh|chi|bot|oi|cho|toi|minh|a)\s+)+(?=\w+\s)|(?:\s+(?:a|vay|nhi|ha|nhe|bot|em))+$"
)
_ASKS_FIRST = ("lam sao", "lam the nao", "tai sao", "vi sao", "khi nao", "bao gio", "hoi")
_ASKS_LAST = ("khong", "the nao", "lam sao", "o dau", "bao gio", "khi nao", "vi sao", "la gi", "bao nhieu", "chua")


class Added(StrEnum):
    """What became of a message that was to be a part; the last word of a key in `messages`."""

    NEW = "new"
    ALBUM = "album"
    JOINED = "joined"
    FULL = "full"
    TOO_LARGE = "too_large"
    EMPTY = "empty"


@dataclass(slots=True, kw_only=True)
class Draft:
    """Messages on their way to become a campaign. `nonce` is in every button, so that an old button is known;
    `again` says that the author knows of the same text two days ago; `circle` instead of the unit."""

    nonce: str = field(default_factory=lambda: secrets.token_hex(3))
    unit: str | None = None
    circle: bool = False
    parts: list[Outbound] = field(default_factory=list)
    album: str | None = None
    at: datetime | None = None
    again: bool = False

    def dump(self) -> dict[str, Any]:
        at = self.at.timestamp() if self.at else None
        row = {"nonce": self.nonce, "unit": self.unit, "circle": self.circle, "album": self.album, "again": self.again}
        return row | {"parts": items.dump(self.parts), "at": at}

    @classmethod
    def load(cls, row: dict[str, Any]) -> Draft:
        """The inverse of `dump`."""
        at = datetime.fromtimestamp(row["at"], UTC) if row.get("at") else None
        return cls(**{**row, "parts": list(items.load(row.get("parts", ()))), "at": at})

    def add(self, inbound: Inbound, *, max_file: int, album: int) -> Added:
        """Take one message in. Pictures of one album become one part of at most `album` files; its text is that
        of whichever picture has one. `max_file` is in bytes."""
        part = part_of(inbound)
        if part is None:
            return Added.EMPTY
        if any((m.size or 0) > max_file for m in part.media):
            return Added.TOO_LARGE
        if inbound.album_id and inbound.album_id == self.album and self.parts:
            return self._gather(part, album)
        if len(self.parts) >= MOST_PARTS:
            return Added.FULL
        self.parts.append(part)
        self.album, self.again = inbound.album_id, False
        return Added.NEW if not inbound.album_id else Added.ALBUM

    def _gather(self, part: Outbound, most: int) -> Added:
        last = self.parts[-1]
        if len(last.media) >= most:
            return Added.FULL
        words = last if last.text else part
        self.parts[-1] = replace(last, media=last.media + part.media, text=words.text, entities=words.entities)
        return Added.JOINED

    def clear(self) -> None:
        """Begin the words anew; to whom they go stays."""
        self.parts, self.album, self.again = [], None, False


def part_of(inbound: Inbound) -> Outbound | None:
    """A message as a part of an item; `None` if it holds nothing that can be sent on."""
    if not (inbound.text.strip() or inbound.media or inbound.location or inbound.card):
        return None
    return Outbound(
        chat_id="",
        text=inbound.text,
        entities=inbound.entities,
        media=inbound.media,
        location=inbound.location,
        card=inbound.card,
    )


def is_meant_for_others(inbound: Inbound) -> bool:
    """Whether a message that was sent out of the blue looks like something to pass on: a file, a place, something
    forwarded, or many words that do not ask anything."""
    if inbound.media or inbound.location or inbound.card or inbound.forwarded:
        return True
    return len(inbound.text) >= _LONG and not is_question(inbound.text)


def is_question(text: str) -> bool:
    """Whether a text asks: by its sign, its first words or its last."""
    said = without_politeness(fold(text))
    first = any(said.startswith(f"{word} ") for word in _ASKS_FIRST)
    return "?" in text or first or any(said.endswith(f" {word}") for word in _ASKS_LAST)


def without_politeness(folded: str) -> str:
    """What is left when the small words around a question are taken away."""
    return _POLITE.sub("", folded)
