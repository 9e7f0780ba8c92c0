"""The daily tip: planned once for each group, day and hour; never twice, never late, never in quiet hours."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from types import MappingProxyType

import pytest
import sqlalchemy as sa

from bot.core.words import CampaignKind, DeliveryState, PersonStatus, RunState, TargetGroup
from bot.db import Tx, audit, lessons, people
from bot.db.tables import Campaign, Contact, Delivery, Lesson, Person, Run
from bot.outreach import curriculum, tip_round
from tests.support.talk import Talk

DAY = date(2026, 11, 24)


def at(talk: Talk, hour: int, minute: int = 0, day: date = DAY) -> datetime:
    return talk.desk.clock.at(day, time(hour, minute))


async def synced(talk: Talk) -> None:
    async with talk.database.write() as tx:
        await curriculum.sync(tx, talk.desk.pack)


async def plan(talk: Talk, now: datetime) -> list[int]:
    """Plan what is due; returns how many people each run has gained."""
    talk.now = now
    before = await totals(talk)
    await tip_round.plan_due(talk.database, talk.desk, now)
    gained = {id: total - before.get(id, 0) for id, total in (await totals(talk)).items()}
    return [n for _, n in sorted(gained.items()) if n]


async def totals(talk: Talk) -> dict[int, int]:
    """How many people each run has, but those that were missed."""
    async with talk.database.read() as tx:
        return {run.id: run.total for run in await all_runs(tx) if run.state is not RunState.MISSED}


async def change(talk: Talk, **values: object) -> None:
    async with talk.database.write() as tx:
        await tx.execute(sa.update(Person).values(**values))


async def all_runs(tx: Tx) -> list[Run]:
    return list((await tx.execute(sa.select(Run).order_by(Run.id))).scalars())


def taught(talk: Talk, lists: dict[str, Iterable[str]]) -> None:
    """Give the desk a pack with those curricula."""
    curricula = MappingProxyType({**talk.desk.pack.curricula, **{k: tuple(v) for k, v in lists.items()}})
    talk.desk.pack = replace(talk.desk.pack, curricula=curricula)


async def test_sync_writes_every_curriculum(talk: Talk) -> None:
    await synced(talk)
    async with talk.database.read() as tx:
        found = await lessons.everything(tx)
    assert {str(g): tuple(t) for g, t in found.items()} == dict(talk.desk.pack.curricula)


async def test_sync_never_changes_a_day(talk: Talk) -> None:
    taught(talk, {"resident": ["otp_never", "strange_link"]})
    await synced(talk)
    taught(talk, {"resident": ["long_password", "strange_link", "lock_screen"]})
    await synced(talk)
    await synced(talk)
    async with talk.database.read() as tx:
        found = await lessons.everything(tx)
    assert found[TargetGroup.RESIDENT] == ["otp_never", "strange_link", "long_password", "lock_screen"]


async def test_one_run_for_each_group_day_and_hour(talk: Talk) -> None:
    await synced(talk)
    for id in ("1", "2", "3"):
        await talk.resident(id, hour=7)
    await talk.resident("4", hour=7, group="elderly")
    await talk.resident("5", hour=19)
    assert sorted(await plan(talk, at(talk, 7, 1))) == [1, 3]
    assert await plan(talk, at(talk, 7, 2)) == []
    assert await plan(talk, at(talk, 19)) == [1]
    async with talk.database.read() as tx:
        campaigns = (await tx.execute(sa.select(Campaign).order_by(Campaign.id))).scalars().all()
        assert {c.audience for c in campaigns} == {"tips:resident:0:7", "tips:elderly:0:7", "tips:resident:0:19"}
        assert {c.kind for c in campaigns} == {CampaignKind.TIP}
        for run in await all_runs(tx):
            assert run.state is RunState.SENDING
            assert run.valid_until is not None
            assert run.valid_until <= min(run.planned_at + timedelta(hours=3), at(talk, 20, 30))
    for id in ("1", "4", "5"):
        person = await talk.record(id)
        assert person is not None
        assert (person.tip_day, person.tipped_on) == (1, DAY)


async def test_the_tip_arrives_with_its_source_and_buttons(talk: Talk) -> None:
    await synced(talk)
    person = await talk.resident("1", hour=7)
    await plan(talk, at(talk, 7))
    await talk.deliver()
    tip = talk.desk.pack.tips[talk.desk.pack.curricula["resident"][0]]
    assert len(person.heard) == 1
    assert tip.title in person.last.text
    assert tip.source_name in person.last.text
    assert person.last.text.endswith("Nhắn DỪNG để ngừng nhận.")
    assert [b.label for b in person.buttons()] == ["Xem lại", "Chưa hiểu", "Chuyển tiếp"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_month_of_tips_holds_no_tip_twice(talk: Talk) -> None:
    await synced(talk)
    person = await talk.resident("1", hour=7)
    for day in range(30):
        await plan(talk, at(talk, 7, 5, DAY + timedelta(days=day)))
        await talk.deliver()
    titles = [m.text.split("\n")[0] for m in person.heard]
    assert len(titles) == len(set(titles)) == 30


@pytest.mark.parametrize(("hour", "minute"), [(0, 0), (3, 0), (6, 59)])
async def test_nothing_before_the_morning(talk: Talk, hour: int, minute: int) -> None:
    await synced(talk)
    await talk.resident("1", hour=7)
    assert await plan(talk, at(talk, hour, minute)) == []


async def test_late_but_not_too_late(talk: Talk) -> None:
    await synced(talk)
    await talk.resident("1", hour=7)
    assert await plan(talk, at(talk, 9, 59)) == [1]


@pytest.mark.parametrize(("hour", "now"), [(7, (10, 1)), (19, (20, 31)), (20, (20, 31)), (11, (14, 1)), (19, (23, 59))])
async def test_too_late_is_missed_once(talk: Talk, hour: int, now: tuple[int, int]) -> None:
    await synced(talk)
    for id in ("1", "2"):
        await talk.resident(id, hour=hour)
    assert await plan(talk, at(talk, *now)) == []
    assert await plan(talk, at(talk, *now) + timedelta(seconds=30)) == []
    async with talk.database.read() as tx:
        (run,) = await all_runs(tx)
        assert (run.state, run.total, run.planned_at) == (RunState.MISSED, 2, at(talk, hour))
        (note,) = await audit.of_action(tx, "tips.missed")
        assert note.detail == {"people": 2}
    person = await talk.record("1")
    assert person is not None
    assert person.tip_day == 0, "the tip comes the day after"
    assert await plan(talk, at(talk, hour, 0, DAY + timedelta(days=1))) == [2]


async def test_days_without_anybody_are_missed_too(talk: Talk) -> None:
    await synced(talk)
    await talk.resident("1", hour=7)
    assert await plan(talk, at(talk, 7)) == [1]
    assert await plan(talk, at(talk, 8, 0, DAY + timedelta(days=3))) == [1]
    async with talk.database.read() as tx:
        states = [(r.planned_at, r.state) for r in await all_runs(tx)]
    assert [s for _, s in states] == [RunState.SENDING, RunState.MISSED, RunState.MISSED, RunState.SENDING]
    person = await talk.record("1")
    assert person is not None
    assert person.tip_day == 2


async def test_who_came_after_the_hour_has_missed_nothing(talk: Talk) -> None:
    await synced(talk)
    talk.now = at(talk, 15)
    await talk.resident("1", hour=7)
    assert await plan(talk, at(talk, 16)) == []
    async with talk.database.read() as tx:
        assert await all_runs(tx) == []
        assert await audit.of_action(tx, "tips.missed") == []


async def test_who_joins_between_two_looks_gets_the_tip_too(talk: Talk) -> None:
    await synced(talk)
    await talk.resident("1", hour=7)
    assert await plan(talk, at(talk, 7)) == [1]
    await talk.resident("2", hour=7)
    assert await plan(talk, at(talk, 8)) == [1]
    await talk.deliver()
    assert len(talk.person("1").heard) == len(talk.person("2").heard) == 1


async def test_only_active_people_with_an_hour(talk: Talk) -> None:
    await synced(talk)
    for id in ("1", "2", "3"):
        await talk.resident(id, hour=7)
    await talk.person("1").says("dừng")
    await change(talk, tip_hour=sa.case((Person.id == 2, None), else_=Person.tip_hour))
    talk.now = at(talk, 7)
    assert await plan(talk, at(talk, 7)) == [1]


async def test_who_returns_goes_on_where_they_were(talk: Talk) -> None:
    await synced(talk)
    person = await talk.resident("1", hour=7)
    await plan(talk, at(talk, 7))
    await person.says("dừng")
    assert await plan(talk, at(talk, 7, 0, DAY + timedelta(days=1))) == []
    talk.now = at(talk, 12, 0, DAY + timedelta(days=9))
    await person.says("tiếp")
    assert await plan(talk, at(talk, 12, 30, DAY + timedelta(days=9))) == []
    assert await plan(talk, at(talk, 7, 0, DAY + timedelta(days=10))) == [1]
    known = await talk.record("1")
    assert known is not None
    assert known.tip_day == 2
    async with talk.database.read() as tx:
        assert await audit.of_action(tx, "tips.missed") == [], "nobody missed anything while they had stopped"


async def test_a_new_hour_brings_no_second_tip(talk: Talk) -> None:
    await synced(talk)
    person = await talk.resident("1", hour=7)
    assert await plan(talk, at(talk, 7)) == [1]
    await person.presses_data("set:hour:19")
    assert await plan(talk, at(talk, 19)) == []
    talk.now = at(talk, 9, 0, DAY + timedelta(days=1))
    await person.presses_data("set:hour:8")
    assert await plan(talk, at(talk, 9, 30, DAY + timedelta(days=1))) == []
    assert await plan(talk, at(talk, 8, 0, DAY + timedelta(days=2))) == [1]


async def test_tips_that_may_not_be_said_are_passed_over(talk: Talk) -> None:
    taught(talk, {"resident": ["otp_never", "strange_link", "long_password"]})
    await synced(talk)
    tips = dict(talk.desk.pack.tips)
    del tips["otp_never"]
    tips["strange_link"] = tips["strange_link"].model_copy(update={"expires": DAY})
    talk.desk.pack = replace(talk.desk.pack, tips=MappingProxyType(tips))
    person = await talk.resident("1", hour=7)
    assert await plan(talk, at(talk, 7)) == [1]
    await talk.deliver()
    assert tips["long_password"].title in person.last.text
    known = await talk.record("1")
    assert known is not None
    assert known.tip_day == 3


async def test_at_the_end_nothing_comes_until_the_curriculum_grows(talk: Talk) -> None:
    taught(talk, {"resident": ["otp_never"]})
    await synced(talk)
    await talk.resident("1", hour=7)
    assert await plan(talk, at(talk, 7)) == [1]
    assert await plan(talk, at(talk, 7, 0, DAY + timedelta(days=1))) == []
    taught(talk, {"resident": ["otp_never", "strange_link"]})
    await synced(talk)
    assert await plan(talk, at(talk, 7, 0, DAY + timedelta(days=2))) == [1]


async def test_a_new_group_repeats_nothing(talk: Talk) -> None:
    taught(talk, {"resident": ["otp_never", "strange_link"], "elderly": ["strange_link", "otp_never", "long_password"]})
    await synced(talk)
    person = await talk.resident("1", hour=7)
    await talk.resident("2", hour=7, group="elderly")
    await plan(talk, at(talk, 7))
    await talk.deliver()
    await person.presses_data("set:group:elderly")
    for day in range(1, 4):
        await plan(talk, at(talk, 7, 0, DAY + timedelta(days=day)))
        await talk.deliver()
    tips = talk.desk.pack.tips
    heard = [m.text.split("\n")[0] for m in person.heard if m.text.startswith("💡")]
    assert heard == [f"💡 {tips[k].title}" for k in ("otp_never", "strange_link", "long_password")]
    assert len(talk.person("2").heard) == 3


async def test_groups_get_the_residents_tips(talk: Talk) -> None:
    await synced(talk)
    async with talk.database.write() as tx:
        from bot.core.words import PersonKind

        group, _ = await people.add(tx, talk.account.id, "-100", talk.now, kind=PersonKind.GROUP, title="Thôn Đông")
        group.status, group.target_group, group.tip_hour = PersonStatus.ACTIVE, TargetGroup.RESIDENT, 7
    assert await plan(talk, at(talk, 7)) == [1]
    await talk.deliver()
    (sent,) = talk.channel.sent
    assert sent.chat_id == "-100"


async def test_blocked_people_are_counted_as_not_reached(talk: Talk) -> None:
    await synced(talk)
    await talk.resident("1", hour=7)
    person = await talk.resident("2", hour=7)
    await person.blocks()
    assert await plan(talk, at(talk, 7)) == [2]
    async with talk.database.read() as tx:
        states = (await tx.execute(sa.select(Delivery.state))).scalars().all()
    assert sorted(states) == [DeliveryState.SKIPPED, DeliveryState.WAITING]


async def test_thousands_of_people_take_few_statements(talk: Talk) -> None:
    await synced(talk)
    async with talk.database.write() as tx:
        rows = [
            {
                "kind": "human", "status": PersonStatus.ACTIVE, "target_group": TargetGroup.RESIDENT, "tip_hour": 7,
                "tip_day": n % 3, "language": "vi", "created_at": talk.now,
            }
            for n in range(3000)
        ]  # fmt: skip
        from bot.core.words import PersonKind

        await tx.execute(sa.insert(Person), [{**row, "kind": PersonKind.HUMAN} for row in rows])
        ids = (await tx.execute(sa.select(Person.id))).scalars().all()
        contacts = [{"account_id": talk.account.id, "external_id": f"c{i}", "person_id": i} for i in ids]
        await tx.execute(sa.insert(Contact), contacts)
    statements: list[str] = []

    def count(_conn: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    engine = talk.database.engine.sync_engine
    sa.event.listen(engine, "before_cursor_execute", count)
    try:
        assert await plan(talk, at(talk, 7)) == [1000, 1000, 1000]
    finally:
        sa.event.remove(engine, "before_cursor_execute", count)
    assert len(statements) < 60
    async with talk.database.read() as tx:
        days = (await tx.execute(sa.select(Person.tip_day, sa.func.count()).group_by(Person.tip_day))).all()
    assert sorted(tuple(d) for d in days) == [(1, 1000), (2, 1000), (3, 1000)]


async def test_the_latest_tip_for_somebody(talk: Talk) -> None:
    await synced(talk)
    await talk.resident("1", hour=7)
    first, second = talk.desk.pack.curricula["resident"][:2]

    async def latest() -> str | None:
        person = await talk.record("1")
        assert person is not None
        async with talk.database.read() as tx:
            tip = await curriculum.latest(tx, talk.desk, person, talk.now)
        return tip.id if tip else None

    assert await latest() == first
    await plan(talk, at(talk, 7))
    assert await latest() == first
    await plan(talk, at(talk, 7, 0, DAY + timedelta(days=1)))
    assert await latest() == second


async def test_without_lessons_nothing_is_planned(talk: Talk) -> None:
    async with talk.database.write() as tx:
        await tx.execute(sa.delete(Lesson))
    await talk.resident("1", hour=7)
    assert await plan(talk, at(talk, 7)) == []
