"""A circuit breaker for one account: an outage pauses sending and is probed; nobody is blamed for it."""

from __future__ import annotations

from dataclasses import dataclass

_FAILURES = 5
_FIRST_PAUSE = 2.0
_LONGEST_PAUSE = 30.0


@dataclass(slots=True)
class Breaker:
    """Opens after five failures in a row. Times are seconds of one monotonic clock."""

    failures: int = 0
    is_open: bool = False
    _pause: float = _FIRST_PAUSE
    _probe_at: float = 0.0

    @property
    def probing(self) -> bool:
        """The next attempt is a probe: one message, not a slice."""
        return self.failures >= _FAILURES

    def may_try(self, now: float) -> bool:
        """Whether something may be sent. While open: one probe after each pause."""
        if self.is_open and now >= self._probe_at:
            self.is_open = False
        return not self.is_open

    def failed(self, now: float) -> bool:
        """Returns whether this failure opened the circuit."""
        self.failures += 1
        if self.failures < _FAILURES or self.is_open:
            return False
        self.is_open, self._probe_at = True, now + self._pause
        self._pause = min(self._pause * 2, _LONGEST_PAUSE)
        return True

    def worked(self) -> bool:
        """Returns whether an outage ended with this."""
        ended = self.failures >= _FAILURES
        self.failures, self.is_open, self._pause = 0, False, _FIRST_PAUSE
        return ended
