"""What a sender knows of the runs that it is sending: how far it has walked, what is under way, what came back."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.core.words import DeliveryState, Lane
from bot.db.deliveries import Outcome
from bot.engine.ledger import Ledger

FEW = 3
"""So many refusals of the same message in a row, and nobody got it: the message is wrong, not the people."""
_LOOK = 0.25
_LONGEST = 15.0


@dataclass(slots=True)
class Progress:
    """A run on one account. The people are walked by id; `after` is the last one that was looked at. What comes back
    to waiting behind that is walked again, at once when it came back from here, ever more rarely otherwise. Times are
    seconds of the event loop's clock."""

    run_id: int
    lane: Lane
    after: int = 0
    in_flight: int = 0
    delivered: bool = False
    exhausted: bool = False
    waiting: int = 0
    messages: int = 1
    """As how many messages one delivery counts."""
    refusals: deque[str] = field(default_factory=lambda: deque(maxlen=FEW))
    resent: set[int] = field(default_factory=set)
    _back: int | None = None
    _look_at: float = 0.0
    _again_at: float = 0.0
    _pause: float = 1.0

    def may_claim(self, now: float) -> bool:
        """Whether to look for people now. The first few show whether the message is good; nobody else meanwhile."""
        if self.in_flight and not self.delivered:
            return False
        return not self.exhausted or now >= self._look_at

    def took(self, people: int, last: int) -> None:
        """So many were claimed, up to that person."""
        self.after, self.in_flight = last, self.in_flight + people
        self.exhausted, self._pause = False, 1.0

    def came_back(self, person_id: int) -> None:
        """Somebody waits again."""
        self._back = person_id - 1 if self._back is None else min(self._back, person_id - 1)

    def at_end(self, now: float) -> None:
        """Nobody waits behind `after`."""
        if self._back is not None:
            self.after, self._back = min(self.after, self._back), None
            return
        self.exhausted, self._look_at = True, now + _LOOK
        if now >= self._again_at:
            self.after, self._again_at = 0, now + self._pause
            self._pause = min(self._pause * 2, _LONGEST)

    def waits(self, people: int) -> None:
        """So many wait in the whole run. More than before: somebody let them wait again."""
        if people > self.waiting:
            self._again_at = 0.0
        self.waiting = people

    def look_again(self) -> None:
        """Look at once, from the beginning."""
        self.after, self.exhausted, self._again_at = 0, False, 0.0


_SECONDS = 3.0
_FEW_AT_ONCE = 100
_AT_ONCE = 400


def at_once_at(rate: float | None) -> int:
    """How many deliveries an account of so many messages a second may have claimed and without an answer: three
    seconds' worth up to 100, a second's worth where that is more, 400 at most and where there is no limit."""
    if rate is None:
        return _AT_ONCE
    return max(10, min(_AT_ONCE, max(int(rate), min(_FEW_AT_ONCE, int(rate * _SECONDS)))))


@dataclass(slots=True)
class Window:
    """How many deliveries of a lane may be claimed and without an answer at once: what a crash can leave unknown."""

    size: int
    open: int = 0
    _room: asyncio.Event = field(default_factory=asyncio.Event)

    async def room_for(self, people: int) -> None:
        """Wait until so many more fit."""
        while self.open and self.open + people > self.size:
            self._room.clear()
            await self._room.wait()

    def enter(self, people: int) -> None:
        self.open += people

    def leave(self) -> None:
        self.open -= 1
        self._room.set()

    def wake(self) -> None:
        """Let whoever waits look again."""
        self._room.set()


@dataclass(slots=True)
class Batch:
    """A claimed slice: closed when each of its deliveries has an outcome. `back` is told of messages that did not
    leave."""

    slice_id: int
    open: int
    progress: Progress
    window: Window
    ledger: Ledger
    back: Callable[[int], None]
    ended: Counter[DeliveryState] = field(default_factory=Counter)

    def settle(self, outcome: Outcome) -> bool:
        """Returns whether that was the last one."""
        if outcome.state is DeliveryState.WAITING:
            self.progress.came_back(outcome.person_id)
            self.back(self.progress.messages)
        self.open -= 1
        self.progress.in_flight -= 1
        self.ended[outcome.state] += 1
        self.window.leave()
        self.ledger.settle(outcome)
        if self.open:
            return False
        self.ledger.close_slice(self.slice_id)
        return True
