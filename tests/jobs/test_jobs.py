"""Each job by itself: what is due is done, and done once however often and late it is called."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from bot.core.errors import Reason
from bot.core.events import Outbound
from bot.core.words import CampaignKind, DeliveryState, RunState
from bot.db import Database, audit, conversations, inbound, people, replies, runs
from bot.db.audience import condition
from bot.db.tables import Audit, Conversation, InboundSeen, Reply, Run
from bot.db.traffic import Outcome, Traffic, Want
from bot.outreach import audience, campaigns
from jobs import JOBS, JobContext
from jobs.answers import refresh_answers
from jobs.census import count_runs
from jobs.cleanup import cleanup
from jobs.expiry import expire
from jobs.tips import plan_tips
from tests.support.talk import Talk


class Counter:
    """A meter that remembers the last count."""

    def __init__(self) -> None:
        self.states: dict[str, int] = {}

    def sent(self, account: str, lane: str, outcome: str, count: int = 1) -> None: ...

    def inbound(self, account: str, kind: str, seconds: float) -> None: ...

    def queued(self, account: str, waiting: int) -> None: ...

    def runs(self, state: str, count: int) -> None:
        self.states[state] = count


@pytest.fixture
def context(talk: Talk) -> JobContext:
    return JobContext(talk.database, talk.desk, talk.engine.wake)


async def planned(talk: Talk, at: datetime, text: str = "Mai họp thôn") -> int:
    async with talk.database.write() as tx:
        plan = campaigns.Plan(
            kind=CampaignKind.BROADCAST,
            parts=[Outbound(chat_id="", text=text)],
            audience=audience.parse("all"),
            at=at,
            again=True,
        )
        _, run = await campaigns.create(tx, talk.desk, plan, talk.now)
        assert run is not None
        return run.id


async def state_of(talk: Talk, run_id: int) -> Run:
    async with talk.database.read() as tx:
        run = await runs.get(tx, run_id)
        assert run is not None
        return run


async def test_every_job_may_run_twice_on_an_empty_database(context: JobContext) -> None:
    for job in (*JOBS, *JOBS):
        await job.work(context)


async def test_a_run_that_nobody_sent_in_time_is_missed(talk: Talk, context: JobContext) -> None:
    await talk.resident("1001")
    run_id = await planned(talk, talk.now)
    talk.advance(days=2)
    await expire(context)
    assert (await state_of(talk, run_id)).state is RunState.PLANNED
    talk.advance(days=2)
    await expire(context)
    await expire(context)
    run = await state_of(talk, run_id)
    assert (run.state, run.finished_at) == (RunState.MISSED, talk.now)


async def test_what_is_left_of_a_run_expires_and_what_was_sent_stays_sent(talk: Talk, context: JobContext) -> None:
    for id in ("1001", "1002"):
        await talk.resident(id)
    run_id = await planned(talk, talk.now)
    async with talk.database.write() as tx:
        run = await campaigns.find(tx, run_id)
        await runs.materialise(tx, run, condition(audience.parse("all")), talk.now)
        await runs.set_state(tx, run, RunState.SENDING, talk.now)
    traffic = Traffic(talk.database)
    claim = await traffic.exchange((), (), Want(run_id, talk.account.id, 0, 1, "a sender", talk.now))
    assert claim is not None
    ((_, person_id, *_),) = claim.rows
    sent = Outcome(run_id, person_id, talk.account.id, DeliveryState.SENT, talk.now)
    await traffic.exchange([sent], [claim.slice_id])
    talk.advance(days=4)
    await expire(context)
    async with talk.database.read() as tx:
        status = await campaigns.status(tx, await campaigns.find(tx, run_id, lock=False))
    assert (status["state"], status["sent"], status["skipped"]) == ("done", 1, 1)
    assert status["reasons"] == {Reason.EXPIRED: 1}


async def test_a_paused_run_waits_for_whoever_paused_it(talk: Talk, context: JobContext) -> None:
    run_id = await planned(talk, talk.now)
    async with talk.database.write() as tx:
        await campaigns.pause(tx, await campaigns.find(tx, run_id), talk.now)
    talk.advance(days=9)
    await expire(context)
    assert (await state_of(talk, run_id)).state is RunState.PAUSED


async def _rows(database: Database) -> list[int]:
    async with database.read() as tx:
        tables = (InboundSeen, Conversation, Reply, Audit)
        return [(await tx.execute(sa.select(sa.func.count()).select_from(table))).scalar_one() for table in tables]


async def test_what_is_old_is_forgotten_and_what_is_young_stays(talk: Talk, context: JobContext) -> None:
    speakers = [await talk.resident(id) for id in ("1001", "1002")]
    ages = (timedelta(days=400), timedelta(hours=20))
    for speaker, age in zip(speakers, ages, strict=True):
        then = talk.now - age
        async with talk.database.write() as tx:
            contact = await people.contact(tx, talk.account.id, speaker.id)
            assert contact is not None
            await inbound.is_new(tx, talk.account.id, speaker.id, then)
            await conversations.put(tx, contact.id, "ask", {}, then)
            await replies.add(tx, talk.account.id, contact.id, Outbound(chat_id="1", text="x"), then)
            await audit.note(tx, then, "test", "x")
    assert await _rows(talk.database) == [2, 2, 2, 2]
    await cleanup(context)
    await cleanup(context)
    assert await _rows(talk.database) == [1, 1, 1, 1]


async def test_runs_are_counted_by_state(talk: Talk) -> None:
    meter = Counter()
    context = JobContext(talk.database, talk.desk, talk.engine.wake, meter)
    await planned(talk, talk.now)
    await planned(talk, talk.now, "Khác")
    await count_runs(context)
    assert meter.states == {"planned": 2, "sending": 0, "paused": 0, "stopped": 0}


async def test_a_tip_is_planned_once_however_often_the_clock_ticks(talk: Talk, context: JobContext) -> None:
    speaker = await talk.resident("1001", hour=7)
    for _ in range(3):
        await plan_tips(context)
        await talk.deliver()
    assert len(speaker.heard) == 1
    talk.advance(days=1)
    await plan_tips(context)
    await plan_tips(context)
    await talk.deliver()
    assert len(speaker.heard) == 2
    assert speaker.heard[0].text != speaker.heard[1].text


async def test_answers_are_those_of_the_day(talk: Talk, context: JobContext) -> None:
    before = talk.desk.answerer
    await refresh_answers(context)
    assert talk.desk.answerer is before
    assert before.ask("quên mật khẩu vneid").action == "answer"
    talk.advance(days=400)
    await refresh_answers(context)
    assert talk.desk.answerer is not before
    assert talk.desk.answerer.ask("quên mật khẩu vneid").action == "none"
