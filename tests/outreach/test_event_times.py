"""When those who come to an event are reminded: never at night, never after it began."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from bot.core.clock import Clock
from bot.outreach.events import reminder_times

CLOCK = Clock(ZoneInfo("Asia/Ho_Chi_Minh"))
START = datetime(2026, 11, 23, 2, tzinfo=UTC)


@given(st.integers(0, 60 * 24 * 400))
def test_reminders_come_by_day_and_in_time(minutes: int) -> None:
    starts = START + timedelta(minutes=minutes)
    for moment, until in reminder_times(CLOCK, starts):
        assert not CLOCK.is_quiet(moment)
        assert moment < until <= starts
        assert starts - moment >= timedelta(hours=2)
        assert not CLOCK.is_quiet(until - timedelta(seconds=1)), "nor may a late one come at night"
