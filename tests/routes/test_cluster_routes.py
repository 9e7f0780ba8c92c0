"""Two processes of a cluster send side by side: who can be reached in several ways is reached once."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from bot.app import App
from bot.cluster_app import ClusterApp
from bot.core.clock import Clock
from bot.settings import Settings
from tests.routes.village import Platforms, Village, desk

pytestmark = [pytest.mark.timeout(90), pytest.mark.parametrize("database_url", ["postgres"], indirect=True)]

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WORDS = "Tin từ hai máy"


class Town(Village):
    """The first process receives, too."""

    other: ClusterApp

    def make(self, settings: Settings, clock: Clock) -> App:
        self.other = ClusterApp(settings, desk=desk(settings, clock), receive=False)
        return ClusterApp(settings, desk=desk(settings, clock))

    async def __aenter__(self) -> Town:
        await super().__aenter__()
        await self.other.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.other.stop()
        await super().__aexit__()


async def test_a_linked_person_is_reached_once_by_two_processes(database_url: str, platforms: Platforms) -> None:
    async with Town(database_url, platforms, engine="cluster", cluster_lease=5) as town:
        await town.bring(telegram=True, oa=HOUR, count=12, expected="telegram")
        await town.bring(telegram=True, oa=HOUR, prefers="zalo_oa", count=12, expected="zalo_oa")
        await town.bring(telegram=True, bot=True, oa=8 * DAY, prefers="zalo_oa", count=8, expected="telegram")
        await town.bring(bot=True, oa=HOUR, count=6, expected="zalo_oa")
        await town.bring(bot=True, count=2, expected="zalo_bot")
        await town.bring(oa=8 * DAY, count=3, expected="skipped:window_closed")
        before = await town.reach()
        run_id = await town.send(WORDS)
        ended = await town.check(run_id, WORDS)
        assert ended == {who.id: who.expected for who in town.people}
        counts = Counter(ended.values())
        assert before.by_channel == {channel: counts[channel] for channel in ("telegram", "zalo_oa", "zalo_bot")}
        assert before.kept == counts["skipped:window_closed"]
        assert town.wire() == before.by_channel
        await _one_that_blocks(town)
        await _when_telegram_is_away(town)


async def _one_that_blocks(town: Town) -> None:
    """A refusal in one process leads on to an account that perhaps the other sends by."""
    (one,) = await town.bring(telegram=True, oa=HOUR)
    assert one.telegram is not None
    words = "Forbidden: bot was blocked by the user"
    town.platforms.telegram.faults.error(403, words, chat_id=one.telegram.id)
    run_id = await town.plan("Tin đi đường vòng", f"person:{one.id}", urgent=True)

    async def led_on() -> bool:
        return str((await town.fates(run_id)).get(one.id)) == "zalo_oa"

    await town.until(led_on)
    await town.done(run_id)
    assert town.seen(one, "Tin đi đường vòng") == {"zalo_oa": 1}
    await town.adds_up(run_id)


async def _when_telegram_is_away(town: Town) -> None:
    """Both processes find out, and leave linked people to Zalo."""
    people = await town.bring(telegram=True, oa=HOUR, count=12)
    await town.platforms.telegram.stop()
    run_id = await town.plan("Tin khi mất mạng", ",".join(f"person:{one.id}" for one in people), urgent=True)
    try:
        status = await town.done(run_id)
    finally:
        await town.platforms.telegram.start()
    assert (status["sent"], status["unknown"], status["failed"]) == (12, 0, 0)
    assert all(town.seen(one, "Tin khi mất mạng") == {"zalo_oa": 1} for one in people)
