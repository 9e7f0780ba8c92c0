"""What people ask of people, in all its turns: nights, levels, refusals, limits, what is kept; on one platform."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.core.events import Outbound
from bot.core.words import EntryState, QuestionState, RoleName, UnitKind
from bot.db import replies
from bot.db.tables_questions import Asked, LocalEntry
from jobs.cleanup import cleanup
from tests.conversations.test_faq import finds
from tests.conversations.test_questions import (
    ANSWER,
    ASKED,
    COMMUNE,
    SHOWN,
    VILLAGE,
    ask,
    cast,
    context,
    kept,
    later,
    reply,
)
from tests.support.talk import Talk


@pytest.fixture
def platform() -> str:
    """What differs from platform to platform is in `test_questions`."""
    return "sqlite"


async def test_nothing_is_sent_without_a_second_thought(talk: Talk) -> None:
    who = await cast(talk)
    await who.asker.says(ASKED)
    await who.asker.presses("🙋 Hỏi tổ công nghệ số")
    assert SHOWN in who.asker.last.text
    assert "0912" not in who.asker.last.text
    assert await who.asker.says("thôi") == ["questions.dropped"]
    assert who.helper.heard == []
    assert await who.asker.says("gặp người thật") == ["questions.compose"], (
        "what they did not want to send is forgotten"
    )
    await who.asker.says("thôi")
    await who.asker.says(ASKED)
    assert await who.asker.says("gặp người thật") == ["questions.confirm"], "for an hour it need not be typed again"
    assert await who.asker.says("gửi đi ạ") == ["questions.sent"]
    async with talk.database.read() as tx:
        assert (await tx.execute(sa.select(Asked))).first() is None


async def test_what_is_sent_is_what_was_shown(talk: Talk) -> None:
    who = await cast(talk)
    await who.asker.says(ASKED)
    await who.asker.presses("🙋 Hỏi tổ công nghệ số")
    assert await who.asker.says("còn một chuyện khác thì răng") == ["faq.unknown"]
    assert await who.asker.presses_data("q:go") == ["questions.sent"]
    assert SHOWN in who.helper.last.text
    assert await who.asker.presses_data("q:go") == ["questions.over"], "whoever presses twice is asked nothing more"
    assert await who.asker.says("một chuyện nữa") == ["faq.unknown"]


async def test_what_nobody_sends_on_leaves_the_memory_after_an_hour(talk: Talk) -> None:
    who = await cast(talk)
    await who.asker.says(ASKED)
    assert [text for _, text in talk.desk.unanswered.values()] == [SHOWN]
    talk.advance(hours=1)
    await who.helper.says("một chuyện khác thì răng")
    assert [text for _, text in talk.desk.unanswered.values()] == ["một chuyện khác thì răng"]


async def test_asking_for_a_person_first(talk: Talk) -> None:
    who = await cast(talk)
    assert await who.asker.says("hỏi người") == ["questions.compose"]
    assert await who.asker.says("chi rứa") == ["questions.confirm"]
    await who.asker.says("thôi")
    talk.advance(hours=2)
    await who.asker.says("hỏi người")
    assert await who.asker.says("mật khẩu của tôi là anhyeuem2") == ["questions.secret"]
    assert await who.asker.says("hỏi " * 200) == ["questions.long"]
    assert await who.asker.says("ơ") == ["questions.short"]
    assert await who.asker.says("chồng tôi đánh tôi") != ["questions.confirm"], "that cannot wait for a helper"
    assert who.helper.heard == []


async def test_a_place_by_buttons_or_the_province(talk: Talk) -> None:
    who = await cast(talk)
    guest = talk.person("55")
    await guest.says(ASKED)
    await guest.presses("🙋 Hỏi tổ công nghệ số")
    await guest.presses("📨 Gửi")
    assert await guest.says("cung trăng") == ["questions.where_again"]
    assert await guest.presses("Gửi lên tỉnh") == ["questions.sent"]
    assert SHOWN in who.admin.last.text
    assert who.editor.heard == []


async def test_it_climbs_by_waking_hours(talk: Talk) -> None:
    who = await cast(talk)
    await ask(who.asker)
    await later(talk, hours=3, minutes=59)
    assert who.editor.heard == []
    await later(talk, minutes=2)
    assert SHOWN in who.editor.last.text
    assert len(who.helper.heard) == 1
    await later(talk, hours=4)
    assert SHOWN in who.admin.last.text
    await later(talk, days=2)
    assert [len(one.heard) for one in (who.helper, who.editor, who.admin)] == [1, 1, 1]
    assert (await kept(talk)).level is UnitKind.PROVINCE
    assert await reply(who.admin) == ["inbox.answered"]
    assert "ban quản trị Loa Số Tỉnh Quảng Trị" in who.asker.last.text


async def test_an_answer_is_signed_in_the_language_of_whoever_asked(talk: Talk) -> None:
    who = await cast(talk)
    await ask(who.asker)
    await who.asker.presses_data("lang:en")
    assert await who.editor.says(f"trả lời 1: {ANSWER}") == ["inbox.answered"]
    assert f"Answer from staff of Phường Đồng Thuận:\n{ANSWER}" in who.asker.last.text


async def test_nobody_is_woken_at_night(talk: Talk) -> None:
    who = await cast(talk)
    talk.advance(hours=12)
    assert await ask(who.asker) == ["questions.night"]
    await later(talk, hours=9, minutes=55)
    assert who.helper.heard == []
    await later(talk, minutes=10)
    assert SHOWN in who.helper.last.text
    await later(talk, hours=3, minutes=50)
    assert who.editor.heard == [], "the night was no time to answer"


async def test_an_answer_at_night_waits_for_the_morning_unless_they_are_awake(talk: Talk) -> None:
    who = await cast(talk)
    await ask(who.asker)
    talk.advance(hours=13)
    await ask(who.asker, "câu hỏi lúc mười giờ đêm")
    assert await who.helper.says(f"trả lời 2: {ANSWER}") == ["inbox.answered"]
    assert ANSWER in who.asker.last.text, "they wrote a moment ago"
    talk.advance(hours=1)
    await who.helper.says("trả lời 1: Ra trạm thú y xã ạ.")
    assert "Ra trạm" not in who.asker.last.text
    await later(talk, hours=7, minutes=55)
    assert "Ra trạm" not in who.asker.last.text
    await later(talk, minutes=10)
    assert "Ra trạm" in who.asker.last.text


async def test_after_choices_that_did_not_fit_the_question_itself_is_sent(talk: Talk) -> None:
    who = await cast(talk)
    finds(talk, action="suggest", entries=tuple(talk.desk.pack.faq)[:3], score=0.4)
    assert await who.asker.says(ASKED) == ["faq.choices"]
    assert await who.asker.presses("Không phải các câu này") == ["faq.unknown"]
    assert await who.asker.presses("🙋 Hỏi tổ công nghệ số") == ["questions.confirm"]
    assert SHOWN in who.asker.last.text


async def test_with_nobody_at_a_level_it_climbs_at_once(talk: Talk) -> None:
    who = await cast(talk)
    await who.helper.says("dừng")
    await who.editor.says("dừng")
    assert await ask(who.asker) == ["questions.sent"]
    assert SHOWN in who.admin.last.text


async def test_with_nobody_on_duty_it_waits_and_is_not_lost(talk: Talk) -> None:
    finds(talk, action="none")
    asker = await talk.resident("100")
    assert await ask(asker) == ["questions.nobody"]
    assert "chưa có người trực" in asker.last.text
    editor = await talk.staff("8", RoleName.EDITOR, COMMUNE)
    assert await editor.says("hộp câu hỏi") == ["inbox.box"]
    await later(talk, hours=22)
    assert SHOWN in editor.last.text, "the next morning there is somebody"
    await reply(editor)
    assert ANSWER in asker.last.text


async def test_whoever_comes_on_duty_later_is_asked_in_the_morning(talk: Talk) -> None:
    finds(talk, action="none")
    await talk.village(VILLAGE, "Thôn Đông")
    await talk.staff("7", RoleName.HELPER, VILLAGE)
    await ask(await talk.resident("100", unit=VILLAGE))
    await later(talk, hours=5)
    assert (await kept(talk)).level is UnitKind.VILLAGE, "above them nobody is on duty"
    editor = await talk.staff("8", RoleName.EDITOR, COMMUNE)
    await later(talk, hours=19)
    assert SHOWN in editor.last.text


async def test_whoever_cannot_answer_passes_it_up(talk: Talk) -> None:
    who = await cast(talk)
    await ask(who.asker)
    assert await who.helper.presses("⬆️ Chuyển lên trên") == ["inbox.passed"]
    assert SHOWN in who.editor.last.text
    assert await who.helper.presses_data("ib:up:1") == ["inbox.passed"]
    assert who.admin.heard == [], "once is enough"
    assert await who.editor.presses("⬆️ Chuyển lên trên") == ["inbox.passed"]
    assert SHOWN in who.admin.last.text


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Bà con đọc mã OTP cho em", "inbox.secret"),
        ("Vào https://zalo.me/abc là xong", "inbox.link"),
        ("Gọi em 0912345678 nhé", "inbox.number"),
        ("dài " * 300, "inbox.long"),
    ],
)
async def test_what_an_answer_must_not_say(talk: Talk, text: str, key: str) -> None:
    who = await cast(talk)
    await ask(who.asker)
    heard = len(who.asker.heard)
    assert await reply(who.helper, text) == [key]
    assert len(who.asker.heard) == heard
    assert await reply(who.helper) == ["inbox.answered"]


async def test_only_those_in_charge_may_answer(talk: Talk) -> None:
    who = await cast(talk)
    stranger = await talk.staff("71", RoleName.HELPER, "18871")
    await ask(who.asker)
    assert await stranger.says(f"trả lời 1: {ANSWER}") == ["inbox.no_right"]
    assert await who.asker.says("hộp câu hỏi") == ["inbox.not_staff"]
    assert "inbox.answered" not in await who.asker.says("trả lời 1: tôi tự trả lời")
    assert (await kept(talk)).state is QuestionState.OPEN


async def test_three_questions_at_a_time_and_the_same_one_once(talk: Talk) -> None:
    who = await cast(talk)
    assert await ask(who.asker, "câu hỏi thứ nhất") == ["questions.sent"]
    assert await ask(who.asker, "Câu hỏi THỨ NHẤT?") == ["questions.already"]
    assert await ask(who.asker, "câu khác về bò") == ["questions.sent"]
    assert await ask(who.asker, "câu nữa về lợn") == ["questions.sent"]
    assert await ask(who.asker, "câu thứ tư về gà") == ["questions.full"]
    assert len(who.helper.heard) == 3


async def test_an_entry_that_is_not_good_enough_goes_back_with_the_reason(talk: Talk) -> None:
    who = await cast(talk)
    approver = await talk.staff("10", RoleName.APPROVER, COMMUNE)
    await ask(who.asker)
    await who.editor.says("trả lời 1: Dịch vụ này hoàn toàn miễn phí bà con ạ.")
    await who.editor.presses("📚 Đưa vào hỏi đáp")
    assert await who.editor.says("Giấy bán bò") == ["inbox.forbidden"]
    assert await who.editor.says(ANSWER) == ["inbox.ask_source"]
    assert await who.editor.says("https://dichvucong.gov.vn/thu-y") == ["inbox.proposed"]
    await approver.says("/menu")
    assert await approver.presses("✅ Duyệt") == ["inbox.decide"], "whoever missed it finds it there"
    assert await approver.presses("❌ Chưa được") == ["inbox.ask_reason"]
    assert await approver.says("Ghi rõ giờ làm việc") == ["inbox.rejected"]
    assert "Ghi rõ giờ làm việc" in who.editor.last.text
    talk.advance(days=30)
    await cleanup(context(talk))
    async with talk.database.read() as tx:
        entry = await tx.get_one(LocalEntry, 1)
    assert (entry.state, entry.title, entry.phrasings) == (EntryState.REJECTED, "", []), "the words of people go"


async def test_whoever_said_stop_gets_the_answer_when_they_write(talk: Talk) -> None:
    who = await cast(talk)
    await ask(who.asker)
    await who.asker.says("dừng")
    heard = len(who.asker.heard)
    await reply(who.helper)
    assert len(who.asker.heard) == heard
    talk.advance(hours=1)
    await who.asker.says("à mà này")
    assert any(ANSWER in message.text for message in who.asker.heard[heard:])


async def test_an_answer_that_nobody_could_deliver_for_a_day_waits_for_the_asker(talk: Talk) -> None:
    who = await cast(talk)
    await ask(who.asker)
    await reply(who.helper)
    nothing = Outbound(chat_id=who.asker.id, text="x")
    async with talk.database.write() as tx:
        await replies.add(tx, talk.account.id, None, nothing, talk.now - timedelta(days=2), tag=f"{replies.ANSWER}1")
    await cleanup(context(talk))
    assert (await kept(talk)).given_at is None
    heard = len(who.asker.heard)
    await who.asker.says("à mà này")
    assert any(ANSWER in message.text for message in who.asker.heard[heard:])


async def test_who_asked_is_forgotten_after_three_days_and_the_words_after_thirty(talk: Talk) -> None:
    who = await cast(talk)
    await ask(who.asker)
    await ask(who.asker, "câu không ai trả lời cả")
    await who.helper.says(f"trả lời 1: {ANSWER}")
    talk.advance(hours=73)
    await cleanup(context(talk))
    question = await kept(talk)
    assert (question.state, question.contact_id, question.text) == (QuestionState.SETTLED, None, SHOWN)
    talk.advance(days=28)
    await cleanup(context(talk))
    for id, state in ((1, QuestionState.SETTLED), (2, QuestionState.EXPIRED)):
        question = await kept(talk, id)
        assert (question.state, question.text, question.answer, question.contact_id) == (state, None, None, None)


async def test_groups_are_not_offered_to_ask_people(talk: Talk) -> None:
    finds(talk, action="none")
    inside = (await talk.resident("5")).in_group("-7")
    assert await inside.says(ASKED) == ["faq.unknown"]
    assert inside.buttons() == []
    assert await inside.says("gặp người thật") == ["questions.private_only"]


async def test_the_menu_of_those_in_charge_counts_what_waits(talk: Talk) -> None:
    who = await cast(talk)
    await ask(who.asker)
    await who.helper.says("/menu")
    assert await who.helper.presses("📥 Hộp câu hỏi (1)") == ["inbox.box"]


async def test_whoever_nobody_could_answer_is_told_before_the_words_go(talk: Talk) -> None:
    who = await cast(talk)
    await ask(who.asker)
    await later(talk, days=28)
    heard = len(who.asker.heard)
    await later(talk, days=1, hours=1)
    assert "chưa ai trả lời được" in who.asker.last.text
    question = await kept(talk)
    assert (question.state, question.text, question.contact_id) == (QuestionState.EXPIRED, None, None)
    await later(talk, hours=1)
    assert len(who.asker.heard) == heard + 1
