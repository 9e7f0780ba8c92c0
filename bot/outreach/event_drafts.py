"""Event drafts: what an editor is announcing, step by step, kept in the conversation."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bot.core.events import Entity, Location, Media, Outbound
from bot.core.text import shorten
from bot.outreach import items
from bot.outreach.desk import Desk
from messages import Rich

LONGEST_TITLE = 120
LONGEST_PLACE = 200
"""UTF-16 units."""


@dataclass(slots=True, kw_only=True)
class EventDraft:
    """An event on its way to be announced. `nonce` is in every button, so that an old button is known."""

    nonce: str = field(default_factory=lambda: secrets.token_hex(3))
    title: str = ""
    starts_at: datetime | None = None
    place: str = ""
    location: Location | None = None
    unit: str | None = None
    text: str = ""
    entities: tuple[Entity, ...] = ()
    media: tuple[Media, ...] = ()

    def dump(self) -> dict[str, Any]:
        carrier = Outbound(chat_id="", text=self.text, entities=self.entities, media=self.media, location=self.location)
        starts = self.starts_at.timestamp() if self.starts_at else None
        row = {"nonce": self.nonce, "title": self.title, "place": self.place, "unit": self.unit}
        return row | {"starts_at": starts, "rest": items.dump([carrier])}

    @classmethod
    def load(cls, row: dict[str, Any]) -> EventDraft:
        """The inverse of `dump`."""
        rest = items.load(row["rest"])[0] if row.get("rest") else Outbound(chat_id="")
        starts = datetime.fromtimestamp(row["starts_at"], UTC) if row.get("starts_at") else None
        return cls(
            nonce=row["nonce"],
            title=row["title"],
            place=row["place"],
            unit=row["unit"],
            starts_at=starts,
            text=rest.text,
            entities=rest.entities,
            media=rest.media,
            location=rest.location,
        )

    def announcement(self, desk: Desk) -> list[Outbound]:
        """What residents read; the place on a map comes as a message of its own."""
        said = desk.book.say("vi", "event.announcement", title=self.title, starts=self.starts_at, place=self.place)
        if self.text:
            said = said + Rich("\n\n") + Rich(self.text, self.entities)
        parts = [Outbound(chat_id="", text=said.text, entities=said.entities, media=self.media)]
        return [*parts, Outbound(chat_id="", location=self.location)] if self.location else parts


def tidy(text: str, longest: int) -> str:
    """One line of at most `longest` UTF-16 units."""
    return shorten(" ".join(text.split()), longest)
