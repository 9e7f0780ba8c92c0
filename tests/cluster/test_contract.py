"""What a run may rely on, whoever sends it: the engine of one process and that of many, on the same PostgreSQL."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from bot.channels.memory import LIKE_TELEGRAM, MemoryChannel
from bot.core.channel import Limits
from bot.core.errors import (
    AccountStopped,
    BadContent,
    ContactClosed,
    ContactRefused,
    NotSent,
    OutcomeUnknown,
    Reason,
    SendError,
    SlowDown,
)
from bot.core.events import Outbound
from bot.core.words import CampaignKind, DeliveryState, RunState
from bot.db import Database, people, queue, replies, runs
from bot.db.tables import Account, Reply, Slice
from bot.engine.cluster import ClusterEngine
from bot.engine.local import LocalEngine
from bot.outreach import audience, campaigns
from tests.support.talk import ACCOUNT, Talk

LIMITED = replace(LIKE_TELEGRAM, limits=Limits(per_second=60, per_chat_second=1, per_group_minute=20))


class House:
    """A village, a channel that remembers, and an engine at work."""

    def __init__(self, database: Database, kind: str, *, limited: bool) -> None:
        self.talk = Talk(database)
        self.channel = MemoryChannel(ACCOUNT, LIMITED if limited else LIKE_TELEGRAM)
        self.engine: LocalEngine | ClusterEngine
        if kind == "local":
            self.engine = LocalEngine(database, self.talk.desk, [self.channel])
        else:
            self.engine = ClusterEngine(database, self.talk.desk, [self.channel], lease=5)

    async def open(self) -> None:
        await self.talk.open()
        if isinstance(self.engine, ClusterEngine):
            await queue.ensure(self.talk.database)
            await self.engine.start()
            await self.engine.steward.start()
        else:
            await self.engine.start()

    async def village(self, count: int) -> list[str]:
        ids = [str(2000 + number) for number in range(count)]
        for id in ids:
            await self.talk.resident(id)
        return ids

    async def send(self, **options: Any) -> int:
        now = self.talk.now
        plan = campaigns.Plan(
            kind=CampaignKind.BROADCAST,
            parts=[Outbound(chat_id="", text=options.pop("text", "Mời bà con đi họp"))],
            audience=audience.parse("all"),
            at=now,
            **options,
        )
        async with self.talk.database.write() as tx:
            _, run = await campaigns.create(tx, self.talk.desk, plan, now)
        assert run is not None
        self.engine.wake()
        return run.id

    async def status(self, run_id: int) -> dict[str, Any]:
        async with self.talk.database.read() as tx:
            run = await runs.get(tx, run_id)
            assert run is not None
            return await campaigns.status(tx, run)

    async def until(self, run_id: int, holds: Callable[[dict[str, Any]], bool], within: float = 20) -> dict[str, Any]:
        for _ in range(int(within / 0.02)):
            status = await self.status(run_id)
            if holds(status):
                return status
            await asyncio.sleep(0.02)
        raise AssertionError(status)

    async def done(self, run_id: int) -> dict[str, Any]:
        return await self.until(run_id, lambda status: status["state"] == "done")

    async def holds(self, question: Callable[[], Awaitable[bool]], within: float = 10) -> None:
        """Ask until it is so."""
        for _ in range(int(within / 0.02)):
            if await question():
                return
            await asyncio.sleep(0.02)
        raise AssertionError("it never was so")

    async def account_stopped(self) -> bool:
        async with self.talk.database.read() as tx:
            return (await tx.execute(sa.select(Account.problem))).scalar_one() is not None

    async def no_replies(self) -> bool:
        async with self.talk.database.read() as tx:
            return not (await tx.execute(sa.select(sa.func.count()).select_from(Reply))).scalar_one()

    @property
    def got(self) -> Counter[str]:
        return Counter(message.chat_id for message in self.channel.sent)

    async def slices(self) -> int:
        async with self.talk.database.read() as tx:
            return (await tx.execute(sa.select(sa.func.count()).select_from(Slice))).scalar_one()


@pytest.fixture(params=["local", "cluster"])
async def house(request: pytest.FixtureRequest, shared: Database) -> AsyncIterator[House]:
    found = House(shared, request.param, limited=False)
    await found.open()
    yield found
    await found.engine.stop()


@pytest.fixture(params=["local", "cluster"])
async def limited(request: pytest.FixtureRequest, shared: Database) -> AsyncIterator[House]:
    """The same at a pace."""
    found = House(shared, request.param, limited=True)
    await found.open()
    yield found
    await found.engine.stop()


def _once(error: SendError, *ids: str) -> Callable[[Outbound], None]:
    """Refuse each of these once, and everybody when none is named."""
    left = set(ids)

    def fail(message: Outbound) -> None:
        if not ids or message.chat_id in left:
            left.discard(message.chat_id)
            raise error

    return fail


async def test_everybody_gets_it_once_and_nothing_is_left_over(house: House) -> None:
    ids = await house.village(25)
    status = await house.done(await house.send())
    assert (status["total"], status["sent"], status["reasons"]) == (25, 25, {})
    assert house.got == Counter(ids)
    assert await house.slices() == 0


async def test_the_same_at_a_pace(limited: House) -> None:
    ids = await limited.village(25)
    status = await limited.done(await limited.send())
    assert (status["total"], status["sent"]) == (25, 25)
    assert limited.got == Counter(ids)


async def test_two_runs_take_turns(limited: House) -> None:
    await limited.village(12)
    first, second = await limited.send(urgent=True), await limited.send(text="Tin thứ hai", urgent=True)
    for run_id in (first, second):
        assert (await limited.done(run_id))["sent"] == 12
    assert set(limited.got.values()) == {2}


async def test_a_pause_gives_the_rest_back_and_a_resume_repeats_nobody(limited: House) -> None:
    ids = await limited.village(60)
    run_id = await limited.send()
    await limited.until(run_id, lambda status: status["sent"] >= 10)
    async with limited.talk.database.write() as tx:
        await campaigns.pause(tx, await campaigns.find(tx, run_id), limited.talk.now)
    status = await limited.until(run_id, lambda status: not status["sending"])
    assert 10 <= status["sent"] < 60
    assert status["sent"] + status["waiting"] == 60
    async with limited.talk.database.write() as tx:
        await campaigns.resume(tx, await campaigns.find(tx, run_id), limited.talk.now)
    assert (await limited.done(run_id))["sent"] == 60
    assert limited.got == Counter(ids)


async def test_a_message_that_is_refused_stops_after_the_first_few(house: House) -> None:
    await house.village(20)
    tried: list[str] = []

    def fail(message: Outbound) -> None:
        tried.append(message.chat_id)
        raise BadContent("Bad Request: can't parse entities")

    house.channel.fail = fail
    run_id = await house.send()
    status = await house.until(run_id, lambda status: status["state"] == "stopped" and not status["sending"])
    assert status["problem"] == "Bad Request: can't parse entities"
    assert (len(tried), status["failed"], status["waiting"]) == (3, 3, 17)


async def test_each_refusal_has_its_own_end(house: House) -> None:
    ids = await house.village(12)
    blocked, away, unsure = ids[5], ids[6], ids[7]

    def fail(message: Outbound) -> None:
        if message.chat_id == blocked:
            raise ContactClosed(Reason.BLOCKED, "Forbidden: bot was blocked by the user")
        if message.chat_id == unsure:
            raise OutcomeUnknown("no answer")
        first_try(message)

    first_try = _once(NotSent("connection refused"), away)
    house.channel.fail = fail
    status = await house.done(await house.send())
    assert (status["sent"], status["failed"], status["unknown"]) == (10, 1, 1)
    assert status["reasons"] == {"blocked": 1, "no_answer": 1}
    async with house.talk.database.read() as tx:
        contact = await people.contact(tx, house.talk.account.id, blocked)
    assert contact is not None
    assert contact.closed_reason is Reason.BLOCKED


async def test_when_asked_to_wait_all_wait_and_nobody_is_missed(limited: House) -> None:
    ids = await limited.village(30)
    limited.channel.fail = _once(SlowDown(0.5, "Too Many Requests"), ids[25])
    status = await limited.done(await limited.send())
    assert (status["sent"], status["failed"], status["unknown"]) == (30, 0, 0)
    assert limited.got == Counter(ids)


async def test_an_account_that_is_refused_stops_and_blames_nobody(house: House) -> None:
    await house.village(10)
    house.channel.fail = _once(AccountStopped("Unauthorized"))
    run_id = await house.send()
    await house.holds(house.account_stopped)
    assert list(house.engine.health()) == [ACCOUNT]
    status = await house.until(run_id, lambda status: status["waiting"] == 10)
    assert (status["state"], status["failed"], status["unknown"]) == ("sending", 0, 0)


async def test_the_failed_ones_are_tried_again_and_nobody_else(house: House) -> None:
    ids = await house.village(8)
    house.channel.fail = _once(ContactRefused(Reason.NO_RIGHTS, "not for this one"), ids[4])
    run_id = await house.send()
    assert (await house.done(run_id))["failed"] == 1
    async with house.talk.database.write() as tx:
        run = await campaigns.find(tx, run_id)
        await campaigns.requeue(tx, run, DeliveryState.FAILED, house.talk.now)
        assert run.state is RunState.SENDING
    assert (await house.done(run_id))["sent"] == 8
    assert house.got == Counter(ids)


async def test_a_reply_that_another_process_queued_leaves_once(house: House) -> None:
    (id,) = await house.village(1)
    async with house.talk.database.write() as tx:
        contact = await people.contact(tx, house.talk.account.id, id)
        assert contact is not None
        await replies.add(tx, house.talk.account.id, contact.id, Outbound(chat_id=id, text="Trả lời"), house.talk.now)
    await house.holds(house.no_replies)
    assert house.got == Counter([id])
