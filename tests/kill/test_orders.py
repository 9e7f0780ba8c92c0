"""Pause, resume and cancel under full load: obeyed within a second, and nobody is written to twice."""

from __future__ import annotations

import asyncio

import pytest

from bot.core.words import DeliveryState
from tests.kill.conftest import Stage

pytestmark = [pytest.mark.kill, pytest.mark.timeout(180)]


@pytest.mark.parametrize(
    ("database_url", "rate", "count"),
    [("sqlite", 60, 240), ("postgres", 0, 4000)],
    ids=["sqlite-60 a second", "postgres-no limit"],
    indirect=["database_url"],
)
async def test_orders_are_obeyed_within_a_second_and_nobody_is_written_to_twice(
    on_stage: Stage, rate: float, count: int
) -> None:
    async with on_stage(rate=rate, count=count) as scene:
        clock = scene.telegram.monotonic
        await scene.start()
        judge = await scene.send("Tin tạm dừng")
        for word in ("pause", "pause", "cancel"):
            await scene.until_more(count // 8)
            await scene.program.order(judge.run_id, word)
            told = clock()
            await asyncio.sleep(1.5)
            assert judge.came_after(told + 1.0) == 0
            verdict = await judge.uphold(may_wait=word == "pause")
            assert verdict.unknown == 0
            await judge.remember()
            if word == "pause":
                assert verdict.waiting
                await scene.program.order(judge.run_id, "resume")
        assert verdict.sent < count
        assert verdict.states[DeliveryState.SKIPPED] == count - verdict.sent
