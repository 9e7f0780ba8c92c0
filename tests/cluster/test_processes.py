"""Several real processes on one PostgreSQL: killed, frozen, stopped and cut off, and everybody gets each run once."""

from __future__ import annotations

import asyncio
import signal

import psycopg
import pytest

from bot.core.words import DeliveryState
from tests.cluster.conftest import LEASE, Assemble
from tests.kill.scene import Scene, administrate
from tests.support.judge import Judge

pytestmark = [pytest.mark.kill, pytest.mark.timeout(120)]

TAKEN_OVER = LEASE * 2 + 3
"""Seconds: the lease, a quarter of it until the queue looks, and what a busy machine takes. 20 s make 26."""


async def _until_done(scene: Scene, judge: Judge, within: float = 40) -> float:
    """Returns how many seconds it took."""
    begun = asyncio.get_running_loop().time()
    await scene.program.until(judge.run_id, "done", within=within)
    return asyncio.get_running_loop().time() - begun


async def test_two_workers_send_through_two_accounts_to_everybody_once(team: Assemble) -> None:
    async with team(accounts=2) as cluster:
        await asyncio.gather(cluster.worker(), cluster.worker())
        judge = await cluster.scene.send("Tin của hai máy gửi")
        await _until_done(cluster.scene, judge)
        verdict = await judge.uphold()
        assert verdict.sent == 240
        assert min(cluster.scene.telegram.sent(bot) for bot in cluster.scene.bots) > 80
        for bot in cluster.scene.bots:
            assert cluster.scene.telegram.max_in_window(bot) <= 60


async def test_a_killed_worker_is_replaced_and_nobody_is_lost_or_doubled(team: Assemble) -> None:
    async with team(accounts=2, count=400) as cluster:
        first, second = await cluster.worker(), await cluster.worker()
        judge = await cluster.scene.send("Tin giữa chừng máy chết")
        await cluster.scene.until_more(120)
        await first.kill()
        await judge.remember()
        assert await _until_done(cluster.scene, judge) < TAKEN_OVER + 400 / 120
        verdict = await judge.uphold(unknown=cluster.scene.window)
        assert verdict.waiting == 0
        assert await second.stop() < 10


async def test_a_frozen_worker_sends_nothing_more_of_what_others_took_over(team: Assemble) -> None:
    async with team(count=300) as cluster:
        frozen, other = await cluster.worker(), await cluster.worker()
        judge = await cluster.scene.send("Tin khi máy đứng hình")
        await cluster.scene.until_more(60)
        frozen.signal(signal.SIGSTOP)
        await asyncio.sleep(LEASE + 2)
        frozen.signal(signal.SIGCONT)
        await _until_done(cluster.scene, judge)
        await judge.uphold(unknown=cluster.scene.window)
        again = await cluster.scene.send("Tin sau khi tỉnh lại")
        await _until_done(cluster.scene, again)
        assert (await again.uphold()).sent == 300
        assert await frozen.stop() < 10
        assert await other.stop() < 10


async def test_a_worker_that_is_stopped_leaves_nothing_unknown(team: Assemble) -> None:
    async with team(accounts=2, count=300) as cluster:
        leaving, _ = await cluster.worker(), await cluster.worker()
        judge = await cluster.scene.send("Tin khi một máy nghỉ")
        await cluster.scene.until_more(60)
        assert await leaving.stop() < 10
        await _until_done(cluster.scene, judge)
        assert (await judge.uphold()).sent == 300


async def test_pause_resume_and_cancel_are_obeyed_within_a_second(team: Assemble) -> None:
    async with team(accounts=2, count=400) as cluster:
        await asyncio.gather(cluster.worker(), cluster.worker())
        scene = cluster.scene
        judge = await scene.send("Tin tạm dừng")
        await scene.until_more(60)
        await scene.program.order(judge.run_id, "pause")
        paused = scene.telegram.monotonic()
        await asyncio.sleep(1.5)
        assert judge.came_after(paused + 1.0) == 0
        await scene.program.order(judge.run_id, "resume")
        await scene.until_more(60)
        await scene.program.order(judge.run_id, "cancel")
        cancelled = scene.telegram.monotonic()
        await asyncio.sleep(1.5)
        assert judge.came_after(cancelled + 1.0) == 0
        verdict = await judge.uphold()
        assert verdict.states[DeliveryState.SKIPPED] > 100
        assert verdict.sent >= 120


async def test_an_alert_overtakes_a_run_at_once(team: Assemble) -> None:
    async with team(rate=20, count=100, timezone="Etc/GMT-7") as cluster:
        await cluster.worker(timezone=cluster.scene.program._given["timezone"])
        scene = cluster.scene
        bulk = await scene.send("Tin thường ngày", urgent=False)
        await scene.until_more(10)
        alert = await scene.program.send("Lũ về, bà con lên cao")
        begun = scene.telegram.monotonic()
        await scene.program.until_sent(alert, 10, within=10)
        assert scene.telegram.monotonic() - begun < 3
        await scene.program.until(alert, "done")
        assert (await scene.program.status(bulk.run_id))["waiting"] > 0
        await _until_done(scene, bulk)


async def test_the_clock_goes_on_when_its_holder_is_killed(team: Assemble) -> None:
    async with team(count=60) as cluster:
        await cluster.worker()
        await cluster.worker()
        judge = await cluster.scene.send("Tin thứ nhất")
        await _until_done(cluster.scene, judge)
        await judge.uphold()
        await cluster.holder().kill()
        after = await cluster.scene.send("Tin sau khi mất đồng hồ")
        await cluster.scene.program.until_sent(after.run_id, 1, within=TAKEN_OVER)
        await _until_done(cluster.scene, after)
        assert (await after.uphold()).sent == 60


async def test_every_connection_to_the_database_is_cut_and_all_goes_on(team: Assemble) -> None:
    async with team(accounts=2, count=400) as cluster:
        await asyncio.gather(cluster.worker(), cluster.worker())
        judge = await cluster.scene.send("Tin khi đứt kết nối")
        await cluster.scene.until_more(80)
        assert cluster.scene.server is not None
        cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname"
        assert administrate(cluster.scene.server, f"{cut} = '{cluster.scene.database}'") > 10
        await _until_done(cluster.scene, judge)
        await judge.uphold(unknown=cluster.scene.window)
        assert max(len(letters) for letters in judge.arrived().values()) == 1


async def test_people_are_answered_by_whoever_receives_and_workers_send(team: Assemble) -> None:
    async with team(rate=30, count=120) as cluster:
        scene = cluster.scene
        await cluster.worker()
        web = await cluster.run("--no-send")
        other = await cluster.run("--no-send")
        judge = await scene.send("Tin cho mọi người")
        (bot,) = scene.bots
        user = scene.telegram.add_user(900_001, "Lan")
        await user.start(bot)
        await user.chat(bot).wait_text("máy trả lời tự động", timeout=10)
        receiving = web if '"seat":"telegram' in web.said else other
        await receiving.kill()
        await _until_done(scene, judge)
        seen = user.chat(bot).count
        await user.write(bot, "/menu")
        while not any(m.from_bot for m in await user.chat(bot).wait_new(seen, timeout=15)):
            seen = user.chat(bot).count
        assert (await judge.uphold()).sent == 120
        (left,) = {web, other} - {receiving}
        assert await left.stop() < 10


async def test_one_process_alone_and_a_cluster_do_not_mix(team: Assemble) -> None:
    async with team(count=3) as cluster:
        await cluster.worker()
        alone = cluster.scene.program
        alone.settings["LOASO_ENGINE"] = "local"
        _, said = await alone.loaso("run", expect=1)
        assert "already sends on this database" in said
        _, said = await alone.loaso("worker", expect=1)
        assert "LOASO_ENGINE=cluster" in said


async def test_the_queue_is_empty_when_nothing_is_left_to_do(team: Assemble) -> None:
    async with team(accounts=2, count=60) as cluster:
        worker = await cluster.worker()
        judge = await cluster.scene.send("Tin rồi thôi")
        await _until_done(cluster.scene, judge)
        await worker.stop()
        url = cluster.scene.program.read_settings.database_url.replace("+psycopg", "")
        with psycopg.connect(url) as connection:
            left = connection.execute("SELECT task_name FROM procrastinate_jobs WHERE task_name = 'slice'").fetchall()
            slices = connection.execute("SELECT count(*) FROM slice").fetchone()
        assert left == []
        assert slices == (0,)
