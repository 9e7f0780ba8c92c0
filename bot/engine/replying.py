"""The interactive lane: what a person is told in answer leaves at once, in order within a chat."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

import structlog

from bot.core import wire
from bot.core.errors import BadContent, BudgetUsed, ContactClosed, ContactMoved, Decision, SendError, SlowDown
from bot.core.events import Outbound, Sent
from bot.core.meter import Meter
from bot.core.words import Lane
from bot.db.replies import ANSWER
from bot.db.tables import Reply
from bot.engine.courier import Courier
from bot.engine.ledger import Ledger
from bot.engine.line import Line
from bot.engine.purse import Purse
from bot.outreach.items import weight

log = structlog.get_logger(__name__)

KEEP_TRYING = timedelta(minutes=10)
"""An answer that could not leave for so long answers nothing any more."""


class Replier:
    """Replies of one account. Each chat has its own small queue; chats do not wait for one another."""

    def __init__(
        self,
        courier: Courier,
        ledger: Ledger,
        line: Line,
        meter: Meter,
        refused: Callable[[SendError], None],
        purse: Purse,
    ) -> None:
        self.purse = purse
        self.courier = courier
        self.ledger = ledger
        self.line = line
        self.meter = meter
        self.refused = refused
        self.known: set[int] = set()
        self.stopped = False
        self._queues: dict[str, deque[Reply]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def push(self, rows: Iterable[Reply]) -> None:
        """Take replies that were committed; those known already are ignored."""
        for row in rows:
            if row.id in self.known or self.stopped:
                continue
            self.known.add(row.id)
            chat = str(row.message["chat_id"])
            queue = self._queues.get(chat)
            if queue is not None:
                queue.append(row)
                continue
            self._queues[chat] = deque([row])
            task = asyncio.create_task(self._serve(chat))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def stop(self, patience: float) -> None:
        """Let what is on its way leave; the rest waits in the database."""
        self.stopped = True
        for queue in self._queues.values():
            queue.clear()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=patience)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def revive(self) -> None:
        """Begin anew: what was kept in the database is looked for again."""
        self.stopped = False
        self.known.clear()

    @property
    def waiting(self) -> int:
        return sum(len(q) for q in self._queues.values()) + len(self._tasks)

    async def _serve(self, chat: str) -> None:
        queue = self._queues[chat]
        try:
            while queue:
                row = queue.popleft()
                try:
                    await self._leave(row)
                except Exception:
                    log.exception("A reply could not be sent", contact=row.contact_id)
                    self._lost(row)
        finally:
            self._queues.pop(chat, None)

    async def _leave(self, row: Reply) -> None:
        message = wire.load(row.message)
        pause = 0.5
        while True:
            try:
                await self._pace(row.lane, message)
                await self._spend()
                sent = await self.courier.send(message)
            except ContactMoved as error:
                message = self._moved(row, message, error)
            except SendError as error:
                if not self._may_retry(row, error):
                    self._give_up(row, error)
                    return
                self.purse.give_back(1)
                if isinstance(error, SlowDown):
                    self.line.slow_down(error.retry_after)
                    pause = error.retry_after
                await asyncio.sleep(pause)
                pause = min(pause * 2, 30.0)
            else:
                self._remember(row, sent)
                return

    async def _spend(self) -> None:
        """A message of the month's budget. Raises `BudgetUsed` when nothing is left."""
        if self.purse.counts and not await self.purse.take(1, reply=True):
            raise BudgetUsed("the month's messages are used up")

    async def _pace(self, lane: Lane, message: Outbound) -> None:
        if message.answer is not None:
            return  # platforms do not count answers to buttons as messages
        counted = message.edit is None and message.delete is None
        await self.line.wait(lane, message.chat_id if counted else "", group=message.group, weight=weight(message))

    def _moved(self, row: Reply, message: Outbound, error: ContactMoved) -> Outbound:
        if row.contact_id is not None:
            self.ledger.move_contact(row.contact_id, error.new_id)
        return wire.load({**row.message, "chat_id": error.new_id})

    def _may_retry(self, row: Reply, error: SendError) -> bool:
        """What surely did not arrive is tried again for ten minutes; what perhaps arrived is not."""
        fresh = self._now() - row.created_at < KEEP_TRYING
        return fresh and not self.stopped and error.decision in (Decision.RETRY, Decision.BACK_OFF)

    def _give_up(self, row: Reply, error: SendError) -> None:
        if isinstance(error, ContactClosed) and row.contact_id is not None:
            self.ledger.close_contact(row.contact_id, error.reason, self._now())
        elif isinstance(error, BudgetUsed):
            self.purse.refused()
            log.warning("A reply was dropped: the month's messages are used up", contact=row.contact_id)
        elif isinstance(error, BadContent):
            log.error("A reply was refused by the platform", contact=row.contact_id, detail=error.detail)
        if error.decision is Decision.STOP_ACCOUNT:
            self.refused(error)
            self.stopped = True
        if self.stopped and error.decision in (Decision.RETRY, Decision.BACK_OFF, Decision.STOP_ACCOUNT):
            return  # still waiting in the database, for the next start
        self.meter.sent(self.courier.channel.account, row.lane, "failed")
        self._lost(row)

    def _lost(self, row: Reply) -> None:
        """What people answered is not lost with it: it is given again when the asker writes."""
        if row.tag and row.tag.startswith(ANSWER):
            self.ledger.answer_lost(int(row.tag.removeprefix(ANSWER)))
        self._done(row)

    def _remember(self, row: Reply, sent: Sent) -> None:
        self.meter.sent(self.courier.channel.account, row.lane, "sent")
        if row.tag and sent.message_id:
            what, _, number = row.tag.partition(":")
            if what == "progress":
                self.ledger.progress_message(int(number), sent.message_id)
            elif what == "question":
                self.ledger.question_notice(int(number), sent.message_id)
        self._done(row)

    def _done(self, row: Reply) -> None:
        self.ledger.reply_left(row.id)

    def _now(self) -> datetime:
        return self.courier.clock.now()

    def forget(self, gone: set[int]) -> None:
        """Ids that were known before a look at the database and were not there any more."""
        self.known -= gone
