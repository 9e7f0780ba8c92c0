"""Queries about people and their contacts."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from bot.core.errors import Reason
from bot.core.events import ChatKind
from bot.core.words import ContactState, DeliveryState, PersonKind, PersonStatus
from bot.db.session import Tx
from bot.db.sql import insert
from bot.db.tables import Account, Contact, Delivery, Person, Run, Tombstone


async def contact(tx: Tx, account_id: int, external_id: str) -> Contact | None:
    query = sa.select(Contact).where(Contact.account_id == account_id, Contact.external_id == external_id)
    return (await tx.execute(query)).scalar_one_or_none()


async def find(tx: Tx, channel: str, external_id: str) -> Contact | None:
    """The private contact with that id on any account of the channel, the most recently heard first."""
    query = (
        sa.select(Contact)
        .join(Account, Account.id == Contact.account_id)
        .where(Account.channel == channel, Contact.external_id == external_id)
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
    found = Contact(
        account_id=account_id,
        external_id=external_id,
        person_id=person.id,
        kind=chat,
        title=title,
        state=ContactState.OPEN,
    )
    tx.add(found)
    await tx.flush()
    return person, found


async def contacts(tx: Tx, person_id: int) -> list[Contact]:
    query = sa.select(Contact).where(Contact.person_id == person_id).order_by(Contact.id)
    return list((await tx.execute(query)).scalars())


async def addresses(tx: Tx, person_id: int) -> list[tuple[str, Contact]]:
    """Every contact of a person with the channel that it is on."""
    query = sa.select(Account.channel, Contact).join(Account, Account.id == Contact.account_id)
    found = await tx.execute(query.where(Contact.person_id == person_id).order_by(Contact.id))
    return [(channel, contact) for channel, contact in found.all()]


async def best_contact(tx: Tx, person_id: int) -> Contact | None:
    """Where a person is written to: the open private contact from which we heard last."""
    query = (
        sa.select(Contact)
        .where(Contact.person_id == person_id, Contact.state == ContactState.OPEN)
        .order_by(Contact.last_in_at.desc().nulls_last(), Contact.id)
        .limit(1)
    )
    return (await tx.execute(query)).scalar_one_or_none()


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


async def reopen(tx: Tx, contact_id: int) -> None:
    await tx.execute(
        sa.update(Contact)
        .where(Contact.id == contact_id, Contact.state == ContactState.CLOSED)
        .values(state=ContactState.OPEN, closed_reason=None, closed_at=None)
    )


async def move(tx: Tx, found: Contact, new_id: str) -> None:
    """Give a contact its new external id; if that id is known already, the old contact is closed instead."""
    if await contact(tx, found.account_id, new_id) is not None:
        found.state, found.closed_reason = ContactState.CLOSED, Reason.NOT_FOUND
    else:
        found.external_id = new_id
    await tx.flush()


async def erase(tx: Tx, person_id: int, hashes: list[str], now: datetime) -> None:
    """Delete a person with everything that hangs on them. Deliveries keep their number for the counts, nothing else;
    `hashes` of their addresses stay, so that an import does not bring them back."""
    # through the runs: the key of a delivery begins with its run, and there are millions of deliveries
    mine = sa.and_(Delivery.run_id.in_(sa.select(Run.id)), Delivery.person_id == person_id)
    await tx.execute(
        sa.update(Delivery)
        .where(mine, Delivery.state == DeliveryState.WAITING)
        .values(state=DeliveryState.SKIPPED, reason=Reason.OPTED_OUT, at=now)
    )
    await tx.execute(sa.update(Delivery).where(mine).values(contact_id=None, message_id=None))
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
