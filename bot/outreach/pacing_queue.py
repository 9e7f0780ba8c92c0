"""Who waits: tickets of one lane in the order they came, each chat once, chats that must rest set aside until then."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count

from bot.core.words import Lane


@dataclass(slots=True, eq=False)
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


@dataclass(slots=True)
class Queue:
    """One lane. Chats take turns: a chat's next ticket queues up when the one before it has left, so that one that is
    flooded costs neither the others' time nor a search. Everything is amortised constant, or logarithmic in the number
    of chats set aside."""

    _ready: deque[Ticket] = field(default_factory=deque)
    _behind: dict[str, deque[Ticket]] = field(default_factory=dict)
    _aside: list[tuple[float, int, Ticket]] = field(default_factory=list)
    _numbers: count[int] = field(default_factory=count)

    def __bool__(self) -> bool:
        return bool(self._ready or self._aside)

    def join(self, ticket: Ticket) -> None:
        """Take a place at the end, or behind what waits for the same chat."""
        if ticket.chat in self._behind:
            self._behind[ticket.chat].append(ticket)
            return
        if ticket.chat:
            self._behind[ticket.chat] = deque()
        self._ready.append(ticket)

    def first(self, now: float, ready_at: Callable[[Ticket, float], float]) -> Ticket | None:
        """The next ticket whose chat may be written to. It stays where it is until `take`."""
        while self._aside and self._aside[0][0] <= now:
            self._ready.append(heappop(self._aside)[2])
        while self._ready:
            ticket = self._ready[0]
            if ticket.cancelled:
                self.take()
                continue
            at = ready_at(ticket, now)
            if at <= now:
                return ticket
            self._ready.popleft()
            heappush(self._aside, (at, next(self._numbers), ticket))
        return None

    def take(self) -> Ticket:
        """Remove the ticket that `first` returned."""
        ticket = self._ready.popleft()
        behind = self._behind.get(ticket.chat)
        if behind:
            self._ready.append(behind.popleft())
        elif behind is not None:
            del self._behind[ticket.chat]
        return ticket

    def soonest(self) -> float:
        """When the first of those set aside may leave; infinity when there is none. Ask after `first` found nobody."""
        return self._aside[0][0] if self._aside else float("inf")
