"""Runs over real HTTP, as the platform sees them: pace, lanes, files, several accounts."""

from __future__ import annotations

import asyncio
import gc
import statistics
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.sandbox.telegram import Limits, TelegramSandbox, Timing
from tests.support.product import TOKEN, Product
from tests.support.program import Program

STRICT = Limits(per_second=30, chat_burst=1)


@pytest.fixture
async def telegram() -> AsyncIterator[TelegramSandbox]:
    server = TelegramSandbox(STRICT, timing=Timing.fast(), latency=0.06, anyone_reachable=True)
    server.add_bot(TOKEN, username="loaso_bot", name="Loa Số")
    await server.start()
    yield server
    await server.stop()


async def _until_done(product: Product, run_id: int, seconds: float) -> dict[str, object]:
    for _ in range(int(seconds / 0.2)):
        status = await product.status(run_id)
        if status["state"] == "done":
            return status
        await asyncio.sleep(0.2)
    raise AssertionError(status)


def _where_it_is_afternoon() -> str:
    """A time zone in which nobody is asleep and no tip is due."""
    ahead = (13 - datetime.now(UTC).hour + 11) % 24 - 11
    return f"Etc/GMT{-ahead:+d}"


@pytest.fixture
def _a_platform_that_does_not_pause() -> Iterator[None]:
    """Collecting garbage in a process full of tests stops its event loop, and with it the sandbox, for too long."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.alone
@pytest.mark.timeout(200)
@pytest.mark.usefixtures("_a_platform_that_does_not_pause")
async def test_six_hundred_people_at_thirty_a_second_with_replies_in_between(
    telegram: TelegramSandbox, sqlite_url: str, tmp_path: Path
) -> None:
    """A run through the sandbox, replies interleaved, no 429; `python -m benchmarks.pacing` goes on for longer. The
    program is a process of its own, so that the platform's clock is not held up by it."""
    bot = next(iter(telegram.bots.values()))
    people = range(10_000, 10_600)
    program = Program(
        tmp_path,
        database_url=sqlite_url,
        telegram_token=TOKEN,
        telegram_api_url=telegram.url,
        telegram_rate=30,
        timezone=_where_it_is_afternoon(),
        http_port=0,
    )
    await program.loaso("people", "import", str(program.people(people)))
    waits: list[float] = []

    async def asks(number: int) -> None:
        user = telegram.add_user(number, "Lan")
        chat = user.chat(bot)
        loop = asyncio.get_running_loop()
        for _ in range(3):
            seen, begun = chat.count, loop.time()
            await user.write(bot, "vneid là gì")
            while not any(m.from_bot for m in await chat.wait_new(seen, timeout=20)):
                seen = chat.count
            waits.append(loop.time() - begun)
            await asyncio.sleep(7)

    await program.start()
    run = await program.json("campaign", "send", "--text", "Mời bà con dự lớp học số", "--to", "all", "--json")
    await asyncio.gather(*(asks(n) for n in range(20_000, 20_010)))
    async with asyncio.timeout(100):
        while telegram.sent(bot) < len(people) + len(waits):  # noqa: ASYNC110  # the sandbox tells chats apart, not totals
            await asyncio.sleep(0.5)
    status = await program.until(run["id"], "done")
    await program.stop()
    assert (status["sent"], status["failed"], status["unknown"]) == (len(people), 0, 0)
    assert telegram.count_429(bot) == 0
    assert telegram.max_in_window(bot, 1.0) <= 30
    assert telegram.max_per_chat(bot, 1.0) <= 1
    assert len(waits) == 30
    assert statistics.median(waits) < 1.0
    got = [sum("lớp học số" in m.text for m in bot.chats[n].messages) for n in people]
    assert set(got) == {1}


async def test_a_stricter_platform_is_learnt_and_everybody_is_reached(
    telegram: TelegramSandbox, sqlite_url: str, tmp_path: Path
) -> None:
    bot = next(iter(telegram.bots.values()))
    product = Product(telegram, sqlite_url, telegram_rate=30)
    await product.bring(range(10_000, 10_150), tmp_path)
    telegram.faults.stricter(bot, per_second=15)
    async with product:
        run_id = await product.send("Tin khi nền tảng khắt khe hơn")
        status = await _until_done(product, run_id, 60)
    assert status["sent"] == 150
    assert telegram.count_429(bot) <= 10


async def test_several_accounts_send_side_by_side(telegram: TelegramSandbox, sqlite_url: str, tmp_path: Path) -> None:
    second = "777:BBaaBBbbCCccDDddEEeeFFff"
    telegram.add_bot(second, username="loaso_hai_bot", name="Loa Số 2")
    product = Product(telegram, sqlite_url, tokens=(TOKEN, second), telegram_rate=30)
    await product.bring(range(10_000, 10_120), tmp_path)
    async with product:
        status = await _until_done(product, await product.send("Tin từ hai tài khoản"), 30)
    assert status["sent"] == 120
    sent = [telegram.sent(bot) for bot in telegram.bots.values()]
    assert sum(sent) == 120
    assert min(sent) > 30


async def test_a_revoked_token_stops_its_account_alone(
    telegram: TelegramSandbox, sqlite_url: str, tmp_path: Path
) -> None:
    second = "777:BBaaBBbbCCccDDddEEeeFFff"
    telegram.add_bot(second, username="loaso_hai_bot", name="Loa Số 2")
    product = Product(telegram, sqlite_url, tokens=(TOKEN, second), telegram_rate=30)
    await product.bring(range(10_000, 10_060), tmp_path)
    async with product:
        telegram.faults.revoke_token(telegram.bots[777])
        run_id = await product.send("Tin khi một mã bị thu hồi")
        await asyncio.sleep(4)
        status = await product.status(run_id)
        health = await product.app.health()
    assert status["failed"] == status["unknown"] == 0
    assert 0 < int(status["sent"]) < 60
    assert int(status["sent"]) + int(status["waiting"]) == 60
    assert health["ok"] is False
    assert health["accounts"]["telegram:123456"] == "ok"


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_quick_answers_all_leave(telegram: TelegramSandbox, database_url: str) -> None:
    """Rows of replies come and go within a moment; none may be taken for one that has left already."""
    bot = next(iter(telegram.bots.values()))
    lan = telegram.add_user(31_000, "Lan")
    chat = lan.chat(bot)
    async with Product(telegram, database_url):
        for _ in range(12):
            seen = chat.count
            await lan.write(bot, "/menu")
            while not any(m.from_bot for m in await chat.wait_new(seen, timeout=5)):
                seen = chat.count
