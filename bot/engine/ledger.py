"""What has been sent and must be written down: results are gathered and settled in bulk, many in one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from bot.core.errors import Reason
from bot.core.words import DeliveryState
from bot.db import Database, Tx, deliveries, items, people, replies, runs
from bot.db.deliveries import Outcome
from bot.db.session import is_passing
from bot.db.tables import Contact

log = structlog.get_logger(__name__)
Note = Callable[[Tx], Awaitable[None]]
_BATCH = 200
_EVERY = 0.15


@dataclass(slots=True)
class Ledger:
    """`settle` and `note` only remember; a background task writes at most every 150 ms and keeps what a failing
    database refused until it is written."""

    database: Database
    outcomes: list[Outcome] = field(default_factory=list)
    slices: list[int] = field(default_factory=list)
    left: list[int] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    _work: asyncio.Event = field(default_factory=asyncio.Event)
    _task: asyncio.Task[None] | None = None
    _writing: asyncio.Lock = field(default_factory=asyncio.Lock)

    def start(self) -> None:
        self._task = asyncio.create_task(self._keep_writing(), name="ledger")

    async def stop(self) -> None:
        """Write everything, then stop."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        await self.write()

    def settle(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        self._work.set()

    def close_slice(self, slice_id: int) -> None:
        """All deliveries of a slice have their outcome in this ledger."""
        self.slices.append(slice_id)
        self._work.set()

    def reply_left(self, reply_id: int) -> None:
        self.left.append(reply_id)
        self._work.set()

    def note(self, change: Note) -> None:
        """A change that belongs into the next transaction, after the outcomes."""
        self.notes.append(change)
        self._work.set()

    def close_contact(self, contact_id: int, reason: Reason, now: datetime) -> None:
        self.note(lambda tx: people.close(tx, contact_id, reason, now))

    def move_contact(self, contact_id: int, new_id: str) -> None:
        async def move(tx: Tx) -> None:
            found = await tx.get(Contact, contact_id)
            if found is not None:
                await people.move(tx, found, new_id)

        self.note(move)

    def remember_upload(self, account_id: int, digest: str, file_id: str, now: datetime) -> None:
        self.note(lambda tx: items.remember_upload(tx, account_id, digest, file_id, now))

    def progress_message(self, run_id: int, message_id: str) -> None:
        async def remember(tx: Tx) -> None:
            run = await runs.get(tx, run_id)
            if run is not None:
                run.progress_message_id = message_id

        self.note(remember)

    async def write(self) -> None:
        """Write everything gathered so far in one transaction. What fails stays gathered."""
        async with self._writing:
            outcomes, self.outcomes = self.outcomes, []
            slices, self.slices = self.slices, []
            left, self.left = self.left, []
            notes, self.notes = self.notes, []
            if not (outcomes or slices or left or notes):
                return
            try:
                async with self.database.write() as tx:
                    await deliveries.settle(tx, outcomes)
                    back = {o.run_id: o.at for o in outcomes if o.state is DeliveryState.WAITING}
                    if back:
                        await deliveries.skip_cancelled(tx, list(back), max(back.values()))
                    await deliveries.close_slices(tx, slices)
                    if left:
                        await replies.drop(tx, left)
                    for change in notes:
                        await change(tx)
            except BaseException as error:
                self.outcomes[:0], self.slices[:0] = outcomes, slices
                self.left[:0] = left
                if is_passing(error) or not isinstance(error, Exception):
                    self.notes[:0] = notes
                else:
                    await self._note_one_by_one(notes)
                raise

    async def _note_one_by_one(self, notes: list[Note]) -> None:
        """One change that cannot be made must not hold up everything else."""
        for change in notes:
            try:
                async with self.database.write() as tx:
                    await change(tx)
            except Exception as error:
                if is_passing(error):
                    self.notes.append(change)
                else:
                    log.exception("A change after sending could not be made")

    async def _keep_writing(self) -> None:
        pause = _EVERY
        while True:
            await self._work.wait()
            if len(self.outcomes) < _BATCH:
                await asyncio.sleep(pause)
            self._work.clear()
            try:
                await asyncio.shield(self.write())
                pause = _EVERY
            except Exception:
                log.exception("Results could not be written; they are kept and tried again", waiting=len(self.outcomes))
                pause = min(pause * 2, 5.0)
                self._work.set()
                await asyncio.sleep(pause)
