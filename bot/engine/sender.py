"""Runs on their way out through one account: claim a slice, send it at the account's pace, settle in bulk."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

import structlog

from bot.core.channel import Channel
from bot.core.errors import ContactMoved, Decision, NotSent, Reason, SendError, SlowDown
from bot.core.events import ChatKind, Outbound, Sent
from bot.core.meter import Meter
from bot.core.words import DeliveryState, Lane, RunState
from bot.db import Database, Tx, deliveries, runs
from bot.db.deliveries import Claimed, Outcome
from bot.engine.breaker import Breaker
from bot.engine.courier import Courier
from bot.engine.ledger import Ledger
from bot.engine.letters import Letter, Letters
from bot.engine.line import Line
from bot.outreach import alarms
from bot.outreach.desk import Desk
from bot.outreach.items import addressed, weight

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=60)
_FEW = 3
"""So many refusals of the same message in a row, and nobody got it: the message is wrong, not the people."""


@dataclass(slots=True)
class Progress:
    """What this sender knows of a run that it is sending."""

    run_id: int
    lane: Lane
    after: int = 0
    in_flight: int = 0
    delivered: bool = False
    refusals: deque[str] = field(default_factory=lambda: deque(maxlen=_FEW))
    resent: set[int] = field(default_factory=set)
    exhausted_at: float = -1.0


class Sender:
    """The runs of one account. Two loops side by side, so that an alert never waits behind a claimed slice."""

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
    ) -> None:
        self.channel = channel
        self.account_id = account_id
        self.database = database
        self.desk = desk
        self.ledger = ledger
        self.line = line
        self.owner = owner
        self.meter = meter
        self.courier = Courier(channel, account_id, database, ledger, desk.clock, channels)
        self.letters = Letters(database, desk, channel)
        self.breaker = Breaker()
        self.live: dict[int, Progress] = {}
        self._doubted: set[int] = set()
        self.stopped = False
        self.closing = False
        self.resting = False
        self._flights: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(self._window)
        self._news = {Lane.ALERT: asyncio.Event(), Lane.BULK: asyncio.Event()}
        self._loops: list[asyncio.Task[None]] = []

    @property
    def _window(self) -> int:
        """How many may be in flight at once: what latency needs, a few seconds' worth at most."""
        rate = self.channel.capabilities.limits.per_second
        return 100 if rate is None else max(10, min(100, int(rate * 3)))

    @property
    def slice_size(self) -> int:
        """Half a second's worth: what a crash can leave unknown."""
        rate = self.channel.capabilities.limits.per_second
        return 50 if rate is None else max(2, min(50, int(rate / 2)))

    def start(self) -> None:
        self._loops = [
            asyncio.create_task(self._keep_sending(lane), name=f"sender {self.channel.account} {lane}")
            for lane in self._news
        ]

    async def stop(self, patience: float) -> None:
        """Start nothing new, give back what was claimed and not begun, wait for what is in flight."""
        self.closing = True
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        if self._flights:
            _, late = await asyncio.wait(self._flights, timeout=patience)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def landed(self) -> None:
        """Wait until nothing is in flight."""
        while self._flights:
            await asyncio.wait(self._flights)

    def update(self, sending: Mapping[int, Lane]) -> None:
        """Which runs are being sent now: called a few times a second, so that a pause takes effect at once."""
        for run_id in [r for r in self.live if r not in sending]:
            del self.live[run_id]
        self._doubted &= sending.keys()
        for run_id, lane in sending.items():
            if run_id not in self._doubted:
                self.live.setdefault(run_id, Progress(run_id, lane))
        for lane, news in self._news.items():
            if any(p.lane is lane for p in self.live.values()):
                news.set()

    def idle(self, run_id: int) -> bool:
        """Whether this account has nothing (more) to send of a run."""
        found = self.live.get(run_id)
        return self.stopped or found is None or (found.exhausted_at >= 0 and not found.in_flight)

    async def _keep_sending(self, lane: Lane) -> None:
        while True:
            try:
                if not await self.send_slice(lane):
                    self._news[lane].clear()
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._news[lane].wait(), 0.5)
            except Exception:
                log.exception("Sending stumbled and goes on", account=self.channel.account)
                await asyncio.sleep(1)

    async def send_slice(self, lane: Lane) -> bool:
        """Claim and send one slice of one run, each run of the lane in its turn. Returns whether there was any."""
        now = asyncio.get_running_loop().time()
        if self.stopped or self.closing or self.resting or not self.breaker.may_try(now):
            return False
        for progress in [p for p in self.live.values() if p.lane is lane]:
            if progress.exhausted_at >= 0 and now - progress.exhausted_at < 0.5:
                continue
            if not progress.delivered and progress.in_flight:
                continue  # the first few show whether the message is good
            slice_id, claimed = await self._claim(progress)
            if claimed:
                self.live.pop(progress.run_id, None)
                self.live[progress.run_id] = progress  # to the end: every run in its turn
                await self._send(progress, slice_id, claimed)
                return True
            progress.exhausted_at = now
        return False

    async def _claim(self, progress: Progress) -> tuple[int, list[Claimed]]:
        size = 1 if self.breaker.probing else self.slice_size if progress.delivered else _FEW
        lease = self.desk.clock.now() + LEASE
        for after in dict.fromkeys((progress.after, 0)):
            async with self.database.write() as tx:
                run = await runs.get(tx, progress.run_id)
                if run is None or run.state is not RunState.SENDING:
                    return 0, []
                slice_id, claimed = await deliveries.claim(
                    tx,
                    progress.run_id,
                    self.account_id,
                    after=after,
                    limit=size,
                    owner=self.owner,
                    lease_until=lease,
                )
            if claimed:
                progress.after, progress.exhausted_at = claimed[-1].person_id, -1.0
                progress.in_flight += len(claimed)
                return slice_id, claimed
        return 0, []

    async def _send(self, progress: Progress, slice_id: int, claimed: list[Claimed]) -> None:
        batch = _Batch(slice_id, len(claimed), progress, self.ledger)
        waiting = deque(claimed)
        try:
            letter = await self.letters.of(progress.run_id)
            while waiting and await self._cleared(progress, letter, waiting[0]):
                self._launch(progress, letter, waiting.popleft(), batch)
        finally:
            for row in waiting:
                batch.settle(self._back(row))

    async def _cleared(self, progress: Progress, letter: Letter, row: Claimed) -> bool:
        """Wait for room and for the account's pace. False when the run was paused or the account stopped meanwhile."""
        await self._room.acquire()
        try:
            if self._may_go(progress):
                first = (await self.letters.parts(letter, row.language))[0]
                await self.line.wait(progress.lane, row.external_id, group=_is_group(row), weight=weight(first))
            may = self._may_go(progress)
        except BaseException:
            self._room.release()
            raise
        if not may:
            self._room.release()
        return may

    def _launch(self, progress: Progress, letter: Letter, row: Claimed, batch: _Batch) -> None:
        task = asyncio.create_task(self._fly(progress, letter, row, batch))
        self._flights.add(task)
        task.add_done_callback(self._landed)

    def _may_go(self, progress: Progress) -> bool:
        at_work = not (self.stopped or self.closing or self.resting or self.breaker.is_open)
        return at_work and progress.run_id in self.live

    def _landed(self, task: asyncio.Task[None]) -> None:
        self._flights.discard(task)
        self._room.release()
        for news in self._news.values():
            news.set()
        if not task.cancelled() and task.exception() is not None:
            log.error("A delivery ended unexpectedly", exc_info=task.exception())

    def _back(self, row: Claimed) -> Outcome:
        """Not begun, so it waits again."""
        return Outcome(row.run_id, row.person_id, self.account_id, DeliveryState.WAITING, self.desk.clock.now())

    async def _fly(self, progress: Progress, letter: Letter, row: Claimed, batch: _Batch) -> None:
        """Send to one person; whatever happens, there is exactly one outcome."""
        outcome = self._outcome(row, DeliveryState.UNKNOWN, Reason.INTERRUPTED)
        try:
            outcome = await self._deliver(progress, letter, row)
        finally:
            batch.settle(outcome)
            self.meter.sent(self.channel.account, progress.lane, outcome.state)

    async def _deliver(self, progress: Progress, letter: Letter, row: Claimed) -> Outcome:
        numbers: list[str] = []
        parts = await self.letters.parts(letter, row.language)
        for part in addressed(parts, row.external_id, group=_is_group(row)):
            try:
                if numbers:
                    await self.line.wait(progress.lane, row.external_id, group=part.group, weight=weight(part))
                sent = await self._attempt(part, letter, row, progress.lane, patient=bool(numbers))
            except SendError as error:
                return self._refused(progress, letter, row, error, begun=bool(numbers))
            numbers += sent.message_ids or ((sent.message_id,) if sent.message_id else ())
        progress.delivered = True
        if self.breaker.worked():
            log.info("The platform answers again", account=self.channel.account)
        return self._outcome(row, DeliveryState.SENT, message_id=",".join(numbers))

    async def _attempt(self, part: Outbound, letter: Letter, row: Claimed, lane: Lane, *, patient: bool) -> Sent:
        """Send one message. What surely did not arrive is tried again a little later; a moved group once. A second
        message to the same person (`patient`) also waits when the platform asks to."""
        moved = False
        for pause in (0.5, 2.0, None):
            try:
                return await self.courier.send(part, origin=letter.origin)
            except ContactMoved as error:
                if moved or pause is None:
                    raise
                moved = True
                self.ledger.move_contact(row.contact_id, error.new_id)
                part = replace(part, chat_id=error.new_id)
            except NotSent:
                if pause is None or self._opens_circuit():
                    raise
                await asyncio.sleep(pause)
                await self.line.wait(lane, row.external_id, group=part.group, weight=weight(part))
            except SlowDown as error:
                if pause is None or not patient:
                    raise
                self.line.slow_down(error.retry_after)
                await self.line.wait(lane, row.external_id, group=part.group, weight=weight(part))
        raise AssertionError  # the last round returns or raises

    def _opens_circuit(self) -> bool:
        """Count a failure of the platform. Returns whether sending stands still now."""
        now = asyncio.get_running_loop().time()
        if self.breaker.failed(now):
            log.warning("The platform does not answer; sending pauses and probes", account=self.channel.account)
        return self.breaker.is_open

    def _refused(self, progress: Progress, letter: Letter, row: Claimed, error: SendError, *, begun: bool) -> Outcome:
        """What follows from an error: the decision is the error's own."""
        match error.decision:
            case Decision.CLOSE_CONTACT:
                self.ledger.close_contact(row.contact_id, error.reason, self.desk.clock.now())
            case Decision.STOP_RUN | Decision.FAIL_DELIVERY:
                self._doubt_content(progress, error)
            case Decision.BACK_OFF if isinstance(error, SlowDown) and not begun:
                self.line.slow_down(error.retry_after)
                return self._back(row)
            case Decision.RETRY | Decision.BACK_OFF:
                return self._outcome(row, DeliveryState.UNKNOWN, Reason.NO_ANSWER) if begun else self._back(row)
            case Decision.STOP_ACCOUNT:
                self.stop_account(error)
                return self._outcome(row, DeliveryState.UNKNOWN, Reason.NO_ANSWER) if begun else self._back(row)
            case Decision.UNKNOWN:
                self._opens_circuit()
                return self._unknown(progress, letter, row)
        return self._outcome(row, DeliveryState.FAILED, error.reason)

    def _unknown(self, progress: Progress, letter: Letter, row: Claimed) -> Outcome:
        """Perhaps delivered. A campaign may say that such rows are sent once more (alerts)."""
        if letter.campaign.resend_unknown and row.person_id not in progress.resent:
            progress.resent.add(row.person_id)
            return self._back(row)
        return self._outcome(row, DeliveryState.UNKNOWN, Reason.NO_ANSWER)

    def _doubt_content(self, progress: Progress, error: SendError) -> None:
        """The same refusal for the first few and nobody got it: stop the run and say why."""
        progress.refusals.append(error.detail)
        if progress.delivered or len(progress.refusals) < _FEW or len(set(progress.refusals)) > 1:
            return
        if progress.run_id in self._doubted:
            return
        self._doubted.add(progress.run_id)
        self.live.pop(progress.run_id, None)
        run_id, detail = progress.run_id, error.detail
        log.warning("A run stops: the platform refuses its message", run=run_id, detail=detail)

        async def stop(tx: Tx) -> None:
            run = await runs.get(tx, run_id, lock=True)
            if run is not None and run.state is RunState.SENDING:
                await runs.set_state(tx, run, RunState.STOPPED, self.desk.clock.now(), problem=detail)

        self.ledger.note(stop)

    def stop_account(self, error: SendError) -> None:
        """The token is not accepted any more: this account rests, its people wait, operators are told."""
        if self.stopped:
            return
        self.stopped = True
        log.error("An account is refused by its platform and stops", account=self.channel.account, detail=error.detail)
        self.ledger.note(lambda tx: alarms.account_stopped(tx, self.desk, self.account_id, error.detail))

    def _outcome(
        self, row: Claimed, state: DeliveryState, reason: Reason | None = None, message_id: str | None = None
    ) -> Outcome:
        return Outcome(
            row.run_id,
            row.person_id,
            self.account_id,
            state,
            self.desk.clock.now(),
            reason=reason,
            message_id=message_id,
        )


@dataclass(slots=True)
class _Batch:
    """A claimed slice: closed when each of its deliveries has an outcome."""

    slice_id: int
    open: int
    progress: Progress
    ledger: Ledger

    def settle(self, outcome: Outcome) -> None:
        self.open -= 1
        self.progress.in_flight -= 1
        self.ledger.settle(outcome)
        if not self.open:
            self.ledger.close_slice(self.slice_id)


def _is_group(row: Claimed) -> bool:
    return row.kind is ChatKind.GROUP
