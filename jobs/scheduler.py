"""The clock: it only ticks. What is due is in the tables, so that a tick may come twice, late or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler  # type: ignore[import-untyped]  # the library has no types
from apscheduler.triggers.interval import IntervalTrigger  # type: ignore[import-untyped]  # the library has no types

from jobs.context import Job, JobContext

log = structlog.get_logger(__name__)

PATIENCE = 5.0
"""Seconds that a job at work gets to finish when the program stops; then it is cut off and its transaction undone."""


class Scheduler:
    """Starts each job at once and then at its interval: never twice at a time, ticks that were missed count once."""

    def __init__(self, jobs: Sequence[Job], context: JobContext) -> None:
        self._jobs = jobs
        self._context = context
        self._clock: AsyncIOScheduler | None = None
        self._at_work: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Begin to tick in the running event loop."""
        zone = self._context.desk.clock.zone
        self._clock = AsyncIOScheduler(
            timezone=zone, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )
        for place, job in enumerate(self._jobs):
            self._clock.add_job(
                self._run,
                IntervalTrigger(seconds=job.every, timezone=zone),
                args=[job],
                id=job.name,
                next_run_time=datetime.now(zone) + timedelta(seconds=place * 0.2),
            )
        self._clock.start()

    async def stop(self) -> None:
        """Tick no more, and let a job that is at work finish within a few seconds."""
        if self._clock is None:
            return
        self._clock.pause()
        if self._at_work:
            await asyncio.wait(set(self._at_work), timeout=PATIENCE)
        self._clock.shutdown(wait=False)
        self._clock = None
        await asyncio.sleep(0)  # the shutdown itself is put on the loop

    async def _run(self, job: Job) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  # a coroutine always runs in one
        self._at_work.add(task)
        try:
            await job.work(self._context)
        except Exception:
            log.exception("A job broke and will be tried at its next tick", job=job.name)
        finally:
            self._at_work.discard(task)
