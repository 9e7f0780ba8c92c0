"""Many rows at once, the same on both databases."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DataError, IntegrityError

from bot.core.words import DeliveryState, PersonKind, PersonStatus, TargetGroup
from bot.db import Database, bulk
from bot.db.tables import Delivery, Person

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
SAME = {"kind": PersonKind.HUMAN, "status": PersonStatus.ACTIVE, "language": "vi", "tip_day": 0, "created_at": NOW}


async def people(database: Database, count: int = 3) -> list[int]:
    ids = list(range(1, count + 1))
    groups = [TargetGroup.RESIDENT, None, TargetGroup.ELDERLY]
    async with database.write() as tx:
        await bulk.insert(tx, Person, {"id": ids, "target_group": [groups[id % 3] for id in ids]}, SAME)
    return ids


async def test_rows_arrive_as_they_would_one_by_one(database: Database) -> None:
    await people(database)
    async with database.read() as tx:
        first, second, _ = (await tx.execute(sa.select(Person).order_by(Person.id))).scalars()
    assert (first.target_group, second.target_group) == (None, TargetGroup.ELDERLY)
    assert (first.kind, first.status, first.created_at) == (PersonKind.HUMAN, PersonStatus.ACTIVE, NOW)
    assert (first.tip_hour, first.tipped_on, first.tips_seen) == (None, None, None)


async def test_rows_change_each_in_its_own_way(database: Database) -> None:
    ids = await people(database)
    async with database.write() as tx:
        await bulk.update(tx, Person, ("id", ids[:2]), {"tip_day": [5, 9]}, {"tipped_on": date(2026, 11, 24)})
    async with database.read() as tx:
        found = (await tx.execute(sa.select(Person.tip_day, Person.tipped_on).order_by(Person.id))).all()
    assert found == [(5, date(2026, 11, 24)), (9, date(2026, 11, 24)), (0, None)]


async def test_nothing_is_no_statement(database: Database) -> None:
    async with database.write() as tx:
        await bulk.insert(tx, Person, {"id": [], "target_group": []}, SAME)
        await bulk.update(tx, Person, ("id", []), {"tip_day": []})


async def test_many_values_are_one_parameter(database: Database) -> None:
    ids = await people(database, 2000)
    async with database.read() as tx:
        query = sa.select(sa.func.count()).where(bulk.among(tx, Person.id, [*ids[::2], 99_999]))
        assert (await tx.execute(query)).scalar_one() == 1000
        asked = bulk.given(tx, {"id": Person.id, "day": Person.tip_day}, [(1, 7), (5, 8), (99_999, 9)])
        pairs = sa.select(Person.id, asked.c.day).join(asked, asked.c.id == Person.id).order_by(Person.id)
        assert (await tx.execute(pairs)).all() == [(1, 7), (5, 8)]


async def test_a_row_that_is_there_already_is_the_error_that_it_would_be_alone(database: Database) -> None:
    rows = {"run_id": [1, 1], "person_id": [1, 1]}
    with pytest.raises(IntegrityError):
        async with database.write() as tx:
            await bulk.insert(tx, Delivery, rows, {"state": DeliveryState.WAITING})
    async with database.read() as tx:
        assert (await tx.execute(sa.select(Delivery))).all() == []


async def test_what_postgres_says_of_a_copy_is_told_as_of_any_statement(database: Database) -> None:
    if database.is_sqlite:
        pytest.skip("SQLite takes any text")
    with pytest.raises(DataError):
        async with database.write() as tx:
            await bulk.insert(tx, Person, {"id": [1], "consent_version": ["a\0b"]}, SAME)
