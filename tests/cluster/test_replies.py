"""Replies where several processes send: each belongs to one of them, for as long as it lives."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.core.events import ChatKind, Inbound, InboundKind, Outbound
from bot.db import Database, accounts, replies
from bot.db.tables import Reply
from bot.inbox import Inbox
from handlers import ROUTERS
from tests.support.talk import ACCOUNT, MORNING, Talk

LEASE = timedelta(seconds=20)


@pytest.fixture
async def account_id(shared: Database) -> int:
    async with shared.write() as tx:
        return (await accounts.ensure(tx, ACCOUNT, MORNING)).id


async def _queue(database: Database, account_id: int, count: int, owner: str | None = None) -> list[int]:
    async with database.write() as tx:
        replies.take_on(tx, owner)
        rows = [
            await replies.add(tx, account_id, None, Outbound(chat_id=str(n), text="Trả lời"), MORNING)
            for n in range(count)
        ]
    return [row.id for row in rows]


async def _claim(database: Database, account_id: int, owner: str, limit: int = 100) -> list[int]:
    async with database.write() as tx:
        return [row.id for row in await replies.claim(tx, [account_id], owner, LEASE, limit)]


async def test_what_nobody_takes_care_of_is_claimed_by_exactly_one(shared: Database, account_id: int) -> None:
    ids = await _queue(shared, account_id, 20)
    found = await asyncio.gather(*(_claim(shared, account_id, f"worker {n}", 7) for n in range(6)))
    assert sorted(id for of_one in found for id in of_one) == ids
    assert await _claim(shared, account_id, "late") == []


async def test_whoever_queued_it_keeps_it_until_their_lease_has_passed(shared: Database, account_id: int) -> None:
    ids = await _queue(shared, account_id, 3, owner="web")
    assert await _claim(shared, account_id, "worker") == []
    async with shared.write() as tx:
        assert await replies.owned(tx, "web") == set(ids)
        passed = sa.func.clock_timestamp() - sa.literal(timedelta(seconds=1), sa.Interval())
        await tx.execute(sa.update(Reply).where(Reply.id != ids[0]).values(lease_until=passed))
    assert await _claim(shared, account_id, "worker") == ids[1:]


async def test_a_sign_of_life_prolongs_it_and_a_farewell_ends_it(shared: Database, account_id: int) -> None:
    ids = await _queue(shared, account_id, 2, owner="web")
    async with shared.write() as tx:
        await tx.execute(sa.update(Reply).values(lease_until=sa.func.clock_timestamp()))
        await replies.renew(tx, "web", LEASE)
    assert await _claim(shared, account_id, "worker") == []
    async with shared.write() as tx:
        await replies.release(tx, "web")
    assert await _claim(shared, account_id, "worker") == ids


async def test_an_answer_belongs_to_the_process_that_was_asked(shared: Database) -> None:
    talk = Talk(shared)
    await talk.open()
    left: list[Reply] = []
    talk.inbox = Inbox(shared, talk.desk, ROUTERS, {ACCOUNT: talk.channel.capabilities}, left.extend, owner="web 1")
    await talk.person("1").says("/start")
    assert left
    assert {row.owner for row in left} == {"web 1"}
    assert await _claim(shared, talk.account.id, "web 2") == []


async def test_two_processes_meet_somebody_once(shared: Database) -> None:
    """Two updates of one chat, in two processes at the same moment."""
    talk = Talk(shared)
    await talk.open()
    capabilities = {ACCOUNT: talk.channel.capabilities}
    inboxes = [Inbox(shared, talk.desk, ROUTERS, capabilities, lambda _rows: None, owner=f"web {n}") for n in range(4)]
    said = [
        Inbound(
            account=ACCOUNT,
            external_id=str(n),
            kind=InboundKind.MESSAGE,
            chat_id="1",
            chat_kind=ChatKind.PRIVATE,
            at=MORNING,
            sender_id="1",
            text="chào",
        )
        for n in range(4)
    ]
    await asyncio.gather(*(inbox.handle(one) for inbox, one in zip(inboxes, said, strict=True)))
    async with shared.read() as tx:
        met = (await tx.execute(sa.text("SELECT count(*) FROM person"))).scalar_one()
    assert met == 1
