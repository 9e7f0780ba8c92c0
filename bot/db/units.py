"""Queries about administrative units."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from bot.core.words import PersonStatus, UnitKind
from bot.db.session import Tx
from bot.db.tables import Person, Unit


async def get(tx: Tx, unit_id: int) -> Unit | None:
    return await tx.get(Unit, unit_id)


async def by_code(tx: Tx, code: str) -> Unit | None:
    return (await tx.execute(sa.select(Unit).where(Unit.code == code))).scalar_one_or_none()


async def root(tx: Tx) -> Unit:
    """The province."""
    query = sa.select(Unit).where(Unit.parent_id.is_(None)).order_by(Unit.id).limit(1)
    return (await tx.execute(query)).scalar_one()


async def everything(tx: Tx, today: date) -> list[Unit]:
    """All units that exist today, from the root down, by name."""
    alive = sa.or_(Unit.valid_to.is_(None), Unit.valid_to > today)
    return list((await tx.execute(sa.select(Unit).where(alive).order_by(Unit.kind, Unit.name))).scalars())


async def ever(tx: Tx) -> list[Unit]:
    """All units, also those that are closed."""
    return list((await tx.execute(sa.select(Unit).order_by(Unit.id))).scalars())


async def of_kind(tx: Tx, kind: UnitKind, today: date) -> list[Unit]:
    return [u for u in await everything(tx, today) if u.kind is kind]


async def below(tx: Tx, unit_id: int, today: date) -> list[Unit]:
    """The units directly below one, alive today, by name."""
    return [u for u in await everything(tx, today) if u.parent_id == unit_id]


async def chain(tx: Tx, unit: Unit) -> list[Unit]:
    """The unit and everything above it, from the root down."""
    codes = unit.path.strip("/").split("/")
    found = (await tx.execute(sa.select(Unit).where(Unit.code.in_(codes)))).scalars()
    return sorted(found, key=lambda u: len(u.path))


async def merge(tx: Tx, old: Unit, into: Unit) -> None:
    """Point the people of a merged unit to its successor."""
    await tx.execute(sa.update(Person).where(Person.unit_id == old.id).values(unit_id=into.id))


async def subscribers(tx: Tx, unit: Unit) -> int:
    """How many active people live in the unit and below it."""
    query = (
        sa.select(sa.func.count())
        .select_from(Person)
        .join(Unit, Unit.id == Person.unit_id)
        .where(Unit.path.startswith(unit.path, autoescape=True), Person.status == PersonStatus.ACTIVE)
    )
    return (await tx.execute(query)).scalar_one()
