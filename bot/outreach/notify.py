"""A word to somebody who did not just write: queued like a reply, on the contact from which we heard last."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bot.core.events import Button, ChatKind, Outbound
from bot.core.words import PersonStatus
from bot.db import Tx, people
from bot.db.tables import Account, Contact, Person
from bot.outreach import letterbox, routes
from bot.outreach.desk import Desk

Spec = tuple[str, str] | tuple[str, str, dict[str, Any]]
"""A button: message key, data and perhaps fields."""


async def contact_of(tx: Tx, person_id: int, *, prefer: int | None = None, desk: Desk | None = None) -> Contact | None:
    """Where a person is told something: on the account `prefer` if they can be reached there; nowhere if they have
    said stop. With a `desk`, where they can be written to now comes before where they cannot."""
    person = await people.get(tx, person_id)
    if person is None or person.status is PersonStatus.STOPPED:
        return None
    found = [c for c in await people.open_contacts(tx, person_id) if c.kind is ChatKind.PRIVATE]
    if desk is not None:
        found = [c for c in found if await can_be_told(tx, desk, c)] or found
    on_it = [c for c in found if c.account_id == prefer]
    return next(iter(on_it or found), None)


async def may_be_told(tx: Tx, desk: Desk, contact: Contact) -> bool:
    """Whether a contact may be written to at this moment."""
    account = await tx.get_one(Account, contact.account_id)
    return routes.may_write(desk.capabilities.get(account.key), contact.last_in_at, desk.clock.now())


async def can_be_told(tx: Tx, desk: Desk, contact: Contact) -> bool:
    """The same, and the channel is switched on here: what is queued for another one waits for its return."""
    account = await tx.get_one(Account, contact.account_id)
    return account.key in desk.capabilities and await may_be_told(tx, desk, contact)


async def notify(
    tx: Tx,
    desk: Desk,
    contact: Contact,
    key: str,
    now: datetime,
    *,
    buttons: Sequence[Sequence[Spec]] = (),
    tag: str | None = None,
    **fields: Any,
) -> None:
    """Say the message under `key` in the person's language."""
    person = await tx.get_one(Person, contact.person_id)
    said = desk.book.say(person.language, key, **fields)
    rows = tuple(tuple(_button(desk, person.language, spec) for spec in row) for row in buttons if row)
    message = Outbound(chat_id=contact.external_id, text=said.text, entities=said.entities, buttons=rows)
    await letterbox.put(tx, desk, contact.account_id, contact.id, message, now, language=person.language, tag=tag)


def _button(desk: Desk, language: str, spec: Spec) -> Button:
    fields = spec[2] if len(spec) == 3 else {}
    return Button(desk.book.label(language, spec[0], **fields), data=spec[1])
