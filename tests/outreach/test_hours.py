"""Hours as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.outreach.hours import parse_hour


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        *(("6h tối", 18), ("19h", 19), ("7 giờ sáng", 7), ("7g", 7), ("19:00", 19), ("7", 7), ("7h30", 7)),
        *(("6h30 chiều", 18), ("chiều 5h", 17), ("trưa", 11), ("12h trưa", 12), ("tối", 19), ("buổi sáng", 7)),
        *(("5 pm", 17), ("5pm", 17), ("7am", 7), ("12 am", 0), ("bảy giờ tối", 19), ("lúc 7 giờ ạ", 7)),
        *(
            ("mười một giờ", 11),
            ("mười hai giờ", 12),
            ("1h trưa", 13),
            ("19h00", 19),
            ("8 rưỡi", 8),
            ("9 giờ 30 tối", 21),
        ),
        *(("tôi muốn 7 giờ tối", 19), ("toi muon 7 gio", 7), ("tôi nhận lúc 7 giờ", 7), ("toi 7h", 19), ("0h", 0)),
        *(("24h", 0), ("6H TỐI", 18), ("７", 7), ("10 gio dem", 22)),
    ],
)
def test_an_hour_is_understood(text: str, hour: int) -> None:
    assert parse_hour(text) == hour


@pytest.mark.parametrize(
    "text", ["", "25h", "99", "tôi có 2 con", "7h hay 8h", "xin chào", "h", "VNeID 2", "abc" * 5000]
)
def test_what_is_no_hour_is_none(text: str) -> None:
    assert parse_hour(text) is None


@given(st.text(alphabet="0123456789hgH:giờsángtốichiềupm \n", max_size=70))
def test_parsing_never_raises_and_stays_in_the_day(text: str) -> None:
    hour = parse_hour(text)
    assert hour is None or 0 <= hour <= 23


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    hour = parse_hour(text)
    assert hour is None or 0 <= hour <= 23


@given(st.integers(0, 23), st.sampled_from(["{}h", "{}g", "{} giờ", "{}:00", "{}h30", "lúc {} giờ", "{} gio nhe"]))
def test_every_hour_in_every_form(hour: int, form: str) -> None:
    assert parse_hour(form.format(hour)) == hour
