"""What a voice is given to say: words alone, spoken as people speak them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.outreach import speech_text
from bot.outreach.spoken_numbers import cardinal, one_by_one
from tests.support.talk import content


def for_speech(text: str, language: str = "vi") -> str:
    return speech_text.for_speech(text, language, content()[0].spoken)


SPOKEN = (
    ("steps", "1. Mở VNeID.\n2. Chạm Quên mật khẩu", "Bước một: Mở vi en i ai đi.\nBước hai: Chạm Quên mật khẩu."),
    ("an abbreviation", "Đừng đọc mã OTP", "Đừng đọc mã ô tê pê."),
    ("one that nobody listed", "Mang theo CMND", "Mang theo xê mờ nờ dê."),
    ("a shop", "Tải ở CH Play, App Store", "Tải ở xê hát pờ lây, áp xì to."),
    ("police", "Gọi 113 hoặc 115!", "Gọi một một ba hoặc một một năm!"),
    ("a hotline", "Tổng đài 1900.0368", "Tổng đài một chín không không không ba sáu tám."),
    ("a telephone", "Số 0912 345 678", "Số không chín một hai ba bốn năm sáu bảy tám."),
    ("a count", "Có 105 người", "Có một trăm linh năm người."),
    ("money", "Trên 10.000.000 đồng", "Trên mười triệu đồng."),
    ("a fraction", "Lãi 3,5%", "Lãi ba phẩy năm phần trăm."),
    ("a date", "Từ 1/7/2025", "Từ ngày một tháng bảy năm hai nghìn không trăm hai mươi lăm."),
    ("a date with its word", "ngày 15/4", "ngày mười lăm tháng tư."),
    ("hours", "Lúc 7:30, 19h", "Lúc bảy giờ ba mươi, mười chín giờ."),
    ("always", "Trực 24/7", "Trực hai mươi bốn trên bảy."),
    ("a range", "Chờ 2-3 ngày", "Chờ hai đến ba ngày."),
    ("a network", "Có sóng 4G", "Có sóng bốn gờ."),
    ("an address", "Xem https://vneid.gov.vn/a?b=1 nhé", "Xem nhé."),
    ("the portal", "Vào dichvucong.gov.vn", "Vào cổng dịch vụ công quốc gia."),
    ("another site", "Vào tracuu.evn.com.vn", "Vào địa chỉ ghi trong tin."),
    ("pictures", "💡 Mẹo hay 🎉👍🏽", "Mẹo hay."),
    ("quotes", 'Chọn "Đồng ý" (nếu có)', "Chọn Đồng ý nếu có."),
    ("who is no machine", "Ai gọi? AI gọi.", "Ai gọi? ây ai gọi."),
    ("shouting", "Nhắn DỪNG để ngừng", "Nhắn dừng để ngừng."),
    ("nothing to say", "🎉 https://a.vn", ""),
)


@pytest.mark.parametrize(("text", "spoken"), [row[1:] for row in SPOKEN], ids=[row[0] for row in SPOKEN])
def test_as_people_say_it(text: str, spoken: str) -> None:
    assert for_speech(text) == spoken


def test_english_keeps_its_numbers() -> None:
    assert for_speech("💡 Call 113 (https://a.vn)", "en") == "Call 113."


@pytest.mark.parametrize(
    ("number", "spoken"),
    [
        (0, "không"),
        (10, "mười"),
        (15, "mười lăm"),
        (21, "hai mươi mốt"),
        (11, "mười một"),
        (100, "một trăm"),
        (101, "một trăm linh một"),
        (1001, "một nghìn không trăm linh một"),
        (1_000_000, "một triệu"),
        (2_000_050_000, "hai tỷ không trăm năm mươi nghìn"),
        (10**12, "một không không không không không không không không không không không không"),
    ],
)
def test_counts(number: int, spoken: str) -> None:
    assert cardinal(number) == spoken


def test_telephone_numbers_are_said_one_by_one() -> None:
    assert one_by_one("1900 05") == "một chín không không không năm"


def _is_speakable(spoken: str) -> bool:
    return re.search(r"[^\w\s.,:;?!…\-]|\d|_", spoken) is None


def test_everything_that_the_pack_says_can_be_spoken() -> None:
    pack, _ = content()
    texts = [f"{tip.title}\n{tip.body()}" for tip in pack.tips.values()]
    texts += [f"{entry.title}\n{entry.body()}" for entry in pack.faq.values()]
    assert [text for text in texts if not _is_speakable(for_speech(text))] == []
    assert all(for_speech(text) for text in texts)


@given(st.text(alphabet="aA1đĐ09.,:/-%€ \n²٣_#" + "ộ🎉", max_size=40))
def test_whatever_it_is_nothing_unspeakable_is_left(text: str) -> None:
    assert _is_speakable(for_speech(text))
