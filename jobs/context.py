"""What every job gets to work with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from bot.core.meter import Meter, NullMeter
from bot.db import Database
from bot.outreach.desk import Desk


class Labeller(Protocol):
    """Labels people on one account's platform. Raises `SendError`."""

    async def tag(self, user_id: str, name: str) -> None: ...

    async def untag(self, user_id: str, name: str) -> None: ...


@dataclass(frozen=True, slots=True)
class JobContext:
    """The database, the desk, how to tell the engine that something was planned, who counts, how long deliveries are
    kept after their run has ended, and by account who labels people."""

    database: Database
    desk: Desk
    wake: Callable[[], None]
    meter: Meter = field(default_factory=NullMeter)
    keep_deliveries: timedelta = timedelta(days=180)
    labellers: Mapping[str, Labeller] = field(default_factory=dict)

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
