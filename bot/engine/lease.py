"""How long what this process has claimed is surely its own, by a clock that goes on while the process stands still."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta


def ticking() -> float:
    """Seconds of a clock that never stands still, not even while the machine sleeps (where the system has one)."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


@dataclass(slots=True)
class Lease:
    """Ends so many `seconds` after its latest renewal. `ahead` is how much later it is in the database than here."""

    seconds: float
    ahead: timedelta = timedelta()
    _until: float = float("-inf")

    @property
    def length(self) -> timedelta:
        return timedelta(seconds=self.seconds)

    def holds(self) -> bool:
        """Whether nobody else can have taken over what is ours."""
        return ticking() < self._until

    def renewed(self, asked: float, here: datetime, there: datetime) -> bool:
        """The database has prolonged it; `asked` is when that was asked for (see `ticking`), `here` what time it was
        here and `there` what time it was in the database. Returns whether it had ended meanwhile."""
        lapsed = asked >= self._until
        self._until, self.ahead = asked + self.seconds, there - here
        return lapsed

    def ends(self, now: datetime) -> datetime:
        """Until when something claimed now is ours, by the database's clock."""
        return now + self.ahead + self.length
