"""The matcher on questions that are not in the pack: measured floors, and what must hold for any text."""

from __future__ import annotations

from collections import Counter
from datetime import date
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.outreach.faq.engine import Answerer, Verdict
from bot.outreach.faq.expand import expand, untelex
from bot.outreach.faq.smalltalk import SmallTalk, small_talk
from messages.content.packs import Pack, load
from tests.faq.questions import LATER, QUESTIONS

TODAY = date(2026, 11, 21)


@cache
def pack() -> Pack:
    return load()


@cache
def answerer() -> Answerer:
    return Answerer(pack().faq, pack().facts, TODAY, pack().hints)


def test_questions_are_not_copied_from_the_pack() -> None:
    phrasings = {expand(p) for e in pack().faq.values() for p in (e.title, *e.phrasings)}
    assert [text for _, text, _ in QUESTIONS + LATER if expand(text) in phrasings] == []
    assert {wanted for _, _, wanted in QUESTIONS if wanted} <= pack().faq.keys()


def tally(questions: tuple[tuple[str, str, str | None], ...]) -> dict[str, float]:
    """Shares of the answerable questions (right, wrong, first, among) and of the others (alien)."""
    ours, alien = [q for q in questions if q[2]], [q for q in questions if not q[2]]
    count: Counter[str] = Counter()
    for _, text, wanted in ours:
        verdict = answerer().ask(text)
        count["first"] += verdict.entries[:1] == (wanted,)
        count["among"] += wanted in verdict.entries
        if verdict.action == "answer":
            count["right" if verdict.entries[0] == wanted else "wrong"] += 1
    shares = {name: count[name] / len(ours) for name in ("right", "wrong", "first", "among")}
    return {**shares, "alien": sum(answerer().ask(text).action == "answer" for _, text, _ in alien) / len(alien)}


def test_most_questions_are_answered_right_and_hardly_any_wrong() -> None:
    """The floors lie a little below what was measured when they were set: a guard against a change that spoils the
    search. What it can do is measured on other questions, see docs/decisions/0022."""
    share = tally(QUESTIONS)
    assert len(QUESTIONS) >= 140
    assert share["right"] >= 0.80
    assert share["first"] >= 0.93
    assert share["wrong"] <= 0.03
    assert share["alien"] <= 0.07


def test_questions_written_after_the_thresholds_fare_nearly_as_well() -> None:
    """They were measured once before anything was changed because of them; since then they are a guard, too."""
    share = tally(LATER)
    assert share["right"] >= 0.63
    assert share["among"] >= 0.87
    assert share["wrong"] <= 0.03
    assert share["alien"] <= 0.1


@pytest.mark.parametrize("kind", ["plain", "teencode", "dialect", "typo"])
def test_no_way_of_typing_is_left_behind(kind: str) -> None:
    asked = [(text, wanted) for k, text, wanted in QUESTIONS if k == kind]
    found = sum(wanted in answerer().ask(text).entries for text, wanted in asked)
    assert found / len(asked) >= 0.9


def test_every_phrasing_finds_its_own_entry() -> None:
    lost = [p for id, e in pack().faq.items() for p in e.phrasings if answerer().ask(p).entries[:1] != (id,)]
    assert lost == []


def test_an_expired_entry_does_not_answer() -> None:
    later = Answerer(pack().faq, pack().facts, date(2027, 3, 1))
    assert later.ask("Báo số điện thoại lừa đảo ở đâu?").entries[:1] != ("report_number",)
    assert Answerer(pack().faq, pack().facts, date(2029, 1, 1)).ask("OTP là gì?") == Verdict("none")


def test_an_entry_with_an_expired_fact_does_not_answer() -> None:
    facts = dict(pack().facts)
    facts["hotline_police"] = facts["hotline_police"].model_copy(update={"expires": TODAY})
    assert "scammed" not in Answerer(pack().faq, facts, TODAY).ask("toi bi lua het tien").entries
    assert Answerer(pack().faq, facts, TODAY).ask("chồng tôi đánh tôi").facts == ("hotline_child",)


def test_harm_to_others_is_refused_and_danger_gets_numbers() -> None:
    refused = answerer().ask("hack zalo người khác")
    assert (refused.action, refused.guard, refused.entries) == ("none", "refuse", ())
    assert answerer().ask("em muốn tự tử").facts[0] == "hotline_ambulance"
    assert answerer().ask("có người dụ cháu gửi ảnh nóng").facts == ("hotline_child", "hotline_police")


def test_a_secret_is_hidden_and_the_question_still_answered() -> None:
    verdict = answerer().ask("căn cước số 044123456789 của tôi ghi sai ngày sinh trên vneid")
    assert (verdict.guard, verdict.entries[0]) == ("secret", "vneid_wrong_info")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("chào bot nhé", SmallTalk.GREETING),
        ("Alo", SmallTalk.GREETING),
        ("cám ơn nhiều nha", SmallTalk.THANKS),
        ("tks ad", SmallTalk.THANKS),
        ("tạm biệt", SmallTalk.BYE),
        ("bạn là máy hay người", SmallTalk.WHO),
        ("chào loa số, con chào bác", SmallTalk.GREETING),
        ("có người gọi hỏi ai đó", None),
        ("ok", SmallTalk.AGREE),
        ("bạn là ai vậy", SmallTalk.WHO),
        ("chào bot, quên mật khẩu vneid", None),
        ("cảm ơn, cho hỏi cài zalo", None),
    ],
)
def test_small_talk_is_no_question(text: str, kind: SmallTalk | None) -> None:
    assert small_talk(text) is kind
    assert answerer().ask(text).small_talk is kind


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ("khoong nhaanj đc otp", "khong nhan duoc otp"),
        ("kho6ng nha65n d9u7o7c5", "khong nhan duoc"),
        ("dduwowcj", "duoc"),
        ("làm ở mô rứa", "lam o dau vay"),
        ("mở tài khoản", "mo tai khoan"),
        ("lam o mo rua", "lam o dau vay"),
        ("chi phí bao nhiêu", "chi phi bao nhieu"),
        ("cái chi rứa", "cai gi vay"),
        ("dki dvc ntn", "dang ky dich vu cong nhu the nao"),
        ("quên mk", "quen mat khau"),
        ("VN eID", "vneid"),
    ],
)
def test_words_are_spelled_out(typed: str, plain: str) -> None:
    assert expand(typed) == plain


@given(st.text(max_size=300))
def test_no_text_breaks_the_matcher(text: str) -> None:
    verdict = answerer().ask(text)
    assert len(verdict.entries) <= 3
    assert 0.0 <= verdict.score <= 1.0
    assert (verdict.action == "none") == (verdict.entries == ())


@given(st.text(max_size=80))
def test_spelling_out_gives_folded_words(text: str) -> None:
    plain = expand(text)
    assert plain == " ".join(plain.split())
    assert plain == plain.casefold()


@given(st.text(alphabet="aeiouydwsfrxjnhgctmp123456789", max_size=12))
def test_repairing_a_word_never_makes_it_longer(word: str) -> None:
    assert len(untelex(word)) <= len(word)
