"""`loaso campaign …` about a run that exists: its state, its course, its report."""

from __future__ import annotations

import asyncio
import csv
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.commands import console
from bot.commands.edge import DONE, WRONG
from bot.commands.opened import Opened, opened, with_database
from bot.core.errors import UserError
from bot.core.words import DeliveryState, RunState
from bot.db import Database, Tx, audit, results, rollup, runs
from bot.db.runs import FINAL
from bot.db.tables import Run
from bot.outreach import campaigns

Change = Callable[[Tx, Run, datetime], Awaitable[object]]
Status = dict[str, Any]

_EVERY = 0.5


def status(id: int, as_json: bool) -> int:
    async def work(found: Opened) -> Status:
        return await _read(found.database, id)

    _show(with_database(work), as_json)
    return DONE


def pause(id: int, as_json: bool) -> int:
    return _change(id, as_json, campaigns.pause)


def resume(id: int, as_json: bool) -> int:
    return _change(id, as_json, campaigns.resume)


def cancel(id: int, as_json: bool) -> int:
    return _change(id, as_json, campaigns.cancel)


def retry_failed(id: int, as_json: bool) -> int:
    return _again(id, as_json, DeliveryState.FAILED)


def resend_unknown(id: int, as_json: bool) -> int:
    return _again(id, as_json, DeliveryState.UNKNOWN)


def _again(id: int, as_json: bool, state: DeliveryState) -> int:
    async def requeue(tx: Tx, run: Run, now: datetime) -> None:
        count = await campaigns.requeue(tx, run, state, now)
        await audit.note(tx, now, "requeued", f"run:{run.id}", state=str(state), count=count)
        console.say(
            f"{count:,} deliveries wait again." if count else f"There is nothing {state} that can be sent again."
        )

    return _change(id, as_json, requeue)


def _change(id: int, as_json: bool, change: Change) -> int:
    async def work(found: Opened) -> Status:
        async with found.database.write() as tx:
            run = await campaigns.find(tx, id)
            await change(tx, run, found.now)
            return await campaigns.status(tx, run)

    _show(with_database(work), as_json)
    return DONE


async def _read(database: Database, id: int) -> Status:
    async with database.read() as tx:
        return await campaigns.status(tx, await campaigns.find(tx, id, lock=False))


def _show(now: Status, as_json: bool) -> None:
    if not console.for_people(as_json):
        console.result(now)
        return
    for name, value in now.items():
        if name == "reasons":
            value = ", ".join(f"{reason} {count:,}" for reason, count in value.items())
        console.line(f"{name:<12} {f'{value:,}' if isinstance(value, int) else '' if value is None else value}")


def watch(id: int, as_json: bool) -> int:
    """Follow a run until nothing more happens by itself."""
    last = asyncio.run(_follow(id))
    _show(last, as_json)
    if last["state"] == RunState.STOPPED:
        console.say(f"Run {id} stopped: {last['problem'] or 'no reason was noted'}.")
        return WRONG
    return DONE


async def _follow(id: int) -> Status:
    async with opened() as found:
        first = await _read(found.database, id)
        now, shown = first, 0
        with console.bar(f"run {id}", first["total"]) as advance:
            while now["state"] not in (*FINAL, RunState.STOPPED):
                settled = now["total"] - now["waiting"] - now["sending"]
                advance(settled - shown)
                shown = settled
                await asyncio.sleep(_EVERY)
                now = await _read(found.database, id)
        return now


def list_runs(limit: int, as_json: bool) -> int:
    async def work(found: Opened) -> list[dict[str, Any]]:
        async with found.database.read() as tx:
            latest = await runs.latest(tx, limit)
            return [
                {
                    "id": run.id,
                    "state": str(run.state),
                    "kind": str(campaign.kind),
                    "total": run.total,
                    "audience": campaign.audience,
                    "planned_at": console.iso(run.planned_at),
                    "finished_at": console.iso(run.finished_at),
                }
                for run, campaign in latest
            ]

    rows = with_database(work)
    if as_json:
        console.result(rows)
    else:
        columns = ("id", "state", "kind", "total", "audience", "planned_at", "finished_at")
        console.table(columns, [[row[column] for column in columns] for row in rows])
    return DONE


def report(id: int, file: Path) -> int:
    """Written beside the file first, so that it is there whole or not at all."""

    async def work(found: Opened) -> str:
        async with found.database.read() as tx:
            run = await campaigns.find(tx, id, lock=False)
            if run.rolled_up_at is not None:
                await _write_to(file, _COUNTS, rollup.lines(tx, id))
                since = f"{found.clock.local(run.rolled_up_at):%d/%m/%Y}"
                return f"Since {since} only the counts of run {id} are left: the report has them by unit and channel."
            if await rollup.begun(tx, id):
                raise UserError(f"Run {id} is being reduced to its counts: ask again in some minutes")
            count = await _write_to(file, _PEOPLE, _people(results.people(tx, id)))
            return f"{count:,} people are in the report of run {id}."

    console.say(with_database(work))
    return DONE


Rows = AsyncIterator[Sequence[object]]
_PEOPLE = ("person", "unit", "channel", "state", "reason", "at")
_COUNTS = ("unit", "channel", "state", "reason", "count")


async def _people(lines: AsyncIterator[results.Line]) -> Rows:
    async for line in lines:
        yield (*line[:-1], console.iso(line.at))


async def _write_to(file: Path, columns: Sequence[str], rows: Rows) -> int:
    if str(file) == "-":
        return await _write(csv.writer(sys.stdout), columns, rows)
    handle, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8-sig", newline="") as out:
            count = await _write(csv.writer(out), columns, rows)
        Path(name).replace(file)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise
    return count


async def _write(out: Any, columns: Sequence[str], rows: Rows) -> int:
    out.writerow(columns)
    count = 0
    async for row in rows:
        out.writerow(row)
        count += 1
    return count
