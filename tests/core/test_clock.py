"""The clock: hours of the people, quiet hours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.clock import Clock

CLOCK = Clock(ZoneInfo("Asia/Ho_Chi_Minh"))


def _local(text: str) -> datetime:
    return datetime.fromisoformat(text + "+07:00").astimezone(UTC)


@pytest.mark.parametrize(
    ("moment", "leaves"),
    [
        ("2026-11-23T06:59:59", "2026-11-23T07:00:00"),
        ("2026-11-23T07:00:00", "2026-11-23T07:00:00"),
        ("2026-11-23T20:29:59", "2026-11-23T20:29:59"),
        ("2026-11-23T20:30:00", "2026-11-24T07:00:00"),
        ("2026-12-31T23:59:00", "2027-01-01T07:00:00"),
        ("2026-11-24T00:00:00", "2026-11-24T07:00:00"),
    ],
)
def test_quiet_hours_hold_until_morning(moment: str, leaves: str) -> None:
    assert CLOCK.after_quiet(_local(moment)) == _local(leaves)


@given(st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001  # bounds are naive
def test_what_may_leave_is_never_quiet_nor_earlier(moment: datetime) -> None:
    leaves = CLOCK.after_quiet(moment)
    assert not CLOCK.is_quiet(leaves)
    assert leaves >= moment


def test_the_day_is_the_peoples_day() -> None:
    late_evening_utc = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
    assert CLOCK.today(late_evening_utc).isoformat() == "2026-11-23"
    assert CLOCK.start_of_day(late_evening_utc) == datetime(2026, 11, 22, 17, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "hours", "then"),
    [
        ("2026-11-23T08:00:00", 4, "2026-11-23T12:00:00"),
        ("2026-11-23T18:30:00", 4, "2026-11-24T09:00:00"),
        ("2026-11-23T16:30:00", 4, "2026-11-24T07:00:00"),
        ("2026-11-23T23:00:00", 4, "2026-11-24T11:00:00"),
        ("2026-11-23T07:00:00", 30, "2026-11-25T10:00:00"),
    ],
)
def test_nights_are_no_time_to_answer(moment: str, hours: int, then: str) -> None:
    assert CLOCK.awake_after(_local(moment), timedelta(hours=hours)) == _local(then)
