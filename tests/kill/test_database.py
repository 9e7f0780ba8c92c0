"""Nobody is lost and nobody is doubled when the database goes away, or when there is no room for a byte more."""

from __future__ import annotations

import random
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.kill import strikes
from tests.kill.conftest import Stage
from tests.kill.scene import Scene

pytestmark = [pytest.mark.kill, pytest.mark.timeout(180)]

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
on_postgres = pytest.mark.parametrize("database_url", ["postgres"], indirect=True)


@on_postgres
async def test_connections_that_are_cut_lose_nobody(on_stage: Stage) -> None:
    chance, cuts = random.Random(1), 4
    async with on_stage(rate=60, count=240) as scene:
        await scene.start()
        judge = await scene.send("Tin qua lúc đứt dây")
        for _ in range(cuts):
            await scene.until_more(chance.randint(10, 40))
            await strikes.cut(scene)
            await judge.remember()
        await scene.program.until(judge.run_id, "done")
        await judge.uphold(unknown=cuts * scene.window)


@on_postgres
async def test_a_database_that_is_restarted_loses_nobody(on_stage: Stage) -> None:
    async with on_stage(rate=60, count=240) as scene:
        await scene.start()
        judge = await scene.send("Tin qua lúc máy chủ tắt")
        for _ in range(2):
            await scene.until_more(50)
            await strikes.restart_database(scene, 0.5)
            await judge.remember()
        await scene.program.until(judge.run_id, "done")
        await judge.uphold(unknown=2 * scene.window)


@on_sqlite
async def test_a_full_disk_pauses_sending_until_there_is_room(on_small_disk: Stage, small_disk: Path) -> None:
    async with on_small_disk(rate=100, count=400) as scene:
        await _waits_for_room(scene, strikes.full(small_disk))


async def test_a_database_without_room_for_its_journal_loses_nobody(on_small_journal: tuple[Stage, Path]) -> None:
    on_stage, disk = on_small_journal
    async with on_stage(rate=60, count=200) as scene:
        await scene.start()
        judge = await scene.send("Tin lúc nhật ký hết chỗ")
        await scene.until_more(60)
        await strikes.no_room_for_the_journal(scene, disk, 1.0)
        await judge.remember()
        await scene.program.until(judge.run_id, "done")
        await judge.uphold(unknown=scene.window)


@on_sqlite
async def test_a_refusal_of_every_write_pauses_sending_until_it_is_lifted(on_stage: Stage) -> None:
    async with on_stage(rate=100, count=400) as scene:
        await scene.start()
        await _waits_for_room(scene, strikes.no_file_may_grow(scene))


async def _waits_for_room(scene: Scene, no_room: AbstractContextManager[None]) -> None:
    if scene.program.process is None:
        await scene.start()
    judge = await scene.send("Tin lúc hết chỗ ghi")
    await scene.until_more(60)
    with no_room:
        assert await scene.until_at_rest(1.5) < len(scene.people)
    await scene.program.until(judge.run_id, "done")
    assert (await judge.uphold()).sent == len(scene.people)
