"""Pacing: when the next message of an account may leave. Pure arithmetic over a clock; no I/O, no tasks.

An account has one line. Messages leave at a steady distance (1.7 % under the platform's rate, because a gate at exactly
the rate puts a 31st message into some second), counted from when they are really on the wire, one by one; never twice
within a second to one chat and never more than twenty times a minute to one group. A slot that was missed because the
program was busy is made up for, as long as no second holds more than the rate. When several wait, alerts go first,
then replies, then bulk; while replies wait, bulk keeps one slot in five, and of alerts to a province replies keep one
in ten, so that nobody starves. When the platform asks to wait, runs stand still for that long, replies keep a small
share, and the pace falls to what got through (see `pacing_ceiling`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from bot.core.channel import Limits
from bot.core.words import Lane
from bot.outreach.pacing_ceiling import Ceiling
from bot.outreach.pacing_queue import Queue, Ticket
from bot.outreach.pacing_wire import Wire

__all__ = ["MARGIN", "Pacer", "Ticket"]

MARGIN = 0.983
"""Part of the documented rate that is used: 29.5 of 30."""
_UNLIMITED = 10_000.0
"""Messages a second that stand for no limit: more than one account ever sends."""
_DOOR = 0.1
"""Seconds that one message may take from being let go to being on the wire before the next one is let go."""
_CATCH_UP = 0.12
"""Seconds of missed slots that are made up for, at half the distance: more would leave a hole in every second after."""
_REST = 1.0
"""Seconds of quiet after which nothing is made up for."""
_EVEN = 200.0
"""Messages a second up to which a distance is kept: clocks that tick in milliseconds cannot keep a smaller one."""
_LISTEN = 0.5
"""Seconds that are waited for the answer to the first message that is more than the platform bore before."""
_REPLIES_IN_A_ROW = 4
_ALERTS_IN_A_ROW = 9
_HALTED_DISTANCE = 1.0
"""Seconds between replies while runs stand still; doubled when one of them is refused."""
_SOONEST = 0.0005


@dataclass(slots=True)
class Pacer:
    """The line of one account. All times are seconds of one monotonic clock and are passed in."""

    limits: Limits
    wire: Wire = field(init=False)
    ceiling: Ceiling = field(init=False)
    _queues: dict[Lane, Queue] = field(default_factory=lambda: {lane: Queue() for lane in Lane})
    _free: bool = field(init=False)
    _next: float = -math.inf
    """When the next message is due; `_apart`: when it is far enough from the one before."""
    _apart: float = -math.inf
    _door: Ticket | None = None
    _door_until: float = -math.inf
    _halted_until: float = -math.inf
    _halted_next: float = -math.inf
    _halted_distance: float = _HALTED_DISTANCE
    _replied_in_halt: bool = False
    _left_since_halt: bool = True
    _replies_in_a_row: int = 0
    _alerts_in_a_row: int = 0

    def __post_init__(self) -> None:
        self.wire = Wire(self.limits, counts_chats=not self.unlimited)
        self.ceiling = Ceiling(_UNLIMITED if self.limits.per_second is None else self.limits.per_second)
        self._free = self.unlimited

    @property
    def unlimited(self) -> bool:
        """No limit of our own; the platform's answers still rule."""
        return self.limits.per_second is None

    def open(self, now: float) -> bool:
        """Whether a message may leave at once and without a ticket: no limit of our own, nothing refused that still
        counts, nobody waiting ahead. Each `True` stands for one message that leaves now."""
        if not self._free and (any(self._queues.values()) or not self._is_free(now)):
            return False
        self.ceiling.departures.append(now)
        return True

    def rate(self) -> float:
        """Messages a second that this account allows itself outside of halts; infinity without any limit."""
        return math.inf if self.unlimited and self.ceiling.found is None else self._pace()

    def halted(self, now: float) -> bool:
        """Whether bulk stands still because the platform asked for it."""
        return now < self._halted_until

    def ask(self, ticket: Ticket) -> None:
        """Join the line."""
        self._queues[ticket.lane].join(ticket)

    def slow_down(self, now: float, retry_after: float) -> None:
        """The platform refused a message and asked to wait so many seconds. Runs stand still. Refusals of what was on
        its way already count as one."""
        until = now + retry_after
        if not self.halted(now) and self._left_since_halt:
            self.ceiling.refused(now, until)
            self._halted_distance, self._halted_next = _HALTED_DISTANCE, now + _HALTED_DISTANCE
        elif self._replied_in_halt:
            self._halted_distance *= 2
            self._halted_next = now + self._halted_distance
        else:
            self.ceiling.refused_too(until)
        self._free = self._left_since_halt = self._replied_in_halt = False
        self.wire.counts_chats = not self.unlimited or self.ceiling.found is not None
        self._halted_until = max(self._halted_until, until)
        self._next = max(self._next, self._halted_until)

    def turn(self, now: float) -> float | None:
        """Let everybody go whose time has come. Returns seconds until somebody may, or `None` if nobody waits."""
        while any(self._queues.values()):
            at = self._step(now)
            if at > now:
                return max(at - now, _SOONEST) if math.isfinite(at) else None
        return None

    def on_wire(self, ticket: Ticket, now: float) -> bool:
        """The message has really left. Returns whether somebody may be waiting for that."""
        if not self.wire.arrive(ticket, now):
            return False
        if self._door is ticket:
            self._door = None
        if not self.halted(now):
            self.ceiling.departures.extend((now,) * ticket.weight)
            listen = self.ceiling.advance(now)
            self._apart = now + (_LISTEN if listen else self._nearest())
        return True

    def _step(self, now: float) -> float:
        """Let one go and return `now`, or return when to look again."""
        free = self._is_free(now)
        if not free and (at := max(self._earliest(now), self._fits_at(now, 1))) > now:
            return at
        queue, ticket = self._choose(now)
        if ticket is None:
            return self._soonest(now)
        if not free and (at := self._fits_at(now, ticket.weight)) > now:
            return at
        queue.take()
        self._leave(ticket, now)
        ticket.go()
        return now

    def _is_free(self, now: float) -> bool:
        """Whether there is nothing to keep to. Whoever is free stays so until something is refused."""
        if not self._free and self.unlimited and self.ceiling.found is None and not self.halted(now):
            self._free = self._left_since_halt = True
            self.wire.counts_chats = False
        return self._free

    def _earliest(self, now: float) -> float:
        """When the next message may leave whoever it is for."""
        at = min(self._halted_next, self._halted_until) if self.halted(now) else max(self._next, self._apart)
        return at if self._door is None else max(at, self._door_until)

    def _fits_at(self, now: float, weight: int) -> float:
        return self.wire.fits_at(now, weight, max(1, int(self.ceiling.pace)))

    def _choose(self, now: float) -> tuple[Queue, Ticket | None]:
        """The first ticket, in order of lanes, whose chat may be written to."""
        for lane in self._order(now):
            queue = self._queues[lane]
            ticket = queue.first(now, self.wire.ready_at)
            if ticket is not None:
                break
        return queue, ticket

    def _soonest(self, now: float) -> float:
        """When the first chat that has to wait may be written to."""
        lanes = self._order(now)
        soonest = min(self._queues[lane].soonest() for lane in lanes)
        return min(soonest, self._halted_until) if self.halted(now) else soonest

    def _order(self, now: float) -> tuple[Lane, ...]:
        if self.halted(now):
            return (Lane.REPLY,)
        if self._alerts_in_a_row >= _ALERTS_IN_A_ROW:
            return (Lane.REPLY, Lane.ALERT, Lane.BULK)
        if self._replies_in_a_row >= _REPLIES_IN_A_ROW:
            return (Lane.ALERT, Lane.BULK, Lane.REPLY)
        return (Lane.ALERT, Lane.REPLY, Lane.BULK)

    def _leave(self, ticket: Ticket, now: float) -> None:
        """Remember that a message is let go."""
        self._alerts_in_a_row = self._alerts_in_a_row + 1 if ticket.lane is Lane.ALERT else 0
        if ticket.lane is not Lane.ALERT:
            self._replies_in_a_row = self._replies_in_a_row + 1 if ticket.lane is Lane.REPLY else 0
        if self._free:
            self.ceiling.departures.extend((now,) * ticket.weight)
            return
        self.wire.leave(ticket, now)
        self._door, self._door_until = ticket, now + _DOOR
        if self.halted(now):
            self._halted_next, self._replied_in_halt = now + self._halted_distance, True
            return
        self._left_since_halt = True
        due = now if self._next < now - _REST else max(self._next, now - _CATCH_UP)
        self._next = due + ticket.weight / self._pace()

    def _pace(self) -> float:
        return self.ceiling.pace * MARGIN

    def _nearest(self) -> float:
        """Seconds that two messages are apart at least."""
        return 0.5 / self._pace() if self._pace() < _EVEN else 0.0
