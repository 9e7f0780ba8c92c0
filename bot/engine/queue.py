"""The queue of slices: Procrastinate on PostgreSQL. Its jobs carry a ticket's id and nothing else."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog
from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException, UniqueViolation
from procrastinate.jobs import Status
from procrastinate.worker import Worker

from bot.core.words import Lane
from bot.db import Database, tickets
from bot.db.direct import KEEPALIVE, address

log = structlog.get_logger(__name__)

Send = Callable[[int], Awaitable[None]]
"""Fills a ticket and sends its slice. Returns when the account is free for the next one."""

_HOUSE = "house"
_HOUSE_FIRST = 100
_LOOK_EVERY = 0.25
"""Seconds between two looks into the queue by themselves: Procrastinate may miss being told."""
_FAILED_FOR_HOURS = 24
_PATIENCE = 8.0


class Queue:
    """Hands out slices, one at a time for each account and in order, alerts first. `lease` is after how many seconds
    without a sign of life another worker may do what a dead one had begun."""

    def __init__(self, database: Database, lease: float, send: Send) -> None:
        self._lease = lease
        self._send = send
        connector = PsycopgConnector(
            conninfo=address(database), kwargs=dict(KEEPALIVE), min_size=1, max_size=4, timeout=10.0
        )
        self.app = App(connector=connector, periodic_defaults={"max_delay": lease})
        self.app.task(name="slice")(self._do)
        every = max(1, min(30, round(lease / 4)))
        house = self.app.task(name="requeue", queue=_HOUSE, queueing_lock="requeue", priority=_HOUSE_FIRST)
        self.app.periodic(cron=f"* * * * * */{every}")(house(self._requeue))  # seconds are the last field
        tidy = self.app.task(name="tidy", queue=_HOUSE, queueing_lock="tidy", priority=_HOUSE_FIRST)
        self.app.periodic(cron="17 * * * *")(tidy(self._tidy))
        self._worker: Worker | None = None
        self._task: asyncio.Task[None] | None = None
        self._stopping = False

    async def put(self, connection: Any, run_id: int, account_id: int, lane: Lane, after: int) -> bool:
        """Write a ticket and its job, both in the transaction that is open on the driver's `connection`. Returns
        whether there was none waiting already."""
        with contextlib.suppress(AlreadyEnqueued):
            async with connection.transaction():
                ticket_id = await tickets.write(connection, run_id, account_id, after)
                deferrer = self.app.configure_task(
                    "slice",
                    queue=_queue(account_id),
                    lock=f"acct:{account_id}",
                    queueing_lock=tickets.key(run_id, account_id),
                    priority=tickets.PRIORITY[lane],
                    connection=connection,
                )
                await deferrer.defer_async(ticket_id=ticket_id)
                return True
        return False

    async def start(self, accounts: Sequence[int]) -> None:
        """Begin to work for these accounts."""
        await self.app.open_async()
        self._task = asyncio.create_task(self._keep_working(accounts), name="queue")

    async def stop(self) -> None:
        """Begin nothing more, and let what was begun end within a few seconds."""
        self._stopping = True
        if self._worker is not None:
            self._worker.stop()  # type: ignore[no-untyped-call]  # the library has no type for it
        if self._task is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(self._task), _PATIENCE)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            await self.app.close_async()

    async def _keep_working(self, accounts: Sequence[int]) -> None:
        """Procrastinate's worker ends when the database is away, and when others took it for dead: then another one
        begins."""
        while not self._stopping:
            self._worker = Worker(
                self.app,
                queues=[_HOUSE, *map(_queue, accounts)],
                concurrency=len(accounts) + 2,
                fetch_job_polling_interval=_LOOK_EVERY,
                delete_jobs="successful",
                install_signal_handlers=False,
                update_heartbeat_interval=self._lease / 4,
                stalled_worker_timeout=self._lease,
                shutdown_graceful_timeout=_PATIENCE,
            )
            try:
                await self._worker.run()  # type: ignore[no-untyped-call]  # the library has no type for it
            except Exception:
                log.exception("The queue stumbled and goes on")
            if not self._stopping:
                await asyncio.sleep(1)

    async def _do(self, ticket_id: int) -> None:
        await self._send(ticket_id)

    async def _requeue(self, timestamp: int) -> None:
        """What dead workers had begun is done by others. No lock: it would stay with a worker that died here."""
        manager = self.app.job_manager
        for job in await manager.get_stalled_jobs(seconds_since_heartbeat=self._lease):
            log.warning("A job of a dead worker is given to another", job=job.id, task=job.task_name)
            try:
                await manager.retry_job(job)
            except UniqueViolation:  # the next one of its kind waits already: it takes its place
                await manager.finish_job(job, Status.ABORTED, delete_job=True)
            except ConnectorException:
                log.info("A job of a dead worker has ended", job=job.id)

    async def _tidy(self, timestamp: int) -> None:
        """Jobs that failed are kept for a day, for whoever looks for the reason."""
        await self.app.job_manager.delete_old_jobs(
            nb_hours=_FAILED_FOR_HOURS, include_failed=True, include_cancelled=True, include_aborted=True
        )


def _queue(account_id: int) -> str:
    """A worker that does not have an account's token must not take its slices."""
    return f"account-{account_id}"
