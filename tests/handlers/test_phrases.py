"""Stop, return and erase in the spellings that people use, and the words that only look like them."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.optout import ERASE, RESUME, STOP, WEAK
from handlers.phrases import Phrases, spoken

resume = Phrases(*RESUME)
erase = Phrases(*ERASE)

STOPS = [
    *(
        "DỪNG",
        "dừng",
        "Dừng",
        "ngừng",
        "Ngưng",
        "stop",
        "STOP",
        "Stop.",
        "dung",
        "DUNG",
        "DUNG LAI",
        "dừng lại",
        "dừng lai",
    ),
    *("dung lại", "ngưng nhận tin", "ngung nhan tin", "không nhận nữa", "khong nhan nua", "hủy đăng ký", "huỷ đăng ký"),
    *(
        "huy dang ky",
        "dừng nhé",
        "dừng ạ",
        "dạ dừng ạ",
        "cho tôi dừng",
        "tôi muốn dừng",
        "toi muon dung lai nhe",
        "Dừng đi!",
    ),
    *(
        "xin dừng giúp tôi với ạ",
        "DỪNG!!!",
        "...dừng...",
        "🙏 dừng 🙏",
        "🛑STOP🛑",
        "'dừng'",
        "dừng dừng dừng",
        "dừnggggg",
    ),
    *("  dừng \n", "đừng gửi nữa", "dừng nhận tin", "ngừng gửi tin cho tôi", "duwngf", "dwungf", "du72ng", "/dừng"),
    *(
        "bot ơi dừng lại đi",
        "Dừng lại giúp em nhé cảm ơn",
        "@loaso_bot dừng",
        "unsubscribe",
        "please stop",
        "dung nhan tin",
    ),
    unicodedata.normalize("NFD", "DỪNG"),
    unicodedata.normalize("NFD", "ngừng nhận tin ạ"),
    "d\u200bừng",
]
NOT_STOPS = [
    *("dùng", "đúng", "đừng", "đứng", "dũng", "dụng", "dựng", "đụng", "Dùng", "ĐÚNG", "đúng ạ", "dùng đi", "đừng ạ"),
    *(
        "dừng xe ở đâu",
        "không dừng",
        "đừng dừng",
        "sử dụng",
        "dùng lại",
        "đúng rồi",
        "dung duoc khong",
        "stop loss là gì",
    ),
    *(
        "dừng nhận lương hưu thì sao",
        "làm sao dừng ứng dụng",
        "ứng dụng",
        "",
        "   ",
        "🙏",
        "ngừng bắn",
        "d u n g",
        "dunggiq",
    ),
    *("thôn", "nhận", "tiếp", "xóa", "1", "111", "tôi", "cho tôi", "dạ", "ạ", "dungf"),
]


@pytest.mark.parametrize("text", STOPS)
def test_stop_is_heard(text: str) -> None:
    assert text in STOP


@pytest.mark.parametrize("text", NOT_STOPS)
def test_what_only_looks_like_stop_is_not(text: str) -> None:
    assert text not in STOP


@pytest.mark.parametrize("text", ["thôi", "Thôi ạ", "hủy", "huỷ", "huy", "HỦY", "thoi"])
def test_weak_words_are_heard(text: str) -> None:
    assert text in WEAK


@pytest.mark.parametrize(
    "text", ["tiếp", "TIẾP", "tiep", "tiếp tục", "nhận lại", "bật lại nhé", "tieesp", "cho tôi nhận lại", "resume"]
)
def test_return_is_heard(text: str) -> None:
    assert text in resume


@pytest.mark.parametrize("text", ["tiệp", "tiếp theo là gì", "nhận lại tiền", "tiền", "tiếc"])
def test_what_only_looks_like_return_is_not(text: str) -> None:
    assert text not in resume


@pytest.mark.parametrize(
    "text",
    [
        *("xóa", "xoá", "XÓA", "XOÁ", "xoa", "xóa dữ liệu", "xoá thông tin của tôi", "xoa du lieu", "xóa hết đi ạ"),
        *("xóa dữ liệu của tôi giúp em", "delete", "delete my data", "xoas", unicodedata.normalize("NFD", "XÓA")),
    ],
)
def test_erase_is_heard(text: str) -> None:
    assert text in erase


@pytest.mark.parametrize("text", ["xoa dầu gió", "xòa", "xóa zalo thế nào", "xóa ảnh", "xõa", "xóa bạn bè"])
def test_what_only_looks_like_erase_is_not(text: str) -> None:
    assert text not in erase


@given(st.text(max_size=200))
def test_any_text_can_be_looked_at(text: str) -> None:
    assert (text in STOP) in (True, False)


@given(st.sampled_from(["dừng", "ngừng nhận tin", "hủy đăng ký"]), st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]))
def test_the_form_of_unicode_makes_no_difference(text: str, form: str) -> None:
    assert unicodedata.normalize(form, text.upper()) in STOP  # type: ignore[arg-type]  # the form is one of a list


def test_a_long_text_is_never_a_phrase() -> None:
    assert "dừng " * 2000 not in STOP
    assert spoken("dừng " * 2000) == ()
