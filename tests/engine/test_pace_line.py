"""The pacer at work: coroutines that wait, under the real clock."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from time import monotonic

from bot.core.channel import ON_WIRE, Limits
from bot.core.words import Lane
from bot.engine.line import Line
from tests.support.pacing import TELEGRAM, UNLIMITED, most_within


@asynccontextmanager
async def _line(limits: Limits) -> AsyncIterator[Line]:
    line = Line(limits)
    yield line
    line.close()


async def test_messages_leave_in_order_at_their_distance() -> None:
    times: list[float] = []
    order: list[int] = []

    async def leave(line: Line, number: int) -> None:
        on_wire = await line.wait(Lane.BULK, f"p{number}")
        times.append(monotonic())
        order.append(number)
        on_wire()

    async with _line(Limits(per_second=50)) as line:
        await asyncio.gather(*(leave(line, n) for n in range(75)))
    assert order == list(range(75))
    assert most_within(times, 1.0) <= 50
    assert all(b - a > 0.009 for a, b in pairwise(times))


async def test_the_next_one_waits_until_the_one_before_is_on_the_wire() -> None:
    async with _line(Limits(per_second=100)) as line:
        on_wire = await line.wait(Lane.BULK, "a")
        second = asyncio.create_task(line.wait(Lane.BULK, "b"))
        await asyncio.wait([second], timeout=0.03)
        assert not second.done()
        on_wire()
        (await asyncio.wait_for(second, 1))()


async def test_a_channel_that_never_tells_holds_up_nobody_for_long() -> None:
    async with _line(Limits(per_second=100)) as line:
        begun = monotonic()
        for number in range(3):
            await asyncio.wait_for(line.wait(Lane.BULK, f"p{number}"), 1)
        assert 0.18 < monotonic() - begun < 1


async def test_what_is_to_be_called_is_also_in_the_context() -> None:
    async with _line(TELEGRAM) as line:
        assert await contextvars.copy_context().run(asyncio.create_task, _waits(line)) is True


async def _waits(line: Line) -> bool:
    on_wire: Callable[[], None] = await line.wait(Lane.REPLY, "a")
    return ON_WIRE.get() is on_wire


async def test_who_is_cancelled_while_waiting_takes_no_slot() -> None:
    async with _line(Limits(per_second=2)) as line:
        (await line.wait(Lane.REPLY, "a"))()
        tasks = [asyncio.create_task(line.wait(Lane.BULK, f"p{n}")) for n in range(20)]
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        (await asyncio.wait_for(line.wait(Lane.BULK, "z"), 2))()


async def test_who_is_cancelled_at_the_door_makes_way() -> None:
    async with _line(Limits(per_second=100)) as line:
        line.slow_down(0.02)
        gone = asyncio.create_task(line.wait(Lane.BULK, "a"))
        await asyncio.sleep(0)
        line.close()
        await asyncio.sleep(0.03)
        after = asyncio.create_task(line.wait(Lane.BULK, "b"))
        await asyncio.sleep(0)  # by now the first one was let go and has not noticed
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        assert gone.cancelled()
        assert (line.pacer.turn(monotonic()) or 0) < 0.02
        (await asyncio.wait_for(after, 1))()


async def test_a_halt_ends_by_itself() -> None:
    async with _line(TELEGRAM) as line:
        line.slow_down(0.2)
        assert line.halted()
        begun = monotonic()
        (await asyncio.wait_for(line.wait(Lane.BULK, "a"), 2))()
        assert 0.19 < monotonic() - begun < 1
        assert not line.halted()


async def test_a_line_without_limit_is_passed_until_something_is_refused() -> None:
    async with _line(UNLIMITED) as line:
        assert all(line.open(Lane.BULK) for _ in range(200))
        for _ in range(170):
            line.slow_down(0.2)
        assert not line.open(Lane.ALERT)
        (await asyncio.wait_for(line.wait(Lane.BULK, "a"), 2))()
        assert not line.open(Lane.BULK)
        assert 25 < line.pacer.rate() <= 30


async def test_a_line_with_a_limit_is_never_passed() -> None:
    async with _line(TELEGRAM) as line:
        assert not line.open(Lane.ALERT)
