"""Nobody is lost and nobody is doubled when the program is killed, frozen or told to stop."""

from __future__ import annotations

import asyncio
import os
import random
import signal

import pytest

from tests.kill import strikes
from tests.kill.conftest import Stage

SEEDS = range(int(os.environ.get("KILL_SEEDS", "1")))
_SLOW, _FAST = (30, 150), (0, 3000)
PAIRS = [("sqlite", *_SLOW), ("postgres", *_FAST), ("sqlite", *_FAST), ("postgres", *_SLOW)][
    : 2 if len(SEEDS) == 1 else 4
]
"""Each database and each pace once; with more seeds everything with everything."""

pytestmark = [pytest.mark.kill, pytest.mark.timeout(180)]

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.mark.parametrize(("database_url", "rate", "count"), PAIRS, indirect=["database_url"])
@pytest.mark.parametrize("seed", SEEDS)
async def test_sigkill_loses_nobody_and_doubles_nobody(on_stage: Stage, rate: float, count: int, seed: int) -> None:
    chance = random.Random(seed)
    kills = 0
    async with on_stage(rate=rate, count=count) as scene:
        await scene.start()
        judge = await scene.send("Mời bà con họp thôn", urgent=chance.random() < 0.5)
        for _ in range(3):
            await scene.until_some_more(judge, chance)
            kills += await strikes.kill(scene, chance)
            await judge.remember()
        await scene.program.until(judge.run_id, "done")
        await judge.uphold(unknown=kills * scene.window)


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_an_alert_that_asks_for_it_is_sent_again_to_those_who_may_not_have_it(on_stage: Stage) -> None:
    chance, kills = random.Random(1), 0
    async with on_stage(rate=30, count=100) as scene:
        await scene.start()
        judge = await scene.send("Nước lên nhanh, bà con lên chỗ cao", resend_unknown=True)
        for _ in range(2):
            await scene.until_some_more(judge, chance)
            kills += await strikes.kill(scene, chance)
            await judge.remember()
        await scene.program.until(judge.run_id, "done")
        assert (await judge.uphold(doubled=kills * scene.window)).sent == 100


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_process_that_stands_still_keeps_others_out_and_goes_on(on_stage: Stage) -> None:
    """Its leases are made to end meanwhile, as they would after a minute."""
    async with on_stage(rate=60, count=200) as scene:
        await scene.start()
        judge = await scene.send("Tin qua lúc máy đứng")
        await scene.until_more(50)
        with strikes.frozen(scene.program):
            await judge.end_leases()
            _, err = await scene.program.loaso("run", expect=1)
            assert "already sends on this database" in err
        await judge.remember()
        await scene.program.until(judge.run_id, "done")
        await judge.uphold(unknown=scene.window)


@pytest.mark.parametrize("database_url", ["sqlite", "postgres"] if len(SEEDS) > 1 else ["postgres"], indirect=True)
async def test_sigterm_under_full_load_leaves_nothing_unknown(on_stage: Stage) -> None:
    async with on_stage(rate=0, count=3000, latency=0.1) as scene:
        await scene.start()
        judge = await scene.send("Tin dừng đúng lúc")
        await scene.until_more(300)
        told = scene.telegram.monotonic()
        assert await scene.stop() < 10
        assert judge.came_after(told + 1.0) == 0
        assert (await judge.uphold(may_wait=True)).waiting
        await judge.remember()
        await scene.start()
        await scene.program.until(judge.run_id, "done")
        assert (await judge.uphold()).sent == 3000


@on_sqlite
async def test_a_second_sigterm_does_not_wait_for_the_platform(on_stage: Stage) -> None:
    async with on_stage(rate=30, count=60) as scene:
        await scene.start()
        judge = await scene.send("Tin dừng ngay")
        await scene.until_more(20)
        with scene.telegram.faults.hang(after=True):
            await scene.until_more(5)
            scene.program.signal(signal.SIGTERM)
            await asyncio.sleep(0.5)
            scene.program.signal(signal.SIGTERM)
            await scene.program.ended(within=6)
        await scene.start()
        await scene.program.until(judge.run_id, "done")
        await judge.uphold(unknown=scene.window)


@on_sqlite
async def test_sigterm_waits_no_longer_than_ten_seconds_for_a_silent_platform(on_stage: Stage) -> None:
    async with on_stage(rate=30, count=60) as scene:
        await scene.start()
        judge = await scene.send("Tin dừng khi không ai đáp")
        await scene.until_more(20)
        with scene.telegram.faults.hang(after=True):
            await scene.until_more(5)
            assert await scene.stop() < 10
        await judge.uphold(unknown=scene.window, may_wait=True)
        await scene.start()
        await scene.program.until(judge.run_id, "done")
        await judge.uphold(unknown=scene.window)
