"""Queries about people and their contacts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from bot.core.errors import Reason
from bot.core.events import ChatKind
from bot.core.words import ContactState, PersonKind, PersonStatus
from bot.db import deliveries
from bot.db.session import Tx
from bot.db.sql import insert
from bot.db.tables import Account, Contact, Delivery, Person, Reply, Run, Tombstone


async def contact(tx: Tx, account_id: int, external_id: str) -> Contact | None:
    query = sa.select(Contact).where(Contact.account_id == account_id, Contact.external_id == external_id)
    return (await tx.execute(query)).scalar_one_or_none()


async def find(tx: Tx, channel: str, external_id: str) -> Contact | None:
    """The private contact with that id on any account of the channel, the most recently heard first."""
    query = (
        sa.select(Contact)
        .join(Account, Account.id == Contact.account_id)
        .where(Account.channel == channel, Contact.external_id == external_id, Contact.kind == ChatKind.PRIVATE)
        .order_by(Contact.last_in_at.desc().nulls_last(), Contact.id)
        .limit(1)
    )
    return (await tx.execute(query)).scalar_one_or_none()


async def get(tx: Tx, person_id: int) -> Person | None:
    return await tx.get(Person, person_id)


async def add(
    tx: Tx,
    account_id: int,
    external_id: str,
    now: datetime,
    *,
    language: str = "vi",
    kind: PersonKind = PersonKind.HUMAN,
    title: str | None = None,
) -> tuple[Person, Contact]:
    """A new person with a first contact."""
    person = Person(kind=kind, language=language, created_at=now, status=PersonStatus.NEW, tip_day=0)
    tx.add(person)
    await tx.flush()
    chat = ChatKind.GROUP if kind is PersonKind.GROUP else ChatKind.PRIVATE
    return person, await join(tx, person.id, account_id, external_id, kind=chat, title=title)


async def join(
    tx: Tx,
    person_id: int,
    account_id: int,
    external_id: str,
    *,
    kind: ChatKind = ChatKind.PRIVATE,
    title: str | None = None,
) -> Contact:
    """One more open contact of a person."""
    found = Contact(
        account_id=account_id,
        external_id=external_id,
        person_id=person_id,
        kind=kind,
        title=title,
        state=ContactState.OPEN,
    )
    tx.add(found)
    await tx.flush()
    return found


async def contacts(tx: Tx, person_id: int) -> list[Contact]:
    query = sa.select(Contact).where(Contact.person_id == person_id).order_by(Contact.id)
    return list((await tx.execute(query)).scalars())


async def addresses(tx: Tx, person_id: int) -> list[tuple[str, Contact]]:
    """Every contact of a person with the channel that it is on."""
    query = sa.select(Account.channel, Contact).join(Account, Account.id == Contact.account_id)
    found = await tx.execute(query.where(Contact.person_id == person_id).order_by(Contact.id))
    return [(channel, contact) for channel, contact in found.all()]


async def open_contacts(tx: Tx, person_id: int) -> list[Contact]:
    """The open contacts of a person: first the one that they prefer, then the one from which we heard last."""
    query = (
        sa.select(Contact)
        .where(Contact.person_id == person_id, Contact.state == ContactState.OPEN)
        .order_by(Contact.preferred.desc(), Contact.last_in_at.desc().nulls_last(), Contact.id)
    )
    return list((await tx.execute(query)).scalars())


async def groups_of(tx: Tx, person_id: int) -> list[Contact]:
    """The groups to which that person added the bot and where it still is."""
    query = sa.select(Contact).where(
        Contact.added_by_id == person_id, Contact.kind == ChatKind.GROUP, Contact.state == ContactState.OPEN
    )
    return list((await tx.execute(query.order_by(Contact.id))).scalars())


async def close(tx: Tx, contact_id: int, reason: Reason, now: datetime) -> None:
    await tx.execute(
        sa.update(Contact)
        .where(Contact.id == contact_id)
        .values(state=ContactState.CLOSED, closed_reason=reason, closed_at=now)
    )


async def heard_before(tx: Tx, contact_ids: Sequence[int], moment: datetime) -> list[int]:
    """Those of the contacts, groups aside, from whom nothing was heard since that moment."""
    mine = (Contact.id.in_(contact_ids), Contact.kind == ChatKind.PRIVATE)
    query = sa.select(Contact.id).where(*mine, Contact.last_in_at < moment)
    return list((await tx.execute(query)).scalars())


async def close_window(tx: Tx, contact_id: int, heard_at: datetime) -> None:
    """The platform says that it is longer ago than we thought that this contact wrote."""
    wrong = sa.and_(Contact.id == contact_id, Contact.last_in_at > heard_at)
    await tx.execute(sa.update(Contact).where(wrong).values(last_in_at=heard_at))


async def reopen(tx: Tx, contact_id: int) -> None:
    await tx.execute(
        sa.update(Contact)
        .where(Contact.id == contact_id, Contact.state == ContactState.CLOSED)
        .values(state=ContactState.OPEN, closed_reason=None, closed_at=None)
    )


async def move(tx: Tx, found: Contact, new_id: str) -> None:
    """Give a group its new external id. What was met under that id in the meantime gives way to the old contact, unless
    somebody has decided something there: then the old one is closed. Doing it twice changes nothing."""
    other = await contact(tx, found.account_id, new_id)
    if other is not None and other.id != found.id and not await _gives_way(tx, other):
        found.state, found.closed_reason = ContactState.CLOSED, Reason.NOT_FOUND
    else:
        found.external_id = new_id
        found.state, found.closed_reason, found.closed_at = ContactState.OPEN, None, None
    await tx.flush()


async def _gives_way(tx: Tx, other: Contact) -> bool:
    """Remove a group in which nothing has been decided. Returns whether it was one."""
    group = await tx.get_one(Person, other.person_id)
    if group.kind is not PersonKind.GROUP or group.status is not PersonStatus.NEW:
        return False
    await deliveries.skip_person(tx, group.id, Reason.NOT_FOUND, None)
    tx.expunge(other)
    tx.expunge(group)
    await tx.execute(sa.delete(Person).where(Person.id == group.id))
    return True


def _deliveries(person_id: int) -> sa.ColumnElement[bool]:
    """A person's rows, through the runs that still have any: the key of a delivery begins with its run, and there are
    millions."""
    runs = sa.select(Run.id).where(Run.rolled_up_at.is_(None))
    return sa.and_(Delivery.run_id.in_(runs), Delivery.person_id == person_id)


async def erase(tx: Tx, person_id: int, hashes: list[str], now: datetime) -> None:
    """Delete a person with everything that hangs on them, also replies that have not left. Deliveries keep their number
    for the counts, nothing else; `hashes` of their addresses stay, so that an import does not bring them back."""
    await deliveries.skip_person(tx, person_id, Reason.OPTED_OUT, now)
    await tx.execute(sa.update(Delivery).where(_deliveries(person_id)).values(contact_id=None, message_id=None))
    theirs = sa.select(Contact.id).where(Contact.person_id == person_id)
    await tx.execute(sa.delete(Reply).where(Reply.contact_id.in_(theirs)))
    await tx.execute(sa.delete(Person).where(Person.id == person_id))
    for value in hashes:
        row = {"hash": value, "at": now}
        await tx.execute(insert(tx, Tombstone).values(row).on_conflict_do_nothing())


async def is_erased(tx: Tx, value: str) -> bool:
    return await tx.get(Tombstone, value) is not None


async def forget_tombstone(tx: Tx, value: str) -> None:
    """The person came back by themselves."""
    await tx.execute(sa.delete(Tombstone).where(Tombstone.hash == value))


async def count(tx: Tx) -> int:
    return (await tx.execute(sa.select(sa.func.count()).select_from(Person))).scalar_one()
