"""What has left: how many messages the last second, a chat and a group have had, counted from the wire."""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field

from bot.core.channel import Limits
from bot.outreach.pacing_queue import Ticket

WINDOW = 1.015
"""Seconds in which no more messages leave than the platform allows in one: what jitter on the way may eat."""
_GROUP_WINDOW = 61.0
_CHAT_MARGIN = 1.03
_LOST = 12.0
"""Seconds after which a message of which nothing was heard is taken to be on the wire: connecting takes at most ten."""
_LOOK_AGAIN = 0.05


@dataclass(slots=True)
class Wire:
    """Messages that were let go, before they are on the wire (in the doorway) and after. Those in the doorway may be on
    the wire at any moment, so they count as if they were until it is known when they really were."""

    limits: Limits
    counts_chats: bool = True
    """Whether a chat's own limits are kept."""
    _recent: deque[tuple[float, int]] = field(default_factory=deque)
    _in_window: int = 0
    _doorway: dict[Ticket, float] = field(default_factory=dict)
    _in_doorway: int = 0
    _awaited: set[str] = field(default_factory=set)
    _chats: OrderedDict[str, float] = field(default_factory=OrderedDict)
    _groups: OrderedDict[str, deque[float]] = field(default_factory=OrderedDict)

    @property
    def count(self) -> int:
        """Messages in the doorway and in the window that ended when `fits_at` was asked last."""
        return self._in_window + self._in_doorway

    def leave(self, ticket: Ticket, now: float) -> None:
        """The message is let go."""
        self._doorway[ticket] = now
        self._in_doorway += ticket.weight
        if self.counts_chats and ticket.chat:
            self._awaited.add(ticket.chat)

    def arrive(self, ticket: Ticket, now: float) -> bool:
        """The message is on the wire. Returns whether that is news."""
        if self._doorway.pop(ticket, None) is None:
            return False
        self._in_doorway -= ticket.weight
        self._recent.append((now, ticket.weight))
        self._in_window += ticket.weight
        self._awaited.discard(ticket.chat)
        if self.counts_chats and ticket.chat:
            self._remember(ticket, now)
        return True

    def fits_at(self, now: float, weight: int, most: int) -> float:
        """When so many messages more are within `most` in any window: `now`, or the first moment at which they may be
        if everything in the doorway is on the wire by then."""
        self._settle(now)
        over = self.count + min(weight, most) - most
        free = now
        for at, of in self._recent:
            if over <= 0:
                return free
            free, over = at + WINDOW, over - of
        return free if over <= 0 else next(iter(self._doorway.values())) + _LOST

    def ready_at(self, ticket: Ticket, now: float) -> float:
        """When the ticket's chat may be written to again, as far as is known now."""
        if not (self.counts_chats and ticket.chat):
            return 0.0
        ready = max(self._chats.get(ticket.chat, 0.0), self._group_ready_at(ticket))
        return max(ready, now + _LOOK_AGAIN) if ticket.chat in self._awaited else ready

    def _settle(self, now: float) -> None:
        while self._doorway:
            ticket, at = next(iter(self._doorway.items()))
            if at > now - _LOST:
                break
            self.arrive(ticket, now)
        while self._recent and self._recent[0][0] <= now - WINDOW:
            self._in_window -= self._recent.popleft()[1]

    def _group_ready_at(self, ticket: Ticket) -> float:
        times = self._groups.get(ticket.chat)
        if times is None or self.limits.per_group_minute is None:
            return 0.0
        over = len(times) + ticket.weight - self.limits.per_group_minute
        return times[min(over, len(times)) - 1] + _GROUP_WINDOW if over > 0 else 0.0

    def _remember(self, ticket: Ticket, now: float) -> None:
        if self.limits.per_chat_second is not None:
            self._chats[ticket.chat] = now + ticket.weight * _CHAT_MARGIN / self.limits.per_chat_second
            self._chats.move_to_end(ticket.chat)
            while next(iter(self._chats.values())) < now:
                self._chats.popitem(last=False)
        if ticket.group and self.limits.per_group_minute is not None:
            times = self._groups.setdefault(ticket.chat, deque(maxlen=self.limits.per_group_minute))
            times.extend([now] * ticket.weight)
            self._groups.move_to_end(ticket.chat)
            while next(iter(self._groups.values()))[-1] < now - _GROUP_WINDOW:
                self._groups.popitem(last=False)
