"""An account's line where several processes send: each slot and each chat is reserved in the database first."""

from __future__ import annotations

import asyncio
import math
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from time import monotonic

import structlog

from bot.core.channel import ON_WIRE, Limits
from bot.core.words import Lane
from bot.db.pace import Granted, SharedPace, Wish
from bot.engine.line import Line
from bot.outreach.pacing import MARGIN
from bot.outreach.pacing_queue import Queue, Ticket

log = structlog.get_logger(__name__)

LATE = (1 / MARGIN - 1) / 2
"""Seconds that a message may be late on the wire without pushing back those after it: half of what the margin leaves
free in a second; the other half is for the way to the platform."""
_AHEAD = 0.07
"""Seconds' worth of slots that are reserved in one statement, when so many messages are known to come."""
_CHAT_MARGIN = 1.03
_SLACK = 0.5
"""Seconds later than expected that a message of a slice may leave before its chat is asked for once more."""
_REPLIES_IN_A_ROW = 4
_ALERTS_IN_A_ROW = 9
_REMEMBERED = 5.0
_AFTER_TROUBLE = 0.5


@dataclass(slots=True)
class _Clocks:
    """What time it is here when it is so late in the database: the quickest of the latest answers tells it best."""

    _seen: deque[float] = field(default_factory=lambda: deque(maxlen=32))

    def learn(self, there: float, here: float) -> None:
        self._seen.append(here - there)

    def here(self, there: float) -> float:
        return there + min(self._seen)


@dataclass(slots=True)
class _Lateness:
    """How much later than planned messages were on the wire, and how far all that follows is pushed back for it, so
    that no second holds too many. A message that is out of its place takes one place more at most."""

    _excess: deque[tuple[float, float]] = field(default_factory=deque)
    _pushed: deque[tuple[float, float]] = field(default_factory=deque)

    def note(self, now: float, late: float) -> None:
        if late > LATE:
            self._excess.append((now, late - LATE))

    def push(self, now: float, step: float) -> float:
        """Seconds by which to push now."""
        for noted in (self._excess, self._pushed):
            while noted and noted[0][0] < now - 1:
                noted.popleft()
        worst = max((e for _, e in self._excess), default=0.0)
        owed = min(worst, sum(min(e, step) for _, e in self._excess)) - sum(p for _, p in self._pushed)
        if owed <= 0:
            return 0.0
        self._pushed.append((now, owed))
        return owed


class SharedLine(Line):
    """What a line is, for all processes together. `expect` makes it quick: who knows the next messages says so, and
    their slots and chats are reserved in bulk."""

    def __init__(self, account_id: int, limits: Limits, pace: SharedPace) -> None:
        assert limits.per_second is not None  # noqa: S101  # without a limit there is nothing to share
        super().__init__(limits)
        self._account_id = account_id
        self._limits = limits
        self._pace = pace
        self._rate = limits.per_second * MARGIN
        self._gap = _CHAT_MARGIN / limits.per_chat_second if limits.per_chat_second else 0.0
        self._queues = {lane: Queue() for lane in Lane}
        self._stock: deque[float] = deque()
        self._leaving: dict[Ticket, float] = {}
        self._held: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._free: OrderedDict[str, float] = OrderedDict()
        self._expected = 0
        self._replies_in_a_row = self._alerts_in_a_row = 0
        self._halted_until = self._retry_after = 0.0
        self._ceiling = self.pacer.ceiling
        self._clocks, self._lateness = _Clocks(), _Lateness()
        self._news, self._fewer = asyncio.Event(), asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def open(self, lane: Lane) -> bool:
        """Never: every message needs its slot."""
        return False

    def halted(self) -> bool:
        """Whether runs stand still because the platform asked for it, as far as this process has heard."""
        return monotonic() < self._halted_until

    async def expect(self, chats: Sequence[tuple[str, bool]]) -> None:
        """Messages of a run to these chats (and whether each is a group) come next, one by one."""
        self._expected += len(chats)
        step = 1 / self._rate
        ahead = {chat: place * step + _SLACK for place, (chat, _) in enumerate(chats)}
        wishes = [self._wish(chat, group, 1, ahead[chat]) for chat, group in dict(chats).items()]
        if wishes and self._gap:
            await self._ask(0, wishes, reply=False, ahead=ahead)

    async def nearly(self, left: int) -> None:
        """Wait until so many of the announced messages are left."""
        while self._expected > left:
            self._fewer.clear()
            await self._fewer.wait()

    async def wait(self, lane: Lane, chat: str, *, group: bool = False, weight: int = 1) -> Callable[[], None]:
        """Wait for the message's turn. Returns what is to be called when its first byte is handed to the network (the
        same that `ON_WIRE` holds from then on in this context)."""
        gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        ticket = Ticket(lane, chat, group, partial(_end, gone), weight)
        self._queues[lane].join(ticket)
        self._wake()
        try:
            await gone
        except asyncio.CancelledError:
            ticket.cancelled = True
            self._leaving.pop(ticket, None)
            raise
        tell = partial(self._passed, [(self._leaving.pop(ticket), weight)])
        ON_WIRE.set(tell)
        return tell

    def slow_down(self, retry_after: float) -> None:
        """The platform refused a message and asked to wait: what was reserved here is let go, everybody hears of it."""
        now = monotonic()
        until = now + retry_after
        if self.halted():
            self._ceiling.refused_too(until)
        else:
            self._ceiling.refused(now, until)
        self._stock.clear()
        self._retry_after = max(self._retry_after, retry_after)
        self._halted_until = max(self._halted_until, until)
        self._wake()

    def close(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _passed(self, once: list[tuple[float, int]]) -> None:
        if not once:
            return
        slot, weight = once.pop()
        now = monotonic()
        self._lateness.note(now, now - slot)
        if not self.halted():
            self._ceiling.departures.extend((now,) * weight)

    def _wake(self) -> None:
        self._news.set()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._serve(), name=f"line {self._account_id}")

    async def _serve(self) -> None:
        trouble = False
        while True:
            try:
                await self._next()
                trouble = False
            except ConnectionError:
                if not trouble:
                    log.warning("The shared pace cannot be asked for: nothing leaves", account=self._account_id)
                trouble = True
                await asyncio.sleep(_AFTER_TROUBLE)
            except Exception:
                log.exception("The line stumbled and goes on", account=self._account_id)
                await asyncio.sleep(1)

    async def _next(self) -> None:
        """One step: hear of a refusal, reserve what the first in line needs, wait for its slot, or let it go."""
        self._news.clear()
        if self._retry_after:
            pause = self._retry_after
            await self._pace.slow_down(self._account_id, pause, self._ceiling.pace / self._ceiling.full)
            self._retry_after = 0.0 if self._retry_after == pause else self._retry_after
        now = monotonic()
        ticket, soonest = self._choose(now)
        if ticket is None:
            await self._hear(soonest)
            return
        while self._stock and self._stock[0] < now - LATE - 1 / self._rate:
            self._stock.popleft()
            self._expect_less(self._expected)  # whoever announced them has changed their mind
        slot = self._stock[ticket.weight - 1] if len(self._stock) >= ticket.weight else None
        if slot is None or not self._holds(ticket, slot):
            await self._reserve(ticket, slot)
        elif slot > now:
            await self._hear(slot)
        else:
            self._let_go(ticket, slot, now)

    async def _hear(self, until: float) -> None:
        """Wait for news, until that moment at most."""
        timer = None
        if until < math.inf:
            timer = asyncio.get_running_loop().call_later(max(0.0, until - monotonic()), self._news.set)
        try:
            await self._news.wait()
        finally:
            if timer is not None:
                timer.cancel()

    def _choose(self, now: float) -> tuple[Ticket | None, float]:
        """The first ticket in order of lanes whose chat may be written to; else when the soonest one may."""
        lanes = self._order()
        for lane in lanes:
            ticket = self._queues[lane].first(now, self._ready_at)
            if ticket is not None:
                return ticket, now
        soonest = min(self._queues[lane].soonest() for lane in lanes)
        return None, min(soonest, self._halted_until) if self.halted() else soonest

    def _ready_at(self, ticket: Ticket, now: float) -> float:
        return self._free.get(ticket.chat, now) if ticket.chat else now

    def _order(self) -> tuple[Lane, ...]:
        if self.halted():
            return (Lane.REPLY,)
        if self._alerts_in_a_row >= _ALERTS_IN_A_ROW:
            return (Lane.REPLY, Lane.ALERT, Lane.BULK)
        if self._replies_in_a_row >= _REPLIES_IN_A_ROW:
            return (Lane.ALERT, Lane.BULK, Lane.REPLY)
        return (Lane.ALERT, Lane.REPLY, Lane.BULK)

    def _holds(self, ticket: Ticket, slot: float) -> bool:
        """Whether the chat is reserved up to that slot, for as much as the ticket weighs."""
        until, weight = self._held.get(ticket.chat, (0.0, 0))
        return not ticket.chat or not self._gap or (until >= slot and weight >= ticket.weight)

    async def _reserve(self, ticket: Ticket, slot: float | None) -> None:
        reply, slots = ticket.lane is Lane.REPLY, 0
        if slot is None:
            chunk = 1 if reply else min(max(4, math.ceil(self._rate * _AHEAD)), self._expected)
            slots = max(chunk, ticket.weight) - len(self._stock)
        counts = bool(ticket.chat and self._gap) and (slot is None or not self._holds(ticket, slot))
        ahead = 0.0 if slot is None else max(0.0, slot - monotonic())
        wish = self._wish(ticket.chat, ticket.group, ticket.weight, ahead)
        ahead_of = {ticket.chat: ahead}
        await self._ask(slots, [wish] if counts else [], reply=reply, ahead=ahead_of, weight=ticket.weight)

    def _wish(self, chat: str, group: bool, weight: int, ahead: float) -> Wish:
        counted = weight if group and self._limits.per_group_minute else 0
        return Wish(chat, self._gap * weight, ahead, counted)

    async def _ask(
        self, slots: int, wishes: Sequence[Wish], *, reply: bool, ahead: dict[str, float], weight: int = 1
    ) -> None:
        granted = await self._pace.take(
            self._account_id,
            slots,
            rate=self._rate,
            late=LATE,
            reply=reply,
            push=self._lateness.push(monotonic(), 1 / self._rate),
            chats=wishes,
            most=self._limits.per_group_minute or 0,
        )
        self._clocks.learn(granted.now, monotonic())
        self._learn(granted, ahead, weight)

    def _learn(self, granted: Granted, ahead: dict[str, float], weight: int) -> None:
        here = self._clocks.here
        self._halted_until = here(granted.halted_until)
        bore = 1 / (granted.step * self._rate)
        if not self.halted():
            self._ceiling.found = None if bore > 0.999 else max(1, int(bore * self._ceiling.full))
        if not self._retry_after:  # refused while we asked: what was granted is void
            self._stock.extend(here(granted.first + place * granted.step) for place in range(granted.slots))
        last = here(max(granted.first + (granted.slots - 1) * granted.step, granted.now))
        for chat in granted.held:
            self._held[chat] = last + ahead[chat], weight
            self._held.move_to_end(chat)
        for chat, free_at in (granted.refused or {}).items():
            self._free[chat] = max(here(free_at), monotonic() + 0.01)

    def _let_go(self, ticket: Ticket, slot: float, now: float) -> None:
        for _ in range(ticket.weight):
            self._stock.popleft()
        self._queues[ticket.lane].take()
        self._alerts_in_a_row = self._alerts_in_a_row + 1 if ticket.lane is Lane.ALERT else 0
        if ticket.lane is not Lane.ALERT:
            self._replies_in_a_row = self._replies_in_a_row + 1 if ticket.lane is Lane.REPLY else 0
        if ticket.lane is not Lane.REPLY:
            self._expect_less(1)
        if ticket.chat and self._gap:
            self._free[ticket.chat] = now + ticket.weight * self._gap
            self._free.move_to_end(ticket.chat)
        self._forget(now)
        self._leaving[ticket] = slot
        ticket.go()

    def _expect_less(self, by: int) -> None:
        self._expected = max(0, self._expected - by)
        self._fewer.set()

    def _forget(self, now: float) -> None:
        while self._free and next(iter(self._free.values())) < now - _REMEMBERED:
            self._free.popitem(last=False)
        while self._held and next(iter(self._held.values()))[0] < now - _REMEMBERED:
            self._held.popitem(last=False)


def _end(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)
