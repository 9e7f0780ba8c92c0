"""Choosing where there is nothing to press: what people type for a choice, and what it means at that moment."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.words import RoleName
from bot.outreach import curriculum, tip_round
from bot.outreach.choices import read_number
from tests.support.talk import Speaker, Talk
from tests.support.talk_zalo import ZaloTalk

by_number = pytest.mark.parametrize("platform", ["zalo_bot"], indirect=True)
on_both = pytest.mark.parametrize("platform", ["zalo_bot", "zalo_oa"], indirect=True)

TIP, EXAMPLES, PRACTICE, EVENTS, SETTINGS = (
    "tip.none",
    "faq.examples",
    "practice.nothing",
    "event.none",
    "settings.overview",
)
"""What the five choices of a resident's menu lead to, in their order."""

TYPED = {
    "1": TIP,
    "1.": TIP,
    " 1) ": TIP,
    "(1)": TIP,
    "số 1": TIP,
    "so 1": TIP,
    "SỐ 1 Ạ": TIP,
    "một": TIP,
    "mot": TIP,
    "số một": TIP,
    "1️⃣": TIP,
    "hai": EXAMPLES,
    "two": EXAMPLES,
    "chọn 2 ạ": EXAMPLES,
    "chon 2": EXAMPLES,
    "2️⃣": EXAMPLES,
    "câu 2": EXAMPLES,
    "mục 2 nhé": EXAMPLES,
    "bấm số 2": EXAMPLES,
    "phím 2": EXAMPLES,
    "No. 2": EXAMPLES,
    "dạ em chọn số 2 ạ": EXAMPLES,
    "cho tôi số 2": EXAMPLES,
    "hai nhé bạn": EXAMPLES,
    "2 ok": EXAMPLES,
    "ok 2": EXAMPLES,
    "2!!!": EXAMPLES,
    "❓ Hỏi đáp": EXAMPLES,
    "hỏi đáp": EXAMPLES,
    "HỎI ĐÁP.": EXAMPLES,
    "hỏi đáp ạ": EXAMPLES,
    "em chọn hỏi đáp nhé": EXAMPLES,
    "ba": PRACTICE,
    "bốn": EVENTS,
    "bon": EVENTS,
    "tư": EVENTS,
    "năm": SETTINGS,
    "05": SETTINGS,
    "⚙️ cài đặt": SETTINGS,
}
NOT_CHOSEN = (
    *("bà", "bá", "nằm", "nam", "tám", "sau", "thứ hai", "2 nghìn", "1 2", "1, 2", "1 và 2", "7 giờ", "0", "6", "12"),
    *("²", "٢", "số", "chọn", "hoi dap", "một hai ba", "2 giờ chiều", "không", "1️⃣2️⃣", "1" * 30),
)
"""Other words, other numbers, and more than one."""


async def at_the_menu(talk: Talk) -> Speaker:
    person = await talk.resident("5")
    assert await person.says("menu") == ["menu.show"]
    return person


@by_number
@pytest.mark.parametrize(("typed", "key"), TYPED.items())
async def test_what_is_typed_is_what_stands_there(talk: Talk, typed: str, key: str) -> None:
    person = await at_the_menu(talk)
    assert await person.says(typed) == [key]


@by_number
async def test_other_words_choose_nothing(talk: Talk) -> None:
    person = await talk.resident("5")
    for typed in NOT_CHOSEN:
        await person.says("menu")
        assert not {TIP, EXAMPLES, PRACTICE, EVENTS, SETTINGS} & set(await person.says(typed)), typed


@by_number
@pytest.mark.parametrize("typed", ["6", "12", "số mười", "99 ạ"])
async def test_a_number_that_nothing_stands_behind_shows_the_choices_again(talk: Talk, typed: str) -> None:
    person = await at_the_menu(talk)
    shown = person.buttons()
    assert await person.says(typed) == ["common.choose_from"]
    assert person.buttons() == shown
    assert await person.says("5") == [SETTINGS]


@by_number
async def test_every_choice_stands_below_the_text_with_its_number(talk: Talk) -> None:
    assert isinstance(talk, ZaloTalk)
    await at_the_menu(talk)
    shown = talk.arrived("5")[-1].text
    assert shown.endswith(
        "\n\nTrả lời bằng số:\n1. 💡 Mẹo hôm nay\n2. ❓ Hỏi đáp\n3. ✏️ Luyện tập\n4. 📅 Sự kiện sắp tới\n5. ⚙️ Cài đặt"
    )


@on_both
async def test_the_hint_is_in_the_reader_s_language(talk: Talk) -> None:
    assert isinstance(talk, ZaloTalk)
    person = await talk.resident("5")
    await person.says("English")
    await person.presses("English")
    await person.says("settings")
    assert "Answer with a number:\n1. " in talk.arrived("5")[-1].text


@by_number
async def test_two_messages_of_one_answer_count_on(talk: Talk) -> None:
    assert isinstance(talk, ZaloTalk)
    person = talk.person()
    assert await person.says("quên mật khẩu vneid") == ["faq.answer", "subscribe.greeting"]
    answer, greeting = (message.text for message in talk.arrived("1001"))
    assert "Trả lời bằng số:\n1. " in answer
    assert greeting.endswith("Trả lời bằng số:\n3. Đồng ý, đăng ký\n4. Chỉ hỏi, không đăng ký")
    assert await person.says("1") == ["faq.answer"], "the first message's choice"
    person = talk.person("1002")
    await person.says("quên mật khẩu vneid")
    assert await person.says("3") == ["subscribe.commune"], "the second one's"


@by_number
async def test_a_number_means_what_was_shown_last(talk: Talk) -> None:
    person = await at_the_menu(talk)
    assert await person.says("5") == [SETTINGS]
    assert await person.says("4") == ["subscribe.hour"], "to change the hour, and no longer the events"
    assert await person.says("2") == [SETTINGS]
    known = await talk.record("5")
    assert known is not None
    assert known.tip_hour == 11


@by_number
async def test_a_number_means_nothing_when_nothing_is_offered_any_more(talk: Talk) -> None:
    head = await village_head(talk)
    await head.says("gửi tin")
    assert await head.says("1") == ["broadcast.dropped"]
    assert not {"broadcast.dropped", "broadcast.stale"} & set(await head.says("1"))


@by_number
async def test_a_number_means_nothing_after_three_days(talk: Talk) -> None:
    person = await at_the_menu(talk)
    talk.advance(days=2, hours=23)
    assert await person.says("5") == [SETTINGS]
    talk.advance(days=3, seconds=1)
    assert await person.says("4") != ["subscribe.hour"]


@by_number
async def test_what_is_asked_for_by_name_needs_no_number(talk: Talk) -> None:
    """An hour and a number look alike: what stands in the list comes first, everything else is an hour."""
    person = await talk.resident("5", hour=17)
    for typed, hour in (("7", 7), ("11", 11), ("3", 17), ("19 giờ", 19), ("7 giờ", 7), ("2", 11)):
        assert await person.says("đổi giờ") == ["subscribe.hour"]
        assert await person.says(typed) == [SETTINGS], typed
        known = await talk.record("5")
        assert known is not None
        assert known.tip_hour == hour, typed


@by_number
async def test_after_a_tip_the_numbers_are_the_tip_s(talk: Talk) -> None:
    async with talk.database.write() as tx:
        await curriculum.sync(tx, talk.desk.pack)
    person = await talk.resident("5", hour=7)
    await person.says("menu")
    talk.now = talk.desk.clock.start_of_day(talk.now) + timedelta(days=1, hours=7)
    await tip_round.plan_due(talk.database, talk.desk, talk.now)
    await talk.deliver()
    assert [b.label for b in person.buttons()][:2] == ["Xem lại", "Chưa hiểu"]
    assert await person.says("2") == ["tip.simple"]
    assert await person.says("chưa hiểu") == ["tip.simple"], "the tip is still the last that offered something"
    await person.says("menu")
    assert await person.says("2") == [EXAMPLES], "what is shown later counts"


@by_number
async def test_after_an_invitation_its_words_are_the_answer(talk: Talk) -> None:
    head = await village_head(talk)
    resident = await talk.resident("100", unit="18859001")
    await resident.says("menu")
    await head.says("tạo sự kiện")
    for word in ("Họp thôn", "19h ngày 26/11", "Nhà văn hóa", "bỏ qua", "bỏ qua"):
        await head.says(word)
    await head.presses("📢 Đăng và gửi")
    talk.advance(seconds=61)
    await talk.deliver()
    assert await resident.says("Không ạ") == ["event.not_going"]
    assert await resident.says("dạ đi") == ["event.going"]
    assert await resident.says("2") == ["event.not_going"]
    assert await resident.says("một") == ["event.going"]


async def village_head(talk: Talk) -> Speaker:
    await talk.village("18859001", "Thôn Đông")
    return await talk.staff("7", RoleName.VILLAGE_HEAD, "18859001")


@by_number
async def test_a_number_in_the_middle_of_composing(talk: Talk) -> None:
    """A lone 1 there is the choice that is shown; a text with numbers in it is what is to be sent."""
    head = await village_head(talk)
    await talk.resident("100", unit="18859001")
    await head.says("gửi tin")
    assert await head.says("Thôn 1 họp lúc 7 giờ") == ["broadcast.summary"]
    shown = [b.label for b in head.buttons()]
    assert await head.says(str(shown.index("➕ Thêm nội dung") + 1)) == ["broadcast.more"]
    assert await head.says("2 người mang loa") == ["broadcast.summary"]
    assert "2 người mang loa" in head.heard[-2].text
    assert await head.says(f"số {shown.index('📢 Gửi ngay') + 1} ạ") == ["broadcast.planned"]
    assert await head.says("1") == ["broadcast.undone"], "taking it back is what was offered last"


@by_number
async def test_a_stop_is_a_stop_whatever_is_offered(talk: Talk) -> None:
    person = await at_the_menu(talk)
    await person.says("5")
    assert await person.says("dừng") == ["optout.done"]


@on_both
async def test_more_than_five_choices_have_numbers_everywhere(talk: Talk) -> None:
    person = await talk.resident("5")
    await person.says("/settings")
    assert len(person.buttons()) > 5
    assert await person.says("số 4") == ["subscribe.hour"]


@pytest.mark.parametrize("platform", ["zalo_oa"], indirect=True)
async def test_five_choices_are_buttons_and_can_be_typed_as_well(talk: Talk) -> None:
    assert isinstance(talk, ZaloTalk)
    person = await at_the_menu(talk)
    shown = talk.arrived("5")[-1]
    assert "Trả lời bằng số" not in shown.text
    assert len(shown.buttons) == 5
    assert await person.says("hai") == [EXAMPLES]
    assert await person.presses("⚙️ Cài đặt") == [SETTINGS], "an older message's button works on"


@by_number
async def test_in_a_group_a_number_needs_the_bot_s_name(talk: Talk) -> None:
    inside = talk.person("5").in_group("-5")
    assert await inside.says("/start") == ["group.greeting"]
    assert await inside.says("1", addressed=False) == []
    assert await inside.says("1") == ["group.started"]


@given(st.text(st.characters(), max_size=60))
def test_reading_a_number_never_raises(text: str) -> None:
    number = read_number(text)
    assert number is None or 0 < number < 100


@given(
    st.integers(1, 99),
    st.sampled_from(["", "số ", "chọn ", "Dạ, em chọn số ", "cau "]),
    st.sampled_from(["", ".", ")", " ạ", " nhé!"]),
)
def test_a_number_is_read_with_the_words_around_it(number: int, before: str, after: str) -> None:
    assert read_number(f"{before}{number}{after}") == number
