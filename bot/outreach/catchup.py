"""What somebody missed because we may not write to them first: brought in one short message when they write."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.core.errors import Reason
from bot.core.events import Outbound
from bot.core.text import shorten
from bot.core.words import PersonStatus
from bot.db import Tx, kept
from bot.db.kept import Kept
from bot.db.tables import Account, Contact, Person
from bot.outreach import curriculum, letterbox
from bot.outreach.desk import Desk

LOOK_BACK = timedelta(days=14)
MOST = 3
WAITS = (Reason.WINDOW_CLOSED, Reason.BUDGET_USED)
_LINE = 280


async def bring(tx: Tx, desk: Desk, account: Account, person: Person, contact: Contact, now: datetime) -> int:
    """Queue the newest few things that are still worth knowing; they count as sent from now on. Returns how many."""
    if person.status is not PersonStatus.ACTIVE or (contact.muted_until or now) > now:
        return 0
    found = await kept.of_person(tx, person.id, WAITS, now - LOOK_BACK)
    today = desk.clock.today(now)
    worth = [one for one in found if one.is_worth(now, today)]
    newest = worth[:MOST]
    if not newest:
        return 0
    lines = [_line(curriculum.said_in(desk, one.item, person.language), one) for one in newest]
    said = desk.book.say(person.language, "catchup.bring", lines=lines, more=len(worth) - len(newest))
    message = Outbound(chat_id=contact.external_id, text=said.text, entities=said.entities)
    await letterbox.put(tx, desk, account.id, contact.id, message, now, language=person.language)
    for one in newest:
        await kept.brought(tx, one, account.id, contact.id, now)
    for one in found:
        if one not in newest:
            await kept.let_go(tx, one, now)
    return len(newest)


def _line(parts: Sequence[Outbound], one: Kept) -> str:
    words = " ".join(part.text for part in parts if part.text).strip()
    said = " ".join(words.split()) or one.item.title or "…"
    return shorten(f"{one.header} {said}".strip(), _LINE)
