"""Processes of a cluster killed, frozen and stopped in the middle of a run: everybody gets it once."""

from __future__ import annotations

import asyncio
import signal

import pytest

from tests.cluster.conftest import LEASE, RATE, Assemble, Team
from tests.support.judge import Judge

pytestmark = [pytest.mark.kill, pytest.mark.timeout(120)]

TAKEN_OVER = LEASE * 1.5 + 1
"""Seconds: the lease, a quarter of it before the last sign of life and after it until the queue looks. 20 make 30."""


async def _done(cluster: Team, judge: Judge) -> float:
    """Wait for the end; returns how many seconds it took."""
    begun = asyncio.get_running_loop().time()
    await cluster.scene.program.until(judge.run_id, "done", within=60)
    return asyncio.get_running_loop().time() - begun


async def test_another_takes_over_from_a_killed_worker_that_held_the_clock(team: Assemble) -> None:
    async with team(accounts=2, count=300) as cluster:
        await asyncio.gather(cluster.worker(), cluster.worker())
        judge = await cluster.scene.send("Tin giữa chừng máy chết")
        await cluster.scene.until_more(100)
        await cluster.holder().kill()
        await judge.remember()
        assert await _done(cluster, judge) < TAKEN_OVER + 200 / RATE + 5
        await judge.uphold(unknown=cluster.scene.window)
        again = await cluster.scene.send("Tin sau khi mất đồng hồ")
        await _done(cluster, again)
        assert (await again.uphold()).sent == 300


async def test_a_frozen_worker_sends_nothing_of_what_others_took_over_and_a_stopped_one_finishes(
    team: Assemble,
) -> None:
    async with team(accounts=1, count=300) as cluster:
        frozen, other = await asyncio.gather(cluster.worker(), cluster.worker())
        judge = await cluster.scene.send("Tin khi máy đứng hình")
        await cluster.scene.until_more(60)
        for worker in (frozen, other):  # whichever is sending
            worker.signal(signal.SIGSTOP)
        other.signal(signal.SIGCONT)
        await asyncio.sleep(LEASE + 2)
        frozen.signal(signal.SIGCONT)
        await _done(cluster, judge)
        await judge.uphold(unknown=cluster.scene.window)
        again = await cluster.scene.send("Tin khi một máy nghỉ")
        await cluster.scene.until_more(60)
        assert await other.stop() < 10
        await _done(cluster, again)
        assert (await again.uphold()).sent == 300
        assert await frozen.stop() < 10


async def test_people_are_answered_by_whoever_receives_while_a_worker_sends(team: Assemble) -> None:
    async with team(accounts=1, count=200) as cluster:
        scene = cluster.scene
        _, web, other = await asyncio.gather(cluster.worker(), cluster.run("--no-send"), cluster.run("--no-send"))
        judge = await scene.send("Tin cho mọi người")
        (bot,) = scene.bots
        user = scene.telegram.add_user(900_001, "Lan")
        await user.start(bot)
        await user.chat(bot).wait_text("máy trả lời tự động", timeout=15)
        receiving, left = (web, other) if '"seat":"telegram' in web.said else (other, web)
        assert '"seat":"telegram' not in left.said
        await receiving.kill()
        await _done(cluster, judge)
        assert (await judge.uphold()).sent == 200
        seen = user.chat(bot).count
        await user.write(bot, "/menu")
        while not any(m.from_bot for m in await user.chat(bot).wait_new(seen, timeout=15)):
            seen = user.chat(bot).count
        assert await left.stop() < 10
