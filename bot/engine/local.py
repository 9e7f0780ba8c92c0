"""The engine of one process: every account's sender and replier, and the watch that keeps them at work."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog

from bot.core.channel import Channel
from bot.core.meter import Meter, NullMeter
from bot.core.words import AccountState, Lane, RunState
from bot.db import Database, accounts, deliveries, replies, runs, tally
from bot.db.guard import SoleSender
from bot.db.tables import Reply
from bot.engine import rounds
from bot.engine.ledger import Ledger
from bot.engine.line import Line
from bot.engine.looks import Looks
from bot.engine.replying import Replier
from bot.engine.roads import Roads
from bot.engine.sender import LEASE, Sender
from bot.outreach.desk import Desk

log = structlog.get_logger(__name__)

WATCH_EVERY = 0.25
"""Seconds between two looks at the tables: how fast a command from another process is obeyed."""
_RENEW_EVERY = 15.0
_ASK_EVERY = 3.0
_PATIENCE = 7.0
_REPLIES_AT_ONCE = 500


@dataclass(slots=True)
class Post:
    """Everything that leaves through one account."""

    account_id: int
    sender: Sender
    replier: Replier
    line: Line


class LocalEngine:
    """Sends everything in this process. It alone sends on its database: what an earlier process left claimed is
    declared unknown at the start."""

    def __init__(
        self,
        database: Database,
        desk: Desk,
        channels: Sequence[Channel],
        *,
        meter: Meter | None = None,
        sends: bool = True,
        sole: SoleSender | None = None,
    ) -> None:
        self.database = database
        self.desk = desk
        self.channels: Mapping[str, Channel] = {c.account: c for c in channels}
        self.meter: Meter = meter or NullMeter()
        self.sends = sends
        self.ledger = Ledger(database)
        self.owner = secrets.token_hex(8)
        self.name: str | None = None
        self.posts: dict[int, Post] = {}
        self._watch: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._renewed = 0.0
        self._sole = sole
        self._asked_sole = 0.0
        self._looks = Looks()
        self.roads = Roads(desk)

    async def start(self) -> None:
        """Begin to send. Deliveries that a dead process had claimed become unknown."""
        await self._open()
        self.ledger.start()
        if self.sends:
            await self._recover()
            for post in self.posts.values():
                post.sender.start()
        self._watch = asyncio.create_task(self._keep_watching(), name="engine")

    async def _open(self) -> None:
        now = self.desk.clock.now()
        for channel in self.channels.values():
            async with self.database.write() as tx:
                account = await accounts.ensure(tx, channel.account, now)
                await accounts.set_state(tx, account.id, AccountState.ACTIVE)
            line = Line(channel.capabilities.limits)
            sender = Sender(
                channel,
                account.id,
                self.database,
                self.desk,
                self.ledger,
                line,
                self.channels,
                self.owner,
                self.meter,
                self.roads,
            )
            replier = Replier(sender.courier, self.ledger, line, self.meter, sender.verdicts.stop_account, sender.purse)
            self.posts[account.id] = Post(account.id, sender, replier, line)

    async def _recover(self) -> None:
        async with self.database.write() as tx:
            lost = await deliveries.recover(tx, self.desk.clock.now(), all_owners=True)
        if lost:
            log.warning("Deliveries that were on their way when the last process ended are unknown", deliveries=lost)

    async def stop(self) -> None:
        """Finish what is in flight, start nothing new, write everything down."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
            self._watch = None
        posts = self.posts.values()
        await asyncio.gather(*(p.sender.stop(_PATIENCE) for p in posts), *(p.replier.stop(_PATIENCE) for p in posts))
        await self.ledger.stop()
        if self.posts and self.sends:
            async with self.database.write() as tx:
                await deliveries.release(tx, self.owner)
        for post in posts:
            post.line.close()
        self.posts = {}

    def quiesce(self) -> None:
        """Claim nothing more; what is on its way leaves."""
        for post in self.posts.values():
            post.sender.closing = True

    def leave(self, rows: list[Reply]) -> None:
        """Replies that were just committed leave now."""
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
        self._wake.set()

    async def _keep_watching(self) -> None:
        while True:
            try:
                await self.watch()
            except Exception:
                log.exception("The engine stumbled and goes on")
                await asyncio.sleep(1)
            try:
                await asyncio.wait_for(self._wake.wait(), WATCH_EVERY)
            except TimeoutError:
                continue
            self._wake.clear()

    async def watch(self) -> None:
        """One look: replies that other processes queued, runs that are due, paused, expired or done."""
        await self._fetch_replies()
        if not self.sends:
            return
        if not await self._still_alone() or not self.posts:
            return
        await self.roads.look()
        await rounds.begin_due(self.database, self.desk)
        async with self.database.read() as tx:
            sending = await runs.in_state(tx, (RunState.SENDING,))
            waiting = await tally.waiting(tx, [run.id for run in sending if self._idle(run.id)])
        may_go = {run.id: run.lane for run in sending if rounds.may_go_now(self.desk, run)}
        for post in self.posts.values():
            post.sender.update(may_go, waiting)
        if await rounds.gather(self.database, self.desk):
            self._wake.set()
        await rounds.finish(self.database, self.desk, sending, self.roads.all, self._idle, self._looks)
        if self.ledger.doubtful:
            await self.ledger.reclaim(self.owner)
        await self._renew_leases()

    async def _still_alone(self) -> bool:
        """Whether this process may still send. A database that was restarted has forgotten our lock: until it is ours
        again, nothing is claimed."""
        now = asyncio.get_running_loop().time()
        if self._sole is None or now - self._asked_sole < _ASK_EVERY:
            return not any(post.sender.resting for post in self.posts.values())
        self._asked_sole = now
        alone = await self._sole.held() or await self._sole.retake()
        for post in self.posts.values():
            if post.sender.resting is alone:
                log.warning("The lock of the only sender changed hands", ours=alone)
            post.sender.resting = not alone
        return alone

    async def _fetch_replies(self) -> None:
        known = {post.account_id: set(post.replier.known) for post in self.posts.values()}
        async with self.database.read() as tx:
            ids = await replies.waiting_ids(tx, list(self.posts))
            unknown = [i for i in ids if not any(i in of_account for of_account in known.values())]
            rows = await replies.some(tx, unknown[:_REPLIES_AT_ONCE]) if unknown else []
        for post in self.posts.values():
            post.replier.forget(known[post.account_id].difference(ids))
            post.replier.push(row for row in rows if row.account_id == post.account_id)
            self.meter.queued(post.sender.channel.account, post.replier.waiting)

    def _idle(self, run_id: int) -> bool:
        """Whether no account has anything (more) to send of a run."""
        return all(post.sender.idle(run_id) for post in self.posts.values())

    async def _renew_leases(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._renewed < _RENEW_EVERY:
            return
        self._renewed = now
        async with self.database.write() as tx:
            await deliveries.renew(tx, self.owner, self.desk.clock.now() + LEASE)

    async def drain(self) -> None:
        """Begin what is due and send until nothing is left to do, without background tasks: for tests and tools."""
        if not self.posts:
            await self._open()
        for _ in range(10_000):
            await self.watch()
            while await rounds.gather(self.database, self.desk):
                continue
            for progress in (p for post in self.posts.values() for p in post.sender.live.values()):
                progress.look_again()
            worked = False
            for post in self.posts.values():
                for lane in (Lane.ALERT, Lane.BULK):
                    while await post.sender.send_slice(lane):
                        worked = True
                        await post.sender.landing()
            await self.ledger.write()
            if not worked:
                break
        self._looks = Looks()
        await self.watch()

    def health(self) -> dict[str, str]:
        """Accounts that do not send, with the reason in plain words."""
        return {
            p.sender.channel.account: "the platform refuses its token"
            if p.sender.stopped
            else "the platform does not answer"
            for p in self.posts.values()
            if p.sender.stopped or p.sender.breaker.is_open
        }
