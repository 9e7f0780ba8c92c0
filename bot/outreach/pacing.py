"""Pacing: when the next message of an account may leave. Pure arithmetic over a clock; no I/O, no tasks.

An account has one line. Messages leave at a steady distance (1.7 % under the platform's rate, because a gate at exactly
the rate puts a 31st message into some second), counted from when they are really on the wire, one by one; never twice
within a second to one chat and never more than twenty times a minute to one group. When several wait, alerts go first,
then replies, then bulk; while replies wait, bulk keeps one slot in five, and of alerts to a province replies keep one
in ten, so that nobody starves. When the platform asks to wait, runs stand still for that long, replies keep a small
share, and the pace drops; it recovers slowly.
"""

from __future__ import annotations

import math
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.core.channel import Limits
from bot.core.words import Lane

MARGIN = 0.983
"""Part of the documented rate that is used: 29.5 of 30."""
_DOOR = 0.25
"""Seconds that one message may take from being let go to being on the wire before the next one is let go."""
_SLOWER = 0.7
_RECOVERY_SECONDS = 5.0
_RECOVERY_STEP = 0.03
_SLOWEST = 1.0
_GROUP_WINDOW = 61.0
_WINDOW = 1.015
"""Seconds in which no more messages leave than the platform allows in one: what jitter on the way may eat."""
_CHAT_MARGIN = 1.03
_REPLIES_IN_A_ROW = 4
_ALERTS_IN_A_ROW = 9
_HALTED_REPLIES = 1.0
"""Replies a second that still leave while bulk stands still."""


@dataclass(slots=True)
class Ticket:
    """One message that wants to leave. `go` is called when it may. `chat` is empty for what a platform does not count
    against a chat: edits and answers to buttons."""

    lane: Lane
    chat: str
    group: bool
    go: Callable[[], None]
    weight: int = 1
    """As how many messages a platform counts it: an album counts each of its pictures."""
    cancelled: bool = False
    left_at: float = 0.0
    """When it was let go; corrected to when it was on the wire."""


@dataclass(slots=True)
class Pacer:
    """The line of one account. All times are seconds of one monotonic clock and are passed in."""

    limits: Limits
    _lines: dict[Lane, deque[Ticket]] = field(default_factory=lambda: {lane: deque() for lane in Lane})
    _next: float = 0.0
    _recent: deque[Ticket] = field(default_factory=deque)
    _in_window: int = 0
    _halted_until: float = 0.0
    _factor: float = 1.0
    _factor_at: float = -math.inf
    _replies_in_a_row: int = 0
    _alerts_in_a_row: int = 0
    _held: Ticket | None = None
    _door: Ticket | None = None
    _chats: OrderedDict[str, float] = field(default_factory=OrderedDict)
    _groups: OrderedDict[str, deque[float]] = field(default_factory=OrderedDict)

    @property
    def unlimited(self) -> bool:
        """No limit of our own; the platform's answers still rule."""
        return self.limits.per_second is None

    def open(self, now: float) -> bool:
        """Whether a message may leave at once and without a ticket: no limit of our own, nothing refused so far that
        still counts, nobody waiting ahead."""
        return (
            self.unlimited
            and self._factor_at + _RECOVERY_SECONDS / _RECOVERY_STEP < now
            and not any(self._lines.values())
        )

    def rate(self, now: float) -> float:
        """Messages a second that this account allows itself now."""
        full = (self.limits.per_second or 1000.0) * MARGIN
        gained = max(0.0, now - self._factor_at) / _RECOVERY_SECONDS * _RECOVERY_STEP
        return max(_SLOWEST, full * min(1.0, self._factor + gained))

    def halted(self, now: float) -> bool:
        """Whether bulk stands still because the platform asked for it."""
        return now < self._halted_until

    def ask(self, ticket: Ticket) -> None:
        """Join the line."""
        self._lines[ticket.lane].append(ticket)

    def slow_down(self, now: float, retry_after: float) -> None:
        """The platform asked to wait. Runs stand still; the pace is lowered once for each such pause."""
        gained = self.rate(now) / ((self.limits.per_second or 1000.0) * MARGIN)
        if not self.halted(now):
            self._factor, self._factor_at = gained * _SLOWER, now + retry_after
        self._halted_until = max(self._halted_until, now + retry_after)

    def turn(self, now: float) -> float | None:
        """Let everybody go whose time has come. Returns seconds until somebody may, or `None` if nobody waits."""
        while True:
            if self._held is None and not any(self._lines.values()):
                return None
            if self._door is not None and now < self._door.left_at + _DOOR:
                return self._door.left_at + _DOOR - now
            if self._next > now:
                return self._next - now
            chosen, soonest = (self._held, now) if self._held is not None else self._choose(now)
            if chosen is None:
                return max(soonest - now, 0.001)
            if not self.unlimited and self._hold(chosen, now):
                continue
            self._held = None
            if chosen.cancelled:
                continue
            self._left(chosen, now)
            chosen.go()

    def on_wire(self, ticket: Ticket, now: float) -> bool:
        """The message has really left. Returns whether somebody may be waiting for that."""
        if self._door is not ticket:
            return False
        self._door = None
        ticket.left_at = now
        self._next = max(self._next, now + 0.5 / self._pace(now))
        if ticket.chat in self._chats:
            self._chats[ticket.chat] = max(self._chats[ticket.chat], now)
        return True

    def _hold(self, ticket: Ticket, now: float) -> bool:
        """Whether the second up to now holds too much for it: then it is next, as soon as it fits. Single messages at
        their distance always fit; what counts as several may not."""
        free = self._fits_at(now, ticket.weight)
        if free <= now:
            return False
        self._held, self._next = ticket, free
        return True

    def _fits_at(self, now: float, weight: int) -> float:
        """When so many messages more are within the rate in any window of a second."""
        while self._recent and self._recent[0].left_at <= now - _WINDOW:
            self._in_window -= self._recent.popleft().weight
        most = max(int(self.limits.per_second or 0), 1)
        over = self._in_window + min(weight, most) - most
        free = now
        for ticket in self._recent:
            if over <= 0:
                break
            free, over = ticket.left_at + _WINDOW, over - ticket.weight
        return free

    def _pace(self, now: float) -> float:
        return _HALTED_REPLIES if self.halted(now) else self.rate(now)

    def _choose(self, now: float) -> tuple[Ticket | None, float]:
        """The first ticket in order of lanes whose chat may be written to; else when the soonest one may."""
        soonest = now + 60.0
        for lane in self._order(now):
            line = self._lines[lane]
            for place, ticket in enumerate(line):
                if ticket.cancelled:
                    continue
                ready = self._ready(ticket)
                if ready <= now:
                    del line[place]
                    return ticket, now
                soonest = min(soonest, ready)
            self._forget_cancelled(line)
        if self.halted(now):
            soonest = min(soonest, self._halted_until)
        return None, soonest

    def _order(self, now: float) -> tuple[Lane, ...]:
        if self.halted(now):
            return (Lane.REPLY,)
        if self._alerts_in_a_row >= _ALERTS_IN_A_ROW:
            return (Lane.REPLY, Lane.ALERT, Lane.BULK)
        if self._replies_in_a_row >= _REPLIES_IN_A_ROW and self._lines[Lane.BULK]:
            return (Lane.ALERT, Lane.BULK, Lane.REPLY)
        return (Lane.ALERT, Lane.REPLY, Lane.BULK)

    @staticmethod
    def _forget_cancelled(line: deque[Ticket]) -> None:
        while line and line[0].cancelled:
            line.popleft()

    def _ready(self, ticket: Ticket) -> float:
        """When the ticket's chat may be written to again."""
        if self.unlimited or not ticket.chat:
            return 0.0
        ready = 0.0
        if ticket.group and self.limits.per_group_minute is not None:
            times = self._groups.get(ticket.chat)
            over = len(times) + ticket.weight - self.limits.per_group_minute if times is not None else 0
            if times and over > 0:
                ready = times[min(over, len(times)) - 1] + _GROUP_WINDOW
        if self.limits.per_chat_second is not None:
            last = self._chats.get(ticket.chat)
            if last is not None:
                ready = max(ready, last + _CHAT_MARGIN / self.limits.per_chat_second)
        return ready

    def _left(self, ticket: Ticket, now: float) -> None:
        """Remember that a message leaves now."""
        self._alerts_in_a_row = self._alerts_in_a_row + 1 if ticket.lane is Lane.ALERT else 0
        if ticket.lane is not Lane.ALERT:
            self._replies_in_a_row = self._replies_in_a_row + 1 if ticket.lane is Lane.REPLY else 0
        if self.unlimited:
            return
        late = now - self._next
        pace = self._pace(now)
        base = self._next if 0 <= late <= 1.0 / pace else now
        self._next = base + ticket.weight / pace
        ticket.left_at = now
        self._door = ticket
        self._recent.append(ticket)
        self._in_window += ticket.weight
        if not ticket.chat:
            return
        rest = (ticket.weight - 1) * _CHAT_MARGIN / (self.limits.per_chat_second or 1.0)
        self._remember(self._chats, ticket.chat, now, now + rest)
        if ticket.group and self.limits.per_group_minute is not None:
            times = self._groups.setdefault(ticket.chat, deque(maxlen=self.limits.per_group_minute))
            times.extend([now] * ticket.weight)
            self._groups.move_to_end(ticket.chat)
            self._trim_groups(now)

    def _remember(self, chats: OrderedDict[str, float], chat: str, now: float, until: float) -> None:
        chats[chat] = until
        chats.move_to_end(chat)
        oldest = now - 2 * _CHAT_MARGIN / (self.limits.per_chat_second or 1.0)
        while chats and next(iter(chats.values())) < oldest:
            chats.popitem(last=False)

    def _trim_groups(self, now: float) -> None:
        while self._groups:
            chat, times = next(iter(self._groups.items()))
            if times[-1] >= now - _GROUP_WINDOW:
                return
            del self._groups[chat]
