"""Queries about roles: who may do what for which unit."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from bot.core.words import ContactState, PersonStatus, RoleName
from bot.db.session import Tx
from bot.db.sql import changed, insert
from bot.db.tables import Contact, Person, Role, Unit


async def grant(tx: Tx, person_id: int, role: RoleName, unit_id: int, now: datetime) -> None:
    row = {"person_id": person_id, "role": role, "unit_id": unit_id, "granted_at": now}
    await tx.execute(insert(tx, Role).values(row).on_conflict_do_nothing())


async def revoke(tx: Tx, person_id: int, role: RoleName, unit_id: int) -> bool:
    """Returns whether there was such a role."""
    mine = sa.delete(Role).where(Role.person_id == person_id, Role.role == role, Role.unit_id == unit_id)
    return bool(await changed(tx, mine))


async def of_person(tx: Tx, person_id: int) -> list[tuple[RoleName, Unit]]:
    """A person's roles with their units, the widest unit first."""
    query = sa.select(Role.role, Unit).join(Unit, Unit.id == Role.unit_id).where(Role.person_id == person_id)
    found = [(role, unit) for role, unit in (await tx.execute(query)).all()]
    return sorted(found, key=lambda pair: (pair[1].kind, pair[1].name))


async def holders(tx: Tx, names: Iterable[RoleName], above: Unit) -> list[int]:
    """Ids of people who hold one of the roles for the unit or any unit above it and can be told something: reachable,
    and not stopped. The nearest unit first."""
    codes = above.path.strip("/").split("/")
    query = (
        sa.select(Role.person_id, Unit.path)
        .join(Unit, Unit.id == Role.unit_id)
        .join(Person, Person.id == Role.person_id)
        .join(Contact, Contact.person_id == Role.person_id)
        .where(Role.role.in_(list(names)), Unit.code.in_(codes))
        .where(Contact.state == ContactState.OPEN, Person.status != PersonStatus.STOPPED)
        .distinct()
    )
    found = sorted((await tx.execute(query)).all(), key=lambda row: -len(row.path))
    return list(dict.fromkeys(row.person_id for row in found))
