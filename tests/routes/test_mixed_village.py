"""A village with everything in it: each person is reached once, on the right way, and all the books agree."""

from __future__ import annotations

import unicodedata
from collections import Counter
from datetime import timedelta

import pytest

from bot.core.words import DeliveryState, PersonStatus
from tests.routes.conftest import Settle
from tests.routes.village import Village

WORDS = "Sáng mai thôn tập trung lúc bảy giờ"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
KEPT, BY_HAND = "skipped:window_closed", "skipped:no_route"
CHANNELS = ("telegram", "zalo_oa", "zalo_bot")


async def settled(village: Village) -> None:
    """Everybody there is, with the ways by which they may be reached, the best first, and what else they are."""
    bring = village.bring
    await bring(telegram=True, count=3, expected="telegram")
    await bring(oa=HOUR, count=2, expected="zalo_oa")
    await bring(oa=3 * DAY, expected="zalo_oa")
    await bring(oa=8 * DAY, count=2, expected="kept")
    await bring(bot=True, count=2, expected="zalo_bot")
    await bring(telegram=True, oa=HOUR, expected="telegram zalo_oa")
    await bring(telegram=True, oa=8 * DAY, expected="telegram kept")
    await bring(bot=True, oa=HOUR, expected="zalo_oa zalo_bot")
    await bring(bot=True, oa=8 * DAY, expected="zalo_bot kept")
    await bring(telegram=True, bot=True, oa=HOUR, expected="telegram zalo_oa zalo_bot")
    await bring(telegram=True, bot=True, oa=HOUR, prefers="zalo_bot", expected="zalo_bot telegram zalo_oa")
    await bring(telegram=True, oa=HOUR, prefers="zalo_oa", expected="zalo_oa telegram")
    await bring(telegram=True, oa=8 * DAY, prefers="zalo_oa", expected="telegram kept")
    await bring(count=2, expected="")
    await bring(telegram=True, oa=HOUR, status=PersonStatus.STOPPED, expected="nobody")


def ends(village: Village, off: tuple[str, ...]) -> dict[int, str]:
    """Where everybody should end."""
    found: dict[int, str] = {}
    for who in village.people:
        if who.expected == "nobody":
            continue
        ways = [way for way in who.expected.split() if way not in off]
        if "zalo_oa" in off:
            ways = [way for way in ways if way != "kept"]
        first = ways[0] if ways else ""
        found[who.id] = {"kept": KEPT, "": BY_HAND}.get(first, first)
    return found


OFF = [("telegram",), ("zalo_bot",), ("zalo_oa",), ("telegram", "zalo_oa")]


@pytest.mark.parametrize("off", OFF, ids=lambda off: "without " + " and ".join(off))
async def test_everybody_is_reached_once_on_the_way_that_was_announced(settle: Settle, off: tuple[str, ...]) -> None:
    async with settle(without=off) as village:
        await settled(village)
        await _sends_as_announced(village, off)


async def test_the_same_on_both_databases_and_the_kept_ones_catch_up(settle_anywhere: Settle) -> None:
    async with settle_anywhere() as village:
        await settled(village)
        run_id = await _sends_as_announced(village, ())
        await _catches_up(village, run_id)


async def _sends_as_announced(village: Village, off: tuple[str, ...]) -> int:
    expected = ends(village, off)
    before = await village.reach()
    run_id = await village.send(WORDS)
    ended = await village.check(run_id, WORDS)
    assert ended == expected
    count = Counter(expected.values())
    by_channel = {channel: count[channel] for channel in CHANNELS if count[channel]}
    assert (before.total, before.by_channel) == (len(expected), by_channel)
    assert (before.kept, before.unreachable) == (count[KEPT], count[BY_HAND])
    assert village.wire() == by_channel
    status = await village.status(run_id)
    assert status["sent"] == before.reachable
    assert status["failed"] == status["unknown"] == status["waiting"] == 0
    assert status["reasons"] == {k.partition(":")[2]: count[k] for k in (BY_HAND, KEPT) if count[k]}
    return run_id


async def _catches_up(village: Village, run_id: int) -> None:
    """Everybody who was kept for later writes, and is told once."""
    before = await village.status(run_id)
    waited = [who for who in village.people if who.expected == "kept"]
    for who in waited:
        assert who.oa is not None
        who.oa.write("chào")
    await village.quiet()
    for who in waited:
        assert who.oa is not None
        who.oa.write("cảm ơn")
    await village.quiet()
    for who in waited:
        assert village.seen(who, WORDS) == {"zalo_oa": 1}
    after = await village.status(run_id)
    assert after["sent"] == before["sent"] + len(waited)
    assert after["skipped"] == before["skipped"] - len(waited)
    assert after["reasons"] == {"no_route": 2}
    await village.adds_up(run_id)
    fates = await village.fates(run_id)
    assert all(fates[who.id].state is DeliveryState.SENT and fates[who.id].channel == "zalo_oa" for who in waited)


async def test_a_head_is_told_in_words_what_then_happens(settle: Settle) -> None:
    """Typed on a phone that sends loose marks, with the routes before the button that sends it."""
    async with settle() as village:
        await settled(village)
        (head,) = await village.bring(telegram=True, here=False)
        village.people.remove(head)
        await village.head(head)
        assert head.telegram is not None
        chat = head.telegram.chat(village.telegram_bot)
        await head.telegram.write(village.telegram_bot, "/gui " + unicodedata.normalize("NFD", WORDS))
        asked = await chat.wait(lambda m: m.from_bot and m.buttons)
        head.telegram.press(village.telegram_bot, asked, asked.buttons[0])
        summary = await chat.wait(lambda m: "Bà con sẽ thấy đúng như trên" in m.text)
        expected = Counter(ends(village, ()).values())
        zalo = expected["zalo_oa"] + expected["zalo_bot"]
        routes = f"{expected['telegram']} qua Telegram, {zalo} qua Zalo, {expected[KEPT]} sẽ nhận khi nhắn lại"
        assert f"{expected.total()} người" in summary.text
        assert f": {routes}, {expected[BY_HAND]} cần chuyển tay." in summary.text
        head.telegram.press(village.telegram_bot, summary, next(b for b in summary.buttons if "Gửi" in b))
        await village.quiet()
        village.hands.pass_by(minutes=2)
        village.app.engine.wake()
        await village.done(1)
        assert await village.check(1, WORDS) == ends(village, ())
