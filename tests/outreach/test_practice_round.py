"""The daily question for many, a few at a time: whatever comes in between, everybody is asked once, and few things
often."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from types import MappingProxyType
from typing import Any

import pytest
import sqlalchemy as sa

from bot.core.words import CampaignKind, ContactState, DeliveryState, PersonKind, PersonStatus, RunState, TargetGroup
from bot.db import Database, gathering, links, people, practice, runs
from bot.db.tables import Campaign, Contact, Delivery, Item, Person, Run
from bot.db.tables_practice import Learner, Practice
from bot.outreach import campaigns, curriculum, practice_round, tip_round
from messages.content.models import Quiz
from tests.support.talk import Talk

DAY = date(2026, 11, 24)
GROUPS = (TargetGroup.RESIDENT, TargetGroup.ELDERLY)
QUIZ = Quiz(ask="Bà con làm gì trước?", choices=("Việc một", "Việc hai", "Việc ba"), right=1, because="Vì việc một.")


class Crash(Exception):
    """The process ends here."""


@pytest.fixture(autouse=True)
async def few_at_a_time(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four people a transaction; every tip has a question."""
    monkeypatch.setattr(practice_round, "CHUNK", 4)
    tips = {key: tip.model_copy(update={"quiz": QUIZ}) for key, tip in talk.desk.pack.tips.items()}
    talk.desk.pack = replace(talk.desk.pack, tips=MappingProxyType(tips))
    async with talk.database.write() as tx:
        await curriculum.sync(tx, talk.desk.pack)
    talk.now = at(talk, 17)


def at(talk: Talk, hour: int, day: date = DAY) -> datetime:
    return talk.desk.clock.at(day, time(hour))


async def crowd(talk: Talk, count: int, **fields: Any) -> list[int]:
    """So many people more, who had their third tip this morning at seven."""
    common: dict[str, Any] = {
        "kind": PersonKind.HUMAN,
        "status": PersonStatus.ACTIVE,
        "tip_hour": 7,
        "tip_day": 3,
        "tipped_on": DAY,
        "language": "vi",
        "created_at": talk.now,
    }
    async with talk.database.write() as tx:
        rows = [{**common, "target_group": GROUPS[n % len(GROUPS)], **fields} for n in range(count)]
        made = (await tx.execute(sa.insert(Person).returning(Person.id), rows)).scalars().all()
        contacts = [{"account_id": talk.account.id, "external_id": f"c{id}", "person_id": id} for id in made]
        await tx.execute(sa.insert(Contact), contacts)
    return list(made)


async def plan(talk: Talk) -> None:
    await practice_round.plan_due(talk.database, talk.desk, talk.now)


async def plan_until_crash(talk: Talk, transactions: int) -> None:
    """Plan, and end after so many transactions."""
    left = iter(range(transactions - 1))

    def crash() -> None:
        if next(left, None) is None:
            raise Crash

    with pytest.raises(Crash):
        await practice_round.plan_due(talk.database, talk.desk, talk.now, crash)


async def asked(talk: Talk) -> list[tuple[int, str | None]]:
    """Who was asked about which tip, in all runs."""
    query = (
        sa.select(Delivery.person_id, Item.key)
        .join(Run, Run.id == Delivery.run_id)
        .join(Campaign, Campaign.id == Run.campaign_id)
        .join(Item, Item.id == Campaign.item_id)
        .where(Campaign.kind == CampaignKind.PRACTICE)
        .order_by(Run.id, Delivery.person_id)
    )
    async with talk.database.read() as tx:
        return [(person_id, key) for person_id, key in (await tx.execute(query)).all()]


async def all_runs(talk: Talk) -> list[Run]:
    async with talk.database.read() as tx:
        return list((await tx.execute(sa.select(Run).order_by(Run.id))).scalars())


async def check(talk: Talk, ids: list[int]) -> None:
    """Everybody was asked once about the tip of yesterday, in one run a tip that is no longer held open."""
    found = await asked(talk)
    assert sorted(person_id for person_id, _ in found) == ids
    wanted = {talk.desk.pack.curricula[group][1] for group in GROUPS}
    assert {tip for _, tip in found} == wanted
    made = await all_runs(talk)
    assert len(made) == len(wanted)
    assert sum(run.total for run in made) == len(ids)
    for run in made:
        assert (run.gather_after, run.gather_until) == (None, None)
        assert run.state is RunState.SENDING
        assert run.valid_until == at(talk, 20)


async def passed(talk: Talk, days: int = 1, *, reached: bool = True) -> None:
    """What was planned has come (or not), and it is the same hour some days later; tips went on."""
    state = DeliveryState.SENT if reached else DeliveryState.SKIPPED
    talk.now += timedelta(days=days)
    on = talk.desk.clock.today(talk.now)
    async with talk.database.write() as tx:
        await tx.execute(sa.update(Delivery).values(state=state))
        await tx.execute(sa.update(Person).values(tip_day=Person.tip_day + days, tipped_on=on))


async def learners(talk: Talk) -> dict[int, Learner]:
    async with talk.database.read() as tx:
        return {row.person_id: row for row in (await tx.execute(sa.select(Learner))).scalars()}


async def test_one_run_a_question_in_several_transactions(talk: Talk) -> None:
    ids = await crowd(talk, 10)
    seen: list[int] = []
    await practice_round.plan_due(talk.database, talk.desk, talk.now, lambda: seen.append(1))
    assert len(seen) == 10 // 4 + 2
    await check(talk, ids)
    await plan(talk)
    await check(talk, ids)


@pytest.mark.parametrize("transactions", [1, 3])
async def test_a_crash_between_two_transactions_loses_nobody(talk: Talk, transactions: int) -> None:
    ids = await crowd(talk, 10)
    await plan_until_crash(talk, transactions)
    assert len(await asked(talk)) == min(transactions * 4, 10)
    async with talk.database.write() as tx:
        assert await runs.gathering(tx) == [], "nobody else adds people"
    await tip_round.plan_due(talk.database, talk.desk, talk.now)
    assert {run.gather_until for run in await all_runs(talk) if run.gather_after is not None} == {runs.HELD}
    await plan(talk)
    await check(talk, ids)


async def test_a_crash_within_a_transaction_leaves_no_trace_of_it(talk: Talk) -> None:
    ids = await crowd(talk, 6)
    broken = practice_round.Round(talk.desk, talk.now)
    with pytest.raises(Crash):
        async with talk.database.write() as tx:
            await broken.look(tx)
            await broken.step(tx)
            raise Crash
    assert await asked(talk) == []
    await plan(talk)
    await check(talk, ids)


async def test_two_planners_at_once_double_nobody(talk: Talk) -> None:
    ids = await crowd(talk, 10)
    other = Database(talk.database.url)
    await asyncio.gather(plan(talk), practice_round.plan_due(other, talk.desk, talk.now))
    await other.close()
    await plan(talk)
    await check(talk, ids)


async def test_runs_are_begun_a_few_at_a_time(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(practice_round, "NEW_RUNS", 1)
    monkeypatch.setattr(practice_round, "CHUNK", 100)
    ids = await crowd(talk, 6)
    seen: list[int] = []
    await practice_round.plan_due(talk.database, talk.desk, talk.now, lambda: seen.append(1))
    assert len(seen) == 3
    await check(talk, ids)


async def test_a_round_that_was_cut_short_is_let_go_when_it_is_too_late(talk: Talk) -> None:
    await crowd(talk, 10)
    await plan_until_crash(talk, 1)
    talk.now = at(talk, 20)
    await plan(talk)
    assert len(await asked(talk)) == 4
    assert {run.gather_after for run in await all_runs(talk)} == {None}
    await plan(talk)
    assert len(await asked(talk)) == 4


async def test_who_is_left_of_a_cancelled_run_is_not_asked_today(talk: Talk) -> None:
    await crowd(talk, 10)
    await plan_until_crash(talk, 1)
    async with talk.database.write() as tx:
        for run in (await tx.execute(sa.select(Run))).scalars():
            await campaigns.cancel(tx, run, talk.now)
    await plan(talk)
    assert len(await asked(talk)) == 4
    assert {(run.state, run.gather_after) for run in await all_runs(talk)} == {(RunState.CANCELLED, None)}


@pytest.mark.parametrize(("tip_hour", "hour"), [(7, 17), (14, 17), (15, 11), (20, 11)])
async def test_nobody_is_asked_together_with_the_tip(talk: Talk, tip_hour: int, hour: int) -> None:
    """Who has the tip in the afternoon has not had today's at eleven."""
    early = hour == 17
    ids = await crowd(talk, 2, tip_hour=tip_hour, tip_day=3 if early else 2, tipped_on=DAY - timedelta(days=not early))
    for now in (7, 10, 11, 13, 16, 17, 19):
        talk.now = at(talk, now)
        await plan(talk)
        assert bool(await asked(talk)) == (now >= hour), now
    found = await asked(talk)
    assert [person_id for person_id, _ in found] == ids
    assert {tip for _, tip in found} == {talk.desk.pack.curricula[group][1] for group in GROUPS}


async def test_only_who_wants_and_may_be_asked_is_asked(talk: Talk) -> None:
    await crowd(talk, 1, status=PersonStatus.STOPPED)
    await crowd(talk, 1, kind=PersonKind.GROUP)
    await crowd(talk, 1, tip_day=1)
    (off,) = await crowd(talk, 1)
    (gone,) = await crowd(talk, 1)
    async with talk.database.write() as tx:
        tx.add(Learner(person_id=off, wanted=False, is_open=False, ignored=0, streak=0))
        await tx.execute(sa.update(Contact).where(Contact.person_id == gone).values(state=ContactState.CLOSED))
    await plan(talk)
    assert await asked(talk) == []


async def test_a_tip_without_a_question_is_not_asked_about(talk: Talk) -> None:
    await crowd(talk, 2)
    key = talk.desk.pack.curricula["resident"][1]
    tips = {**talk.desk.pack.tips, key: talk.desk.pack.tips[key].model_copy(update={"quiz": None})}
    talk.desk.pack = replace(talk.desk.pack, tips=MappingProxyType(tips))
    await plan(talk)
    assert [tip for _, tip in await asked(talk)] == [talk.desk.pack.curricula["elderly"][1]]


async def test_what_was_wrong_comes_before_what_is_new(talk: Talk) -> None:
    ids = await crowd(talk, 2, target_group=TargetGroup.RESIDENT)
    tips = talk.desk.pack.curricula["resident"]
    async with talk.database.write() as tx:
        for id, due_on in zip(ids, (DAY, DAY + timedelta(days=1)), strict=True):
            tx.add(Practice(person_id=id, tip=tips[0], was_right=False, step=1, due_on=due_on, at=talk.now))
    await plan(talk)
    assert dict(await asked(talk)) == {ids[0]: tips[0], ids[1]: tips[1]}
    await passed(talk)
    await plan(talk)
    assert dict((await asked(talk))[2:]) == {ids[0]: tips[2], ids[1]: tips[0]}, "passed by, it waits for another day"


async def test_what_was_answered_on_demand_is_not_asked_again(talk: Talk) -> None:
    (id,) = await crowd(talk, 1)
    async with talk.database.write() as tx:
        tip = talk.desk.pack.curricula["resident"][1]
        tx.add(Practice(person_id=id, tip=tip, was_right=True, step=0, at=talk.now))
    await plan(talk)
    assert await asked(talk) == []


async def test_after_the_last_tip_its_question_comes_once(talk: Talk) -> None:
    count = len(talk.desk.pack.curricula["resident"])
    await crowd(talk, 1, tip_day=count, tipped_on=DAY)
    for _ in range(4):
        await plan(talk)
        await passed(talk)
    assert [tip for _, tip in await asked(talk)] == list(talk.desk.pack.curricula["resident"][-2:])


async def test_who_passes_five_by_is_asked_once_a_week(talk: Talk) -> None:
    await crowd(talk, 1)
    days = []
    for _ in range(12):
        before = len(await asked(talk))
        await plan(talk)
        if len(await asked(talk)) > before:
            days.append((talk.desk.clock.today(talk.now) - DAY).days)
        await passed(talk)
    assert days == [0, 1, 2, 3, 4, 11]


async def test_what_never_came_was_not_passed_by(talk: Talk) -> None:
    (id,) = await crowd(talk, 1)
    for _ in range(6):
        await plan(talk)
        await passed(talk, reached=False)
    assert len(await asked(talk)) == 6
    assert (await learners(talk))[id].ignored == 0


async def test_linked_people_are_asked_once(talk: Talk) -> None:
    """The one was asked at eleven, the other would be at five."""
    talk.now = at(talk, 11)
    (old,) = await crowd(talk, 1, tip_hour=17, tip_day=2, tipped_on=DAY - timedelta(days=1))
    (new,) = await crowd(talk, 1)
    await plan(talk)
    assert [person_id for person_id, _ in await asked(talk)] == [old]
    async with talk.database.write() as tx:
        for id, right, earlier in ((old, True, 2), (new, False, 1)):
            moment = talk.now - timedelta(days=earlier)
            tx.add(Practice(person_id=id, tip="otp_never", was_right=right, step=0, at=moment))
        tx.add(Practice(person_id=old, tip="strange_link", was_right=True, step=0, at=talk.now))
        tx.add(Learner(person_id=new, wanted=True, is_open=False, ignored=3, streak=4, streak_on=DAY))
        await tx.flush()
        ours = [(await people.contacts(tx, id))[0].id for id in (old, new)]
        whose = await links.lock(tx, ours)
        await links.merge(tx, whose[ours[0]], whose[ours[1]], talk.now, at(talk, 0))
    talk.now = at(talk, 17)
    await plan(talk)
    assert len(await asked(talk)) == 1
    found = await learners(talk)
    assert list(found) == [new]
    assert (found[new].streak, found[new].ignored, found[new].asked_on) == (4, 0, DAY)
    async with talk.database.read() as tx:
        kept = {row.tip: row.was_right for row in await practice.everything(tx, new)}
    assert kept == {"otp_never": False, "strange_link": True}, "the later answer counts"


async def test_more_people_need_no_more_statements(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(practice_round, "CHUNK", 100)
    counts = []
    for people_more in (4, 40):
        ids = await crowd(talk, people_more)
        async with talk.database.write() as tx:
            due = [{"person_id": id, "tip": "otp_never", "due_on": DAY} for id in ids]
            await tx.execute(
                sa.insert(Practice), [{**row, "was_right": False, "step": 1, "at": talk.now} for row in due]
            )
        said: list[str] = []

        def note(_c: Any, _cursor: Any, statement: str, *_rest: Any, said: list[str] = said) -> None:
            said.append(statement)

        sa.event.listen(talk.database.engine.sync_engine, "before_cursor_execute", note)
        await plan(talk)
        sa.event.remove(talk.database.engine.sync_engine, "before_cursor_execute", note)
        counts.append(len(said))
        talk.now += timedelta(days=1)
        async with talk.database.write() as tx:
            await tx.execute(sa.update(Person).values(tipped_on=talk.desk.clock.today(talk.now)))
            assert await gathering.newest(tx) == ids[-1]
    assert counts[1] <= counts[0]
    assert Counter(person_id for person_id, _ in await asked(talk)).most_common(1)[0][1] <= 2


async def test_when_nobody_is_left_a_minute_costs_two_looks(talk: Talk) -> None:
    await crowd(talk, 6)
    await plan(talk)
    found = practice_round.Round(talk.desk, talk.now)
    said: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        said.append(statement)

    async with talk.database.write() as tx:
        sa.event.listen(talk.database.engine.sync_engine, "before_cursor_execute", note)
        assert not await found.look(tx)
        sa.event.remove(talk.database.engine.sync_engine, "before_cursor_execute", note)
    assert len([text for text in said if not text.startswith("BEGIN")]) == 2
