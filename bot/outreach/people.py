"""Who is at the other end: finding and making people and contacts for what comes in."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime

from bot.core.errors import Reason
from bot.core.events import ChatKind, Inbound, InboundKind, Membership
from bot.core.words import ContactState, PersonKind
from bot.db import Tx, people
from bot.db.tables import Account, Contact, Person
from bot.outreach.desk import Desk
from messages import languages


async def arrive(
    tx: Tx, desk: Desk, account: Account, inbound: Inbound, now: datetime
) -> tuple[Person, Contact] | None:
    """The person and contact of an event, made if need be; `None` where an unknown chat says nothing to us: a block
    or an edit must not bring back an address that was erased. Hearing from a closed contact opens it again."""
    found = await people.contact(tx, account.id, inbound.chat_id)
    if found is None:
        return await _meet(tx, desk, account, inbound, now) if _is_heard(inbound) else None
    person = await people.get(tx, found.person_id)
    assert person is not None  # noqa: S101  # a foreign key says so
    if _is_heard(inbound):
        said_at = min(now, inbound.at)
        found.last_in_at = max(found.last_in_at or said_at, said_at)
        if found.state is ContactState.CLOSED:
            await people.reopen(tx, found.id)
            found.state = ContactState.OPEN
    if inbound.chat_kind is ChatKind.GROUP and inbound.chat_title and found.title != inbound.chat_title:
        found.title = inbound.chat_title
    return person, found


async def _meet(tx: Tx, desk: Desk, account: Account, inbound: Inbound, now: datetime) -> tuple[Person, Contact]:
    await people.forget_tombstone(tx, tombstone(desk.secret_key, account.channel, inbound.chat_id))
    group, said_at = inbound.chat_kind is ChatKind.GROUP, min(now, inbound.at)
    known = None if group else await people.find(tx, account.channel, inbound.chat_id)
    if known is not None:
        return await _meet_again(tx, account, known, now, said_at)
    language = inbound.language if inbound.language in languages() and not group else "vi"
    person, found = await people.add(
        tx,
        account.id,
        inbound.chat_id,
        now,
        language=language or "vi",
        kind=PersonKind.GROUP if group else PersonKind.HUMAN,
        title=inbound.chat_title if group else None,
    )
    found.last_in_at = said_at
    return person, found


async def _meet_again(
    tx: Tx, account: Account, known: Contact, now: datetime, said_at: datetime
) -> tuple[Person, Contact]:
    """Somebody who writes to another of our accounts is the same person. An address from which we never heard was
    only our guess at the account that they would choose, and is closed."""
    person = await people.get(tx, known.person_id)
    assert person is not None  # noqa: S101  # a foreign key says so
    if known.last_in_at is None:
        await people.close(tx, known.id, Reason.NEVER_STARTED, now)
    found = await people.join(tx, person.id, account.id, known.external_id)
    found.last_in_at = said_at
    return person, found


def _is_heard(inbound: Inbound) -> bool:
    """Whether the event shows that we can be read there."""
    if inbound.kind is InboundKind.MEMBERSHIP:
        return inbound.membership is Membership.JOINED
    return inbound.kind in (InboundKind.MESSAGE, InboundKind.BUTTON)


async def leave(tx: Tx, contact: Contact, now: datetime) -> None:
    """The platform says that the bot was blocked or removed there."""
    reason = Reason.KICKED if contact.kind is ChatKind.GROUP else Reason.BLOCKED
    await people.close(tx, contact.id, reason, now)
    contact.state, contact.closed_reason, contact.closed_at = ContactState.CLOSED, reason, now


def tombstone(secret: bytes, channel: str, external_id: str) -> str:
    """What is kept of an address whose owner asked to be erased."""
    return hmac.new(secret, f"erased:{channel}:{external_id}".encode(), hashlib.sha256).hexdigest()


async def sender(tx: Tx, account: Account, inbound: Inbound, now: datetime) -> Person | None:
    """The human who wrote in a group or added the bot to it, if known to the platform; they may know another of our
    accounts."""
    if inbound.sender_id is None:
        return None
    found = await people.find(tx, account.channel, inbound.sender_id)
    if found is not None:
        return await people.get(tx, found.person_id)
    if inbound.kind is not InboundKind.MEMBERSHIP:
        return None
    person, added = await people.add(tx, account.id, inbound.sender_id, now)
    added.state, added.closed_reason, added.closed_at = ContactState.CLOSED, Reason.NEVER_STARTED, now
    return person
