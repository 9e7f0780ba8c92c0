"""The server notes what arrives, people are where they should be, and a row that loses somebody counts for nothing."""

from __future__ import annotations

import asyncio
import re
from itertools import pairwise

import aiohttp
import pytest
import sqlalchemy as sa

from benchmarks import drawing, ours, peers
from benchmarks.addresses import FIRST_CHAT, account, token
from benchmarks.cost import Wrong
from benchmarks.seed import seed
from benchmarks.serving import BotApi
from bot.db import Database
from bot.db.tables import Account, Contact, Person

CHATS = range(FIRST_CHAT + 1, FIRST_CHAT + 41)


async def test_the_server_notes_every_chat_and_numbers_every_message() -> None:
    with BotApi() as api:
        async with aiohttp.ClientSession() as session:
            address = f"{api.url}/bot{token(3)}/sendMessage"
            ways = ({"json": {"chat_id": "5", "text": "a"}}, {"data": {"chat_id": -100, "text": "a"}})
            answers = [await (await session.post(address, **way)).json() for way in ways]
            answers.append(await (await session.get(address, params={"chat_id": 7, "text": "a"})).json())
        log = await asyncio.to_thread(api.log)
    assert [a["result"]["chat"]["id"] for a in answers] == [5, -100, 7] == log.chats
    assert [a["result"]["message_id"] for a in answers] == [1, 2, 3]
    assert {f"telegram:{bot}" for bot in log.bots} == {account(3)}
    assert log.times == sorted(log.times)


async def test_updates_wait_until_they_are_confirmed() -> None:
    with BotApi() as api:
        async with aiohttp.ClientSession() as session:

            async def ids(offset: int) -> list[int]:
                question = {"offset": offset, "timeout": 10}
                answer = await session.post(f"{api.url}/bot{token(0)}/getUpdates", json=question)
                return [update["update_id"] for update in (await answer.json())["result"]]

            waiting = asyncio.create_task(ids(0))
            await asyncio.to_thread(api.feed, 700_000, [{"message": {"text": "a"}}] * 3)
            assert await waiting == [1, 2, 3]
            assert await ids(2) == [2, 3]


@pytest.mark.parametrize("peer", [peers.aiohttp, peers.protocol, peers.ptb, peers.aiogram])
async def test_every_peer_reaches_everybody_once(peer: peers.Peer) -> None:
    with BotApi() as api:
        async with peer(api.url) as flood:
            await flood(iter(CHATS))
        log = await asyncio.to_thread(api.log)
    assert sorted(log.chats) == list(CHATS)


async def test_people_are_spread_evenly_and_can_be_added_to(database: Database) -> None:
    await seed(database.url, 7, 2)
    await seed(database.url, 3, 2, tips=True)
    async with database.read() as tx:
        of_account = sa.select(Account.key, sa.func.count()).join(Contact).group_by(Account.key).order_by(Account.key)
        spread = [(key, count) for key, count in (await tx.execute(of_account)).all()]
        chats = (await tx.execute(sa.select(Contact.external_id).order_by(Contact.id))).scalars().all()
        hours = (await tx.execute(sa.select(sa.func.count(Person.tip_hour)))).scalar_one()
    assert spread == [(account(0), 5), (account(1), 5)]
    assert chats == [str(FIRST_CHAT + n) for n in range(1, 11)]
    assert hours == 3


async def test_our_whole_path_is_measured_and_checked(database_url: str) -> None:
    await seed(database_url, len(CHATS), unit=ours.MEASURED)
    await seed(database_url, 5, unit=ours.WARM_UP)
    with BotApi() as api:
        cost = await ours.whole_path(api.url, database_url, CHATS)
    assert cost.messages == len(CHATS)
    assert cost.cpu > 0


@pytest.mark.parametrize(
    ("sent", "arrived"),
    [(39, CHATS), (40, CHATS[:-1]), (40, [*CHATS, CHATS[0]]), (40, [*CHATS[:-1], CHATS[0]])],
    ids=["not written down", "lost", "doubled", "one for another"],
)
def test_a_row_that_loses_somebody_counts_for_nothing(sent: int, arrived: list[int]) -> None:
    ours.check({"total": 40, "sent": 40}, CHATS, CHATS)
    with pytest.raises(Wrong):
        ours.check({"total": 40, "sent": sent}, CHATS, arrived)


def test_names_of_lines_do_not_lie_upon_one_another() -> None:
    lines = [drawing.Line(name, [(1000, 5.0), (10_000, 5.0)], "#000000") for name in ("red", "green", "blue")]
    page = drawing.page("title", [drawing.Panel("panel", "below", lines, 10, 5)])
    heights = sorted(float(y) for y in re.findall(r'y="([0-9.]+)">(?:red|green|blue)<', page))
    assert len(heights) == 3
    assert min(b - a for a, b in pairwise(heights)) >= 12
