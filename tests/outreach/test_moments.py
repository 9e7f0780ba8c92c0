"""Hours that people type: what is understood, and that nothing is guessed."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.clock import Clock
from bot.outreach.moments import read

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
CLOCK = Clock(ZONE)
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=ZONE).astimezone(UTC)  # a Monday


def at(day: int, month: int, hour: int, minute: int = 0, year: int = 2026) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=ZONE).astimezone(UTC)


UNDERSTOOD = [
    ("17h", at(23, 11, 17)),
    ("17h30", at(23, 11, 17, 30)),
    ("17 giờ 30 phút", at(23, 11, 17, 30)),
    ("17g30", at(23, 11, 17, 30)),
    ("19:30", at(23, 11, 19, 30)),
    ("19.30", at(23, 11, 19, 30)),
    ("lúc 5 giờ chiều nay nhé", at(23, 11, 17)),
    ("7 giờ sáng mai", at(24, 11, 7)),
    ("sáng mai lúc 7 giờ ạ", at(24, 11, 7)),
    ("7h ngày mai", at(24, 11, 7)),
    ("mai 7h rưỡi", at(24, 11, 7, 30)),
    ("8 giờ kém 15 sáng mai", at(24, 11, 7, 45)),
    ("19:30 20/12", at(20, 12, 19, 30)),
    ("19h30 ngày 20/12/2026", at(20, 12, 19, 30)),
    ("20-12 19h", at(20, 12, 19)),
    ("ngày 20 tháng 12 lúc 7h", at(20, 12, 7)),
    ("7h ngày 20 tháng 12 năm 2026", at(20, 12, 7)),
    ("8h 5/1", at(5, 1, 8, year=2027)),
    ("8h 20/11", at(20, 11, 8)),
    ("thứ bảy 8h", at(28, 11, 8)),
    ("thứ 7 8h", at(28, 11, 8)),
    ("t7 8h", at(28, 11, 8)),
    ("chủ nhật 19h", at(29, 11, 19)),
    ("CN 19h", at(29, 11, 19)),
    ("thứ hai 10h", at(23, 11, 10)),
    ("thứ hai 8h", at(30, 11, 8)),
    ("thứ hai tuần sau 10h", at(30, 11, 10)),
    ("thứ bảy tới 7h", at(28, 11, 7)),
    ("tối thứ bảy", at(28, 11, 19)),
    ("tối nay", at(23, 11, 19)),
    ("sáng mai", at(24, 11, 7)),
    ("trưa mai", at(24, 11, 11)),
    ("1 giờ trưa mai", at(24, 11, 13)),
    ("12 giờ trưa mai", at(24, 11, 12)),
    ("12 giờ đêm nay", at(24, 11, 0)),
    ("ngày kia 7h", at(25, 11, 7)),
    ("7h mốt", at(25, 11, 7)),
    ("7 gio toi nay", at(23, 11, 19)),
    ("7 GIỜ TỐI NAY", at(23, 11, 19)),
    ("8h sáng nay", at(23, 11, 8)),
]
NOT_UNDERSTOOD = [
    "",
    "mai",
    "7",
    "khi nào cũng được",
    "25h",
    "24h",
    "17h61",
    "19h sáng",
    "3 giờ trưa đêm",
    "31/2 8h",
    "30/2/2027 8h",
    "5 người 7h",
    "7h đến 9h",
    "gọi số 0912345678",
    "tuần sau 8h",
    "7h 20/13",
    "đêm nay",
]


@pytest.mark.parametrize(("text", "meant"), UNDERSTOOD)
def test_understood(text: str, meant: datetime) -> None:
    assert read(text, NOW, CLOCK) == meant


@pytest.mark.parametrize("text", NOT_UNDERSTOOD)
def test_not_guessed(text: str) -> None:
    assert read(text, NOW, CLOCK) is None


FORMS = (
    "{h}h{m:02d} ngày {d}/{mo}/{y}",
    "{h:02d}:{m:02d} {d:02d}/{mo:02d}/{y}",
    "{d}/{mo}/{y} {h}:{m:02d}",
    "{h} giờ {m} phút ngày {d} tháng {mo} năm {y}",
    "lúc {h}g{m:02d} {d}-{mo}-{y} nhé",
    "ngày {d}/{mo}/{y} vào lúc {h} giờ {m} phút ạ",
)


@given(st.integers(0, 200_000), st.sampled_from(FORMS))
def test_every_moment_written_out_is_read_back(minutes: int, form: str) -> None:
    moment = NOW + timedelta(minutes=minutes)
    local = moment.astimezone(ZONE)
    text = form.format(h=local.hour, m=local.minute, d=local.day, mo=local.month, y=local.year)
    assert read(text, NOW, CLOCK) == moment


@given(st.sampled_from([text for text, _ in UNDERSTOOD]))
def test_case_and_decomposed_letters_change_nothing(text: str) -> None:
    meant = read(text, NOW, CLOCK)
    assert read(unicodedata.normalize("NFD", text), NOW, CLOCK) == meant
    assert read(f"  {text.upper()} ", NOW, CLOCK) == meant


@given(st.text(max_size=80))
def test_nothing_ever_breaks(text: str) -> None:
    found = read(text, NOW, CLOCK)
    assert found is None or found.tzinfo is not None


@given(st.text(alphabet="0123456789hg:/.- giờsángtốimaịthứ", max_size=30))
def test_nothing_that_looks_like_an_hour_breaks_either(text: str) -> None:
    found = read(text, NOW, CLOCK)
    assert found is None or found.tzinfo is not None


@given(st.integers(0, 23), st.sampled_from(["sáng", "trưa", "chiều", "tối", "đêm"]))
def test_the_part_of_the_day_agrees_with_the_hour_or_nothing_is_read(hour: int, part: str) -> None:
    found = read(f"{hour} giờ {part} mai", NOW, CLOCK)
    if found is None:
        return
    local = found.astimezone(ZONE)
    assert local.hour % 12 == hour % 12
    spans = {"sáng": range(1, 12), "trưa": range(10, 15), "chiều": range(12, 19)}
    assert local.hour in spans.get(part, range(24))


@given(st.sampled_from(["mèo", "phụ nữ", "xyz", "99", "và"]), st.sampled_from(["17h", "7 giờ sáng mai", "19:30 20/12"]))
def test_a_word_that_is_not_understood_spoils_the_rest(word: str, text: str) -> None:
    assert read(f"{text} {word}", NOW, CLOCK) is None
