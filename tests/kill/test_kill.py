"""The delivery promise, proved by killing real processes in mid-broadcast, on both databases."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.telegram import Limits, TelegramSandbox, Timing
from tests.support.program import Program

TOKEN = "123456:AAaaBBbbCCccDDddEEeeFFff"
PEOPLE = range(5_000, 5_300)
RATE = 60
WINDOW = 2 * 30 + 3  # half a second's worth a slice; one may be settling while the next is being sent

pytestmark = [pytest.mark.kill, pytest.mark.timeout(180)]


@pytest.fixture
async def telegram() -> AsyncIterator[TelegramSandbox]:
    server = TelegramSandbox(Limits.none(), timing=Timing.fast(), latency=0.02, anyone_reachable=True)
    server.add_bot(TOKEN, username="loaso_bot", name="Loa Số")
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def program(telegram: TelegramSandbox, database_url: str, tmp_path: Path) -> AsyncIterator[Program]:
    found = Program(
        tmp_path,
        database_url=database_url,
        telegram_token=TOKEN,
        telegram_api_url=telegram.url,
        telegram_rate=RATE,
        secret_key="kept by the tests",
        http_port=0,
    )
    await found.loaso("people", "import", str(found.people(PEOPLE)))
    yield found
    if found.process is not None:
        await found.kill()


def _received(telegram: TelegramSandbox, text: str) -> Counter[int]:
    """How often each chat got that text, by the platform's own record."""
    chats = next(iter(telegram.bots.values())).chats
    return Counter({n: sum(text in m.text for m in chats[n].messages) for n in PEOPLE if n in chats})


def _adds_up(status: dict[str, Any]) -> bool:
    states = ("waiting", "sending", "sent", "failed", "skipped", "unknown")
    return sum(int(status[s]) for s in states) == int(status["total"])


@pytest.mark.parametrize("seed", [1])
async def test_sigkill_loses_nobody_and_doubles_nobody(telegram: TelegramSandbox, program: Program, seed: int) -> None:
    chance = random.Random(seed)
    await program.start()
    run = await program.send("Mời bà con họp thôn")
    kills = 2
    for turn in range(kills):
        await program.until_sent(run, 60 + 80 * turn)
        await asyncio.sleep(chance.uniform(0.0, 0.8))
        await program.kill()
        await program.start()
    status = await program.until(run, "done")
    await program.stop()
    assert status["total"] == len(PEOPLE)
    assert _adds_up(status)
    assert status["waiting"] == status["sending"] == status["failed"] == 0
    received = _received(telegram, "Mời bà con họp thôn")
    assert max(received.values()) == 1
    reached = sum(received.values())
    assert status["sent"] <= reached <= status["sent"] + status["unknown"]
    assert status["unknown"] <= kills * WINDOW
    assert status["reasons"] in ({}, {"interrupted": status["unknown"]})


async def test_sigterm_finishes_what_is_in_flight(telegram: TelegramSandbox, program: Program) -> None:
    await program.start()
    run = await program.send("Tin dừng đúng lúc")
    await program.until_sent(run, 50)
    assert await program.stop() < 10
    status = await program.status(run)
    assert status["unknown"] == status["sending"] == 0
    assert 0 < status["sent"] < status["total"]
    assert sum(_received(telegram, "Tin dừng đúng lúc").values()) == status["sent"]
    await program.start()
    assert (await program.until(run, "done"))["sent"] == len(PEOPLE)
    assert max(_received(telegram, "Tin dừng đúng lúc").values()) == 1


async def test_pause_takes_effect_within_a_second_and_resume_repeats_nobody(
    telegram: TelegramSandbox, program: Program
) -> None:
    await program.start()
    run = await program.send("Tin tạm dừng")
    await program.until_sent(run, 30)
    await program.loaso("campaign", "pause", str(run))
    await asyncio.sleep(1.0)
    at_rest = sum(_received(telegram, "Tin tạm dừng").values())
    await asyncio.sleep(1.0)
    assert sum(_received(telegram, "Tin tạm dừng").values()) == at_rest < len(PEOPLE)
    await program.loaso("campaign", "resume", str(run))
    assert (await program.until(run, "done"))["sent"] == len(PEOPLE)
    assert set(_received(telegram, "Tin tạm dừng").values()) == {1}
    await program.stop()


async def test_answers_that_are_lost_after_delivery_are_unknown_and_not_sent_again(
    telegram: TelegramSandbox, program: Program
) -> None:
    await program.start()
    with telegram.faults.drop_after(method="sendMessage", count=7, skip=30):
        run = await program.send("Tin mất hồi âm")
        status = await program.until(run, "done")
    await program.stop()
    assert (status["unknown"], status["reasons"]) == (7, {"no_answer": 7})
    assert status["sent"] == len(PEOPLE) - 7
    assert set(_received(telegram, "Tin mất hồi âm").values()) == {1}


async def test_an_outage_pauses_the_run_and_blames_nobody(telegram: TelegramSandbox, program: Program) -> None:
    await program.start()
    run = await program.send("Tin giữa lúc mất mạng")
    await program.until_sent(run, 50)
    await telegram.stop()
    await asyncio.sleep(3)
    await telegram.start()
    status = await program.until(run, "done")
    await program.stop()
    assert status["failed"] == 0
    received = _received(telegram, "Tin giữa lúc mất mạng")
    assert max(received.values()) == 1
    assert status["sent"] <= sum(received.values()) <= status["sent"] + status["unknown"]


async def test_a_second_run_on_the_same_database_refuses(program: Program) -> None:
    await program.start()
    _, err = await program.loaso("run", expect=1)
    assert "already sends on this database" in err
    await program.stop()
