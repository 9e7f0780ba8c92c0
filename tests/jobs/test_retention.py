"""Retention: after half a year a run is its counts, and everything that looks back copes with that."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot.core.errors import Reason
from bot.core.events import Outbound
from bot.core.words import CampaignKind, DeliveryState, RunState
from bot.db import audience as queries
from bot.db import partitions, people, rollup
from bot.db.rollup import Line
from bot.db.tables import Delivery, Person, Rollup, Run
from bot.outreach import audience, campaigns, consent
from jobs import JobContext
from jobs.retention import roll_up, turn_pages
from tests.support.talk import Talk


def reached(unit: str | None, n: int) -> Line:
    return Line(unit, "telegram", DeliveryState.SENT, None, n)


UNREACHED = Line("18871", None, DeliveryState.SKIPPED, Reason.NO_ROUTE, 1)


@pytest.fixture
def context(talk: Talk) -> JobContext:
    return JobContext(talk.database, talk.desk, talk.engine.wake)


async def planned(talk: Talk, to: str = "all") -> int:
    async with talk.database.write() as tx:
        plan = campaigns.Plan(
            kind=CampaignKind.BROADCAST,
            parts=[Outbound(chat_id="", text="Mai họp thôn")],
            audience=audience.parse(to),
            at=talk.now,
            again=True,
        )
        _, run = await campaigns.create(tx, talk.desk, plan, talk.now)
        assert run is not None
        return run.id


async def village(talk: Talk) -> int:
    """A run for four people of two villages, of whom one has blocked the bot."""
    await talk.village("V1", "Thôn Một", "18859")
    await talk.village("V2", "Thôn Hai", "18871")
    for id, unit in (("1001", "V1"), ("1002", "V1"), ("1003", "V2"), ("1004", "V2")):
        await talk.resident(id, unit=unit)
    await talk.person("1004").blocks()
    run_id = await planned(talk)
    await talk.deliver()
    return run_id


async def status(talk: Talk, run_id: int) -> dict[str, Any]:
    async with talk.database.read() as tx:
        return await campaigns.status(tx, await campaigns.find(tx, run_id, lock=False))


async def left(talk: Talk) -> int:
    """How many deliveries there are."""
    async with talk.database.read() as tx:
        return (await tx.execute(sa.select(sa.func.count()).select_from(Delivery))).scalar_one()


async def lines(talk: Talk, run_id: int) -> list[Line]:
    async with talk.database.read() as tx:
        return [line async for line in rollup.lines(tx, run_id)]


async def run_of(talk: Talk, run_id: int) -> Run:
    async with talk.database.read() as tx:
        return await campaigns.find(tx, run_id, lock=False)


async def test_an_old_run_becomes_its_counts_and_its_status_stays(talk: Talk, context: JobContext) -> None:
    run_id = await village(talk)
    before = await status(talk, run_id)
    assert (before["state"], before["total"], before["sent"], before["skipped"]) == ("done", 4, 3, 1)
    talk.advance(days=179)
    await roll_up(context)
    assert (await left(talk), (await run_of(talk, run_id)).rolled_up_at) == (4, None)
    talk.advance(days=2)
    await roll_up(context)
    await roll_up(context)
    assert (await left(talk), (await run_of(talk, run_id)).rolled_up_at) == (0, talk.now)
    assert await status(talk, run_id) == before
    assert await lines(talk, run_id) == [reached("18859", 2), UNREACHED, reached("18871", 1)]


async def test_the_operator_says_for_how_long(talk: Talk) -> None:
    run_id = await village(talk)
    talk.advance(days=9)
    await roll_up(JobContext(talk.database, talk.desk, talk.engine.wake, keep_deliveries=timedelta(days=8)))
    assert (await run_of(talk, run_id)).rolled_up_at == talk.now


async def test_whoever_runs_into_a_chunk_boundary_counts_once(talk: Talk) -> None:
    run_id = await village(talk)
    talk.advance(days=200)
    for size in (1, 2, 1, 5):
        async with talk.database.write() as tx:
            await rollup.roll_up(tx, run_id, talk.now, talk.now, size)
        assert await left(talk) + sum(line.n for line in await lines(talk, run_id)) == 4
    assert [line.n for line in await lines(talk, run_id)] == [2, 1, 1]
    assert (await run_of(talk, run_id)).rolled_up_at == talk.now


async def test_what_is_being_sent_waits_or_is_still_gathered_is_left_alone(talk: Talk, context: JobContext) -> None:
    await village(talk)
    held = await planned(talk)
    async with talk.database.write() as tx:
        run = await campaigns.find(tx, held)
        run.state, run.finished_at, run.gather_after = RunState.CANCELLED, talk.now, 0
    talk.advance(days=200)
    waiting = await planned(talk)
    await roll_up(context)
    assert [(await run_of(talk, id)).rolled_up_at for id in (held, waiting)] == [None, None]


async def test_nothing_is_repeated_of_which_only_counts_are_left(talk: Talk, context: JobContext) -> None:
    run_id = await village(talk)
    talk.advance(days=200)
    async with talk.database.write() as tx:
        await rollup.roll_up(tx, run_id, talk.now, talk.now, 1)
    for _ in range(2):
        async with talk.database.write() as tx:
            run = await campaigns.find(tx, run_id)
            with pytest.raises(campaigns.WrongState, match="only its counts are left: start a new one"):
                await campaigns.requeue(tx, run, DeliveryState.SENT, talk.now)
        await roll_up(context)


async def test_somebody_erased_before_or_after_is_only_a_number(talk: Talk, context: JobContext) -> None:
    run_id = await village(talk)
    for id in ("1001", "1003"):
        async with talk.database.write() as tx:
            contact = await people.contact(tx, talk.account.id, id)
            assert contact is not None
            await consent.erase(tx, talk.desk, await tx.get_one(Person, contact.person_id), talk.now)
        talk.advance(days=200)
        await roll_up(context)
    nobody_knows_where = Line(None, None, DeliveryState.SENT, None, 1)
    found = await lines(talk, run_id)
    assert sorted(line.n for line in found) == [1, 1, 1, 1]
    assert nobody_knows_where in found
    assert (await status(talk, run_id))["sent"] == 3


async def test_caps_look_back_a_week_and_never_at_what_is_rolled_up(talk: Talk) -> None:
    await village(talk)
    talk.advance(days=9)
    await roll_up(JobContext(talk.database, talk.desk, talk.engine.wake, keep_deliveries=timedelta(days=8)))
    await planned(talk)
    await talk.deliver()
    async with talk.database.read() as tx:
        today, week = talk.desk.clock.start_of_day(talk.now), talk.desk.clock.start_of_day(talk.now - timedelta(days=6))
        assert await queries.count(tx, [queries.capped(today, week, 1, 4)]) == 3


async def test_a_run_that_was_held_and_forgotten_ends(talk: Talk, context: JobContext) -> None:
    await talk.resident("1001")
    run_id = await planned(talk)
    async with talk.database.write() as tx:
        await campaigns.pause(tx, await campaigns.find(tx, run_id), talk.now)
    talk.advance(days=182)
    await roll_up(context)
    assert (await run_of(talk, run_id)).state is RunState.PAUSED
    talk.advance(days=2)
    await roll_up(context)
    ended = await run_of(talk, run_id)
    assert (ended.state, ended.finished_at, ended.rolled_up_at) == (RunState.CANCELLED, talk.now, None)
    talk.advance(days=181)
    await roll_up(context)
    assert (await run_of(talk, run_id)).rolled_up_at == talk.now


async def pages(talk: Talk) -> list[str]:
    """The partitions of the deliveries; on SQLite there are none."""
    if talk.database.is_sqlite:
        return []
    async with talk.database.read() as tx:
        return [part.name for part in await partitions.everything(tx)]


async def test_partitions_turn_at_night_and_go_when_nothing_is_left(talk: Talk, context: JobContext) -> None:
    first = await pages(talk)
    await village(talk)
    await turn_pages(context)
    assert await pages(talk) == first
    talk.advance(hours=14)
    await turn_pages(context)
    assert await pages(talk) == (["delivery_0000_00", "delivery_2026_11"] if first else [])
    talk.advance(days=200, hours=10)
    await roll_up(context)
    if first:
        async with talk.database.write() as tx:
            await tx.execute(sa.text("SELECT setval('run_id_seq', 1000)"))
    await planned(talk)
    await talk.deliver()
    talk.advance(hours=14)
    await turn_pages(context)
    assert await pages(talk) == (["delivery_2026_11", "delivery_2027_06"] if first else [])
    assert await left(talk) == 4


async def test_a_run_with_nobody_in_it_leaves_no_counts(talk: Talk, context: JobContext) -> None:
    run_id = await planned(talk)
    await talk.deliver()
    talk.advance(days=200)
    await roll_up(context)
    assert (await run_of(talk, run_id)).rolled_up_at == talk.now
    async with talk.database.read() as tx:
        assert (await tx.execute(sa.select(sa.func.count()).select_from(Rollup))).scalar_one() == 0
