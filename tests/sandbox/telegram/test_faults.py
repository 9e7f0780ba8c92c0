"""Faults on demand, as a client sees them."""

from __future__ import annotations

import asyncio
import time

import aiohttp
import pytest

from bot.sandbox.telegram import BotAccount, TelegramSandbox, User
from tests.sandbox.telegram.conftest import Raw, until


async def _send(call: Raw, text: str = "x", chat_id: int = 1001) -> int:
    return (await call("sendMessage", chat_id=chat_id, text=text)).status


async def test_an_error_for_the_next_two(call: Raw, sandbox: TelegramSandbox, bot: BotAccount, started: User) -> None:
    fault = sandbox.faults.error(500, "Internal Server Error: restart", count=2)
    assert [await _send(call) for _ in range(3)] == [500, 500, 200]
    assert fault.hits == 2
    assert sandbox.sent(bot) == 1
    assert [e.status for e in sandbox.log] == [500, 500, 200]
    assert not sandbox.faults


async def test_a_flood_says_how_long(call: Raw, sandbox: TelegramSandbox, bot: BotAccount, started: User) -> None:
    with sandbox.faults.flood(7, bot=bot):
        answer = await call("sendMessage", chat_id=1001, text="x")
    assert answer.error == (429, "Too Many Requests: retry after 7")
    assert answer.json["parameters"] == {"retry_after": 7}
    assert answer.headers["Retry-After"] == "7"
    assert sandbox.count_429(bot) == 1
    assert await _send(call) == 200


async def test_filters(call: Raw, sandbox: TelegramSandbox, bot: BotAccount, started: User) -> None:
    sandbox.add_user(1002).start(bot)
    sandbox.faults.error(400, "Bad Request: X", method="sendMessage", chat_id=(1002, 1003), skip=1)
    assert [await _send(call, chat_id=1002), await _send(call, chat_id=1001), await _send(call, chat_id=1002)] == [
        200,
        200,
        400,
    ]
    assert (await call("sendChatAction", chat_id=1002, action="typing")).status == 200
    sandbox.faults.clear()
    assert await _send(call, chat_id=1002) == 200


@pytest.mark.parametrize("delivered", [False, True])
async def test_a_lost_connection(
    call: Raw, sandbox: TelegramSandbox, bot: BotAccount, started: User, delivered: bool
) -> None:
    if delivered:
        sandbox.faults.drop_after(count=1)
    else:
        sandbox.faults.drop_before(count=1)
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await _send(call, "mất")
    assert [m.text for m in started.chat(bot).bot_messages] == (["mất"] if delivered else [])
    assert [e.lost for e in sandbox.log] == ([True] if delivered else [])
    assert await _send(call, "lại") == 200


@pytest.mark.parametrize("after", [False, True])
async def test_a_server_that_never_answers(
    call: Raw, sandbox: TelegramSandbox, bot: BotAccount, started: User, after: bool
) -> None:
    with sandbox.faults.hang(after=after), pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await _send(call)
    assert sandbox.sent(bot) == int(after)


async def test_a_slow_server(call: Raw, sandbox: TelegramSandbox, bot: BotAccount, started: User) -> None:
    sandbox.faults.delay(0.1, count=1)
    sandbox.faults.delay(0.1, after=True, count=1)
    began = time.monotonic()
    assert await _send(call) == 200
    slow = asyncio.create_task(_send(call))
    await until(lambda: sandbox.sent(bot) == 2)
    assert not slow.done()
    assert await slow == 200
    assert time.monotonic() - began >= 0.2
    assert not any(entry.lost for entry in sandbox.log)


@pytest.mark.parametrize("after", [False, True])
async def test_rubbish_instead_of_an_answer(
    call: Raw, sandbox: TelegramSandbox, bot: BotAccount, started: User, after: bool
) -> None:
    sandbox.faults.garbage(b"<html>", 200, after=after, count=1)
    async with call.session.post(f"{call.base}/sendMessage", json={"chat_id": 1001, "text": "x"}) as answer:
        assert (answer.status, await answer.read()) == (200, b"<html>")
    assert sandbox.sent(bot) == int(after)


async def test_an_outage_ends_by_itself_or_when_lifted(call: Raw, sandbox: TelegramSandbox, started: User) -> None:
    outage = sandbox.faults.outage()
    for _ in range(2):
        with pytest.raises(aiohttp.ClientConnectionError):
            await _send(call)
    outage.lift()
    assert await _send(call) == 200
    sandbox.faults.outage(0.05)
    with pytest.raises(aiohttp.ClientConnectionError):
        await _send(call)
    await asyncio.sleep(0.06)
    assert await _send(call) == 200


async def test_an_outage_ends_a_pending_poll(
    call: Raw, sandbox: TelegramSandbox, bot: BotAccount, started: User
) -> None:
    poll = asyncio.create_task(call("getUpdates", timeout=10))
    await asyncio.sleep(0.05)
    with sandbox.faults.outage():
        with pytest.raises(aiohttp.ClientConnectionError):
            await poll
        started.write(bot, "trong lúc mất mạng")
    assert (await call("getUpdates")).result[0]["message"]["text"] == "trong lúc mất mạng"


async def test_a_stopped_server_refuses_and_comes_back_as_it_was(
    call: Raw, sandbox: TelegramSandbox, bot: BotAccount, started: User
) -> None:
    await sandbox.stop()
    with pytest.raises(aiohttp.ClientConnectionError):
        await _send(call)
    await sandbox.start()
    assert await _send(call, "trở lại") == 200
    assert started.chat(bot).last.text == "trở lại"


async def test_latency_is_added_to_every_call(call: Raw, sandbox: TelegramSandbox, started: User) -> None:
    sandbox.latency = lambda: 0.05
    began = time.monotonic()
    await _send(call)
    assert time.monotonic() - began >= 0.05
