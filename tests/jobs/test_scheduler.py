"""The clock: it ticks, survives a job that breaks, never runs one twice at a time, and stops cleanly."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import jobs
from bot.db import Database
from jobs import JOBS, Job, JobContext
from jobs.scheduler import Scheduler
from tests.support.talk import Talk


@pytest.fixture
async def context(sqlite_url: str) -> AsyncIterator[JobContext]:
    database = Database(sqlite_url)
    talk = Talk(database)
    yield JobContext(database, talk.desk, lambda: None)
    await database.close()


async def until(happened: asyncio.Event) -> None:
    await asyncio.wait_for(happened.wait(), 5)


async def test_a_job_runs_at_once_and_again(context: JobContext) -> None:
    times, thrice = 0, asyncio.Event()

    async def work(_context: JobContext) -> None:
        nonlocal times
        times += 1
        if times == 3:
            thrice.set()

    scheduler = Scheduler([Job("count", work, every=0.05)], context)
    scheduler.start()
    await until(thrice)
    await scheduler.stop()
    stopped_at = times
    await asyncio.sleep(0.15)
    assert times == stopped_at


async def test_a_job_that_breaks_is_logged_and_tried_again(
    context: JobContext, capsys: pytest.CaptureFixture[str]
) -> None:
    times, again = 0, asyncio.Event()

    async def work(_context: JobContext) -> None:
        nonlocal times
        times += 1
        if times == 2:
            again.set()
        raise RuntimeError("no ink")

    scheduler = Scheduler([Job("broken", work, every=0.05)], context)
    scheduler.start()
    await until(again)
    await scheduler.stop()
    said = capsys.readouterr()
    assert "no ink" in said.out + said.err


async def test_a_slow_job_is_alone_and_missed_ticks_count_once(context: JobContext) -> None:
    inside, most, times = 0, 0, 0
    slow = asyncio.Event()

    async def work(_context: JobContext) -> None:
        nonlocal inside, most, times
        times, inside = times + 1, inside + 1
        most = max(most, inside)
        await slow.wait()
        inside -= 1

    scheduler = Scheduler([Job("slow", work, every=0.02)], context)
    scheduler.start()
    await asyncio.sleep(0.3)
    assert (times, most) == (1, 1)
    slow.set()
    await scheduler.stop()
    assert inside == 0


async def test_what_is_at_work_finishes_before_the_program_stops(context: JobContext) -> None:
    begun, finished = asyncio.Event(), asyncio.Event()

    async def work(_context: JobContext) -> None:
        begun.set()
        await asyncio.sleep(0.1)
        finished.set()

    scheduler = Scheduler([Job("last", work, every=60)], context)
    scheduler.start()
    await until(begun)
    await scheduler.stop()
    assert finished.is_set()


async def test_stopping_what_never_started_is_harmless(context: JobContext) -> None:
    await Scheduler(JOBS, context).stop()


def test_every_job_file_is_in_the_timetable() -> None:
    files = {path.stem for path in Path(jobs.__file__).parent.glob("*.py")} - {"__init__", "context", "scheduler"}
    assert {job.work.__module__.removeprefix("jobs.") for job in JOBS} == files
    assert len({job.name for job in JOBS}) == len(JOBS)
    assert all(job.every >= 1 for job in JOBS)


def test_no_job_is_written_as_a_crontab_line() -> None:
    """`from_crontab("0 9 * * 1-5")` of APScheduler 3 fires Tuesday to Saturday."""
    for path in Path(jobs.__file__).parent.glob("*.py"):
        source = path.read_text("utf-8")
        assert "from_crontab" not in source
        assert "CronTrigger" not in source
        assert ("apscheduler" in source) == (path.stem == "scheduler")
