"""Two workers with two accounts on one PostgreSQL: who gets what, when, and what is left in the queue."""

from __future__ import annotations

import psycopg
import pytest

from bot.core.words import DeliveryState
from tests.cluster.conftest import Team
from tests.kill.scene import administrate
from tests.support.judge import Judge

pytestmark = [pytest.mark.kill, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]


async def _done(crew: Team, judge: Judge) -> None:
    await crew.scene.program.until(judge.run_id, "done", within=60)


async def test_everybody_gets_it_once_through_both_accounts_and_nothing_is_left_in_the_queue(crew: Team) -> None:
    before = [crew.scene.telegram.sent(bot) for bot in crew.scene.bots]
    judge = await crew.scene.send("Tin của hai máy gửi")
    await _done(crew, judge)
    assert (await judge.uphold()).sent == 500
    sent = [crew.scene.telegram.sent(bot) - earlier for bot, earlier in zip(crew.scene.bots, before, strict=True)]
    assert min(sent) > 100
    with psycopg.connect(crew.scene.program.read_settings.database_url.replace("+psycopg", "")) as connection:
        left = connection.execute("SELECT task_name FROM procrastinate_jobs WHERE task_name = 'slice'").fetchall()
        slices = connection.execute("SELECT count(*) FROM slice").fetchone()
    assert (left, slices) == ([], (0,))


async def test_pause_resume_and_cancel_are_obeyed_within_a_second(crew: Team) -> None:
    scene = crew.scene
    judge = await scene.send("Tin tạm dừng")
    await scene.until_more(60)
    await scene.program.order(judge.run_id, "pause")
    paused = scene.telegram.monotonic()
    await scene.until_at_rest(1.0)
    assert judge.came_after(paused + 1.0) == 0
    await scene.program.order(judge.run_id, "resume")
    await scene.until_more(30)
    await scene.program.order(judge.run_id, "cancel")
    cancelled = scene.telegram.monotonic()
    await scene.until_at_rest(1.0)
    assert judge.came_after(cancelled + 1.0) == 0
    verdict = await judge.uphold()
    assert verdict.states[DeliveryState.SKIPPED] > 50
    assert verdict.sent >= 90


async def test_an_alert_overtakes_a_run_at_once(crew: Team) -> None:
    scene = crew.scene
    usual = await scene.program.send("Tin thường ngày", urgent=False)
    await scene.until_more(10)
    alert = await scene.program.send("Lũ về, bà con lên cao")
    await scene.program.until_sent(alert, 30)
    before = await scene.program.status(usual)
    await scene.program.until_sent(alert, 240)  # of 250 through each account
    after = await scene.program.status(usual)
    assert (await scene.program.until(usual, "done"))["sent"] == 500
    assert before["sent"] < 500
    assert after["sent"] - before["sent"] < 50


async def test_every_connection_to_the_database_is_cut_and_all_goes_on(crew: Team) -> None:
    scene = crew.scene
    judge = await scene.send("Tin khi đứt kết nối")
    await scene.until_more(60)
    assert scene.server is not None
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname"
    assert administrate(scene.server, f"{cut} = '{scene.database}'") > 10
    await _done(crew, judge)
    await judge.uphold(unknown=scene.window)
    assert not judge.came_more_than_once()


async def test_one_process_alone_and_a_cluster_do_not_mix(crew: Team) -> None:
    alone = crew.scene.program
    cluster = dict(alone.settings)
    alone.settings["LOASO_ENGINE"] = "local"
    try:
        _, said = await alone.loaso("run", expect=1)
    finally:
        alone.settings.update(cluster)
    assert "already sends on this database" in said
