"""What is done once for a whole cluster, by whoever holds the clock: begin and end runs, see that each has its tickets,
take over from the dead."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from bot.core.words import RunState
from bot.db import Database, deliveries, runs, tickets
from bot.db.direct import raw
from bot.db.tables import Run
from bot.engine import rounds
from bot.engine.looks import Looks
from bot.engine.queue import Queue
from bot.engine.roads import Roads
from bot.outreach.desk import Desk

log = structlog.get_logger(__name__)

EVERY = 0.25
_TAKE_OVER_EVERY = 2.0
_FIRST_PAUSE = 0.25
_LONGEST_PAUSE = 3.0

Pair = tuple[int, int]
"""A run and an account."""


@dataclass(slots=True)
class _Patience:
    """A ticket that was made and came to nothing is made again, ever more rarely."""

    next: float = 0.0
    pause: float = _FIRST_PAUSE

    def made(self, now: float) -> None:
        self.next, self.pause = now + self.pause, min(self.pause * 1.5, _LONGEST_PAUSE)


class Steward:
    """Works between `start` and `stop`. Two at once, for a moment, do no harm: every step looks at the tables."""

    def __init__(self, database: Database, desk: Desk, queue: Queue, roads: Roads) -> None:
        self.database = database
        self.desk = desk
        self.queue = queue
        self.roads = roads
        self.accounts: Sequence[int] = ()
        self._looks = Looks()
        self._patience: dict[Pair, _Patience] = {}
        self._waited: dict[int, int] = {}
        self._took_over = 0.0
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        if self._task is None:
            self._task = asyncio.create_task(self._keep_looking(), name="steward")

    async def stop(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def wake(self) -> None:
        """Something was planned or changed: look now."""
        self._wake.set()

    async def _keep_looking(self) -> None:
        while True:
            self._wake.clear()
            try:
                more = await self.look()
            except Exception:
                log.exception("The steward stumbled and goes on")
                more = False
                await asyncio.sleep(1)
            if more:
                continue
            try:
                await asyncio.wait_for(self._wake.wait(), EVERY)
            except TimeoutError:
                continue

    async def look(self) -> bool:
        """One round. Returns whether another one should follow at once."""
        await rounds.begin_due(self.database, self.desk)
        more = await rounds.gather(self.database, self.desk)
        async with self.database.read() as tx:
            sending = await runs.in_state(tx, (RunState.SENDING,))
            counts = await tickets.open_counts(tx, [run.id for run in sending])
            queued = await tickets.queued(tx)
            accounts = await tickets.active(tx, self.accounts)
        busy = {run_id for run_id, _ in queued} | {run_id for run_id, (_, under_way) in counts.items() if under_way}
        waiting = {run_id: count for run_id, (count, _) in counts.items() if count}
        await self.roads.look()
        await rounds.finish(
            self.database, self.desk, sending, self.roads.all, lambda run_id: run_id not in busy, self._looks
        )
        await self._hand_out(sending, waiting, queued, sorted(accounts))
        await self._take_over()
        return more

    async def _hand_out(
        self, sending: Sequence[Run], waiting: dict[int, int], queued: set[Pair], accounts: Sequence[int]
    ) -> None:
        """Every run in which somebody waits has a ticket on each account: those that are missing are made."""
        may_go = [run for run in sending if run.id in waiting and rounds.may_go_now(self.desk, run)]
        self._remember(waiting, queued)
        now = asyncio.get_running_loop().time()
        for run in may_go:
            for account_id in accounts:
                pair = (run.id, account_id)
                patience = self._patience.setdefault(pair, _Patience())
                if pair in queued or now < patience.next:
                    continue
                patience.made(now)
                async with self.database.write() as tx:
                    await self.queue.put(await raw(tx), run.id, account_id, run.lane, 0)

    def _remember(self, waiting: dict[int, int], queued: set[Pair]) -> None:
        """Patience begins anew where a ticket is at work, and where more wait than before."""
        more = {run_id for run_id, count in waiting.items() if count > self._waited.get(run_id, 0)}
        self._waited = waiting
        for pair in list(self._patience):
            if pair[0] not in waiting or pair[0] in more or pair in queued:
                del self._patience[pair]

    async def _take_over(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._took_over < _TAKE_OVER_EVERY:
            return
        self._took_over = now
        async with self.database.write() as tx:
            lost = await deliveries.recover(tx, await tickets.now(tx))
            await tickets.throw_lost_away(tx)
        if lost:
            log.warning("Deliveries that a dead sender had claimed were taken over", deliveries=lost)
