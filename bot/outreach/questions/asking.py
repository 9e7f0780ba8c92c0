"""Whether a question is put to people: a few at a time, the same one once, and for which unit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.core.text import fold
from bot.db import Tx, questions, units
from bot.db.tables import Contact, Person, Unit
from bot.outreach.desk import Desk
from bot.outreach.questions import duty
from bot.outreach.questions.screening import screen

REMEMBERED = timedelta(hours=1)
"""For so long a question that got no answer may be sent on with one press."""


class Taken(StrEnum):
    """What became of sending a question on; the last word of a key in `messages`."""

    SENT = "sent"
    NIGHT = "night"
    NOBODY = "nobody"
    ALREADY = "already"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of sending a question on, under which number, and whose people were told."""

    taken: Taken
    id: int = 0
    place: str = ""


async def remember(tx: Tx, contact: Contact, text: str, now: datetime) -> bool:
    """Keep, redacted and for an hour, what got no answer. Returns whether it may be sent on at all."""
    screened = screen(text)
    if screened.refusal is None:
        await questions.remember(tx, contact.id, screened.text, now)
    else:
        await questions.forget(tx, contact.id)
    return screened.refusal is None


async def recall(tx: Tx, contact: Contact, now: datetime) -> str | None:
    return await questions.recall(tx, contact.id, now - REMEMBERED)


async def home(tx: Tx, person: Person) -> Unit | None:
    """Where they say they live."""
    return await units.get(tx, person.unit_id) if person.unit_id is not None else None


async def ask(tx: Tx, desk: Desk, person: Person, contact: Contact, unit: Unit, text: str, now: datetime) -> Receipt:
    """Put a screened question to the people of a unit."""
    await questions.forget(tx, contact.id)
    waiting = await questions.open_of(tx, person.id)
    if any(fold(one.text or "") == fold(text) for one in waiting):
        return Receipt(Taken.ALREADY)
    if len(waiting) >= desk.house.open_questions:
        return Receipt(Taken.FULL)
    question = await questions.add(tx, contact.id, unit.id, text, now)
    told = await duty.tell_next(tx, desk, question, now)
    if told is not None:
        return Receipt(Taken.SENT, question.id, told.name)
    return Receipt(Taken.NIGHT if desk.clock.is_quiet(now) else Taken.NOBODY, question.id)
