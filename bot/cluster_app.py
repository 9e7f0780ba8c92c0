"""One process of a cluster: it sends, or receives, or both, and is a candidate for what only one may do."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from typing import Any

from bot.app import App
from bot.channels.zalo_oa import ZaloOaChannel
from bot.core.channel import Channel
from bot.db import accounts, queue
from bot.db.direct import impatient
from bot.db.election import CLOCK
from bot.engine.cluster import ClusterEngine
from bot.engine.election import Election
from bot.settings import Settings
from jobs import Job, JobContext

_OF_LEASE = 0.75
"""Part of the lease after which the locks of a process that stands still are taken from it."""


class ClusterApp(App):
    """`send` is false for a process that sends no runs, `receive` for one that takes nothing in and has no web."""

    engine: ClusterEngine

    def __init__(self, settings: Settings, *, send: bool = True, receive: bool = True, **options: Any) -> None:
        url = impatient(settings.database_url, settings.cluster_lease * _OF_LEASE)
        super().__init__(settings.model_copy(update={"database_url": url}), send=send, **options)
        self.election = Election(self.database)
        self.receive = receive

    def make_engine(self) -> ClusterEngine:
        lease = self.settings.cluster_lease
        return ClusterEngine(self.database, self.desk, self.channels, meter=self.metrics, sends=self.send, lease=lease)

    @property
    def url(self) -> str:
        """Where our own web server listens; empty without one."""
        return super().url if self.receive else ""

    def on_duty(self, job: Job) -> Job:
        """Done only while the clock is certainly ours: a process that stood still may not know yet that it is not."""

        async def work(context: JobContext) -> None:
            if self.election.holds(CLOCK):
                await job.work(context)

        return replace(job, work=work)

    async def enter(self) -> None:
        await queue.ensure(self.database)
        await self.election.open()

    async def open(self) -> None:
        """Webhooks come in everywhere; one process at a time polls for an account, and one holds the clock. Who only
        sends looks after the tokens of its accounts all the same."""
        self.election.stand(CLOCK, "clock", self._take_clock, self._leave_clock)
        if self.receive:
            await self.web.start()
            for channel in self.channels:
                await self._receive(channel)
        else:
            for channel in self.channels:
                if isinstance(channel, ZaloOaChannel):
                    await self.start_channel(channel)  # nothing comes in: its door is on no server
        await self.election.start()

    async def _receive(self, channel: Channel) -> None:
        if channel.webhook is not None:
            await self.start_channel(channel)
            return
        async with self.database.read() as tx:
            seat = (await accounts.ensure_known(tx, channel.account)).id
        self.election.stand(seat, channel.account, partial(self.start_channel, channel), channel.stop)

    async def _take_clock(self) -> None:
        self.scheduler.start()
        await self.engine.steward.start()

    async def _leave_clock(self) -> None:
        await asyncio.gather(self.engine.steward.stop(), self.scheduler.stop())

    async def stop(self) -> None:
        """First be told of no seat any more: what was begun for one is ended below."""
        await self.election.retire()
        await super().stop()

    async def leave(self) -> None:
        await self.election.stop()
