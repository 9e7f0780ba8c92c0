"""The runs of one account, slice by slice as the queue hands them out."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import Any

import structlog

from bot.core.events import ChatKind
from bot.core.words import Lane
from bot.db.tickets import Ticket
from bot.db.traffic import Claim, Want
from bot.engine.lease import Lease
from bot.engine.progress import FEW, Progress, Window
from bot.engine.sender import Sender
from bot.engine.shared_line import SharedLine

log = structlog.get_logger(__name__)

_EARLY = 0.25
"""Seconds before its last message leaves that a slice makes room for the next one."""
_UNLIMITED = 500
"""Deliveries in a slice of an account without a limit. Elsewhere it is a second's worth."""

Put = Callable[[Any, int, int, Lane, int], Awaitable[bool]]
"""Queues the next slice in the transaction of this one's claim: connection, run, account, lane, last person seen."""


class ClusterSender(Sender):
    """Sends the same slices in the same way as in one process. What was claimed is sent only while the lease holds."""

    def __init__(self, lease: Lease, put: Put, *parts: Any) -> None:
        """`parts` are a `Sender`'s."""
        super().__init__(*parts)
        self.lease = lease
        self.put = put
        rate = self.channel.capabilities.limits.per_second
        self.slice_size = _UNLIMITED if rate is None else max(2, min(_UNLIMITED, int(rate)))
        self._early = 0 if rate is None else math.ceil(rate * _EARLY)
        self._slices: set[asyncio.Task[None]] = set()
        if rate is None:
            self.windows = {lane: Window(2 * _UNLIMITED) for lane in self.windows}

    async def send_ticket(self, ticket: Ticket) -> bool:
        """Fill a ticket and send its slice. Returns whether there was anything to send, and when the account is free
        for the next slice: a moment before the last messages leave, so that no gap opens between two slices; but before
        anybody got the run's message, only when it is known how the first few took it."""
        progress = self.live.setdefault(ticket.run_id, Progress(ticket.run_id, ticket.lane))
        progress.delivered = progress.delivered or ticket.delivered
        await self.windows[ticket.lane].room_for(self.slice_size)
        claim = await self._fill(ticket, progress)
        if claim is None:
            return False
        await self._announce(progress, claim)
        sending = asyncio.create_task(self._send(progress, claim), name=f"slice {claim.slice_id}")
        self._slices.add(sending)
        sending.add_done_callback(self._slices.discard)
        if isinstance(self.line, SharedLine) and progress.delivered:
            nearly = asyncio.create_task(self.line.nearly(self._early))
            await asyncio.wait((sending, nearly), return_when=asyncio.FIRST_COMPLETED)
            nearly.cancel()
        else:
            await asyncio.wait((sending,))
        if not progress.delivered:
            await self.landing()
        return True

    async def stop(self, patience: float) -> None:
        self.closing = True
        slices = list(self._slices)
        for sending in slices:
            sending.cancel()
        await asyncio.gather(*slices, return_exceptions=True)
        await super().stop(patience)

    async def _announce(self, progress: Progress, claim: Claim) -> None:
        try:
            if isinstance(self.line, SharedLine):
                await self.line.expect([(row.external_id, row.kind is ChatKind.GROUP) for row in claim.rows])
        except BaseException:
            self.give_back(progress, claim)
            raise

    async def _send(self, progress: Progress, claim: Claim) -> None:
        try:
            await self.send(progress, claim)
        except Exception:
            log.exception("A slice stumbled; the rest of it waits again", account=self.channel.account)

    def forget_claims(self) -> None:
        """The lease ended: what was claimed before belongs to nobody knows whom."""
        self.live.clear()

    async def _fill(self, ticket: Ticket, progress: Progress) -> Claim | None:
        async def follow(connection: Any, claim: Claim) -> None:
            if claim.reached:
                await self.put(connection, ticket.run_id, ticket.account_id, ticket.lane, claim.reached)

        size = 1 if self.breaker.probing else self.slice_size if progress.delivered else FEW
        each = progress.messages = await self._messages_each(progress) if self.purse.counts else 1
        size = await self.purse.take(size * each) // each
        after, slice_id = ticket.after, ticket.id  # type: int, int | None
        while size and self._may_work() and self._may_go(progress):
            ends = self.lease.ends(self.desk.clock.now())
            way, rivals = self.roads.of(self.account_id, progress.lane)
            want = Want(ticket.run_id, self.account_id, after, size, self.owner, ends, slice_id, way, rivals)
            claim = await self.ledger.exchange(want, follow)
            if claim is None:
                break
            if claim.rows:
                progress.took(len(claim.rows), claim.rows[-1].person_id)
                self.windows[ticket.lane].enter(len(claim.rows))
                self.purse.give_back((size - len(claim.rows)) * each)
                return await self._pay(progress, claim)
            if not claim.reached:
                break
            after, slice_id = claim.reached, None
        self.purse.give_back(size * each)
        return None

    def _may_go(self, progress: Progress) -> bool:
        ours = self.live.get(progress.run_id) is progress and self.lease.holds()
        return ours and super()._may_go(progress)
