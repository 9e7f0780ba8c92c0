"""Partitions on PostgreSQL: nothing is lost when a month turns, whoever is at work and wherever it is cut off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from alembic import command

from bot.core.words import CampaignKind, DeliveryState, ItemKind, RunState
from bot.db import Database, partitions
from bot.db.migrate import config, migrate
from bot.db.tables import Campaign, Delivery, Item, Run
from tests.support.postgres import Postgres

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
NOVEMBER, DECEMBER, JANUARY = date(2026, 11, 30), date(2026, 12, 1), date(2027, 1, 1)
PEOPLE = range(1, 21)


@pytest.fixture
async def database(postgres: Postgres, postgres_template: str) -> AsyncIterator[Database]:
    name = f"partitions{id(object())}"
    found = Database(postgres.create(name, postgres_template))
    yield found
    await found.close()
    postgres.drop(name)


async def new_run(database: Database, state: RunState = RunState.SENDING, **fields: datetime) -> int:
    """A run with a delivery for everybody."""
    async with database.write() as tx:
        item = Item(kind=ItemKind.BROADCAST, parts=[], created_at=NOW)
        tx.add(item)
        await tx.flush()
        campaign = Campaign(
            kind=CampaignKind.BROADCAST, item_id=item.id, audience="all", fingerprint="x", created_at=NOW
        )
        tx.add(campaign)
        await tx.flush()
        run = Run(campaign_id=campaign.id, state=state, planned_at=NOW, **fields)
        tx.add(run)
        await tx.flush()
        await tx.execute(sa.insert(Delivery), [_row(run.id, person) for person in PEOPLE])
        return run.id


def _row(run_id: int, person_id: int) -> dict[str, object]:
    return {"run_id": run_id, "person_id": person_id, "state": DeliveryState.WAITING}


async def parts(database: Database) -> dict[str, tuple[int | None, int | None]]:
    async with database.read() as tx:
        return {part.name: (part.first, part.end) for part in await partitions.everything(tx)}


async def where(database: Database) -> dict[int, str]:
    """In which partition each run lies."""
    async with database.read() as tx:
        query = "SELECT DISTINCT run_id, tableoid::regclass::text FROM delivery"
        return dict((await tx.execute(sa.text(query))).all())


async def rows(database: Database) -> int:
    async with database.read() as tx:
        return (await tx.execute(sa.select(sa.func.count()).select_from(Delivery))).scalar_one()


async def test_a_month_turns_once_and_every_row_stays(database: Database) -> None:
    first = await new_run(database)
    assert await partitions.turn(database, NOVEMBER, margin=0)
    second = await new_run(database)
    assert not await partitions.turn(database, NOVEMBER, margin=0)
    assert await partitions.turn(database, DECEMBER, margin=2)
    late = [await new_run(database) for _ in range(3)]
    end = second + 3
    assert await parts(database) == {
        "delivery_0000_00": (None, second),
        "delivery_2026_11": (second, end),
        "delivery_2026_12": (end, None),
    }
    assert await where(database) == {
        first: "delivery_0000_00",
        **dict.fromkeys((second, *late[:2]), "delivery_2026_11"),
        late[2]: "delivery_2026_12",
    }
    assert await rows(database) == 5 * len(PEOPLE)


async def test_while_nothing_is_in_it_a_partition_goes_on(database: Database) -> None:
    assert not await partitions.turn(database, NOVEMBER)
    run_id = await new_run(database)
    assert await partitions.turn(database, NOVEMBER, margin=5)
    assert not await partitions.turn(database, DECEMBER, margin=0)
    assert await parts(database) == {"delivery_0000_00": (None, run_id + 6), "delivery_2026_11": (run_id + 6, None)}


async def test_what_is_closed_is_not_read_under_the_lock(postgres: Postgres, database: Database) -> None:
    await new_run(database)
    said: list[str] = []
    watched = Database(database.url + "?options=-c%20client_min_messages=debug1")
    sa.event.listen(
        watched.engine.sync_engine,
        "connect",
        lambda raw, _: raw.driver_connection.add_notice_handler(lambda notice: said.append(notice.message_primary)),
    )
    assert await partitions.turn(watched, NOVEMBER, margin=0)
    await new_run(watched)
    assert await partitions.turn(watched, DECEMBER, margin=0)
    await watched.close()
    spared = [line for line in said if "is implied by existing constraints" in line]
    assert [part in line for part, line in zip(("0000_00", "2026_11"), spared, strict=True)] == [True, True]


async def test_a_turn_that_was_cut_off_goes_on_where_it_was(database: Database) -> None:
    await new_run(database)
    async with database.write() as tx:
        current = (await partitions.everything(tx))[-1]
        end = await partitions.announce(tx, current, 3)
    assert end is not None
    await new_run(database)
    assert await partitions.turn(database, NOVEMBER, margin=100)
    assert list((await parts(database)).values()) == [(None, end), (end, None)]
    assert await rows(database) == 2 * len(PEOPLE)


async def test_somebody_who_takes_long_is_not_waited_for(database: Database) -> None:
    await new_run(database)
    async with database.write() as tx:
        await tx.execute(sa.select(Delivery).limit(1))
        assert not await partitions.turn(database, NOVEMBER)
    assert await partitions.turn(database, NOVEMBER)


async def test_senders_notice_nothing(database: Database) -> None:
    """Runs begin and rows change all the time while four months turn."""
    turned, ran = asyncio.Event(), asyncio.Semaphore(0)
    made: list[int] = []

    async def send() -> None:
        while not turned.is_set():
            run_id = await new_run(database)
            async with database.write() as tx:
                mine = sa.update(Delivery).where(Delivery.run_id == run_id).values(state=DeliveryState.SENT)
                await tx.execute(mine.execution_options(synchronize_session=False))
            made.append(run_id)
            ran.release()

    async def turn() -> None:
        for month in (9, 10, 11, 12):
            await ran.acquire()
            while not await partitions.turn(database, date(2026, month, 1), margin=10):
                await ran.acquire()
        turned.set()

    await asyncio.gather(send(), send(), turn())
    assert len(await parts(database)) == 5
    async with database.read() as tx:
        counted = sa.select(Delivery.run_id, sa.func.count()).where(Delivery.state == DeliveryState.SENT)
        found = dict((await tx.execute(counted.group_by(Delivery.run_id))).all())
    assert found == dict.fromkeys(made, len(PEOPLE))


async def test_a_partition_goes_when_all_its_runs_are_rolled_up_and_a_later_one_has_ended(database: Database) -> None:
    old = NOW - timedelta(days=200)
    for _ in range(2):
        await new_run(database, RunState.DONE, finished_at=old, rolled_up_at=NOW)
    assert await partitions.turn(database, NOVEMBER, margin=0)
    assert await partitions.drop_rolled_up(database) == []
    await new_run(database, RunState.DONE, finished_at=NOW)
    assert await partitions.drop_rolled_up(database) == ["delivery_0000_00"]
    assert await partitions.drop_rolled_up(database) == []
    assert await rows(database) == len(PEOPLE)


async def test_a_run_that_is_not_rolled_up_keeps_its_partition(database: Database) -> None:
    await new_run(database, RunState.DONE, finished_at=NOW, rolled_up_at=NOW)
    far_ahead = await new_run(database, RunState.PLANNED)
    assert await partitions.turn(database, NOVEMBER, margin=0)
    await new_run(database, RunState.DONE, finished_at=NOW)
    assert await partitions.drop_rolled_up(database) == []
    assert (await where(database))[far_ahead] == "delivery_0000_00"


async def test_the_migration_loses_no_row_in_either_direction(postgres: Postgres) -> None:
    database = Database(postgres.create(f"there_and_back{id(object())}"))
    await migrate(database)
    for month in (NOVEMBER, DECEMBER, JANUARY):
        await new_run(database)
        assert await partitions.turn(database, month, margin=0)
    await new_run(database)
    async with database.engine.begin() as connection:
        await connection.run_sync(lambda c: command.downgrade(config(c), "0003"))
        names = await connection.run_sync(lambda c: sa.inspect(c).get_table_names())
    assert [name for name in names if name.startswith("delivery")] == ["delivery"]
    assert await where(database) == dict.fromkeys(range(1, 5), "delivery")
    assert await migrate(database)
    assert await where(database) == dict.fromkeys(range(1, 5), "delivery_0000_00")
    assert await rows(database) == 4 * len(PEOPLE)
    await new_run(database)
    assert await partitions.turn(database, NOVEMBER)
    await database.close()
