"""Lists for operators: how many live where, who holds which role."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from bot.core.words import PersonStatus, RoleName
from bot.db.session import Tx
from bot.db.tables import Account, Contact, Person, Role, Unit


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody with a role. `addresses` are `channel:id`, each once however many accounts know it."""

    person_id: int
    addresses: list[str]
    role: RoleName
    unit: Unit


async def subscribers_by_unit(tx: Tx) -> dict[int, int]:
    """How many active people live in each unit itself, not counting what is below."""
    query = (
        sa.select(Person.unit_id, sa.func.count())
        .where(Person.status == PersonStatus.ACTIVE, Person.unit_id.is_not(None))
        .group_by(Person.unit_id)
    )
    return {unit_id: count for unit_id, count in (await tx.execute(query)).all() if unit_id is not None}


async def holders(tx: Tx) -> list[Holder]:
    """Everybody who holds a role, the widest unit first."""
    query = sa.select(Role, Unit).join(Unit, Unit.id == Role.unit_id).order_by(Unit.path, Role.role, Role.id)
    rows = (await tx.execute(query)).all()
    mine = (
        sa.select(Contact.person_id, Account.channel, Contact.external_id)
        .join(Account, Account.id == Contact.account_id)
        .where(Contact.person_id.in_(sa.select(Role.person_id)))
        .order_by(Contact.id)
    )
    addresses: dict[int, dict[str, None]] = {}
    for person_id, channel, external_id in (await tx.execute(mine)).all():
        addresses.setdefault(person_id, {})[f"{channel}:{external_id}"] = None
    return [Holder(role.person_id, list(addresses.get(role.person_id, ())), role.role, unit) for role, unit in rows]
