"""Runs on their way out through one account: claim a slice, send it at the account's pace, settle in bulk."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

import structlog

from bot.core.channel import Channel
from bot.core.errors import Decision, SendError
from bot.core.events import ChatKind
from bot.core.meter import Meter
from bot.core.words import DeliveryState, Lane
from bot.db import Database
from bot.db.deliveries import Claimed, Outcome
from bot.db.traffic import Claim, Want
from bot.engine.attempts import Attempts, Broken
from bot.engine.breaker import Breaker
from bot.engine.courier import Courier
from bot.engine.ledger import Ledger
from bot.engine.letters import Letter, Letters, Variant
from bot.engine.line import Line
from bot.engine.progress import FEW, Batch, Progress, Window, at_once_at
from bot.engine.purse import Purse
from bot.engine.roads import Road, Roads
from bot.engine.verdicts import Verdicts
from bot.outreach.desk import Desk

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=60)
_ON_THE_WAY = {Lane.ALERT: 100, Lane.BULK: 90}
"""Copies that may be under way at once, as many as there are connections: all others can still be held back."""
_LANES = (Lane.ALERT, Lane.BULK)


@dataclass(slots=True, eq=False)
class Flight:
    """One delivery under way."""

    sender: Sender
    progress: Progress
    letter: Letter
    variant: Variant
    row: Claimed
    batch: Batch

    def done(self, message_id: str | None, error: SendError | None) -> None:
        self.sender.landed(self, message_id, error)


class Sender:
    """The runs of one account. Two lanes side by side, so that an alert never waits behind a claimed slice; in each the
    next slice is claimed while one is being sent."""

    def __init__(
        self,
        channel: Channel,
        account_id: int,
        database: Database,
        desk: Desk,
        ledger: Ledger,
        line: Line,
        channels: Mapping[str, Channel],
        owner: str,
        meter: Meter,
        roads: Roads,
    ) -> None:
        self.channel = channel
        self.account_id = account_id
        self.desk = desk
        self.ledger = ledger
        self.line = line
        self.owner = owner
        self.meter = meter
        self.courier = Courier(channel, account_id, database, ledger, desk, channels)
        self.letters = Letters(database, desk, channel)
        self.purse = Purse(channel, account_id, database, desk, ledger)
        self.verdicts = Verdicts(channel.account, account_id, desk, ledger, line, self.purse)
        self.roads = roads
        roads.add(Road(channel, self.purse, self._works))
        self.attempts = Attempts(self.courier, ledger, line, self.letters, self.verdicts.opens_circuit)
        self.live: dict[int, Progress] = {}
        self._ways: tuple[object, ...] = ()
        self.closing = False
        self.resting = False
        rate = channel.capabilities.limits.per_second
        at_once = at_once_at(rate)
        self.slice_size = at_once // 2 if rate is None else max(2, min(at_once // 2, int(rate / 2)))
        self.windows = {lane: Window(at_once) for lane in _LANES}
        self._flights: set[Flight] = set()
        self._landed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._quiet = asyncio.Event()
        self._news = {lane: asyncio.Event() for lane in _LANES}
        self._loops: list[asyncio.Task[None]] = []
        self._sending: dict[Lane, asyncio.Task[None]] = {}

    @property
    def breaker(self) -> Breaker:
        return self.verdicts.breaker

    @property
    def stopped(self) -> bool:
        """Whether the platform refuses the account."""
        return self.verdicts.stopped

    def _works(self) -> bool:
        return not self.stopped and not self.breaker.is_open

    def halt(self) -> None:
        """Send nothing more: the account was refused elsewhere."""
        self.verdicts.stopped = True

    def revive(self) -> None:
        """The account is accepted again."""
        self.verdicts.stopped = False

    def start(self) -> None:
        self._loops = [
            asyncio.create_task(self._keep_sending(lane), name=f"sender {self.channel.account} {lane}")
            for lane in _LANES
        ]

    async def stop(self, patience: float) -> None:
        """Start nothing new, give back what was claimed and not begun, wait for what is in flight. What has no answer
        after `patience` seconds is unknown."""
        self.closing = True
        work = [*self._loops, *self._sending.values()]
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.landing(), patience)
        late, tasks = list(self._flights), list(self._tasks)
        self._flights.clear()
        for flight in late:
            self._settle(flight, self.verdicts.interrupted(flight.row))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def landing(self) -> None:
        """Wait until nothing is in flight."""
        while self._flights or self._tasks:
            self._quiet.clear()
            await self._quiet.wait()

    def update(self, sending: Mapping[int, Lane], waiting: Mapping[int, int]) -> None:
        """Which runs are being sent now, and how many wait in those that seem to be over: called a few times a second,
        so that a pause takes effect at once."""
        for run_id in [r for r in self.live if r not in sending]:
            del self.live[run_id]
        self.verdicts.doubted &= sending.keys()
        for run_id, lane in sending.items():
            if run_id not in self.verdicts.doubted:
                self.live.setdefault(run_id, Progress(run_id, lane)).waits(waiting.get(run_id, 0))
        if self.roads.signature() != self._ways:
            self._ways = self.roads.signature()
            for progress in self.live.values():
                progress.look_again()
        for lane in {p.lane for p in self.live.values()}:
            self._news[lane].set()
        self._landed.set()  # who waits for room looks whether its run may still go

    def idle(self, run_id: int) -> bool:
        """Whether this account has nothing (more) to send of a run."""
        found = self.live.get(run_id)
        return self.stopped or found is None or (found.exhausted and not found.in_flight)

    async def _keep_sending(self, lane: Lane) -> None:
        while True:
            try:
                if not await self._take_turn(lane):
                    self._news[lane].clear()
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._news[lane].wait(), 0.25)
            except Exception:
                log.exception("Sending stumbled and goes on", account=self.channel.account)
                await asyncio.sleep(1)

    async def _take_turn(self, lane: Lane) -> bool:
        """Claim a slice while the one before it is being sent."""
        found = await self.claim(lane)
        before = self._sending.get(lane)
        try:
            if before is not None and (found is not None or before.done()):
                del self._sending[lane]
                await before
        except BaseException:
            if found is not None:
                self.give_back(*found)
            raise
        if found is None:
            return False
        self._sending[lane] = asyncio.create_task(self.send(*found))
        return True

    async def send_slice(self, lane: Lane) -> bool:
        """Claim and send one slice. Returns whether there was any."""
        found = await self.claim(lane)
        if found is not None:
            await self.send(*found)
        return found is not None

    async def claim(self, lane: Lane) -> tuple[Progress, Claim] | None:
        """The next slice of a lane, each run in its turn; `None` when there is nothing to send."""
        if not self._may_work():
            return None
        await self.windows[lane].room_for(self.slice_size)
        now = asyncio.get_running_loop().time()
        for progress in [p for p in self.live.values() if p.lane is lane]:
            if self._may_work() and progress.may_claim(now) and (claim := await self._claim(progress, now)) is not None:
                if self.live.pop(progress.run_id, None) is not None:
                    self.live[progress.run_id] = progress  # to the end: every run in its turn
                return progress, claim
        return None

    async def _claim(self, progress: Progress, now: float) -> Claim | None:
        size = 1 if self.breaker.probing else self.slice_size if progress.delivered else FEW
        each = progress.messages = await self._messages_each(progress) if self.purse.counts else 1
        size = await self.purse.take(size * each) // each
        if not size:
            progress.at_end(now)
        while size and self._may_go(progress):
            lease = self.desk.clock.now() + LEASE
            way, rivals = self.roads.of(self.account_id, progress.lane)
            want = Want(
                progress.run_id, self.account_id, progress.after, size, self.owner, lease, way=way, rivals=rivals
            )
            claim = await self.ledger.exchange(want)
            if claim is None:
                self.live.pop(progress.run_id, None)
                break
            if claim.rows:
                progress.took(len(claim.rows), claim.rows[-1].person_id)
                self.windows[progress.lane].enter(len(claim.rows))
                self.purse.give_back((size - len(claim.rows)) * each)
                return await self._pay(progress, claim)
            if not claim.reached:
                progress.at_end(now)
                break
            progress.after = claim.reached
        self.purse.give_back(size * each)
        return None

    async def _messages_each(self, progress: Progress) -> int:
        """As how many messages one delivery of a run counts."""
        letter = await self.letters.of(progress.run_id)
        return len((await self.letters.variant(letter, "vi")).parts)

    async def _pay(self, progress: Progress, claim: Claim) -> Claim:
        """Whoever costs more than is left waits again."""
        urgent = progress.lane is Lane.ALERT
        now, each = self.desk.clock.now(), progress.messages
        try:
            broke = await self.purse.pay(claim.rows, now, urgent=urgent, each=each)
        except BaseException:
            self.give_back(progress, claim)
            raise
        if not broke:
            return claim
        rest = [row for row in claim.rows if row.person_id not in broke]
        batch = self._batch(progress, claim)
        batch.open = len(broke) + bool(rest)  # with a rest, the slice is closed by that
        for row in (row for row in claim.rows if row.person_id in broke):
            batch.settle(self.verdicts.back(row))
        return claim._replace(rows=rest)

    async def send(self, progress: Progress, claim: Claim) -> None:
        """Send a claimed slice. Returns when its last message was handed to the channel, or when the run or the account
        stopped: then the rest waits again."""
        batch = self._batch(progress, claim)
        waiting = deque(claim.rows)
        try:
            letter = await self.letters.of(progress.run_id)
            while waiting and self._may_go(progress):
                if len(self._flights) >= _ON_THE_WAY[progress.lane]:
                    self._landed.clear()
                    await self._landed.wait()
                    continue
                row = waiting[0]
                variant = letter.variants.get((row.language, row.listens))
                variant = variant or await self.letters.variant(letter, row.language, listens=row.listens)
                on_wire = None
                if not self.line.open(progress.lane):
                    group = row.kind is ChatKind.GROUP
                    on_wire = await self.line.wait(progress.lane, row.external_id, group=group, weight=variant.weight)
                    if not self._may_go(progress):
                        on_wire()
                        break
                self._launch(Flight(self, progress, letter, variant, waiting.popleft(), batch), on_wire)
        finally:
            for row in waiting:
                batch.settle(self.verdicts.back(row))

    def give_back(self, progress: Progress, claim: Claim) -> None:
        """A claimed slice of which nothing was begun waits again."""
        batch = self._batch(progress, claim)
        for row in claim.rows:
            batch.settle(self.verdicts.back(row))

    def _batch(self, progress: Progress, claim: Claim) -> Batch:
        window = self.windows[progress.lane]
        return Batch(claim.slice_id, len(claim.rows), progress, window, self.ledger, self.purse.give_back)

    def _may_work(self) -> bool:
        if self.stopped or self.closing or self.resting:
            return False
        return not self.breaker.failures or self.breaker.may_try(asyncio.get_running_loop().time())

    def _may_go(self, progress: Progress) -> bool:
        at_work = not (self.stopped or self.closing or self.resting or self.breaker.is_open)
        return at_work and progress.run_id in self.live and progress.run_id not in self.verdicts.doubted

    def _launch(self, flight: Flight, on_wire: Callable[[], None] | None) -> None:
        if flight.variant.prepared is None:
            self._take_long_way(flight)
        else:
            self._flights.add(flight)
            flight.variant.prepared.send(flight.row.external_id, flight.done, on_wire)

    def landed(self, flight: Flight, message_id: str | None, error: SendError | None) -> None:
        """A copy of a prepared message ended. What may be tried again takes the long way."""
        if flight not in self._flights:
            return  # given up for unknown before
        self._flights.discard(flight)
        self._landed.set()
        if error is None:
            self._settle(flight, self.verdicts.sent(flight.progress, flight.row, message_id))
        elif error.decision in (Decision.RETRY, Decision.MOVE_CONTACT):
            self._take_long_way(flight, error)
        else:
            outcome = self.verdicts.refused(flight.progress, flight.letter, flight.row, error, begun=False)
            self._settle(flight, outcome)

    def _take_long_way(self, flight: Flight, failed: SendError | None = None) -> None:
        task = asyncio.create_task(self._fly(flight, failed))
        self._tasks.add(task)
        task.add_done_callback(self._flown)

    async def _fly(self, flight: Flight, failed: SendError | None) -> None:
        """Send to one person; whatever happens, there is exactly one outcome."""
        progress, row, letter = flight.progress, flight.row, flight.letter
        outcome = self.verdicts.interrupted(row)
        try:
            numbers = await self.attempts.deliver(flight.variant, letter, row, progress.lane, failed)
            outcome = self.verdicts.sent(progress, row, numbers)
        except Broken as broken:
            outcome = self.verdicts.refused(progress, letter, row, broken.error, begun=broken.begun)
        finally:
            self._settle(flight, outcome)

    def _flown(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._rest()
        if not task.cancelled() and task.exception() is not None:
            log.error("A delivery ended unexpectedly", exc_info=task.exception())

    def _settle(self, flight: Flight, outcome: Outcome) -> None:
        if outcome.state is not DeliveryState.WAITING:
            self.purse.ended(flight.row)
        if flight.batch.settle(outcome):
            for state, count in flight.batch.ended.items():
                self.meter.sent(self.channel.account, flight.progress.lane, state, count)
            self._news[flight.progress.lane].set()
        self._rest()

    def _rest(self) -> None:
        if not self._flights and not self._tasks:
            self._quiet.set()
