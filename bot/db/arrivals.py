"""Queries that bring in many people at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from bot.core.events import ChatKind
from bot.core.words import ContactState, PersonKind, PersonStatus, TargetGroup
from bot.db import bulk
from bot.db.bulk import among
from bot.db.session import Tx
from bot.db.sql import is_sqlite
from bot.db.tables import Account, Contact, Person, Tombstone


@dataclass(slots=True)
class Known:
    """Somebody whose address we have."""

    person_id: int
    status: PersonStatus
    heard: bool
    unit_id: int | None
    target_group: TargetGroup | None
    language: str


class Arrival(NamedTuple):
    """Somebody new, who has agreed."""

    account_id: int
    external_id: str
    unit_id: int | None
    target_group: TargetGroup
    language: str
    consent_at: datetime


async def known(tx: Tx, channel: str, external_ids: Sequence[str]) -> dict[str, Known]:
    """Those of the addresses that any account of the channel knows. Of several, the one that was heard last."""
    on = sa.select(Account.id).where(Account.channel == channel)
    query = (
        sa.select(
            Contact.external_id,
            Person.id,
            Person.status,
            Contact.last_in_at,
            Person.unit_id,
            Person.target_group,
            Person.language,
        )
        .join(Person, Person.id == Contact.person_id)
        .where(Contact.account_id.in_(on), among(tx, Contact.external_id, external_ids))
        .order_by(Contact.last_in_at.asc().nulls_first(), Contact.id.desc())
    )
    rows = (await tx.execute(query)).all()
    return {
        key: Known(id, status, heard is not None, unit, group, lang)
        for key, id, status, heard, unit, group, lang in rows
    }


async def any_erased(tx: Tx) -> bool:
    return bool((await tx.execute(sa.select(sa.exists().select_from(Tombstone)))).scalar_one())


async def erased(tx: Tx, hashes: Sequence[str]) -> set[str]:
    """Those of the hashes whose owners asked to be erased."""
    return set((await tx.execute(sa.select(Tombstone.hash).where(among(tx, Tombstone.hash, hashes)))).scalars())


async def add(
    tx: Tx,
    arrivals: Sequence[Arrival],
    now: datetime,
    *,
    consent_version: str,
    tip_hour: int,
    tipped_on: date | None = None,
) -> None:
    """New people with their first contacts, in bulk. `tipped_on` is today when today's hour has passed: their first
    tip comes tomorrow, at the hour."""
    if not arrivals:
        return
    accounts, addresses, units, groups, languages, consents = zip(*arrivals, strict=True)
    ids = await _new_ids(tx, len(arrivals))
    person: dict[str, Any] = {
        "kind": PersonKind.HUMAN,
        "status": PersonStatus.ACTIVE,
        "tip_hour": tip_hour,
        "tip_day": 0,
        "tipped_on": tipped_on,
        "consent_version": consent_version,
        "consent_via": "import",
        "created_at": now,
    }
    own = {"id": ids, "unit_id": units, "target_group": groups, "language": languages, "consent_at": consents}
    await bulk.insert(tx, Person, own, person)
    contact = {"kind": ChatKind.PRIVATE, "state": ContactState.OPEN}
    own = {"account_id": accounts, "external_id": addresses, "person_id": ids}
    await bulk.insert(tx, Contact, own, contact)


async def _new_ids(tx: Tx, count: int) -> Sequence[int]:
    """Numbers for new people. The contacts need them, and asking for them back row by row is ten times slower."""
    if not is_sqlite(tx):
        numbers = sa.select(sa.func.nextval("person_id_seq")).select_from(sa.func.generate_series(1, count))
        return (await tx.execute(numbers)).scalars().all()
    used = sa.text(
        "SELECT max(coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'person'), 0), "
        "coalesce((SELECT max(id) FROM person), 0))"
    )
    last: int = (await tx.execute(used)).scalar_one()
    return range(last + 1, last + count + 1)


async def change(tx: Tx, people: Sequence[Known]) -> None:
    """Write down where people live now, in which group they are and which language they read, in bulk."""
    if not people:
        return
    statement = (
        sa.update(Person)
        .where(Person.id == sa.bindparam("b_id"), Person.status == PersonStatus.ACTIVE)
        .values(
            unit_id=sa.bindparam("b_unit"),
            target_group=sa.bindparam("b_group", type_=Person.target_group.type),
            language=sa.bindparam("b_language"),
        )
    )
    rows = [
        {"b_id": p.person_id, "b_unit": p.unit_id, "b_group": p.target_group, "b_language": p.language} for p in people
    ]
    await (await tx.connection()).execute(statement, rows)


async def activate(
    tx: Tx,
    person_id: int,
    consent_at: datetime,
    *,
    consent_version: str,
    tip_hour: int,
    tipped_on: date | None = None,
) -> None:
    """Somebody who was known by a role alone has agreed."""
    agreed = {"consent_version": consent_version, "consent_at": consent_at, "consent_via": "import"}
    mine = sa.and_(Person.id == person_id, Person.status == PersonStatus.NEW)
    change = {"status": PersonStatus.ACTIVE, "tip_hour": tip_hour, "tipped_on": tipped_on, **agreed}
    await tx.execute(sa.update(Person).where(mine).values(**change))
