"""The settings: everything that was chosen can be changed."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from bot.core.words import PersonStatus, TargetGroup
from bot.db import units
from bot.db.tables import Person
from bot.outreach import curriculum
from tests.support.talk import Talk


@pytest.mark.parametrize("text", ["/settings", "cài đặt", "cai dat", "Cài đặt ạ"])
async def test_the_settings_show_what_was_chosen(talk: Talk, text: str) -> None:
    person = await talk.resident("5", unit="19138", group="elderly", hour=17)
    assert await person.says(text) == ["settings.overview"]
    for part in ("Xã Phong Nha", "Người cao tuổi", "17 giờ"):
        assert part in person.last.text


async def test_a_stranger_is_asked_for_consent_first(talk: Talk) -> None:
    assert await talk.person().says("cài đặt") == ["subscribe.greeting"]


async def test_everything_can_be_changed_by_buttons(talk: Talk) -> None:
    await talk.village("v1", "Thôn Đông", "19138")
    person = await talk.resident("5")
    await person.says("/settings")
    assert await person.presses("Đổi xã, phường") == ["subscribe.commune"]
    assert "/4" not in person.last.text
    await person.presses("Bố Trạch")
    assert await person.presses("Xã Phong Nha") == ["subscribe.village"]
    assert await person.presses("Thôn Đông") == ["settings.overview"]
    assert "Đã ghi: Thôn Đông, Xã Phong Nha" in person.last.text
    assert await person.presses("Đổi nhóm") == ["subscribe.group"]
    assert await person.presses("Học sinh, sinh viên") == ["settings.overview"]
    assert await person.presses("Đổi giờ") == ["subscribe.hour"]
    assert await person.presses("19:00") == ["settings.overview"]
    known = await talk.record("5")
    assert known is not None
    assert (known.target_group, known.tip_hour) == (TargetGroup.STUDENT, 19)
    async with talk.database.read() as tx:
        home = await units.get(tx, known.unit_id or 0)
        assert home is not None
        assert home.code == "v1"


@pytest.mark.parametrize(
    ("say", "asked", "answer"),
    [
        ("đổi xã", "subscribe.commune", "phong nha"),
        ("đổi nhóm", "subscribe.group", "người cao tuổi"),
        ("đổi giờ", "subscribe.hour", "6h tối"),
    ],
)
async def test_everything_can_be_changed_by_typing(talk: Talk, say: str, asked: str, answer: str) -> None:
    person = await talk.resident("5")
    assert await person.says(say) == [asked]
    assert await person.says(answer) == ["settings.overview"]


@pytest.mark.parametrize("text", ["để nguyên", "hủy", "thôi", "bỏ qua"])
async def test_a_change_can_be_called_off(talk: Talk, text: str) -> None:
    person = await talk.resident("5", hour=11)
    await person.says("đổi giờ")
    assert await person.says(text) == ["settings.overview"]
    known = await talk.record("5")
    assert known is not None
    assert (known.tip_hour, known.status) == (11, PersonStatus.ACTIVE)


async def test_a_change_goes_on_after_days(talk: Talk) -> None:
    person = await talk.resident("5")
    await person.says("đổi giờ")
    talk.advance(days=4)
    assert await person.says("17h") == ["settings.overview"]


async def test_without_villages_changing_the_village_asks_for_the_commune(talk: Talk) -> None:
    person = await talk.resident("5")
    await person.says("/settings")
    assert await person.presses("Đổi thôn") == ["subscribe.commune"]


async def test_moving_to_another_commune_leaves_the_old_village(talk: Talk) -> None:
    await talk.village("v1", "Thôn Đông")
    person = await talk.resident("5", unit="v1")
    await person.says("đổi xã")
    assert await person.says("phong nha") == ["settings.overview"]
    assert "📍 Nơi ở: Xã Phong Nha" in person.last.text


async def test_another_language(talk: Talk) -> None:
    person = await talk.resident("5")
    await person.says("/settings")
    assert await person.presses("Tiếng Việt / English") == ["settings.which_language"]
    assert await person.presses("English") == ["settings.overview"]
    assert "Your settings" in person.last.text
    assert await person.presses("Stop messages") == ["optout.done"]
    assert "RESUME" in person.last.text
    assert await person.presses("Get messages again") == ["optout.resumed"]
    known = await talk.record("5")
    assert known is not None
    assert known.language == "en"


async def test_an_unknown_language_is_asked_about(talk: Talk) -> None:
    person = await talk.resident("5")
    assert await person.presses_data("lang:xx") == ["settings.which_language"]


async def test_a_stranger_may_choose_a_language(talk: Talk) -> None:
    person = talk.person()
    assert await person.says("English") == ["settings.which_language"]
    assert await person.presses("English") == ["menu.show"]
    assert "automatic machine" in person.last.text


async def test_a_new_group_begins_anew_but_repeats_no_tip(talk: Talk) -> None:
    person = await talk.resident("5", group="resident")
    async with talk.database.write() as tx:
        await curriculum.sync(tx, talk.desk.pack)
        await tx.execute(sa.update(Person).values(tip_day=3))
    await person.says("đổi nhóm")
    await person.says("học sinh")
    known = await talk.record("5")
    assert known is not None
    assert known.tip_day == 0
    assert known.tips_seen == list(talk.desk.pack.curricula["resident"][:3])
    await person.says("đổi nhóm")
    await person.says("học sinh")
    again = await talk.record("5")
    assert again is not None
    assert again.tips_seen == known.tips_seen


async def test_the_settings_of_somebody_who_stopped(talk: Talk) -> None:
    person = await talk.resident("5")
    await person.says("dừng")
    assert await person.says("/settings") == ["settings.overview"]
    assert "đang ngừng" in person.last.text
    assert await person.presses("Nhận tin trở lại") == ["optout.resumed"]


async def test_erasing_from_the_settings(talk: Talk) -> None:
    person = await talk.resident("5")
    await person.says("/settings")
    assert await person.presses("Xem, xóa dữ liệu") == ["optout.kept"]
