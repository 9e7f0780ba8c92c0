"""The rows of the tables, and the process in which one of them is measured: `python -m benchmarks.rows NAME …`."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass

import orjson
import uvloop

from benchmarks import peers, replies
from benchmarks.addresses import FIRST_CHAT
from benchmarks.cost import Cost, Watch, Wrong
from benchmarks.serving import Control
from bot import logs

WARM_UP_PEOPLE = 500
_SLOW, _SLOWEST = 10_000, 2_000
_NOTHING = nullcontext()


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What one process is to measure."""

    url: str
    chats: Sequence[int]
    warm_up: Sequence[int]
    database_url: str = ""
    postmaster: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """`at_most` keeps slow clients from holding up the others; `database` is the kind that it needs."""

    name: str
    title: str
    work: Callable[[Order], Awaitable[Cost]]
    fast_loop: bool = True
    at_most: int = sys.maxsize
    database: str = ""


def _peer(opened: peers.Peer) -> Callable[[Order], Awaitable[Cost]]:
    async def work(order: Order) -> Cost:
        server = Control(order.url)
        async with opened(order.url) as flood:
            await flood(iter(order.warm_up))
            server.reset()
            watch = Watch()
            await flood(iter(order.chats))
            cost = watch.read(len(order.chats))
        if sorted(server.log().chats) != list(order.chats):
            raise Wrong("not everybody was written to once")
        return cost

    return work


def _echo(opened: replies.Echo) -> Callable[[Order], Awaitable[Cost]]:
    return lambda order: replies.peer(opened, order.url, order.chats, order.warm_up)


async def sending(order: Order, around: AbstractContextManager[object] = _NOTHING) -> Cost:
    """Our whole path of a run, measured within `around`."""
    from benchmarks import ours  # not above: the peers shall not carry us in their memory

    return await ours.whole_path(order.url, order.database_url, order.chats, order.postmaster, around)


async def replying(order: Order, around: AbstractContextManager[object] = _NOTHING) -> Cost:
    """Our whole path of a reply."""
    from benchmarks import ours

    said = (order.chats, order.warm_up)
    return await ours.reply_path(order.url, order.database_url, *said, order.postmaster, around)


SENDING = (
    Row(
        name="ptb",
        title="python-telegram-bot as it comes (httpx)",
        work=_peer(peers.ptb),
        fast_loop=False,
        at_most=_SLOWEST,
    ),
    Row(
        name="ptb-aiohttp",
        title="python-telegram-bot over our aiohttp `BaseRequest`",
        work=_peer(peers.ptb_over_aiohttp),
        fast_loop=False,
        at_most=_SLOW,
    ),
    Row(name="aiogram", title="aiogram as it comes", work=_peer(peers.aiogram), fast_loop=False, at_most=_SLOW),
    Row(name="aiogram-uvloop", title="aiogram + uvloop", work=_peer(peers.aiogram), at_most=_SLOW),
    Row(name="aiohttp", title="bare aiohttp `ClientSession.post`, uvloop", work=_peer(peers.aiohttp)),
    Row(name="protocol", title="bare asyncio protocol, uvloop (the limit of Python)", work=_peer(peers.protocol)),
    Row(name="ours-sqlite", title="**Loa Số, whole path, SQLite**", work=sending, database="sqlite"),
    Row(name="ours-postgres", title="**Loa Số, whole path, PostgreSQL**", work=sending, database="postgres"),
)
REPLYING = (
    Row(
        name="reply-ptb",
        title="PTB `Application` that echoes",
        work=_echo(replies.ptb),
        fast_loop=False,
        at_most=_SLOWEST,
    ),
    Row(name="reply-aiogram", title="aiogram `Dispatcher` that echoes", work=_echo(replies.aiogram), fast_loop=False),
    Row(name="reply-aiogram-uvloop", title="… on uvloop", work=_echo(replies.aiogram)),
    Row(name="reply-ours-sqlite", title="**Loa Số, the menu, SQLite**", work=replying, database="sqlite"),
    Row(name="reply-ours-postgres", title="**Loa Số, the menu, PostgreSQL**", work=replying, database="postgres"),
)
ROWS = {row.name: row for row in (*SENDING, *REPLYING)}


def arguments(description: str | None) -> argparse.ArgumentParser:
    """What `benchmarks.ground` tells every process that it starts."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--url", required=True)
    parser.add_argument("--messages", type=int, required=True)
    parser.add_argument("--database-url", default="")
    parser.add_argument("--postmaster", type=int)
    parser.add_argument("--core", type=int)
    return parser


def order(asked: argparse.Namespace) -> Order:
    """The same as an order. From now on this process stays on its core and says little."""
    if asked.core is not None and sys.platform == "linux":
        os.sched_setaffinity(0, {asked.core})
    logs.configure("WARNING")
    last = FIRST_CHAT + asked.messages
    return Order(
        url=asked.url,
        chats=range(FIRST_CHAT + 1, last + 1),
        warm_up=range(last + 1, last + 1 + WARM_UP_PEOPLE),
        database_url=asked.database_url,
        postmaster=asked.postmaster,
    )


async def _measured(row: Row, what: Order) -> Cost:
    return await row.work(what)


def main() -> None:
    """Measure one row and print its cost as JSON."""
    parser = arguments(__doc__)
    parser.add_argument("name", choices=ROWS)
    asked = parser.parse_args()
    row, what = ROWS[asked.name], order(asked)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop if row.fast_loop else None) as runner:
        cost = runner.run(_measured(row, what))
    print(orjson.dumps(asdict(cost)).decode())


if __name__ == "__main__":
    main()
