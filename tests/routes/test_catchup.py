"""What was kept for somebody comes once, short and still true, when they write, on whichever channel they do."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot.core.words import CampaignKind, DeliveryState, PersonStatus
from bot.db import people
from bot.db.tables import Person
from tests.routes.village import Village, Villager

pytestmark = pytest.mark.asyncio(loop_scope="module")

DAY = timedelta(days=1)


async def kept(village: Village, *who: Villager, words: str, **options: Any) -> int:
    run_id = await village.send(words, ",".join(f"person:{one.id}" for one in who), urgent=True, **options)
    assert (await village.status(run_id))["reasons"] == {"window_closed": len(who)}
    return run_id


async def writes(village: Village, who: Villager, text: str = "chào") -> list[str]:
    """What they read in answer."""
    assert who.oa is not None
    before = len(who.oa.received)
    who.oa.write(text)
    await village.quiet()
    return who.oa.texts[before:]


async def test_the_newest_three_that_are_still_true(village: Village) -> None:
    """Of five the newest three, each shortened; what is too old is dropped; a second word brings nothing again."""
    (one,) = await village.bring(oa=8 * DAY)
    runs = [await village.plan("Tin rất cũ", f"person:{one.id}", urgent=True)]
    await village.done(runs[0])
    village.hands.pass_by(days=15)
    for n in range(1, 6):
        words = f"Tin thứ {n}: " + "bà con nhớ nhé " * 40
        runs.append(await village.plan(words, f"person:{one.id}", urgent=True))
        village.hands.pass_by(minutes=10)
    for run_id in runs:
        await village.done(run_id)
    said = await writes(village, one)
    (brought,) = [text for text in said if "Tin thứ" in text]
    assert [f"Tin thứ {n}" in brought for n in range(1, 6)] == [False, False, True, True, True]
    assert brought.index("Tin thứ 5") < brought.index("Tin thứ 3")
    assert len(brought) < 1200
    assert "Còn 2 tin cũ hơn" in brought
    assert not any("bà con nhớ" in text for text in await writes(village, one))
    ends = [str((await village.fates(run_id))[one.id]) for run_id in runs]
    assert ends == ["skipped:window_closed", *["skipped:expired"] * 2, *["zalo_oa"] * 3]
    for run_id in runs:
        await village.adds_up(run_id)


async def test_nothing_untrue_is_brought_and_nothing_to_who_says_stop(village: Village) -> None:
    """An alert that is over is not brought, nor the question of another day; who comes back after a stop hears what
    they missed."""
    late, stops, again = await village.bring(oa=8 * DAY, count=3)
    await kept(village, late, words="Câu hỏi hôm ấy", kind=CampaignKind.PRACTICE)
    flood = await kept(village, late, words="Nước lên", kind=CampaignKind.ALERT)
    note = await kept(village, stops, again, words="Họp thôn")
    village.hands.pass_by(hours=7)
    assert not any("Nước lên" in text or "Câu hỏi hôm ấy" in text for text in await writes(village, late))
    assert str((await village.fates(flood))[late.id]) == "skipped:window_closed"
    assert not any("Họp thôn" in text for text in await writes(village, stops, "DỪNG"))
    assert not any("Họp thôn" in text for text in await writes(village, stops, "chào"))
    assert str((await village.fates(note))[stops.id]) == "skipped:window_closed"
    async with village.app.database.write() as tx:
        (await tx.get_one(Person, again.id)).status = PersonStatus.STOPPED
    await writes(village, again, "TIẾP")
    assert village.seen(again, "Họp thôn") == {"zalo_oa": 1}
    await village.adds_up(note)


async def test_who_comes_back_on_telegram_catches_up_there(village: Village) -> None:
    """Blocked on Telegram, too long silent on Zalo: the next word on either brings what was kept."""
    (one,) = await village.bring(telegram=True, oa=8 * DAY)
    assert one.telegram is not None
    chat, bot = str(one.telegram.id), village.telegram_bot
    await one.telegram.block(bot)

    async def closed() -> bool:
        async with village.app.database.read() as tx:
            found = await people.contact(tx, village.ids["telegram"], chat)
            return found is not None and found.closed_at is not None

    await village.until(closed)
    run_id = await kept(village, one, words="Tin lúc vắng")
    one.telegram.unblock(bot)
    await one.telegram.write(bot, "chào")
    await one.telegram.chat(bot).wait(lambda m: "Tin lúc vắng" in m.text)
    await village.quiet()
    assert village.seen(one, "Tin lúc vắng") == {"telegram": 1}
    assert (await village.fates(run_id))[one.id].state is DeliveryState.SENT
    await village.adds_up(run_id)
