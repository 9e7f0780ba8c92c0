"""Many people in a database at once: what an import would leave behind, written by two statements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from benchmarks.addresses import FIRST_CHAT, account, token
from bot.core.clock import utc_now
from bot.core.words import PersonStatus, TargetGroup
from bot.db import Database, Tx, accounts, units
from bot.db.migrate import migrate
from bot.db.tables import Contact, Person
from bot.outreach.desk import House

__all__ = ["FIRST_CHAT", "account", "seed", "token"]

_HOURS = House().tip_hours


async def seed(
    database_url: str, people: int, accounts: int = 1, *, unit: str = "18859", tips: bool = False, language: str = "vi"
) -> None:
    """Bring the database up to the newest schema and add `people` who have agreed to be written to, each with one
    open contact, spread evenly over `accounts`. With `tips` they have also chosen an hour and a target group.

    The first of them in an empty database is person 1 in chat `FIRST_CHAT + 1`.
    """
    database = Database(database_url)
    try:
        await migrate(database)
        async with database.write() as tx:
            await _add(tx, people, accounts, unit, tips=tips, language=language)
    finally:
        await database.close()


async def _add(tx: Tx, people: int, accounts: int, unit: str, *, tips: bool, language: str) -> None:
    first = (await tx.execute(sa.select(sa.func.coalesce(sa.func.max(Person.id), 0)))).scalar_one() + 1
    await _add_people(tx, first, people, unit, tips=tips, language=language)
    await _add_contacts(tx, first, accounts)
    if tx.get_bind().dialect.name == "postgresql":
        await _settle_postgres(tx)


async def _add_people(tx: Tx, first: int, people: int, unit: str, *, tips: bool, language: str) -> None:
    """Columns that are not named here get what a new person gets."""
    place = await units.by_code(tx, unit)
    now = utc_now()
    number = _numbers(first, people)
    row: dict[str, sa.SQLColumnExpression[Any]] = {
        "id": number,
        "status": sa.literal(PersonStatus.ACTIVE, Person.status.type),
        "language": sa.literal(language),
        "target_group": number % len(TargetGroup)
        if tips
        else sa.literal(TargetGroup.RESIDENT, Person.target_group.type),
        "unit_id": sa.literal(None if place is None else place.id, sa.Integer),
        "tip_hour": _turn(number, _HOURS) if tips else sa.null(),
        "consent_version": sa.literal(House().consent_version),
        "consent_at": sa.literal(now, Person.consent_at.type),
        "consent_via": sa.literal("benchmark"),
        "created_at": sa.literal(now, Person.created_at.type),
    }
    await tx.execute(sa.insert(Person).from_select(list(row), sa.select(*row.values()).order_by(number)))


async def _add_contacts(tx: Tx, first: int, count: int) -> None:
    now = utc_now()
    known = [await accounts.ensure(tx, account(number), now) for number in range(count)]
    row: dict[str, sa.SQLColumnExpression[Any]] = {
        "account_id": _turn(Person.id, [found.id for found in known]),
        "external_id": sa.cast(Person.id + FIRST_CHAT, sa.Text),
        "person_id": Person.id,
    }
    people = sa.select(*row.values()).where(Person.id >= first).order_by(Person.id)
    await tx.execute(sa.insert(Contact).from_select(list(row), people))


def _numbers(first: int, count: int) -> sa.SQLColumnExpression[int]:
    """The column of a series that runs inside the database."""
    series = sa.select(sa.literal(first, sa.BigInteger).label("n")).cte("series", recursive=True)
    more = sa.select(series.c.n + 1).where(series.c.n < first + count - 1)
    return series.union_all(more).c.n


def _turn(number: sa.SQLColumnExpression[int], values: Sequence[int]) -> sa.SQLColumnExpression[int]:
    """Each of the values in its turn."""
    return sa.case(*((number % len(values) == place, value) for place, value in enumerate(values)))


async def _settle_postgres(tx: Tx) -> None:
    """Ids that were given by hand are not given again, and the planner knows the sizes without waiting a minute."""
    for table in ("person", "contact"):
        highest = f"(SELECT max(id) FROM {table})"
        await tx.execute(sa.text(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), {highest})"))
        await tx.execute(sa.text(f"ANALYZE {table}"))
