"""What time it is for the people: UTC inside, one time zone for everything that people see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAY_BEGINS = time(7, 0)
DAY_ENDS = time(20, 30)
"""Outside these hours nothing is pushed (house rule, stricter than Decree 91/2020's 07:00 to 22:00)."""


def utc_now() -> datetime:
    """The current time, aware, UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Clock:
    """The time zone of the people and where `now` comes from (tests and the demo bring their own)."""

    zone: ZoneInfo
    source: Callable[[], datetime] = utc_now

    def now(self) -> datetime:
        return self.source()

    def local(self, moment: datetime) -> datetime:
        return moment.astimezone(self.zone)

    def today(self, now: datetime) -> date:
        return self.local(now).date()

    def at(self, day: date, hour: time) -> datetime:
        """That local hour of that local day, as UTC."""
        return datetime.combine(day, hour, self.zone).astimezone(UTC)

    def start_of_day(self, now: datetime) -> datetime:
        return self.at(self.today(now), time(0, 0))

    def is_quiet(self, moment: datetime) -> bool:
        """Whether people should be left alone at that moment."""
        hour = self.local(moment).time()
        return not DAY_BEGINS <= hour < DAY_ENDS

    def after_quiet(self, moment: datetime) -> datetime:
        """`moment` itself by day, the coming morning otherwise."""
        if not self.is_quiet(moment):
            return moment
        local = self.local(moment)
        day = local.date() if local.time() < DAY_BEGINS else local.date() + timedelta(days=1)
        return self.at(day, DAY_BEGINS)

    def awake_after(self, moment: datetime, span: timedelta) -> datetime:
        """When `span` of waking time has passed since `moment`; nights do not count."""
        at = self.after_quiet(moment)
        while (left := self.end_of_day(at) - at) <= span:
            span -= left
            at = self.after_quiet(self.end_of_day(at))
        return at + span

    def end_of_day(self, moment: datetime) -> datetime:
        """When quiet hours begin on that moment's local day."""
        return self.at(self.today(moment), DAY_ENDS)
