"""A pacer between people who want to send and a platform that refuses, under a clock that only the test moves."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from heapq import heappop, heappush
from itertools import cycle, pairwise, repeat

from bot.core.channel import Limits
from bot.core.words import Lane
from bot.outreach.pacing import Pacer, Ticket
from bot.sandbox.telegram import Limits as Allowed
from bot.sandbox.telegram.errors import ApiError
from bot.sandbox.telegram.limits import Meter

TELEGRAM = Limits(per_second=30, per_chat_second=1, per_group_minute=20)
UNLIMITED = Limits(per_second=None, per_chat_second=1, per_group_minute=20)


def strict(per_second: float | None, penalty: int = 0) -> Allowed:
    """A platform that counts nothing but an account's messages in any second."""
    return Allowed(per_second=per_second, per_chat_second=None, per_group_minute=None, penalty=penalty)


@dataclass(frozen=True, slots=True)
class Left:
    """One message on the wire."""

    at: float
    lane: Lane
    chat: str
    weight: int
    asked: float

    @property
    def waited(self) -> float:
        """Seconds from the wish to the wire."""
        return self.at - self.asked


class World:
    """Everything happens in order of time. `doors` are the seconds from being let go to the wire, `late` those that a
    timer comes late, `stalls` moments and lengths of what keeps the program from doing anything. A refused message of
    a run waits again at once, as the engine has it; a refused reply after the pause."""

    def __init__(
        self,
        limits: Limits = TELEGRAM,
        platform: Allowed | None = None,
        *,
        doors: Sequence[float] = (0.0003,),
        late: Sequence[float] = (0.0004,),
        latency: Sequence[float] = (0.06,),
        stalls: Sequence[tuple[float, float]] = (),
    ) -> None:
        self.now = 1000.0
        self.pacer = Pacer(limits)
        self.left: list[Left] = []
        self.refused: list[float] = []
        self.halts: list[tuple[float, float]] = []
        self.meter = Meter(platform or strict(None), lambda: self.now)
        self._doors, self._late, self._latency = cycle(doors), cycle(late), cycle(latency)
        self._stalls = sorted((self.now + at, self.now + at + length) for at, length in stalls)
        self._events: list[tuple[float, int, Callable[[], object]]] = []
        self._count = 0
        self._timer = 0
        self._stock: Iterator[str] = iter(())
        self._numbers: dict[str, int] = {}

    def wish(self, lane: Lane, chat: str = "", *, group: bool = False, weight: int = 1) -> Ticket:
        """Somebody wants to send."""
        asked = self.now
        ticket = Ticket(lane, chat, group, lambda: self._let_go(ticket, asked), weight)
        self.pacer.ask(ticket)
        self._turn()
        return ticket

    def wish_at(self, seconds: float, lane: Lane, chat: str = "", *, group: bool = False, weight: int = 1) -> None:
        """Somebody will want to send so many seconds from the beginning."""
        self._at(1000.0 + seconds, partial(self.wish, lane, chat, group=group, weight=weight))

    def keep_sending(self, chats: Iterator[str], waiting: int = 20) -> None:
        """A run that always has so many messages in line, each of which is followed by the next one."""
        self._stock = chats
        for _ in range(waiting):
            self._send_next()

    def pass_open(self, count: int) -> int:
        """So many messages that would rather not wait; returns how many left without a ticket."""
        for done in range(count):
            if not self.pacer.open(self.now):
                return done
            self._on_wire(Ticket(Lane.BULK, "", False, lambda: None), self.now, open=True)
        return count

    def run(self, seconds: float) -> None:
        """Until so many seconds from the beginning."""
        until = 1000.0 + seconds
        while self._events and self._events[0][0] <= until:
            self.now, _, happen = heappop(self._events)
            happen()
        self.now = until

    def times(self, lane: Lane | None = None) -> list[float]:
        """When each message was on the wire; an album is several."""
        return [m.at for m in self.left if lane in (None, m.lane) for _ in range(m.weight)]

    def waits(self, lane: Lane) -> list[float]:
        """Seconds from wish to wire, sorted."""
        return sorted(m.waited for m in self.left if m.lane is lane)

    def rate(self, since: float, until: float) -> float:
        """Messages that the platform took a second, outside of the halts it asked for."""
        begun, ended = 1000.0 + since, 1000.0 + until
        halted = sum(max(0.0, min(b, ended) - max(a, begun)) for a, b in self.halts)
        taken = sum(1 for at in self.times() if begun <= at < ended) - sum(
            1 for at in self.refused if begun <= at < ended
        )
        return taken / (until - since - halted)

    def distances(self) -> list[float]:
        """Seconds from each message to the next."""
        return [b - a for a, b in pairwise(self.times())]

    def _send_next(self) -> None:
        chat = next(self._stock, None)
        if chat is not None:
            self.wish(Lane.BULK, chat)

    def _at(self, when: float, happen: Callable[[], object]) -> None:
        self._count += 1
        heappush(self._events, (when, self._count, happen))

    def _soon(self, when: float, happen: Callable[[], None]) -> None:
        """Something that the program itself does, as soon as nothing keeps it."""
        for begun, ended in self._stalls:
            if begun <= when < ended:
                when = ended
        self._at(when, happen)

    def _turn(self) -> None:
        self._timer += 1
        wait = self.pacer.turn(self.now)
        if wait is not None:
            mine = self._timer
            self._soon(self.now + wait + next(self._late), lambda: self._turn() if self._timer == mine else None)

    def _let_go(self, ticket: Ticket, asked: float) -> None:
        self._soon(self.now + next(self._doors), lambda: self._on_wire(ticket, asked))

    def _on_wire(self, ticket: Ticket, asked: float, *, open: bool = False) -> None:
        self.left.append(Left(self.now, ticket.lane, ticket.chat, ticket.weight, asked))
        half = next(self._latency) / 2
        self._at(self.now + half, lambda: self._judge(ticket, half))
        if not open and self.pacer.on_wire(ticket, self.now):
            self._turn()
        if ticket.lane is Lane.BULK:
            self._send_next()

    def _judge(self, ticket: Ticket, half: float) -> None:
        try:
            self.meter.take(1, ticket.weight)
        except ApiError as error:
            after = float((error.parameters or {})["retry_after"])
            self.refused.append(self.now - half)
            self._soon(self.now + half, lambda: self._hear(ticket, after))

    def _hear(self, ticket: Ticket, retry_after: float) -> None:
        self.pacer.slow_down(self.now, retry_after)
        self.halts.append((max(self.now, self.halts[-1][1] if self.halts else 0.0), self.now + retry_after))
        later = self.now + (retry_after if ticket.lane is Lane.REPLY else 0.0)
        self._at(later, partial(self.wish, ticket.lane, ticket.chat, group=ticket.group, weight=ticket.weight))
        self._turn()


def most_within(times: Sequence[float], seconds: float) -> int:
    """The most in any window of that length, open at one end as a platform has it."""
    times = sorted(times)
    most = start = 0
    for end, at in enumerate(times):
        while times[start] <= at - seconds:
            start += 1
        most = max(most, end - start + 1)
    return most


def people(prefix: str = "p") -> Iterator[str]:
    """Ever new chats."""
    return (f"{prefix}{number}" for number, _ in enumerate(repeat(None)))


def rough(seed: int, smooth: float, worst: float, share: float, count: int = 997) -> list[float]:
    """Delays in seconds: mostly up to `smooth`, a `share` of them up to `worst`."""
    dice = random.Random(seed)
    return [dice.uniform(0, worst if dice.random() < share else smooth) for _ in range(count)]


def per_chat(world: World) -> Counter[str]:
    """How many messages each chat got."""
    return Counter(m.chat for m in world.left)
