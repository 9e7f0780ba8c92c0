"""What has been sent and must be written down: results are gathered, and settled in bulk with the next claim."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

import structlog

from bot.core.errors import Reason
from bot.db import Database, Tx, deliveries, items, people, question_notices, questions, replies, runs
from bot.db.deliveries import Outcome
from bot.db.session import is_passing
from bot.db.tables import Contact
from bot.db.traffic import Also, Claim, Traffic, Want

log = structlog.get_logger(__name__)
Note = Callable[[Tx], Awaitable[None]]
_BATCH = 200
_EVERY = 0.15


class Ledger:
    """`settle` and `note` only remember. Every claim carries what was gathered with it; a background task writes the
    rest at most every 150 ms and keeps what a failing database refused until it is written. `open` are the slices that
    this process has claimed and not closed; `doubtful` says that there may be one more, whose answer was lost."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.traffic = Traffic(database)
        self.outcomes: list[Outcome] = []
        self.slices: list[int] = []
        self.left: list[int] = []
        self.notes: list[Note] = []
        self.open: set[int] = set()
        self.doubtful = False
        self._work = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._writing = asyncio.Lock()
        self._noting = asyncio.Lock()

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

    def question_notice(self, notice_id: int, message_id: str) -> None:
        self.note(lambda tx: question_notices.sent_as(tx, notice_id, message_id))

    def answer_lost(self, question_id: int) -> None:
        self.note(lambda tx: questions.take_back(tx, question_id))

    async def exchange(self, want: Want | None, also: Also | None = None) -> Claim | None:
        """Write the outcomes gathered so far and claim, in one transaction. `None`: the run is not being sent.
        What fails stays gathered. Whoever stops waiting does not stop the transaction."""
        return await asyncio.shield(self._exchange(want, also))

    async def _exchange(self, want: Want | None, also: Also | None) -> Claim | None:
        async with self._writing:
            outcomes, self.outcomes = self.outcomes, []
            slices, self.slices = self.slices, []
            if want is None and not outcomes and not slices:
                return None
            try:
                claim = await self.traffic.exchange(outcomes, slices, want, also=also)
            except BaseException:
                self.outcomes[:0], self.slices[:0] = outcomes, slices
                self.doubtful = self.doubtful or want is not None
                raise
            self.open.difference_update(slices)
            if claim is not None and claim.rows:
                self.open.add(claim.slice_id)
            return claim

    async def reclaim(self, owner: str) -> None:
        """Give back slices that were claimed for us without our hearing of it."""
        async with self._writing:
            async with self.database.write() as tx:
                given = await deliveries.orphans(tx, owner, self.open)
            self.doubtful = False
        if given:
            log.warning("Deliveries whose claim was not confirmed wait again", deliveries=given)

    async def write(self) -> None:
        """Write everything gathered so far, outcomes first: a note may be about an outcome that was gathered with it,
        so what comes in while outcomes are written waits for the next time."""
        async with self._noting:
            left, self.left = self.left, []
            notes, self.notes = self.notes, []
            try:
                await self.exchange(None)
            except BaseException:
                self.left[:0], self.notes[:0] = left, notes
                raise
            if left or notes:
                await self._write_notes(left, notes)

    async def _write_notes(self, left: list[int], notes: list[Note]) -> None:
        try:
            async with self.database.write() as tx:
                if left:
                    await replies.drop(tx, left)
                for change in notes:
                    await change(tx)
        except BaseException as error:
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
