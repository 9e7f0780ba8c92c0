"""The redaction table: what people type, and what of it is stored and shown to those who answer."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.outreach.questions.screening import LONGEST_ANSWER, Objection, Refusal, hide, objection, screen

STORED = [
    ("số căn cước 044123456789 của tôi bị sai", "số căn cước … của tôi bị sai"),
    ("cccd: 044 123 456 789 tra ở đâu", "cccd: … tra ở đâu"),
    ("chứng minh cũ 194123456 đổi được không", "chứng minh cũ … đổi được không"),
    ("gọi 0912345678 giúp tôi", "gọi … giúp tôi"),
    ("gọi 0912 345 678 giúp tôi", "gọi … giúp tôi"),
    ("gọi 0912.345.678 giúp tôi", "gọi … giúp tôi"),
    ("gọi 091-234-5678 giúp tôi", "gọi … giúp tôi"),
    ("gọi +84 912 345 678 giúp tôi", "gọi … giúp tôi"),
    ("gọi 0 9 1 2 3 4 5 6 7 8 giúp tôi", "gọi … giúp tôi"),
    ("sđt0912345678 có lừa đảo không", "sđt… có lừa đảo không"),
    ("máy bàn 0232 3822 111 không gọi được", "máy bàn … không gọi được"),
    ("thẻ 9704 3600 1234 5678 bị khóa", "thẻ … bị khóa"),
    ("chuyển nhầm vào stk 19031234567 thì sao", "chuyển nhầm vào stk … thì sao"),
    ("thẻ bảo hiểm DN4444123456789 hết hạn", "thẻ bảo hiểm DN… hết hạn"),
    ("hộ chiếu C1234567 hết hạn", "hộ chiếu … hết hạn"),
    ("xe 73A-123.45 bị phạt nguội", "xe … bị phạt nguội"),
    ("mã OTP là 482913 nhập ở đâu", "mã OTP là … nhập ở đâu"),
    ("ma otp 4 8 2 9 1 3 nhap o dau", "ma otp … nhap o dau"),
    ("mã xác nhận 4829 gửi về máy", "mã xác nhận … gửi về máy"),
    ("số không chín một hai ba bốn năm sáu bảy tám là ai", "số … là ai"),
    ("thư của toi.o.day@gmail.com bị mất", "thư của … bị mất"),
    ("đường dẫn https://vneid-capnhat.com/abc?id=9 có thật không", "đường dẫn vneid-capnhat[.]com/… có thật không"),
    ("trang dichvucong.gov.vn vào không được", "trang dichvucong.gov.vn vào không được"),
    ("sinh ngày 02/03/1960 thì làm thẻ gì", "sinh ngày … thì làm thẻ gì"),
    ("nộp 1.500.000 đồng có đúng không", "nộp 1.500.000 đồng có đúng không"),
    ("chuyển 500.000.000 đồng có phải quét mặt", "chuyển 500.000.000 đồng có phải quét mặt"),
    ("học phí 350.000đ nộp qua mạng", "học phí 350.000đ nộp qua mạng"),
    ("năm 2025 tôi nhận mã otp rồi", "năm 2025 tôi nhận mã otp rồi"),
    ("họp lúc 19:30 ngày 20/12/2026 ở đâu", "họp lúc 19:30 ngày 20/12/2026 ở đâu"),
    ("từ 20.12.2026 đến 21.12.2026 nghỉ", "từ 20.12.2026 đến 21.12.2026 nghỉ"),
    ("tôi 65 tuổi, nhà 4 người, ruộng 1200 mét", "tôi 65 tuổi, nhà 4 người, ruộng 1200 mét"),
    ("tổng đài 1900 0368 gọi mất tiền không", "tổng đài 1900 0368 gọi mất tiền không"),
    ("hai dòng\n\n  thành một", "hai dòng thành một"),
]


@pytest.mark.parametrize(("typed", "stored"), STORED)
def test_what_is_stored_of_what_people_type(typed: str, stored: str) -> None:
    assert hide(typed) == stored
    assert screen(typed).text == stored


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("mật khẩu của tôi là anhyeuem", Refusal.SECRET),
        ("mk vneid: Hoa@1990", Refusal.SECRET),
        ("pass facebook là conga123 sao không vào được", Refusal.SECRET),
        ("tôi muốn tự tử", Refusal.DANGER),
        ("chồng tôi đánh tôi", Refusal.DANGER),
        ("làm giả giấy khai sinh ở đâu", Refusal.HARM),
        ("👍", Refusal.SHORT),
        ("0912345678", Refusal.SHORT),
        ("dài " * 200, Refusal.LONG),
        ("quên mật khẩu là răng", None),
        ("mật khẩu vneid là gì", None),
        ("mật khẩu VNeID là số căn cước phải không", None),
    ],
)
def test_what_is_not_sent_on_at_all(typed: str, why: Refusal | None) -> None:
    assert screen(typed).refusal is why


@pytest.mark.parametrize("piece", ["a.", "1.", "a-", "1 ", "mk ", "sinh ngày ", "gửi a b c ", "x.com ", "1,111 "])
def test_no_text_takes_long(piece: str) -> None:
    """Nothing is timed: what takes quadratic time would run into the limit of a test."""
    text = piece * (20_000 // len(piece))
    assert hide(text)
    assert objection(text[:LONGEST_ANSWER]) in (None, Objection.LINK, Objection.NUMBER)
    assert screen(text).refusal is Refusal.LONG


@given(st.text(alphabet="0123456789 .-_/()+", max_size=60))
@settings(max_examples=60)
def test_nine_digits_in_a_row_never_stay(typed: str) -> None:
    hidden = hide(f"số {typed} đó")
    run = longest = 0
    for c in hidden.replace(" ", ""):
        run = run + 1 if c.isdigit() else 0
        longest = max(longest, run)
    assert longest < 9


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("Bà con đọc mã OTP cho em", Objection.SECRET),
        ("Bac gui ma otp cho em", Objection.SECRET),
        ("Chụp rồi gửi ảnh căn cước vào đây", Objection.SECRET),
        ("Đừng đọc mã OTP cho ai, kể cả em", None),
        ("bac dung gui ma otp cho ai", None),
        ("Máy sẽ gửi mã xác nhận về điện thoại của bà con", None),
        ("Vào https://dichvucong.gov.vn/abc, đăng nhập bằng VNeID.", None),
        ("Vào dichvucong.gov.vn là được", None),
        ("Vào bit.ly/abc tải về", Objection.LINK),
        ("Vào https://dichvucong.gov.vn.vip/abc", Objection.LINK),
        ("Nhắn zalo.me/0912345678", Objection.LINK),
        ("Viết thư cho toi@gmail.com", Objection.LINK),
        ("Gọi em 0912 345 678", Objection.NUMBER),
        ("Chuyển khoản vào số 12345678", Objection.NUMBER),
        ("Lệ phí 1.500.000 đồng, gọi 1900 0368", None),
        ("  ", Objection.EMPTY),
        ("x" * (LONGEST_ANSWER + 1), Objection.LONG),
        ("x" * LONGEST_ANSWER, None),
    ],
)
def test_what_an_answer_must_not_say(answer: str, why: Objection | None) -> None:
    assert objection(answer) is why
