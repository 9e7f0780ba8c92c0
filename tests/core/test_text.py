"""Text: as people type it, as platforms count it."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.text import clean, fold, has_marks, length, redact, shorten, split, take, words

FAMILY = "👨\u200d👩\u200d👧\u200d👦"


@pytest.mark.parametrize(
    ("typed", "folded"),
    [
        ("Đồng Hới", "dong hoi"),
        ("  ĐĂNG   KÝ!! ", "dang ky"),
        (unicodedata.normalize("NFD", "Phường Bắc Lý"), "phuong bac ly"),
        ("xã_Quảng-Ninh", "xa quang ninh"),
        ("đ Đ ð", "d d d"),
        ("", ""),
        ("🙂", ""),
    ],
)
def test_folding_takes_every_mark_away(typed: str, folded: str) -> None:
    assert fold(typed) == folded


@pytest.mark.parametrize(("one", "other"), [("huỷ", "hủy"), ("HOÀ", "hòa"), ("Thuý", "thúy"), ("khoẻ", "khỏe")])
def test_both_places_of_the_tone_are_the_same_word(one: str, other: str) -> None:
    assert words(one) == words(other)


@pytest.mark.parametrize("word", ["quý", "quỳ", "hoàn", "thuyền", "loan"])
def test_words_whose_tone_has_one_place_stay(word: str) -> None:
    assert words(word) == word


def test_tones_tell_words_apart() -> None:
    assert len({words(w) for w in ("dừng", "dùng", "dụng", "đúng", "đừng", "dung")}) == 6
    assert has_marks("dừng")
    assert not has_marks("DUNG lai")


@given(st.text())
def test_folding_and_cleaning_are_settled_at_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    assert clean(clean(text)) == clean(text)
    assert words(words(text)) == words(text)


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=400), st.integers(1, 60))
def test_pieces_are_short_enough_and_lose_no_word(text: str, limit: int) -> None:
    pieces = split(text, limit)
    assert all(length(piece) <= limit for piece in pieces if len(piece) > 1)
    assert "".join("".join(pieces).split()) == "".join(text.split())


def test_length_counts_as_telegram_does() -> None:
    assert length("a🙂") == 3
    assert length("ễ") == 1
    assert length(FAMILY) == 11


@pytest.mark.parametrize("limit", range(1, 11))
def test_a_joined_character_is_never_torn_apart(limit: int) -> None:
    assert take(FAMILY + "abc", limit) == ""
    assert take("a" + FAMILY, limit) == "a"


def test_long_text_is_cut_between_sentences_first() -> None:
    assert split("Câu một khá dài. Câu hai cũng dài. Ba.", 20) == ["Câu một khá dài.", "Câu hai cũng dài.", "Ba."]


def test_shortening_says_that_it_did() -> None:
    assert shorten("một hai ba bốn", 9) == "một hai…"
    assert shorten("ngắn", 9) == "ngắn"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("số căn cước 044123456789 của tôi", "số căn cước … của tôi"),
        ("gọi 0912 345 678 giúp", "gọi … giúp"),
        ("+84 912 345 678", "…"),
        ("mã OTP là 482913", "mã OTP là …"),
        ("ma xac nhan 4829 ne", "ma xac nhan … ne"),
        ("họp lúc 19:30 ngày 20/12/2026", "họp lúc 19:30 ngày 20/12/2026"),
        ("thôn có 1200 hộ", "thôn có 1200 hộ"),
        ("nộp 1.500.000 đồng", "nộp 1.500.000 đồng"),
    ],
)
def test_what_must_not_be_stored_is_hidden(typed: str, kept: str) -> None:
    assert redact(typed) == kept
