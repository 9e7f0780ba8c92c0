"""What is done for all runs, whoever sends them: begin what is due, gather its people, end what is over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from bot.core.words import Lane, RunState
from bot.db import Database, runs
from bot.db.tables import Run
from bot.db.traffic_rows import Way
from bot.engine.looks import Looks
from bot.outreach import campaigns
from bot.outreach.desk import Desk


def may_go_now(desk: Desk, run: Run) -> bool:
    """In quiet hours only what is urgent leaves; a run that they interrupt goes on in the morning."""
    return run.lane is Lane.ALERT or not desk.clock.is_quiet(desk.clock.now())


async def begin_due(database: Database, desk: Desk) -> None:
    """Begin the runs whose time has come, each in a transaction of its own."""
    now = desk.clock.now()
    async with database.read() as tx:
        due = [run.id for run in await runs.due(tx, now)]
    for run_id in due:
        async with database.write() as tx:
            run = await runs.get(tx, run_id, lock=True)
            if run is not None and run.state is RunState.PLANNED and may_go_now(desk, run):
                await campaigns.begin(tx, desk, run, now)


async def gather(database: Database, desk: Desk) -> bool:
    """Give a few more people of each run that is still being gathered their delivery. Returns whether more follow."""
    async with database.read() as tx:
        unfinished = [run.id for run in await runs.gathering(tx)]
    more = False
    for run_id in unfinished:
        async with database.write() as tx:
            run = await runs.get(tx, run_id, lock=True)
            if run is not None and run.gather_after is not None:
                more |= await campaigns.gather(tx, desk, run, desk.clock.now())
        await asyncio.sleep(0)
    return more


async def finish(
    database: Database,
    desk: Desk,
    sending: Sequence[Run],
    ways: Callable[[bool], Sequence[Way]],
    idle: Callable[[int], bool],
    looks: Looks,
) -> None:
    """End the runs of which nothing is left to send, and those whose time is over. `ways` are those that there are, for
    what is urgent or not."""
    now = desk.clock.now()
    for run in sending:
        late = run.valid_until is not None and now > run.valid_until
        if not late and not idle(run.id):
            looks.forget(run.id)
            continue
        if not late and not looks.may_look(run.id):
            continue
        async with database.write() as tx:
            current = await runs.get(tx, run.id, lock=True)
            if current is None or current.state is not RunState.SENDING:
                continue
            if late:
                await campaigns.expire(tx, current, now)
            if await campaigns.finish_if_done(tx, current, now, ways(current.lane is Lane.ALERT)):
                looks.forget(run.id)
