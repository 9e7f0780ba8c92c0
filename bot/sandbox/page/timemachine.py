"""The time of the demo: real time, moved forward by whoever looks at the page, never back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.core.clock import DAY_BEGINS, Clock, utc_now
from bot.sandbox.telegram.errors import Json

MORNING = time(8, 30)
LONGEST_JUMP = timedelta(days=40)


class TimeMachine:
    """`clock` is what the product goes by. Started in quiet hours, the day begins at 08:30 all the same, because
    nothing would happen before the morning. `jumped` are called after every jump."""

    def __init__(
        self, zone: ZoneInfo, tip_hours: Sequence[int] = (), *, source: Callable[[], datetime] = utc_now
    ) -> None:
        self.clock = Clock(zone, self.now)
        self.tip_hours = tuple(sorted(tip_hours))
        self.jumped: list[Callable[[], None]] = []
        self._source = source
        self._ahead = timedelta()
        now = source()
        if self.clock.is_quiet(now):
            self._ahead = self.clock.at(self.clock.today(now), MORNING) - now

    def now(self) -> datetime:
        return self._source() + self._ahead

    def seconds(self) -> float:
        """Seconds since 1970, for the sandbox."""
        return self.now().timestamp()

    def forward(self, by: timedelta) -> None:
        """Raises `ValueError` for a jump back or further than 40 days."""
        if not timedelta() < by <= LONGEST_JUMP:
            raise ValueError("a jump goes forward, 40 days at most")
        self._ahead += by
        for call in self.jumped:
            call()

    def until(self, hour: time) -> timedelta:
        """How long it is until that local hour comes next."""
        now = self.now()
        today = self.clock.today(now)
        coming = self.clock.at(today, hour)
        return (coming if coming > now else self.clock.at(today + timedelta(days=1), hour)) - now

    def shown(self) -> Json:
        """For the page: the time, and where one may jump to."""
        now = self.now()
        local = self.clock.local(now)
        ahead = [hour for hour in self.tip_hours if time(hour) > local.time()]
        return {
            "now": now.timestamp(),
            "zone": str(self.clock.zone),
            "quiet": self.clock.is_quiet(now),
            "tip_hours": ahead,
            "morning": DAY_BEGINS.strftime("%H:%M"),
        }
