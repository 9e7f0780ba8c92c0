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
_MOST_REMEMBERED = 5_000


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


def remember(desk: Desk, contact: Contact, text: str, now: datetime) -> None:
    """Hold, redacted, what got no answer: in memory alone, because nobody has asked us to keep it."""
    screened = screen(text)
    desk.unanswered.pop(contact.id, None)
    if screened.refusal is None:
        desk.unanswered[contact.id] = now, screened.text
    _let_go(desk, now)


def _let_go(desk: Desk, now: datetime) -> None:
    """Forget what is too old, and the oldest when there is too much; they stand in the order in which they came."""
    while desk.unanswered:
        oldest, (at, _) = next(iter(desk.unanswered.items()))
        if at > now - REMEMBERED and len(desk.unanswered) <= _MOST_REMEMBERED:
            return
        del desk.unanswered[oldest]


async def recall(tx: Tx, desk: Desk, contact: Contact, now: datetime) -> str | None:
    """What got no answer lately, or what they are about to send on."""
    at, text = desk.unanswered.get(contact.id, (now - REMEMBERED, ""))
    return text if at > now - REMEMBERED else await shown(tx, contact, now)


async def shown(tx: Tx, contact: Contact, now: datetime) -> str | None:
    """What they were shown last and are about to send on: nothing else is ever sent."""
    return await questions.recall(tx, contact.id, now - REMEMBERED)


async def keep(tx: Tx, desk: Desk, contact: Contact, text: str, now: datetime) -> None:
    """They want to send this: it is kept until they have decided, for an hour at most."""
    desk.unanswered.pop(contact.id, None)
    await questions.remember(tx, contact.id, text, now)


async def forget(tx: Tx, desk: Desk, contact: Contact) -> None:
    """They do not want to send it."""
    desk.unanswered.pop(contact.id, None)
    await questions.forget(tx, contact.id)


async def home(tx: Tx, person: Person) -> Unit | None:
    """Where they say they live."""
    return await units.get(tx, person.unit_id) if person.unit_id is not None else None


async def ask(tx: Tx, desk: Desk, person: Person, contact: Contact, unit: Unit, text: str, now: datetime) -> Receipt:
    """Put a screened question to the people of a unit."""
    await forget(tx, desk, contact)
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
