"""Tips on demand, again, in simpler words."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

import pytest

from bot.core.words import ItemKind
from bot.db import items
from bot.outreach import curriculum, tip_round
from tests.support.talk import Speaker, Talk


async def with_tip(talk: Talk) -> Speaker:
    """Somebody who has had the first tip this morning."""
    async with talk.database.write() as tx:
        await curriculum.sync(tx, talk.desk.pack)
    person = await talk.resident("5", hour=7)
    talk.now = talk.desk.clock.start_of_day(talk.now) + timedelta(days=1, hours=7)
    await tip_round.plan_due(talk.database, talk.desk, talk.now)
    await talk.deliver()
    return person


@pytest.mark.parametrize("text", ["/tip", "mẹo hôm nay", "meo hom nay", "mẹo ạ"])
async def test_today_s_tip_changes_nothing_about_tomorrow_s(talk: Talk, text: str) -> None:
    person = await with_tip(talk)
    first = person.last
    before = await talk.record("5")
    assert await person.says(text) == ["tip.body"]
    assert person.last.text.split("\n\n")[0] == first.text.split("\n\n")[0]
    after = await talk.record("5")
    assert before is not None
    assert after is not None
    assert (before.tip_day, before.tipped_on) == (after.tip_day, after.tipped_on)


async def test_a_tip_by_button_from_the_menu(talk: Talk) -> None:
    person = await with_tip(talk)
    await person.says("/menu")
    assert await person.presses("💡 Mẹo hôm nay") == ["tip.body"]


async def test_a_stranger_may_read_a_tip(talk: Talk) -> None:
    await with_tip(talk)
    stranger = talk.person("9")
    assert await stranger.says("/tip") == ["tip.body"]
    assert "DỪNG" not in stranger.last.text, "it was asked for"


async def test_without_lessons_there_is_no_tip(talk: Talk) -> None:
    person = await talk.resident("5")
    assert await person.says("/tip") == ["tip.none"]


async def test_again_and_simpler(talk: Talk) -> None:
    person = await with_tip(talk)
    tip = talk.desk.pack.tips[talk.desk.pack.curricula["resident"][0]]
    assert await person.presses("Xem lại") == ["tip.body"]
    assert await person.presses("Chưa hiểu") == ["tip.simple"]
    assert tip.simpler in person.last.text
    assert tip.why in person.last.text
    assert await person.presses("Chưa hiểu") == ["tip.simple"]


async def test_an_expired_tip_is_not_said_again(talk: Talk) -> None:
    person = await with_tip(talk)
    tips = dict(talk.desk.pack.tips)
    key = talk.desk.pack.curricula["resident"][0]
    tips[key] = tips[key].model_copy(update={"expires": talk.desk.clock.today(talk.now)})
    talk.desk.pack = replace(talk.desk.pack, tips=MappingProxyType(tips))
    assert await person.presses("Xem lại") == ["tip.gone"]
    assert person.notices


@pytest.mark.parametrize(
    "data",
    [
        *("tip", "tip:", "tip:again", "tip:again:", "tip:again:0", "tip:again:99999", "tip:simple:x", "tip:again:-1"),
        *("tip:again:" + "9" * 40, "tip:again:٣"),
    ],
)
async def test_odd_tip_buttons_break_nothing(talk: Talk, data: str) -> None:
    person = await with_tip(talk)
    assert await person.presses_data(data) == ["tip.gone"]


async def test_what_is_no_tip_is_not_shown_as_one(talk: Talk) -> None:
    person = await with_tip(talk)
    async with talk.database.write() as tx:
        other = await items.add(tx, ItemKind.BROADCAST, [{"chat_id": "", "text": "riêng"}], talk.now, key="otp_never")
    assert await person.presses_data(f"tip:again:{other.id}") == ["tip.gone"]


async def test_an_unknown_word_behind_a_tip(talk: Talk) -> None:
    person = await with_tip(talk)
    async with talk.database.read() as tx:
        item = await items.by_key(tx, ItemKind.TIP, talk.desk.pack.curricula["resident"][0])
    assert item is not None
    assert await person.presses_data(f"tip:dance:{item.id}") == ["common.old_button"]


async def test_whoever_reads_english_gets_the_tip_in_english(talk: Talk) -> None:
    async with talk.database.write() as tx:
        await curriculum.sync(tx, talk.desk.pack)
    person, neighbour = await talk.resident("5", hour=7), await talk.resident("6", hour=7)
    await person.says("english")
    await person.presses("English") if person.last.buttons else None
    talk.now = talk.desk.clock.start_of_day(talk.now) + timedelta(days=1, hours=7)
    await tip_round.plan_due(talk.database, talk.desk, talk.now)
    await talk.deliver()
    key = talk.desk.pack.curricula["resident"][0]
    assert talk.desk.translations["en"].tips[key].body() in person.last.text
    assert "STOP" in person.last.text
    assert talk.desk.pack.tips[key].body() in neighbour.last.text
    await person.presses("In simpler words")
    assert talk.desk.translations["en"].tips[key].simpler in person.last.text
