"""The engine of many processes: each sends what the queue hands it, all keep one pace, one of them is the steward."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping, Sequence

import structlog

from bot.core.channel import Channel
from bot.core.meter import Meter, NullMeter
from bot.core.words import AccountState, Lane, RunState
from bot.db import Database, accounts, deliveries, replies, runs, tally, tickets
from bot.db.pace import SharedPace
from bot.db.session import is_passing
from bot.db.tables import Reply
from bot.engine import rounds
from bot.engine.cluster_sender import ClusterSender
from bot.engine.lease import Lease, ticking
from bot.engine.ledger import Ledger
from bot.engine.line import Line
from bot.engine.queue import Queue
from bot.engine.replying import Replier
from bot.engine.roads import Roads
from bot.engine.shared_line import SharedLine
from bot.engine.steward import Steward
from bot.outreach.desk import Desk

log = structlog.get_logger(__name__)

WATCH_EVERY = 0.25
"""Seconds between two looks at the tables: how fast a command from another process is obeyed."""
_PATIENCE = 7.0
_REPLIES_AT_ONCE = 200


class Post:
    """Everything that leaves through one account from this process."""

    def __init__(self, sender: ClusterSender, replier: Replier) -> None:
        self.account_id = sender.account_id
        self.sender = sender
        self.replier = replier
        self.line: Line = sender.line


class ClusterEngine:
    """`sends` is false for a process that lets replies leave and no runs. `lease` is after how many seconds without a
    sign of life others take over from this process."""

    def __init__(
        self,
        database: Database,
        desk: Desk,
        channels: Sequence[Channel],
        *,
        meter: Meter | None = None,
        sends: bool = True,
        lease: float = 20.0,
    ) -> None:
        self.database = database
        self.desk = desk
        self.channels: Mapping[str, Channel] = {c.account: c for c in channels}
        self.meter: Meter = meter or NullMeter()
        self.sends = sends
        self.owner = secrets.token_hex(8)
        self.name: str | None = self.owner
        self.ledger = Ledger(database)
        self.lease = Lease(lease)
        self.pace = SharedPace(database)
        self.queue = Queue(database, lease, self._send)
        self.roads = Roads(desk)
        self.steward = Steward(database, desk, self.queue, self.roads)
        self.posts: dict[int, Post] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._wake = asyncio.Event()

    async def start(self) -> None:
        """Begin to work. Nothing leaves before the first lease is ours."""
        await self._open()
        self.steward.accounts = list(self.posts)
        await self._renew()
        self.ledger.start()
        self._tasks = [
            asyncio.create_task(self._keep_renewing(), name="lease"),
            asyncio.create_task(self._keep_watching(), name="engine"),
        ]
        if self.sends and self.posts:
            await self.queue.start(list(self.posts))

    async def _open(self) -> None:
        for channel in self.channels.values():
            async with self.database.write() as tx:
                account = await accounts.ensure(tx, channel.account, self.desk.clock.now())
                await accounts.set_state(tx, account.id, AccountState.ACTIVE)
            limits = channel.capabilities.limits
            line = Line(limits) if limits.per_second is None else SharedLine(account.id, limits, self.pace)
            common = (self.database, self.desk, self.ledger, line, self.channels, self.owner, self.meter, self.roads)
            sender = ClusterSender(self.lease, self.queue.put, channel, account.id, *common)
            replier = Replier(sender.courier, self.ledger, line, self.meter, sender.verdicts.stop_account, sender.purse)
            self.posts[account.id] = Post(sender, replier)

    async def stop(self) -> None:
        """Finish what is in flight, start nothing new, write everything down, leave the rest to others."""
        await self.steward.stop()
        self.quiesce()
        posts = self.posts.values()
        stopping = [self.queue.stop(), *(p.sender.stop(_PATIENCE) for p in posts)]
        await asyncio.gather(*stopping, *(p.replier.stop(_PATIENCE) for p in posts))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.ledger.stop()
        if self.posts:
            async with self.database.write() as tx:
                await deliveries.release(tx, self.owner)
                await replies.release(tx, self.owner)
        for post in posts:
            post.line.close()
        await self.pace.close()
        self.posts = {}

    def quiesce(self) -> None:
        """Claim nothing more; what is on its way leaves."""
        for post in self.posts.values():
            post.sender.closing = True

    def leave(self, rows: list[Reply]) -> None:
        """Replies that this process has just committed leave now."""
        for row in rows:
            post = self.posts.get(row.account_id)
            if post is not None:
                post.replier.push([row])

    def halt(self, account: str) -> None:
        """That account may not send any more."""
        for post in self.posts.values():
            if post.sender.channel.account == account:
                post.sender.halt()

    def revive(self, account: str) -> None:
        """That account may send again."""
        for post in self.posts.values():
            if post.sender.channel.account == account:
                post.sender.revive()
                post.replier.revive()

    def wake(self) -> None:
        """Something was planned or changed: look now."""
        self.steward.wake()
        self._wake.set()

    def health(self) -> dict[str, str]:
        """Accounts that do not send, with the reason in plain words."""
        return {
            p.sender.channel.account: "the platform refuses its token"
            if p.sender.stopped
            else "the platform does not answer"
            for p in self.posts.values()
            if p.sender.stopped or p.sender.breaker.is_open
        }

    async def _send(self, ticket_id: int) -> None:
        """What the queue asks for."""
        try:
            async with self.database.read() as tx:
                ticket = await tickets.read(tx, ticket_id)
            filled = ticket is not None and await self.posts[ticket.account_id].sender.send_ticket(ticket)
            if not filled:
                async with self.database.write() as tx:
                    await tickets.throw_away(tx, ticket_id)
        except Exception as error:
            if not is_passing(error):
                raise
            log.warning("A slice could not be claimed and will be handed out again", error=type(error).__name__)

    async def _keep_watching(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self._watch()
            except Exception:
                log.exception("The engine stumbled and goes on")
                await asyncio.sleep(1)
            try:
                await asyncio.wait_for(self._wake.wait(), WATCH_EVERY)
            except TimeoutError:
                continue

    async def _watch(self) -> None:
        """One look: which runs may be sent now, and replies of others."""
        if self.sends:
            await self._obey()
        await self._fetch_replies()
        if self.ledger.doubtful:
            await self.ledger.reclaim(self.owner)

    async def _obey(self) -> None:
        """Runs are sent in their state and at their hour. They give way to an alert that waits for their account."""
        await self.roads.look()
        async with self.database.read() as tx:
            sending = await runs.in_state(tx, (RunState.SENDING,))
            waiting = await tally.waiting(tx, [run.id for run in sending])
            urgent = await tickets.urgent(tx)
        may_go = {run.id: run.lane for run in sending if rounds.may_go_now(self.desk, run)}
        alerts = {run_id: lane for run_id, lane in may_go.items() if lane is Lane.ALERT}
        for post in self.posts.values():
            post.sender.update(alerts if post.account_id in urgent else may_go, waiting)

    async def _fetch_replies(self) -> None:
        """Take on what nobody takes care of, and forget what has left."""
        known = {post.account_id: set(post.replier.known) for post in self.posts.values()}
        working = [post.account_id for post in self.posts.values() if not post.replier.stopped]
        async with self.database.write() as tx:
            rows = await replies.claim(tx, working, self.owner, self.lease.length, _REPLIES_AT_ONCE)
            ours = await replies.owned(tx, self.owner)
        for post in self.posts.values():
            post.replier.forget(known[post.account_id] - ours)
            post.replier.push(row for row in rows if row.account_id == post.account_id)
            self.meter.queued(post.sender.channel.account, post.replier.waiting)

    async def _keep_renewing(self) -> None:
        trouble = False
        while True:
            await asyncio.sleep(min(0.5, self.lease.seconds / 8) if trouble else self.lease.seconds / 4)
            try:
                await self._renew()
                trouble = False
            except Exception as error:
                if not trouble:
                    log.warning("What is ours could not be renewed", error=type(error).__name__)
                trouble = True

    async def _renew(self) -> None:
        asked, here = ticking(), self.desk.clock.now()
        async with self.database.write() as tx:
            there = await tickets.now(tx)
            await deliveries.renew(tx, self.owner, there + self.lease.length)
            await replies.renew(tx, self.owner, self.lease.length)
        if self.lease.renewed(asked, here, there):
            for post in self.posts.values():
                post.sender.forget_claims()
