"""What every job gets to work with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.core.meter import Meter, NullMeter
from bot.db import Database
from bot.outreach.desk import Desk


@dataclass(frozen=True, slots=True)
class JobContext:
    """The database, the desk, how to tell the engine that something was planned, who counts, and how long deliveries
    are kept after their run has ended."""

    database: Database
    desk: Desk
    wake: Callable[[], None]
    meter: Meter = field(default_factory=NullMeter)
    keep_deliveries: timedelta = timedelta(days=180)

    @property
    def now(self) -> datetime:
        return self.desk.clock.now()


Work = Callable[[JobContext], Awaitable[None]]
"""A job looks at the tables for what is due, so that it may run twice or late."""


@dataclass(frozen=True, slots=True)
class Job:
    """One line of the timetable: every so many seconds. What each process does for itself is done `everywhere`,
    whoever holds the clock."""

    name: str
    work: Work
    every: float
    everywhere: bool = False
