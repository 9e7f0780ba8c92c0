"""The queue's own clock."""

from __future__ import annotations

import pytest

from bot.db import Database
from bot.engine.queue import Queue

_HOUR = 1_795_320_000
"""A full one, in seconds since 1970."""


async def _send(ticket_id: int) -> None:
    raise AssertionError(ticket_id)


@pytest.mark.parametrize(("lease", "every"), [(3.0, 1), (20.0, 5), (60.0, 15), (600.0, 30)])
@pytest.mark.parametrize("minute", [0, 1, 4, 5, 59])
async def test_the_dead_are_looked_for_several_times_a_lease_at_any_minute(
    shared: Database, lease: float, every: int, minute: int
) -> None:
    queue = Queue(shared, lease, _send)
    (looks,) = [task for task in queue.app.periodic_registry.periodic_tasks.values() if task.task.name == "requeue"]
    moment = _HOUR + 60.0 * minute
    for _ in range(60 // every + 1):
        soon = looks.croniter.get_next(ret_type=float, start_time=moment)
        assert soon - moment == every
        moment = soon
