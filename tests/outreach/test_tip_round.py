"""Tips for many, planned a few at a time: whatever comes in between, everybody gets theirs, once."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import date, datetime, time, timedelta

import pytest
import sqlalchemy as sa

from bot.core.errors import Reason
from bot.core.words import DeliveryState, PersonKind, PersonStatus, RunState, TargetGroup
from bot.db import Database, Tx, audit, runs, tally
from bot.db.tables import Contact, Delivery, Person, Run
from bot.outreach import campaigns, curriculum, tip_round
from tests.support.talk import Talk

DAY = date(2026, 11, 24)
GROUPS = (TargetGroup.RESIDENT, TargetGroup.ELDERLY, TargetGroup.WORKER)


class Crash(Exception):
    """The process ends here."""


@pytest.fixture(autouse=True)
async def few_at_a_time(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four people a transaction, of whom one in three is in each group."""
    monkeypatch.setattr(tip_round, "CHUNK", 4)
    async with talk.database.write() as tx:
        await curriculum.sync(tx, talk.desk.pack)
    await crowd(talk, 22)
    talk.now = at(talk, 7)


def at(talk: Talk, hour: int, minute: int = 0, day: date = DAY) -> datetime:
    return talk.desk.clock.at(day, time(hour, minute))


async def crowd(talk: Talk, count: int) -> None:
    """So many people more, who want their tip at seven."""
    common = {
        "kind": PersonKind.HUMAN,
        "status": PersonStatus.ACTIVE,
        "tip_hour": 7,
        "tip_day": 0,
        "language": "vi",
        "created_at": talk.now,
    }
    async with talk.database.write() as tx:
        people = [{**common, "target_group": GROUPS[n % len(GROUPS)]} for n in range(count)]
        made = await tx.execute(sa.insert(Person).returning(Person.id), people)
        contacts = [{"account_id": talk.account.id, "external_id": f"c{id}", "person_id": id} for id in made.scalars()]
        await tx.execute(sa.insert(Contact), contacts)


async def plan(talk: Talk) -> None:
    await tip_round.plan_due(talk.database, talk.desk, talk.now)


async def plan_until_crash(talk: Talk, transactions: int) -> None:
    """Plan, and end after so many transactions."""
    left = iter(range(transactions - 1))

    def crash() -> None:
        if next(left, None) is None:
            raise Crash

    with pytest.raises(Crash):
        await tip_round.plan_due(talk.database, talk.desk, talk.now, crash)


async def all_runs(tx: Tx) -> list[Run]:
    return list((await tx.execute(sa.select(Run).order_by(Run.id))).scalars())


async def check(talk: Talk, people: int) -> None:
    """Everybody has one delivery, in one run a group, was moved on by one day, and everything adds up."""
    async with talk.database.read() as tx:
        found = (await tx.execute(sa.select(Delivery.person_id))).scalars().all()
        assert len(found) == len(set(found)) == people
        days = (await tx.execute(sa.select(Person.tip_day, Person.tipped_on, Person.target_group))).all()
        assert {(day, on) for day, on, _ in days} == {(1, DAY)}
        groups = Counter(group for _, _, group in days)
        made = await all_runs(tx)
        assert sorted(run.total for run in made) == sorted(groups.values())
        for run in made:
            assert (run.state, run.gather_after, run.gather_until) == (RunState.SENDING, None, None)
            counted = await tally.read(tx, run.id)
            assert counted == {(DeliveryState.WAITING, None): run.total}


async def test_one_run_a_group_in_several_transactions(talk: Talk) -> None:
    seen: list[int] = []
    await tip_round.plan_due(talk.database, talk.desk, talk.now, lambda: seen.append(1))
    assert len(seen) == 22 // 4 + 2
    await check(talk, 22)


@pytest.mark.parametrize("transactions", [1, 3, 6])
async def test_a_crash_between_two_transactions_loses_nobody(talk: Talk, transactions: int) -> None:
    await plan_until_crash(talk, transactions)
    async with talk.database.read() as tx:
        assert (await tx.execute(sa.select(sa.func.count()).select_from(Delivery))).scalar_one() == min(
            transactions * 4, 22
        )
    await plan_until_crash(talk, 1)
    await plan(talk)
    await check(talk, 22)


async def test_a_crash_within_a_transaction_leaves_no_trace_of_it(talk: Talk) -> None:
    await plan_until_crash(talk, 2)
    broken = tip_round.Round(talk.desk, talk.now)
    with pytest.raises(Crash):
        async with talk.database.write() as tx:
            await broken.look(tx)
            await broken.step(tx)
            raise Crash
    await plan(talk)
    await check(talk, 22)


async def test_a_run_is_not_over_while_people_are_added(talk: Talk) -> None:
    await plan_until_crash(talk, 1)
    async with talk.database.write() as tx:
        assert await runs.gathering(tx) == [], "nobody else adds people"
        for run in await all_runs(tx):
            await tx.execute(sa.update(Delivery).values(state=DeliveryState.SENT))
            assert not await campaigns.finish_if_done(tx, run, talk.now)
            status = await campaigns.status(tx, run)
            assert status["total"] == sum(status[str(state)] for state in DeliveryState)


async def test_what_was_sent_in_between_goes_on_in_the_same_run(talk: Talk) -> None:
    await plan_until_crash(talk, 2)
    await talk.deliver()
    assert len(talk.channel.sent) == 8
    await plan(talk)
    await talk.deliver()
    assert len(talk.channel.sent) == len({sent.chat_id for sent in talk.channel.sent}) == 22
    async with talk.database.read() as tx:
        assert [run.state for run in await all_runs(tx)] == [RunState.DONE] * 3


async def test_who_joins_in_between_is_in_the_same_run(talk: Talk) -> None:
    await plan_until_crash(talk, 2)
    await crowd(talk, 5)
    await plan(talk)
    await check(talk, 27)


async def test_who_joins_when_a_run_is_done_is_added_to_it(talk: Talk) -> None:
    await plan(talk)
    await talk.deliver()
    await crowd(talk, 3)
    await plan(talk)
    async with talk.database.read() as tx:
        made = await all_runs(tx)
        assert {(run.state, run.finished_at) for run in made} == {(RunState.SENDING, None)}
        assert [await tally.waiting(tx, [run.id]) for run in made] == [{run.id: 1} for run in made]
    await talk.deliver()
    assert len({sent.chat_id for sent in talk.channel.sent}) == 25


async def test_two_planners_at_once_double_nobody(talk: Talk) -> None:
    other = Database(talk.database.url)
    await asyncio.gather(
        tip_round.plan_due(talk.database, talk.desk, talk.now), tip_round.plan_due(other, talk.desk, talk.now)
    )
    await other.close()
    await plan(talk)
    await check(talk, 22)


async def test_runs_are_begun_a_few_at_a_time(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tip_round, "NEW_RUNS", 1)
    monkeypatch.setattr(tip_round, "CHUNK", 100)
    begun: list[int] = []
    found = tip_round.Round(talk.desk, talk.now)
    async with talk.database.write() as tx:
        more = await found.look(tx)
    while more:
        async with talk.database.write() as tx:
            more = await found.step(tx)
            begun.append(len(await all_runs(tx)))
    assert begun == [1, 2, 3, 3]
    await check(talk, 22)


async def test_who_is_left_of_a_cancelled_run_gets_that_tip_tomorrow(talk: Talk) -> None:
    await plan_until_crash(talk, 2)
    async with talk.database.write() as tx:
        for run in await all_runs(tx):
            await campaigns.cancel(tx, run, talk.now)
    await plan(talk)
    async with talk.database.read() as tx:
        made = await all_runs(tx)
        assert {(run.state, run.gather_after) for run in made} == {(RunState.CANCELLED, None)}
        states = (await tx.execute(sa.select(Delivery.state, Delivery.reason))).all()
        assert Counter(map(tuple, states)) == {(DeliveryState.SKIPPED, Reason.CANCELLED): 8}
        days = Counter((await tx.execute(sa.select(Person.tip_day))).scalars())
        assert days == {1: 8, 0: 14}
    talk.now += timedelta(days=1)
    await plan(talk)
    async with talk.database.read() as tx:
        assert sum(run.total for run in (await all_runs(tx))[3:]) == 22


async def test_missed_tips_are_counted_once_for_all(talk: Talk) -> None:
    talk.now = at(talk, 10, 1)
    await plan_until_crash(talk, 2)
    async with talk.database.read() as tx:
        assert await audit.of_action(tx, "tips.missed") == []
    await plan(talk)
    await plan(talk)
    async with talk.database.read() as tx:
        made = await all_runs(tx)
        assert {(run.state, run.gather_after) for run in made} == {(RunState.MISSED, None)}
        (note,) = await audit.of_action(tx, "tips.missed")
        assert note.detail == {"people": 22}
        assert sum(run.total for run in made) == 22
        for run in made:
            assert (await campaigns.status(tx, run))["skipped"] == run.total
        assert set((await tx.execute(sa.select(Person.tip_day))).scalars()) == {0}


async def test_who_is_left_when_it_has_become_too_late_is_counted_as_not_reached(talk: Talk) -> None:
    await plan_until_crash(talk, 2)
    talk.now = at(talk, 10, 1)
    await plan(talk)
    async with talk.database.read() as tx:
        states = (await tx.execute(sa.select(Delivery.state, Delivery.reason))).all()
        assert Counter(map(tuple, states)) == {
            (DeliveryState.WAITING, None): 8,
            (DeliveryState.SKIPPED, Reason.EXPIRED): 14,
        }
        assert sum(run.total for run in await all_runs(tx)) == 22
        assert Counter((await tx.execute(sa.select(Person.tip_day))).scalars()) == {1: 8, 0: 14}


@pytest.mark.parametrize("more", [0, 2])
async def test_nobody_is_kept_from_a_tip_by_somebody_who_has_it_already(talk: Talk, more: int) -> None:
    await plan(talk)
    async with talk.database.write() as tx:
        odd = (await tx.execute(sa.select(sa.func.min(Person.id)))).scalar_one()
        await tx.execute(sa.update(Person).where(Person.id == odd).values(tip_day=0, tipped_on=None))
    if more:
        await crowd(talk, more)
    await plan(talk)
    await check(talk, 22 + more)
