"""A channel that breaks down in the middle of a run: who has another way is reached there, nobody is reached twice."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from bot.channels.zalo_oa import ZaloOaChannel
from bot.core.words import DeliveryState
from tests.routes.conftest import Settle
from tests.routes.village import OA, TELEGRAM, Village, Villager

HOUR = timedelta(hours=1)
WORDS = "Tin qua lúc mạng hỏng"


async def _linked(village: Village, count: int) -> list[Villager]:
    """People whose best way is Telegram, and two who have no other."""
    return [*await village.bring(telegram=True, oa=HOUR, count=count), *await village.bring(telegram=True, count=2)]


async def test_telegram_stops_answering_in_the_middle_of_a_run(settle: Settle) -> None:
    """Whose message arrived without an answer is unknown, and not asked again on Zalo; who has nothing else waits until
    Telegram is back."""
    async with settle(telegram_rate=40) as village:
        telegram = village.platforms.telegram
        people = await _linked(village, 24)
        lost = telegram.faults.drop_after(method="sendMessage", skip=3, count=1)
        run_id = await village.plan(WORDS)

        async def begun() -> bool:
            return telegram.sent() >= 6

        await village.until(begun)
        await telegram.stop()

        async def fell_back() -> bool:
            status = await village.status(run_id)
            return bool(status["waiting"] + status["sending"] == 2)

        await village.until(fell_back)
        fates = await village.fates(run_id)
        ends = Counter(str(fates[one.id]) for one in people[:-2])
        assert ends["zalo_oa"] >= 12
        assert 1 <= ends["unknown:no_answer"] <= 4
        assert (ends.total(), lost.hits) == (24, 1)
        assert not (await village.app.health())["ok"]
        await telegram.start()
        await village.done(run_id)
        fates = await village.fates(run_id)
        for one in people:
            seen, fate = village.seen(one, WORDS), fates[one.id]
            assert seen == {fate.channel: 1} if fate.state is DeliveryState.SENT else seen.total() <= 1
        assert {str(fates[one.id]) for one in people[-2:]} == {"telegram"}
        status = await village.status(run_id)
        assert (status["sent"] + status["unknown"], status["failed"]) == (26, 0)
        await village.adds_up(run_id)


async def test_a_revoked_token_leaves_linked_people_to_zalo_and_the_others_waiting(settle: Settle) -> None:
    """Nobody fails; the next count no longer promises Telegram."""
    async with settle() as village:
        telegram = village.platforms.telegram
        people = await _linked(village, 6)
        telegram.faults.revoke_token(village.telegram_bot)
        run_id = await village.plan(WORDS)

        async def left_to_zalo() -> bool:
            status = await village.status(run_id)
            return bool(status["sent"] == 6)

        await village.until(left_to_zalo)
        status = await village.status(run_id)
        assert (status["state"], status["waiting"], status["failed"], status["unknown"]) == ("sending", 2, 0, 0)
        fates = await village.fates(run_id)
        assert {fates[one.id].channel for one in people[:6]} == {"zalo_oa"}

        async def is_told() -> bool:
            return (await village.reach()).by_channel == {"zalo_oa": 6}

        await village.until(is_told)
        assert (await village.app.health())["accounts"][TELEGRAM] != "ok"
        await village.adds_up(run_id)
        await _consent_lost_and_given_again(village)


async def _consent_lost_and_given_again(village: Village) -> None:
    """The Official Account's tokens are worth nothing: its people wait; a new consent, and they get it without a
    restart."""
    oa = village.platforms.oa
    people = await village.bring(oa=HOUR, count=3)
    oa.oauth.revoke()
    run_id = await village.plan("Tin chờ mã mới", ",".join(f"person:{one.id}" for one in people))

    async def stopped() -> bool:
        return bool((await village.app.health())["accounts"][OA] != "ok")

    await village.until(stopped)
    status = await village.status(run_id)
    assert (status["waiting"] + status["sending"], status["sent"], status["failed"]) == (3, 0, 0)
    await village.quiet()
    (channel,) = (c for c in village.app.channels if isinstance(c, ZaloOaChannel))
    await channel._watch._look_once()  # every five seconds
    await channel.consented(oa.oauth.issue_code())
    await channel._watch._look_once()
    status = await village.done(run_id)
    assert status["sent"] == 3
    assert all(village.seen(one, "Tin chờ mã mới") == {"zalo_oa": 1} for one in people)
    assert (await village.app.health())["accounts"][OA] == "ok"
