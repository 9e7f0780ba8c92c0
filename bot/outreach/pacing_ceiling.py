"""What a platform bears, learnt from its refusals: gone below at once, tried again rarely and gently, forgotten slowly.

A platform that is stricter than documented says so by refusing. What got through in the second before the first refusal
is what it bears; the pace goes there at once. (A single refusal may have been about one chat, or about messages that
came unevenly: it has to happen twice.) After some minutes a little more is tried: the first message that is one
too many is waited for before the next one leaves, so that a failed trial costs one refusal. If it fails, the pace falls
back and the next trial is further away; if it holds, the steps grow until nothing is left of the refusal.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from itertools import islice, takewhile

from bot.outreach.pacing_wire import WINDOW

_REMEMBERED = 4096
"""Departures that are remembered: more than what is under way at once plus a second's worth before it."""
_NEARLY = 0.9
"""When this part of the pace got through in the second before, the pace was right but for unevenness on the way."""
_A_LITTLE = 0.97
_MORE = 0.93
"""What is left of a pace that was nearly right, after the first refusal and after the next."""
_TELLING = 5
"""A refusal of one message, or when fewer than this were sent within a second, may have been about its chat: it counts
if another one follows soon."""
_CAUTIOUS = 20
"""Messages a second that are tried when nothing at all got through."""
_SOON = 30.0
"""Seconds after a halt."""
_PATIENCE = 120.0
_MOST_PATIENCE = 420.0
_TRIAL = 20.0
"""Seconds that a step lasts, counted from the first second that was full at that pace."""
_LISTENING = 5.0
"""Seconds from then on in which whatever is more than was borne so far is waited for."""
_FIRST_STEP = 0.04
_FORGOTTEN = 3600.0


@dataclass(slots=True)
class Ceiling:
    """What one account was seen to be allowed. `full` is the pace without any refusal, in messages a second."""

    full: float
    found: int | None = None
    """Messages a second that the platform bears; `None` while nothing was refused that still counts."""
    departures: deque[float] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    """When messages were on the wire, one by one, the latest last."""
    _before: int | None = None
    """What was found when the refusal came that counts now; `_refusals` are those of the same moment."""
    _refusals: int = 0
    _soon: bool = False
    _until: float = float("-inf")
    _tried_from: int | None = None
    _tried_at: float | None = None
    _failed: bool = False
    _step: float = _FIRST_STEP
    _patience: float = _PATIENCE

    @property
    def pace(self) -> float:
        """Messages a second."""
        return self.full if self.found is None else min(self.full, self.found)

    def refused(self, now: float, until: float) -> None:
        """The platform refused a message; nothing but replies leaves until then."""
        self._soon = now < self._until + _SOON
        self._before, self._until, self._refusals = self.found, until, 1
        self._failed = self._tried_from is not None
        if self._tried_from is not None:
            self.found = self._tried_from
            self._patience = min(self._patience * 2, _MOST_PATIENCE)
        self._tried_from, self._step = None, _FIRST_STEP
        self._lower()

    def refused_too(self, until: float) -> None:
        """So was one that had been on its way already: it is no news, but tells how many got through before."""
        self._until, self._refusals = max(self._until, until), self._refusals + 1
        self._lower()

    def _lower(self) -> None:
        if self._failed:
            return
        allowed = self.full if self._before is None else min(self.full, self._before)
        borne = self._borne()
        if self._soon:
            self.found = _whole(min(borne or _CAUTIOUS, allowed * _MORE))
        elif borne >= allowed * _NEARLY:
            self.found = _whole(min(borne, allowed * _A_LITTLE))
        elif self._refusals == 1 or borne + self._refusals < _TELLING:
            self.found = self._before
        else:
            self.found = _whole(min(borne or _CAUTIOUS, allowed))

    def _borne(self) -> int:
        """How many got through in the second before the first refusal: whatever left after it was refused as well."""
        times = reversed(self.departures)
        first = next(islice(times, self._refusals - 1, None), None)
        return 0 if first is None else sum(1 for _ in takewhile(lambda at: at > first - 1.0, times))

    def _since(self, moment: float) -> int:
        return sum(1 for _ in takewhile(lambda at: at > moment, reversed(self.departures)))

    def advance(self, now: float) -> bool:
        """A message has departed. Returns whether it is one of the first that are more than was borne so far: its
        answer should be waited for."""
        if self.found is None:
            return False
        if now >= self._until + _FORGOTTEN:
            self._forget()
        elif self._tried_from is None:
            if now >= self._until + self._patience:
                self._try_more(self.found)
        elif self._tried_at is None or now < self._tried_at + _LISTENING:
            if 2 * self._since(now - WINDOW) > self._tried_from + self.found:
                self._tried_at = self._tried_at or now
                return True
        elif now >= self._tried_at + _TRIAL:
            self._go_on(self.found)
        return False

    def _go_on(self, borne: int) -> None:
        if borne >= self.full:
            self._forget()
        else:
            self._try_more(borne)

    def _try_more(self, borne: int) -> None:
        self._tried_from, self._tried_at = borne, None
        self.found = max(borne + 1, int(min(self.full, borne * (1 + self._step))))
        self._step = min(self._step * 2, 1.0)

    def _forget(self) -> None:
        self.found = self._tried_from = None
        self._step, self._patience = _FIRST_STEP, _PATIENCE


def _whole(rate: float) -> int:
    return max(1, int(rate))
