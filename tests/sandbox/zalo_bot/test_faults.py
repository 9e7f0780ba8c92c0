"""Faults on demand: what the client sees, and whether the message was delivered all the same."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import aiohttp
import pytest

from bot.sandbox.zalo_bot import Fault, Faults, ZaloBotAccount, ZaloBotSandbox, ZaloBotUser
from tests.channels.conftest import until
from tests.sandbox.zalo_bot.conftest import Client

TABLE: list[tuple[str, Callable[[Faults], Fault], int, tuple[int, bool]]] = [
    ("reset before", lambda faults: faults.drop_before(), 0, (0, True)),
    ("reset after", lambda faults: faults.drop_after(), 1, (200, True)),
    ("silence", lambda faults: faults.hang(), 0, (0, True)),
    ("silence after", lambda faults: faults.hang(after=True), 1, (200, True)),
    ("a page of a gateway", lambda faults: faults.garbage(), 0, (502, True)),
    ("a page after delivery", lambda faults: faults.garbage(after=True), 1, (200, True)),
]


@pytest.mark.parametrize(("arrange", "seen", "noted"), [r[1:] for r in TABLE], ids=[r[0] for r in TABLE])
async def test_fault(
    arrange: Callable[[Faults], Fault],
    seen: int,
    noted: tuple[int, bool],
    server: ZaloBotSandbox,
    client: Client,
    bot: ZaloBotAccount,
    linh: ZaloBotUser,
) -> None:
    with arrange(server.faults) as fault, pytest.raises((aiohttp.ClientError, TimeoutError)):
        async with asyncio.timeout(0.05):
            await client.call("sendMessage", chat_id=linh.id, text="a")
    assert (fault.hits, len(linh.chat(bot).bot_messages)) == (1, seen)
    assert (server.log[-1].status, server.log[-1].lost) == noted
    await client.result("sendMessage", chat_id=linh.id, text="b")


async def test_an_error_is_answered_in_these_words(server: ZaloBotSandbox, client: Client, linh: ZaloBotUser) -> None:
    server.faults.error(403, "Internal server error", count=1, chat_id=linh.id, method="sendMessage")
    await client.result("sendChatAction", chat_id=linh.id, action="typing")
    answer = await client.call("sendMessage", chat_id=linh.id, text="a")
    assert answer == (403, {"ok": False, "description": "Internal server error", "error_code": 403})
    await client.result("sendMessage", chat_id=linh.id, text="a")


async def test_a_delay_is_only_a_delay(
    server: ZaloBotSandbox, client: Client, bot: ZaloBotAccount, linh: ZaloBotUser
) -> None:
    server.faults.delay(0.01, count=1)
    server.faults.delay(0.01, after=True, count=1, skip=1)
    for text in ("a", "b", "c"):
        await client.result("sendMessage", chat_id=linh.id, text=text)
    assert [m.text for m in linh.chat(bot).bot_messages] == ["a", "b", "c"]


async def test_an_outage_ends_waiting_polls(server: ZaloBotSandbox, client: Client, bot: ZaloBotAccount) -> None:
    poll = asyncio.ensure_future(client.call("getUpdates", timeout=5))
    await until(lambda: bot.updates.polls)
    with server.faults.outage():
        with pytest.raises(aiohttp.ClientError):
            await poll
        with pytest.raises(aiohttp.ClientError):
            await client.call("getMe")
    await client.result("getMe")
    server.faults.clear()
