"""What carries a message: HTTP clients beside ours, with and without TLS. `python -m benchmarks.transports`."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass

import orjson
import uvloop

from benchmarks import peers
from benchmarks.addresses import token
from benchmarks.answers import TEXT
from benchmarks.cost import Cost, Watch, Wrong
from benchmarks.rows import Order, arguments, order
from benchmarks.serving import Control
from benchmarks.table import middle
from bot.channels.telegram import CommandsMenu, MenuTexts, TelegramChannel
from bot.core.channel import Prepared
from bot.core.errors import SendError
from bot.core.events import Outbound

_WAY = {"plain": False, "TLS": True}


@asynccontextmanager
async def pyreqwest(url: str) -> AsyncIterator[peers.Flood]:
    """A Rust client with an asyncio face."""
    from pyreqwest.client import ClientBuilder

    client = ClientBuilder().max_connections(peers.CONNECTIONS).http1_only()
    address, headers = f"{url}/bot{peers.TOKEN}/sendMessage", {"Content-Type": "application/json"}
    async with client.build() as session:

        async def send(chat: int) -> None:
            body = orjson.dumps({"chat_id": chat, "text": TEXT})
            answer = await session.post(address).headers(headers).body_bytes(body).build().send()
            orjson.loads(memoryview(await answer.bytes()))

        yield peers.flooding(send)


@asynccontextmanager
async def one_by_one(url: str) -> AsyncIterator[peers.Flood]:
    """How the program sends a reply: `TelegramChannel.send`."""
    async with _channel(url) as channel:
        yield peers.flooding(lambda chat: channel.send(Outbound(chat_id=str(chat), text=TEXT)))


@asynccontextmanager
async def prepared(url: str) -> AsyncIterator[peers.Flood]:
    """How the program sends a run: `Prepared.send` until it says the message's id."""
    async with _channel(url) as channel:
        ready = channel.prepare(Outbound(chat_id="0", text=TEXT))
        if ready is None:
            raise Wrong("this message cannot be prepared")
        yield lambda chats: _Copies(ready, chats).sent()


class _Copies:
    """Thirty on their way at any time; when one ends, the next one leaves."""

    def __init__(self, ready: Prepared, chats: Iterator[int]) -> None:
        self._ready, self._chats = ready, chats
        self._under_way = 0
        self._end: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def sent(self) -> None:
        for _ in range(peers.CONNECTIONS):
            self._next()
        await self._end

    def _next(self) -> None:
        chat = next(self._chats, None)
        if chat is not None:
            self._under_way += 1
            self._ready.send(str(chat), self._done)
        elif not self._under_way and not self._end.done():
            self._end.set_result(None)

    def _done(self, message_id: str | None, error: SendError | None) -> None:
        self._under_way -= 1
        if message_id is None and not self._end.done():
            self._end.set_exception(error or Wrong("a message without an id"))
        self._next()


@asynccontextmanager
async def _channel(url: str) -> AsyncIterator[TelegramChannel]:
    menu = CommandsMenu(default=MenuTexts(commands=(), description="", about=""), translations={})
    channel = TelegramChannel(token(0), api_url=url, secret_key=b"secret", rate=0, commands=menu)
    try:
        yield channel
    finally:
        await channel.close()


@dataclass(frozen=True, slots=True)
class Transport:
    """One line of the table."""

    title: str
    opened: peers.Peer


TRANSPORTS = {
    "one-by-one": Transport("`TelegramChannel.send`: python-telegram-bot over aiohttp", one_by_one),
    "aiohttp": Transport("aiohttp `ClientSession.post`", peers.aiohttp),
    "pyreqwest": Transport("pyreqwest", pyreqwest),
    "prepared": Transport("**`Prepared.send`: our client**", prepared),
    "protocol": Transport("bare protocol, nothing checked (the limit of Python)", peers.protocol),
}


async def _measured(transport: Transport, what: Order) -> Cost:
    """Raises `Wrong` when somebody got nothing, or more than one message."""
    server = Control(what.url)
    async with transport.opened(what.url) as flood:
        await flood(iter(what.warm_up))
        server.reset()
        watch = Watch()
        await flood(iter(what.chats))
        cost = watch.read(len(what.chats))
    if sorted(server.log().chats) != list(what.chats):
        raise Wrong("not everybody was written to once")
    return cost


def _one() -> None:
    """Measure one transport in this process and print its cost as JSON."""
    parser = arguments(__doc__)
    parser.add_argument("name", choices=TRANSPORTS)
    asked = parser.parse_args()
    cost = uvloop.run(_measured(TRANSPORTS[asked.name], order(asked)))
    print(orjson.dumps(asdict(cost)).decode())


def _all() -> None:
    """Each several times in processes of their own, in turns, so that a busy moment strikes all alike."""
    from benchmarks.ground import Ground  # not above: what is measured shall not carry it in its memory

    parser = argparse.ArgumentParser(prog="python -m benchmarks.transports", description=__doc__)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--runs", type=int, default=5, help="of which the median counts")
    parser.add_argument("--latency-ms", type=float, default=0)
    asked = parser.parse_args()
    costs: dict[tuple[str, str], list[Cost]] = {(name, way): [] for name in TRANSPORTS for way in _WAY}
    for way, tls in _WAY.items():
        with Ground(latency_ms=asked.latency_ms, tls=tls) as ground:
            for _ in range(asked.runs):
                for name in TRANSPORTS:
                    printed = ground.run("benchmarks.transports", name, messages=asked.messages, database="")
                    costs[name, way].append(Cost(**orjson.loads(printed.splitlines()[-1])))
    columns = [f"{figure}, {way}" for way in _WAY for figure in ("messages/s", "CPU µs a message")]
    print(f"| {asked.messages:,} messages, {peers.CONNECTIONS} at once | {' | '.join(columns)} | peak MiB |")
    print("|---|" + "---:|" * (len(columns) + 1))
    for name, transport in TRANSPORTS.items():
        found = [middle(costs[name, way]) for way in _WAY]
        figures = " | ".join(f"{cost.rate:,.0f} | {cost.each:,.0f}" for cost in found)
        print(f"| {transport.title} | {figures} | {max(cost.peak for cost in found):,.0f} |")


if __name__ == "__main__":
    _one() if sys.argv[1:2] and sys.argv[1] in TRANSPORTS else _all()
