"""Free questions: answers, choices, dangers; before and after consent, alone and in groups."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.core.events import Media, MediaKind
from bot.core.words import PersonStatus
from bot.db import conversations, people
from bot.outreach.faq.engine import Verdict
from tests.support.talk import Talk


class Fixed:
    """An answerer that always finds the same."""

    def __init__(self, verdict: Verdict) -> None:
        self.verdict = verdict

    def ask(self, text: str) -> Verdict:
        return self.verdict


def some(talk: Talk, count: int) -> tuple[str, ...]:
    return tuple(talk.desk.pack.faq)[:count]


def finds(talk: Talk, **fields: object) -> None:
    talk.desk.answerer = Fixed(Verdict(**fields))  # type: ignore[arg-type,assignment]  # a fixed verdict


async def test_an_answer_with_its_source(talk: Talk) -> None:
    person = await talk.resident("5")
    assert await person.says("quen mk vneid") == ["faq.answer"]
    assert "Nguồn:" in person.last.text


async def test_choices_by_button(talk: Talk) -> None:
    finds(talk, action="suggest", entries=some(talk, 3), score=0.4)
    person = await talk.resident("5")
    assert await person.says("vneid") == ["faq.choices"]
    assert len(person.buttons()) == 4
    assert await person.presses(person.buttons()[1].label) == ["faq.answer"]
    assert talk.desk.pack.faq[some(talk, 3)[1]].title in person.last.text


@pytest.mark.parametrize("text", ["2", "2.", " 2 ", "2)"])
async def test_choices_by_number(talk: Talk, text: str) -> None:
    finds(talk, action="suggest", entries=some(talk, 3), score=0.4)
    person = await talk.resident("5")
    await person.says("vneid")
    assert await person.says(text) == ["faq.answer"]
    assert talk.desk.pack.faq[some(talk, 3)[1]].title in person.last.text


@pytest.mark.parametrize("text", ["0", "4", "9"])
async def test_none_of_the_choices(talk: Talk, text: str) -> None:
    finds(talk, action="suggest", entries=some(talk, 3), score=0.4)
    person = await talk.resident("5")
    await person.says("vneid")
    assert await person.says(text) == ["faq.unknown"]
    await person.says("vneid")
    assert await person.presses("Không phải các câu này") == ["faq.unknown"]


@pytest.mark.parametrize("text", ["thôi", "thôi ạ", "hủy", "không phải", "bỏ qua"])
async def test_never_mind_the_choices(talk: Talk, text: str) -> None:
    finds(talk, action="suggest", entries=some(talk, 3), score=0.4)
    person = await talk.resident("5")
    await person.says("vneid")
    assert await person.says(text) == ["faq.agree"]
    known = await talk.record("5")
    assert known is not None
    assert known.status is PersonStatus.ACTIVE


async def test_another_question_instead_of_a_number(talk: Talk) -> None:
    finds(talk, action="suggest", entries=some(talk, 2), score=0.4)
    person = await talk.resident("5")
    await person.says("vneid")
    finds(talk, action="answer", entries=some(talk, 1), score=0.9)
    assert await person.says("quên mật khẩu vneid") == ["faq.answer"]
    async with talk.database.read() as tx:
        contact = await people.contact(tx, talk.account.id, "5")
        assert contact is not None
        assert await conversations.get(tx, contact.id) is None


async def test_choices_do_not_forget_the_greeting(talk: Talk) -> None:
    finds(talk, action="suggest", entries=some(talk, 2), score=0.4)
    person = talk.person()
    assert await person.says("vneid") == ["faq.choices", "subscribe.greeting"]
    assert await person.says("vneid nữa") == ["faq.choices"]
    assert await person.says("1") == ["faq.answer"]
    assert await person.says("đồng ý") == ["subscribe.commune"]


async def test_an_answer_does_not_forget_the_step(talk: Talk) -> None:
    person = talk.person()
    await person.says("/start")
    await person.says("đồng ý")
    finds(talk, action="answer", entries=some(talk, 1), score=0.9)
    assert await person.says("câu hỏi gì đó rất dài") == ["faq.answer", "subscribe.commune"]
    finds(talk, action="suggest", entries=some(talk, 2), score=0.4)
    assert await person.says("lưng chừng") == ["subscribe.commune"]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        *(("xin chào", "faq.greeting"), ("cảm ơn nhé", "faq.thanks"), ("tạm biệt", "faq.bye"), ("ok", "faq.agree")),
        ("bạn là ai", "faq.who"),
    ],
)
async def test_small_talk(talk: Talk, text: str, key: str) -> None:
    person = await talk.resident("5")
    assert await person.says(text) == [key]


@pytest.mark.parametrize(
    ("text", "key", "number"),
    [
        *(("tôi muốn tự tử", "faq.guard_self_harm", "115"), ("nhà tôi đang cháy nhà", "faq.guard_fire", "114")),
        *(
            ("bố bị đột quỵ", "faq.guard_ambulance", "115"),
            ("mắc kẹt trên nóc nhà nước lên", "faq.guard_rescue", "112"),
        ),
    ],
)
async def test_danger_gets_numbers_at_once(talk: Talk, text: str, key: str, number: str) -> None:
    assert await talk.person("1").says(text) == [key, "subscribe.greeting"]
    person = await talk.resident("5")
    assert (await person.says(text))[0] == key
    assert number in person.heard[-1].text


async def test_a_secret_is_warned_about_and_not_kept(talk: Talk) -> None:
    person = await talk.resident("5")
    keys = await person.says("mã otp của tôi là 482913 làm sao đây")
    assert keys[0] == "faq.guard_secret"
    assert all("482913" not in m.text for m in person.heard)


async def test_help_to_do_harm_is_refused(talk: Talk) -> None:
    person = await talk.resident("5")
    assert await person.says("cách hack zalo của vợ") == ["faq.guard_refuse"]


async def test_unknown_questions_lead_to_the_menu(talk: Talk) -> None:
    person = await talk.resident("5")
    assert await person.says("con mèo nhà hàng xóm tên chi rứa hè") == ["faq.unknown"]
    assert "⚙️ Cài đặt" in [b.label for b in person.buttons()]


@pytest.mark.parametrize("kind", [MediaKind.PHOTO, MediaKind.VOICE, MediaKind.STICKER, MediaKind.FILE])
async def test_media_without_words(talk: Talk, kind: MediaKind) -> None:
    person = await talk.resident("5")
    assert await person.says("", media=(Media(kind, file_id="f"),)) == ["common.media"]


async def test_media_with_a_question(talk: Talk) -> None:
    person = await talk.resident("5")
    assert await person.says("quên mật khẩu vneid", media=(Media(MediaKind.PHOTO, file_id="f"),)) == ["faq.answer"]


async def test_examples(talk: Talk) -> None:
    person = await talk.resident("5")
    await person.says("/menu")
    assert await person.presses("❓ Hỏi đáp") == ["faq.examples"]
    assert 2 <= len(person.buttons()) <= 7
    assert await person.presses(person.buttons()[0].label) == ["faq.answer"]


async def test_an_expired_answer_is_not_given(talk: Talk) -> None:
    entry = some(talk, 1)[0]
    faq = dict(talk.desk.pack.faq)
    faq[entry] = faq[entry].model_copy(update={"expires": talk.desk.clock.today(talk.now)})
    talk.desk.pack = replace(talk.desk.pack, faq=faq)
    person = await talk.resident("5")
    assert await person.presses_data(f"faq:show:{entry}") == ["common.old_button", "menu.show"]
    finds(talk, action="answer", entries=(entry,), score=0.9)
    assert await person.says("gì đó") == ["faq.unknown"]


@pytest.mark.parametrize(
    "data", ["faq", "faq:", "faq:show", "faq:show:nothing", "faq:dance", "nobody:knows:this", "x", "💥"]
)
async def test_old_and_odd_buttons(talk: Talk, data: str) -> None:
    person = await talk.resident("5")
    assert await person.presses_data(data) == ["common.old_button", "menu.show"]
    assert any("cũ" in text for text in person.notices)


@pytest.mark.parametrize(
    "text", ["_*[<&", "<b>", "/unknown_command", "👍", ".", "a" * 10_000, "q\u0301" * 300, "\u200b", "١٢٣"]
)
async def test_odd_texts_break_nothing(talk: Talk, text: str) -> None:
    person = await talk.resident("5")
    keys = await person.says(text)
    assert keys
    assert "common.broken" not in keys


async def test_edited_messages_are_left_alone(talk: Talk) -> None:
    from bot.core.events import ChatKind, InboundKind

    person = await talk.resident("5")
    fields = {"chat_id": "5", "chat_kind": ChatKind.PRIVATE, "sender_id": "5"}
    assert await talk.inbound(kind=InboundKind.EDITED, text="dừng", **fields) == []
    assert person.heard == []


async def test_questions_by_area(talk: Talk) -> None:
    person = await talk.resident("5")
    assert await person.says("con mèo nhà hàng xóm tên chi rứa hè") == ["faq.unknown"]
    assert await person.presses("📚 Xem theo mục") == ["faq.areas"]
    assert await person.presses("Chống lừa đảo") == ["faq.area"]
    first = [button.label for button in person.buttons()]
    assert await person.presses("Xem thêm ▸") == ["faq.area"]
    assert "(trang 2/" in person.last.text
    second = [button.label for button in person.buttons()]
    assert not set(first[:6]) & set(second[:6])
    assert await person.presses(second[0]) == ["faq.answer"]
    assert second[0] in person.last.text


async def test_the_areas_by_words(talk: Talk) -> None:
    person = talk.person()
    assert (await person.says("theo mục"))[0] == "faq.areas"
    assert len(person.buttons()) >= 9


@pytest.mark.parametrize("data", ["area", "area:nothing", "area:an_toan:x", "area:an_toan:0", "area:an_toan:9999"])
async def test_odd_area_buttons(talk: Talk, data: str) -> None:
    person = await talk.resident("5")
    assert await person.presses_data(data) == ["common.old_button", "menu.show"]


async def test_an_area_s_last_page_leads_to_the_first(talk: Talk) -> None:
    person = await talk.resident("5")
    await person.presses_data("area:an_toan:999")
    assert await person.presses("Xem thêm ▸") == ["faq.area"]
    assert "(trang 1/" in person.last.text


async def test_two_areas_are_asked_about(talk: Talk) -> None:
    finds(talk, action="suggest", entries=("vneid_forgot_password", "bank_biometrics"), score=0.4)
    person = await talk.resident("5")
    await person.says("quét mặt không vào được")
    assert 'chuyện "VNeID, căn cước" hay "Tiền, ngân hàng"' in person.last.text
    finds(talk, action="suggest", entries=("fake_police", "scammed"), score=0.4)
    await person.says("bị hỏi mã")
    assert "Ý bà con là câu nào?" in person.last.text
