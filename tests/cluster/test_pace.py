"""One pace for several processes: never more than the platform allows, and hardly less."""

from __future__ import annotations

import asyncio
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable
from itertools import pairwise

import pytest

from bot.core.channel import Limits
from bot.core.words import Lane
from bot.db import Database, pace
from bot.db.pace import SharedPace
from bot.engine.shared_line import SharedLine
from tests.support.program import ROOT

LIMITS = Limits(per_second=30, per_chat_second=1, per_group_minute=20)
New = Callable[[], SharedLine]


@pytest.fixture
async def new(shared: Database) -> AsyncIterator[New]:
    """Lines of the same account, each as another process would have it."""
    made: list[tuple[SharedLine, SharedPace]] = []

    def one() -> SharedLine:
        way = SharedPace(shared)
        made.append((SharedLine(1, LIMITS, way), way))
        return made[-1][0]

    yield one
    for line, way in made:
        line.close()
        await way.close()


def _most_in_a_second(times: list[float]) -> int:
    return max(sum(t <= other < t + 1 for other in times) for t in times)


async def _leave(line: SharedLine, lane: Lane, chats: list[str], *, group: bool = False) -> list[float]:
    times = []
    for chat in chats:
        tell = await line.wait(lane, chat, group=group)
        times.append(asyncio.get_running_loop().time())
        tell()
    return times


@pytest.mark.alone
@pytest.mark.timeout(60)
async def test_four_processes_together_keep_to_thirty_a_second(postgres_url: str) -> None:
    seconds = 8.0
    processes = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.support.slots", postgres_url, "1", "30", str(1_000_000 * place)),
            stdin=PIPE,
            stdout=PIPE,
            cwd=ROOT,
        )
        for place in range(4)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdin is not None
        assert await process.stdout.readline() == b"ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(f"{time.monotonic() + seconds}\n".encode())
    printed = await asyncio.gather(*(process.communicate() for process in processes))
    each = [[float(moment) for moment in out.split()] for out, _ in printed]
    times = sorted(moment for of_one in each for moment in of_one)
    assert _most_in_a_second(times) <= 30
    assert (len(times) - 1) / (times[-1] - times[0]) >= 29.0
    assert min(len(of_one) for of_one in each) > 30


async def test_a_refusal_in_one_process_stops_all_of_them(new: New) -> None:
    one, other = new(), new()
    await _leave(other, Lane.BULK, ["1"])
    one.slow_down(1.5)
    await _leave(one, Lane.REPLY, ["2"])  # by then the database knows
    begun = asyncio.get_running_loop().time()
    assert one.halted()
    (left,) = await _leave(other, Lane.BULK, ["3"])
    assert 1.0 < left - begun < 2.5


async def test_people_are_answered_while_runs_stand_still(new: New) -> None:
    one, other = new(), new()
    one.slow_down(30)
    await _leave(one, Lane.REPLY, ["1"])
    begun = asyncio.get_running_loop().time()
    times = await _leave(other, Lane.REPLY, ["2", "3"])
    assert 0.9 < times[-1] - begun < 3.5


async def test_the_pace_falls_to_what_was_borne_and_for_everybody(new: New) -> None:
    """Of 29.5 a second the platform refuses what comes after twenty."""
    one, other = new(), new()
    await one.expect([(str(n), False) for n in range(20)])
    await _leave(one, Lane.BULK, [str(n) for n in range(20)])
    for _ in range(3):
        one.slow_down(0.3)  # three refusals of one moment are not about a single chat
    await _leave(one, Lane.REPLY, ["50"])
    other.slow_down(0.1)  # the same pause, heard of once more
    await other.expect([(str(n), False) for n in range(100, 112)])
    times = await _leave(other, Lane.BULK, [str(n) for n in range(100, 112)])
    step = (times[-1] - times[0]) / (len(times) - 1)
    assert 1 / 21 < step < 1 / 15


async def test_one_chat_gets_a_message_a_second_from_all_processes_together(new: New) -> None:
    lines = [new(), new(), new()]
    left = await asyncio.gather(*(_leave(line, Lane.REPLY, ["7"]) for line in lines))
    times = sorted(moment for of_one in left for moment in of_one)
    assert all(later - earlier >= 1.0 for earlier, later in pairwise(times))
    assert times[-1] - times[0] < 3.5


async def test_one_group_gets_twenty_a_minute_from_all_processes_together(new: New, shared: Database) -> None:
    one, other = SharedPace(shared), SharedPace(shared)
    wish = pace.Wish("-5", 0.0, 0.0, 1)
    granted = 0
    for _ in range(13):
        for way in (one, other):
            found = await way.take(1, 0, rate=29.49, late=0.0, reply=True, chats=[wish], most=20)
            granted += len(found.held)
    assert granted == 20
    assert found.refused is not None
    assert 55 < found.refused["-5"] - found.now < 62
    await one.close()
    await other.close()


async def test_a_slice_that_was_announced_leaves_at_full_pace(new: New) -> None:
    line, other = new(), new()
    chats = [str(n) for n in range(1, 31)]
    await line.expect([(chat, False) for chat in chats])
    times = await _leave(line, Lane.BULK, chats)
    assert 29 / 29.49 - 0.1 < times[-1] - times[0] < 29 / 29.49 + 0.3
    begun = asyncio.get_running_loop().time()
    (left,) = await _leave(other, Lane.REPLY, [chats[-1]])
    assert 0.5 < left - begun < 2.0  # the chat is still kept for the slice


async def test_an_answer_overtakes_a_run(new: New) -> None:
    worker, web = new(), new()
    chats = [str(n) for n in range(1, 61)]
    await worker.expect([(chat, False) for chat in chats])
    run = asyncio.create_task(_leave(worker, Lane.BULK, chats))
    await asyncio.sleep(0.3)
    begun = asyncio.get_running_loop().time()
    (left,) = await _leave(web, Lane.REPLY, ["900"])
    assert left - begun < 0.3
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)


async def test_a_database_that_forgot_is_no_obstacle(new: New, shared: Database) -> None:
    """What is not logged is gone after a crash of the server."""
    line = new()
    await _leave(line, Lane.BULK, ["1"])
    way = SharedPace(shared)
    await way._run("TRUNCATE pace, chat_pace", {})
    await way.close()
    await asyncio.wait_for(_leave(line, Lane.BULK, ["2", "3"]), 5)
