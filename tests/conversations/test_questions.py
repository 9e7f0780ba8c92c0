"""What the bot cannot answer goes to people and comes back: sent on, answered, not clear, climbing, learned from."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

import sqlalchemy as sa

from bot.core.events import ChatKind, Inbound, InboundKind
from bot.core.words import QuestionState, RoleName
from bot.db.tables_questions import Question, QuestionNotice
from jobs import JobContext
from jobs.answers import refresh_answers
from jobs.questions import climb
from tests.conversations.test_faq import finds
from tests.support.talk import Speaker, Talk, content

VILLAGE, COMMUNE, PROVINCE = "18859001", "18859", "44"
ASKED = "Xin giấy xác nhận cho bò đi chợ ở đâu, gọi 0912 345 678 được không"
SHOWN = "Xin giấy xác nhận cho bò đi chợ ở đâu, gọi … được không"
ANSWER = "Bà con ra trạm thú y xã, mang theo thẻ căn cước ạ."


@dataclass
class Cast:
    """Who takes part: whoever asks, and somebody on duty at each level."""

    asker: Speaker
    helper: Speaker
    editor: Speaker
    admin: Speaker


async def cast(talk: Talk) -> Cast:
    finds(talk, action="none")
    await talk.village(VILLAGE, "Thôn Đông")
    helper = await talk.staff("7", RoleName.HELPER, VILLAGE)
    editor = await talk.staff("8", RoleName.EDITOR, COMMUNE)
    admin = await talk.staff("9", RoleName.ADMIN, PROVINCE)
    return Cast(await talk.resident("100", unit=VILLAGE), helper, editor, admin)


async def ask(speaker: Speaker, text: str = ASKED) -> list[str]:
    assert await speaker.says(text) == ["faq.unknown"]
    assert await speaker.presses("🙋 Hỏi tổ công nghệ số") == ["questions.confirm"]
    return await speaker.presses("📨 Gửi")


async def reply(speaker: Speaker, text: str = ANSWER) -> list[str]:
    """Answer the notice that they got last, in the way that the platform knows."""
    talk = speaker.talk
    async with talk.database.read() as tx:
        newest = sa.select(QuestionNotice).order_by(QuestionNotice.id.desc()).limit(1)
        notice = (await tx.execute(newest)).scalar_one()
    if talk.channel.account.startswith("zalo_bot"):
        return await speaker.says(f"trả lời {notice.question_id}: {text}")
    return await speaker.says(text, replies_to=notice.message_id)


async def kept(talk: Talk, question_id: int = 1) -> Question:
    async with talk.database.read() as tx:
        return await tx.get_one(Question, question_id)


def context(talk: Talk) -> JobContext:
    return JobContext(talk.database, talk.desk, talk.engine.wake)


async def later(talk: Talk, **by: float) -> None:
    talk.advance(**by)
    await climb(context(talk))
    await climb(context(talk))
    await talk.flush()


async def test_a_question_goes_to_the_village_and_the_answer_comes_back(talk: Talk) -> None:
    who = await cast(talk)
    assert await ask(who.asker) == ["questions.sent"]
    assert "câu số 1 tới Thôn Đông" in who.asker.last.text
    assert SHOWN in who.helper.last.text
    assert "Thôn Đông, Phường Đồng Thuận" in who.helper.last.text
    assert who.editor.heard == []
    assert await reply(who.helper) == ["inbox.answered"]
    answer = who.asker.last.text
    assert "Trả lời của tổ công nghệ số Thôn Đông:" in answer
    assert ANSWER in answer
    assert SHOWN in answer
    assert await who.asker.presses("👍 Được rồi") == ["questions.clear"]
    question = await kept(talk)
    assert (question.state, question.contact_id) == (QuestionState.SETTLED, None)
    assert await who.asker.presses_data("q:clear:1") == ["questions.over"]


async def test_whoever_has_not_agreed_is_asked_only_where_they_live(talk: Talk) -> None:
    who = await cast(talk)
    guest = talk.person("55")
    await guest.says(ASKED)
    assert await guest.presses("🙋 Hỏi tổ công nghệ số") == ["questions.confirm"]
    assert await guest.presses("📨 Gửi") == ["questions.where"]
    assert await guest.says("đồng thuận") == ["questions.sent"]
    assert "Phường Đồng Thuận" in guest.last.text
    assert SHOWN in who.editor.last.text
    person = await talk.record("55")
    assert person is not None
    assert (person.unit_id, person.consent_at) == (None, None), "nothing is kept about them"
    assert await guest.says("đồng ý") == ["subscribe.commune"], "and the consent still waits"


async def test_an_answer_that_is_not_clear_goes_one_level_up_once(talk: Talk) -> None:
    who = await cast(talk)
    await ask(who.asker)
    await reply(who.helper)
    assert await who.asker.presses("🤔 Chưa rõ") == ["questions.unclear"]
    assert "Phường Đồng Thuận" in who.asker.last.text
    assert "Trả lời trước chưa rõ" in who.editor.last.text
    assert await reply(who.editor, "Cán bộ thú y ở tầng một, làm buổi sáng.") == ["inbox.answered"]
    assert "cán bộ Phường Đồng Thuận" in who.asker.last.text
    assert [b.label for b in who.asker.buttons()] == ["👍 Được rồi"]
    assert await who.asker.presses_data("q:unclear:1") == ["questions.unclear_again"]
    assert (await kept(talk)).state is QuestionState.SETTLED


async def test_the_first_answer_counts(talk: Talk) -> None:
    who = await cast(talk)
    second = await talk.staff("70", RoleName.VILLAGE_HEAD, VILLAGE)
    await ask(who.asker)
    assert await who.helper.presses("✍️ Trả lời") == ["inbox.ask_answer"]
    assert await second.says(f"Trả lời câu 1: {ANSWER}") == ["inbox.answered"]
    assert "trưởng thôn Đông" in who.asker.last.text
    assert "đã có người trả lời" in who.helper.last.text
    heard = len(who.asker.heard)
    assert await who.helper.says("Ra xã hỏi ạ") == ["inbox.over"]
    assert len(who.asker.heard) == heard


async def test_whoever_asks_for_the_menu_answers_nobody_with_it(talk: Talk) -> None:
    who = await cast(talk)
    await ask(who.asker)
    heard = len(who.asker.heard)
    for said in ("menu", "cứu tôi với, nước lên tới nóc nhà rồi"):
        await who.helper.presses_data("ib:answer:1")
        assert (await who.helper.says(said))[0].split(".")[0] in ("menu", "faq")
    assert (len(who.asker.heard), (await kept(talk)).state) == (heard, QuestionState.OPEN)


async def test_one_answer_for_all_who_ask_the_same_becomes_something_the_bot_knows(talk: Talk) -> None:
    who = await cast(talk)
    approver = await talk.staff("10", RoleName.APPROVER, COMMUNE)
    other = await talk.resident("101", unit=COMMUNE)
    await ask(who.asker, "giấy xác nhận bán bò xin ở mô")
    await ask(other, "xin giấy xác nhận bán bò ở đâu")
    await ask(other, "mất chó thì báo ai giùm")
    assert await who.editor.says("/inbox") == ["inbox.box"]
    assert "2 câu: giấy xác nhận bán bò xin ở mô" in who.editor.last.text
    assert await who.editor.presses("ib:group:1") == ["inbox.group"]
    assert await who.editor.presses("✍️ Trả lời tất cả (2)") == ["inbox.ask_answer"]
    assert await who.editor.says(ANSWER) == ["inbox.answered"]
    assert [ANSWER in one.last.text for one in (who.asker, other)] == [True, True]
    assert await who.editor.presses("📚 Đưa vào hỏi đáp") == ["inbox.ask_title"]
    assert await who.editor.says("Xin giấy bán bò ở đâu") == ["inbox.ask_source"]
    assert await who.editor.says("https://zing.vn/x") == ["inbox.bad_source"]
    assert await who.editor.presses("Kinh nghiệm của tổ công nghệ số") == ["inbox.proposed"]
    assert await who.editor.presses_data("qe:yes:1") == ["inbox.own"]
    assert "giấy xác nhận bán bò xin ở mô" in approver.last.text
    assert await approver.presses("✅ Cho vào hỏi đáp") == ["inbox.published"]
    assert "đã được duyệt" in who.editor.last.text
    few = dict(list(talk.desk.pack.faq.items())[:5])
    talk.desk.answerer, talk.desk.pack = content()[1], replace(talk.desk.pack, faq=few)
    await refresh_answers(context(talk))
    assert await other.says("xin giấy xác nhận bán bò ở đâu") == ["faq.answer"]
    assert "Kinh nghiệm của tổ công nghệ số Phường Đồng Thuận" in other.last.text
    talk.advance(minutes=1)
    assert await approver.says("gỡ mục 1") == ["inbox.removed"]
    await refresh_answers(context(talk))
    assert "local_1" not in talk.desk.pack.faq


async def test_of_two_who_answer_at_once_one_counts(talk: Talk) -> None:
    who = await cast(talk)
    await ask(who.asker)
    heard = len(who.asker.heard)
    said = [
        Inbound(
            account=talk.channel.account,
            external_id=f"at once {speaker.id}",
            kind=InboundKind.MESSAGE,
            chat_id=speaker.id,
            chat_kind=ChatKind.PRIVATE,
            at=talk.now,
            text=f"trả lời 1: {ANSWER}",
        )
        for speaker in (who.helper, who.editor)
    ]
    handled = await asyncio.gather(*(talk.inbox.handle(one) for one in said))
    await talk.flush()
    assert sorted(key for one in handled for key in one.keys) == ["inbox.answered", "inbox.over"]
    assert len(who.asker.heard) == heard + 1


async def test_who_is_erased_takes_their_questions_along(talk: Talk) -> None:
    who = await cast(talk)
    await ask(who.asker)
    await who.asker.says("xóa")
    assert "đang chờ hoặc vừa có trả lời: 1" in who.asker.last.text
    await who.asker.presses("Xóa hết")
    question = await kept(talk)
    assert (question.state, question.text, question.contact_id) == (QuestionState.WITHDRAWN, None, None)
    assert await reply(who.helper) == ["inbox.over"]
