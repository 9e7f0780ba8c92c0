"""Practice: the day's question, answers, repeats, results for oneself, counts for the village, and saying no to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from types import MappingProxyType

import pytest
import sqlalchemy as sa

from bot.core.words import RoleName
from bot.db import people
from bot.db import practice as rows
from bot.db.tables import Contact, Person
from bot.db.tables_practice import Learner, Practice
from bot.outreach import curriculum, practice_round, tip_round
from messages.content.models import Quiz
from tests.support.talk import Speaker, Talk
from tests.support.talk_zalo import ZaloTalk

anywhere = pytest.mark.parametrize("platform", ["sqlite"], indirect=True)
"""What is the same on every platform."""

DAY = date(2026, 11, 24)
CHOICES = ("Đọc cho họ nghe", "Cúp máy ngay", "Nhắn mã qua Zalo")
BECAUSE = "Mã ấy là chìa khóa két tiền của mình."


@pytest.fixture(autouse=True)
async def questions(talk: Talk) -> None:
    """Every tip asks the same, about itself."""
    quizzes = {
        key: Quiz(ask=f"Về {key}: bà con làm gì?", choices=CHOICES, right=2, because=BECAUSE)
        for key in talk.desk.pack.tips
    }
    tips = {key: tip.model_copy(update={"quiz": quizzes[key]}) for key, tip in talk.desk.pack.tips.items()}
    talk.desk.pack = replace(talk.desk.pack, tips=MappingProxyType(tips))
    async with talk.database.write() as tx:
        await curriculum.sync(tx, talk.desk.pack)


def at(talk: Talk, day: date, hour: int) -> datetime:
    return talk.desk.clock.at(day, time(hour))


async def with_tips(talk: Talk, id: str = "5", count: int = 1, unit: str = "18859") -> Speaker:
    """Somebody who has had their first tips, the last of them yesterday at seven, and wrote just now."""
    person = await talk.resident(id, unit=unit)
    talk.now = at(talk, DAY, 16)
    async with talk.database.write() as tx:
        contact = await people.contact(tx, talk.account.id, id)
        assert contact is not None
        contact.last_in_at = talk.now
        yesterday = DAY - timedelta(days=1)
        mine = sa.update(Person).where(Person.id == contact.person_id)
        await tx.execute(mine.values(tip_day=count, tipped_on=yesterday))
    return person


def tip_of(talk: Talk, number: int) -> str:
    return talk.desk.pack.curricula["resident"][number]


async def ask_all(talk: Talk, day: date = DAY) -> None:
    """It is five in the afternoon."""
    talk.now = at(talk, day, 17)
    await practice_round.plan_due(talk.database, talk.desk, talk.now)
    await talk.deliver()


async def learner(talk: Talk, id: str = "5") -> Learner | None:
    person = await talk.record(id)
    assert person is not None
    async with talk.database.read() as tx:
        return await rows.learner(tx, person.id)


async def test_the_day_after_a_tip_one_question_with_three_choices(talk: Talk) -> None:
    person = await with_tips(talk)
    await ask_all(talk)
    assert f"Về {tip_of(talk, 0)}" in person.last.text
    assert "DỪNG" in person.last.text
    assert [b.label for b in person.buttons()] == [*CHOICES, "Thôi hỏi hằng ngày"]
    assert await person.presses("Cúp máy ngay") == ["practice.right"]
    assert BECAUSE in person.last.text
    assert await person.presses("Kết quả của tôi") == ["practice.results"]
    assert "nay đúng 1 câu" in person.last.text
    assert "1 ngày liền" in person.last.text
    assert "binhdanhocvuso.gov.vn" in person.last.text
    assert "không phải giấy chứng nhận" in person.last.text


async def test_what_was_wrong_comes_again_until_it_is_known(talk: Talk) -> None:
    person = await with_tips(talk)
    await ask_all(talk)
    asked = person.last.text
    assert await person.presses("Nhắn mã qua Zalo") == ["practice.wrong"]
    assert "Cúp máy ngay" in person.last.text
    assert "Mai máy hỏi lại" in person.last.text
    for days in (1, 4, 11):
        talk.now = at(talk, DAY + timedelta(days=days), 16)
        await person.says("menu")
        await ask_all(talk, DAY + timedelta(days=days))
        assert person.last.text == asked, days
        assert await person.presses("Cúp máy ngay") == ["practice.right"]
    heard = len(person.heard)
    await ask_all(talk, DAY + timedelta(days=40))
    assert len(person.heard) == heard, "it is known now"


async def test_a_second_answer_changes_nothing(talk: Talk) -> None:
    person = await with_tips(talk)
    await ask_all(talk)
    await person.presses("Đọc cho họ nghe")
    assert await person.presses("Cúp máy ngay") == ["practice.answered"]
    assert "hỏi lại câu này từ" in person.last.text
    found = await learner(talk)
    assert found is not None
    async with talk.database.read() as tx:
        (row,) = await rows.everything(tx, found.person_id)
    assert (row.was_right, row.step) == (False, 1)


@anywhere
async def test_on_demand_what_is_new_then_something_old(talk: Talk) -> None:
    person = await with_tips(talk, count=2)
    assert await person.says("luyện tập") == ["practice.question"]
    assert f"Về {tip_of(talk, 1)}" in person.last.text, "the newest first"
    assert "Thôi hỏi hằng ngày" not in [b.label for b in person.buttons()]
    await person.presses("Cúp máy ngay")
    talk.advance(minutes=1)
    assert await person.presses("✏️ Câu nữa") == ["practice.question"]
    await person.presses("Cúp máy ngay")
    assert await person.says("/practice") == ["practice.nothing"]
    assert await person.presses("Xem lại câu cũ") == ["practice.question"]
    assert f"Về {tip_of(talk, 1)}" in person.last.text, "the one that they answered first"
    assert await person.presses("Đọc cho họ nghe") == ["practice.wrong"], "asked anew, answered anew"
    assert await person.presses("Cúp máy ngay") == ["practice.answered"]


@anywhere
async def test_before_the_first_tip_there_is_nothing_to_ask(talk: Talk) -> None:
    person = await talk.resident("5")
    assert await person.says("câu hỏi") == ["practice.nothing"]
    assert "Xem lại câu cũ" not in [b.label for b in person.buttons()]
    assert await person.says("điểm của tôi") == ["practice.results"]
    assert "chưa trả lời" in person.last.text


@pytest.mark.parametrize("text", ["luyện tập", "kết quả", "tắt luyện tập"])
async def test_nothing_is_kept_of_a_stranger(talk: Talk, text: str) -> None:
    assert await talk.person().says(text) == ["subscribe.greeting"]
    assert await learner(talk, "1001") is None


async def test_one_tap_and_nobody_asks_any_more(talk: Talk) -> None:
    person = await with_tips(talk, count=3)
    await ask_all(talk)
    assert await person.presses("Thôi hỏi hằng ngày") == ["practice.off"]
    heard = len(person.heard)
    await ask_all(talk, DAY + timedelta(days=1))
    assert len(person.heard) == heard
    assert await person.says("luyện tập") == ["practice.question"], "on demand they are"
    await person.presses("Đọc cho họ nghe")
    assert "nhắn LUYỆN TẬP" in person.last.text
    await person.says("/settings")
    assert await person.presses("Bật câu hỏi hằng ngày") == ["practice.on"]
    await ask_all(talk, DAY + timedelta(days=3))
    assert "Thôi hỏi hằng ngày" in [b.label for b in person.buttons()]


@anywhere
async def test_who_said_stop_is_not_asked(talk: Talk) -> None:
    person = await with_tips(talk)
    await person.says("DỪNG")
    heard = len(person.heard)
    await ask_all(talk)
    assert len(person.heard) == heard


@anywhere
async def test_three_days_in_a_row_are_worth_a_word(talk: Talk) -> None:
    person = await with_tips(talk, count=9)
    for day in range(3):
        talk.now = at(talk, DAY + timedelta(days=day), 18)
        await person.says("luyện tập")
        await person.presses("Cúp máy ngay")
        assert ("3 ngày liền" in person.last.text) == (day == 2)


@anywhere
async def test_a_question_is_asked_and_judged_in_the_reader_s_language(talk: Talk) -> None:
    person = await with_tips(talk)
    key = tip_of(talk, 0)
    quiz = Quiz(
        ask="What do you do first?",
        choices=("Hang up", "Read it out", "Call back"),
        right=1,
        because="That is how it is.",
    )
    tip = talk.desk.pack.tips[key].model_copy(update={"quiz": quiz})
    talk.desk.translations["en"] = replace(talk.desk.pack, language="en", tips=MappingProxyType({key: tip}))
    await person.says("English")
    await person.presses("English")
    await ask_all(talk)
    assert "What do you do first?" in person.last.text
    assert [b.label for b in person.buttons()] == [*quiz.choices, "Do not ask every day"]
    assert await person.presses("Hang up") == ["practice.right"]
    assert "That is how it is." in person.last.text


@pytest.mark.parametrize(
    "data", ["pr", "pr:", "pr:x:1", "pr:1:1", "pr:99999:2", "pr:1", "pr:unit:18859", "pr:script:x"]
)
async def test_odd_practice_buttons_break_nothing(talk: Talk, data: str) -> None:
    person = await with_tips(talk)
    assert set(await person.presses_data(data)) <= {"practice.gone", "practice.not_yours", "tip.gone"}


async def test_odd_choices_of_real_buttons_are_no_answer(talk: Talk) -> None:
    person = await with_tips(talk)
    await ask_all(talk)
    data = person.buttons()[0].data or ""
    for choice in ("0", "4", "", "²", "11", "-1"):
        assert await person.presses_data(data[:-1] + choice) == ["practice.gone"]
    found = await learner(talk)
    assert found is not None
    assert found.is_open


@anywhere
async def test_the_buttons_of_a_question_that_may_no_longer_be_asked(talk: Talk) -> None:
    person = await with_tips(talk)
    await ask_all(talk)
    data = person.buttons()[0].data or ""
    tips = dict(talk.desk.pack.tips)
    key = tip_of(talk, 0)
    tips[key] = tips[key].model_copy(update={"quiz": None})
    talk.desk.pack = replace(talk.desk.pack, tips=MappingProxyType(tips))
    assert await person.presses_data(data) == ["practice.gone"]


@pytest.mark.parametrize("platform", ["zalo_bot"], indirect=True)
async def test_without_buttons_a_number_answers(talk: Talk) -> None:
    assert isinstance(talk, ZaloTalk)
    person = await with_tips(talk)
    await person.says("menu")
    await ask_all(talk)
    shown = talk.arrived("5")[-1].text
    assert shown.endswith(
        "Trả lời bằng số:\n1. Đọc cho họ nghe\n2. Cúp máy ngay\n3. Nhắn mã qua Zalo\n4. Thôi hỏi hằng ngày"
    )
    assert await person.says("số 2 ạ") == ["practice.right"]


@pytest.mark.parametrize("platform", ["zalo_bot", "zalo_oa"], indirect=True)
async def test_where_messages_are_counted_only_who_wrote_lately_is_asked(talk: Talk) -> None:
    lately, long_ago = await with_tips(talk, "5"), await with_tips(talk, "6")
    async with talk.database.write() as tx:
        for speaker, hours in ((lately, 44), (long_ago, 46)):
            mine = sa.update(Contact).where(Contact.external_id == speaker.id)
            await tx.execute(mine.values(last_in_at=at(talk, DAY, 17) - timedelta(hours=hours)))
    await ask_all(talk)
    assert (len(lately.heard), len(long_ago.heard)) == (1, 0)


async def practised(talk: Talk, count: int, unit: str, *, wrong: int) -> None:
    """So many people of a unit have answered yesterday."""
    for number in range(count):
        await talk.resident(f"{unit}{number}", unit=unit)
        known = await talk.record(f"{unit}{number}")
        assert known is not None
        async with talk.database.write() as tx:
            at = talk.now - timedelta(days=1)
            right = number >= wrong
            row = Practice(person_id=known.id, tip=tip_of(talk, 0), was_right=right, step=0, at=at)
            row.wrong_at = None if right else at
            tx.add(row)


async def test_a_village_head_sees_counts_and_what_to_read_out(talk: Talk) -> None:
    await talk.village("v1", "Thôn Đông")
    await talk.village("v2", "Thôn Tây")
    head = await talk.staff("7", RoleName.VILLAGE_HEAD, "v1")
    await practised(talk, 5, "v1", wrong=2)
    await practised(talk, 4, "v2", wrong=4)
    assert await head.says("luyện tập thôn") == ["practice.village"]
    tip = talk.desk.pack.tips[tip_of(talk, 0)]
    for part in ("Thôn Đông", "5 người, 5 câu", "60% số câu", tip.title):
        assert part in head.last.text
    assert await head.presses("📢 Bài đọc loa") == ["practice.script"]
    assert tip.script in head.last.text
    assert await head.presses("Chuyển tiếp mẹo này") == ["forward.offer"]
    assert await head.presses_data("pr:unit:v2") == ["practice.not_yours"]


@anywhere
async def test_too_few_are_not_counted(talk: Talk) -> None:
    await talk.village("v1", "Thôn Đông")
    helper = await talk.staff("7", RoleName.HELPER, "v1")
    await practised(talk, 4, "v1", wrong=4)
    assert await helper.says("luyện tập thôn") == ["practice.village"]
    assert "Chưa đủ 5 người" in helper.last.text
    assert talk.desk.pack.tips[tip_of(talk, 0)].title not in helper.last.text


@anywhere
async def test_residents_see_no_counts(talk: Talk) -> None:
    person = await talk.resident("5")
    assert await person.says("luyện tập thôn") == ["practice.not_yours"]


@anywhere
async def test_erasing_takes_the_practice_along(talk: Talk) -> None:
    person = await with_tips(talk)
    await ask_all(talk)
    await person.presses("Cúp máy ngay")
    assert await person.says("xóa") == ["optout.kept"]
    assert "đúng sai của 1 câu" in person.last.text
    await person.presses("Xóa hết")
    async with talk.database.read() as tx:
        for table in (Learner, Practice):
            assert (await tx.execute(sa.select(sa.func.count()).select_from(table))).scalar_one() == 0


@anywhere
async def test_tips_go_on_beside_practice(talk: Talk) -> None:
    """Real tips, and the question of the first one on the day after it."""
    person = await talk.resident("5")
    await person.says("menu")
    for day in (DAY, DAY + timedelta(days=1)):
        talk.now = at(talk, day, 7)
        await tip_round.plan_due(talk.database, talk.desk, talk.now)
        await talk.deliver()
        await person.says("menu")
        heard = len(person.heard)
        await ask_all(talk, day)
        assert len(person.heard) - heard == (day != DAY)
    assert f"Về {tip_of(talk, 0)}" in person.last.text
