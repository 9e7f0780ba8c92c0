"""A local Bot API that is never the bottleneck: it parses, looks for the chat, fills in a prebuilt answer, notes it."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import re
import ssl
import sys
import time
from array import array
from collections import defaultdict
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import httptools
import orjson
import uvloop

from benchmarks import answers

_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)
_OFFSET = re.compile(rb'offset"?[^0-9-]{1,8}(-?\d+)')
_TIMEOUT = re.compile(rb'timeout"?[^0-9-]{1,8}(\d+)')
_AT_ONCE = 100


class Verb(Enum):
    """What kind of answer a method gets."""

    SEND = re.compile(r"send(?!ChatAction)|copyMessage$|forwardMessage$")
    EDIT = re.compile(r"edit")
    TRUE = re.compile(r"set|delete|answer|close|logOut|sendChatAction|pin|unpin|leave")
    UPDATES = re.compile(r"getUpdates$")
    ME = re.compile(r"getMe$")
    WEBHOOK = re.compile(r"getWebhookInfo$")
    CONTROL = re.compile(r"/")
    NONE = re.compile("")


@lru_cache(maxsize=4096)
def route(path: bytes) -> tuple[int, Verb]:
    """Whose bot, and what to do; bot 0 where the benchmark itself asks."""
    head, _, method = path.decode().rpartition("/")
    bot = re.match(r"/bot(\d+):", head)
    if bot is None:
        return 0, Verb.CONTROL
    return int(bot[1]), next(verb for verb in Verb if verb.value.match(method))


class Feed:
    """Updates of one bot that wait to be fetched. Asking from an offset on forgets everything before it."""

    def __init__(self) -> None:
        self.waiting: list[bytes] = []
        self.first = 1
        self.news = asyncio.Event()

    def add(self, updates: list[dict[str, Any]]) -> None:
        number = self.first + len(self.waiting)
        self.waiting += [b'{"update_id":%d,%s' % (n, orjson.dumps(u)[1:]) for n, u in enumerate(updates, number)]
        self.news.set()

    def take(self, offset: int) -> list[bytes]:
        gone = min(max(offset - self.first, 0), len(self.waiting))
        del self.waiting[:gone]
        self.first += gone
        if not self.waiting:
            self.news.clear()
        return self.waiting[:_AT_ONCE]


class Platform:
    """What all connections share: the number of the next message and the log of those that arrived. `asked` is CPU
    seconds that went into questions of the benchmark itself."""

    def __init__(self, latency: float) -> None:
        self.latency = latency
        self.feeds: defaultdict[int, Feed] = defaultdict(Feed)
        self.requests = 0
        self.asked = 0.0
        self.reset()

    def reset(self) -> None:
        """Forget what arrived. Message ids go on rising."""
        self.times = array("d")
        self.chats = array("q")
        self.bots = array("q")

    def message(self, bot: int, body: bytes, *, new: bool) -> bytes:
        """Answer with a message, and note a new one. Chats are numbers: names of channels are not spoken here."""
        found = answers.CHAT.search(body)
        if found is None:
            return answers.NO_CHAT
        chat = int(found[1])
        self.requests += 1
        if new:
            self.times.append(time.time())
            self.chats.append(chat)
            self.bots.append(bot)
        return answers.message(bot, self.requests, chat)

    def log(self) -> bytes:
        columns = {"times": self.times.tolist(), "chats": self.chats.tolist(), "bots": self.bots.tolist()}
        return answers.whole(orjson.dumps(columns))


class Connection(asyncio.Protocol):
    """One client's connection. Requests come one after another; nothing is pipelined by anybody we measure."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.loop = asyncio.get_running_loop()
        self.parser = httptools.HttpRequestParser(self)
        self.parsing = False
        self.url = b""
        self.body = b""
        self.polls: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's belong to no family

    def connection_lost(self, exc: Exception | None) -> None:
        for poll in self.polls:
            poll.cancel()

    def data_received(self, data: bytes) -> None:
        """A request that came whole, as nearly all do, needs no parser."""
        end = data.find(b"\r\n\r\n") + 4
        length = None if self.parsing or end < 4 else _LENGTH.search(data, 0, end)
        if length is not None and data.startswith(b"POST ") and len(data) == end + int(length[1]):
            self._answer(data[5 : data.index(b" ", 5)], data[end:])
            return
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            self.transport.close()

    def on_message_begin(self) -> None:
        self.parsing = True
        self.url = self.body = b""

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.parsing = False
        path, _, query = self.url.partition(b"?")
        self._answer(path, self.body or query)

    def _answer(self, path: bytes, body: bytes) -> None:
        bot, verb = route(path)
        if verb is Verb.CONTROL:
            begun = time.process_time()
            self.transport.write(self._control(path, body))
            self.platform.asked += time.process_time() - begun
            return
        answer = self._call(bot, verb, body)
        if answer is None:
            return
        if self.platform.latency:
            self.loop.call_later(self.platform.latency, self.transport.write, answer)
        else:
            self.transport.write(answer)

    def _call(self, bot: int, verb: Verb, body: bytes) -> bytes | None:
        match verb:
            case Verb.SEND | Verb.EDIT:
                return self.platform.message(bot, body, new=verb is Verb.SEND)
            case Verb.UPDATES:
                return self._updates(self.platform.feeds[bot], body)
            case Verb.ME:
                return answers.me(bot)
            case Verb.WEBHOOK:
                return answers.NO_WEBHOOK
            case Verb.TRUE:
                return answers.TRUE
        return answers.NOT_FOUND

    def _updates(self, feed: Feed, body: bytes) -> bytes | None:
        offset, timeout = _OFFSET.search(body), _TIMEOUT.search(body)
        after = 0 if offset is None else int(offset[1])
        found = feed.take(after)
        if found or timeout is None or not int(timeout[1]):
            return answers.updates(found)
        poll = self.loop.create_task(self._poll(feed, after, int(timeout[1])))
        self.polls.add(poll)
        poll.add_done_callback(self.polls.discard)
        return None

    async def _poll(self, feed: Feed, offset: int, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(feed.news.wait(), seconds)
        self.transport.write(answers.updates(feed.take(offset)))

    def _control(self, path: bytes, body: bytes) -> bytes:
        """What the benchmark itself asks for."""
        match path:
            case b"/log":
                return self.platform.log()
            case b"/reset":
                self.platform.reset()
                return answers.TRUE
            case b"/feed":
                order = orjson.loads(body)
                self.platform.feeds[order["bot"]].add(order["updates"])
                return answers.TRUE
            case b"/cost":
                cpu = time.process_time() - self.platform.asked
                cost = {"requests": self.platform.requests, "cpu_seconds": cpu}
                return answers.whole(orjson.dumps(cost))
        return answers.NOT_FOUND


async def serve(port: int, latency: float, authority: Path | None, *, attached: bool) -> None:
    """Listen on loopback and print the address. `authority` is where the certificate goes that clients trust; without
    it there is no TLS. `attached` to whoever holds our standard input, we end with them."""
    platform, ended = Platform(latency), asyncio.Event()
    context = None if authority is None else _tls(authority)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(platform), "127.0.0.1", port, ssl=context, backlog=4096)
    scheme = "http" if context is None else "https"
    print(f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    if attached:
        loop.add_reader(sys.stdin.fileno(), ended.set)
    await ended.wait()


def _tls(authority: Path) -> ssl.SSLContext:
    import trustme  # a development dependency, needed with TLS alone

    issuer = trustme.CA()
    issuer.cert_pem.write_to_path(authority)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issuer.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    return context


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency-ms", type=float, default=0, help="how long every answer takes")
    parser.add_argument("--tls", type=Path, metavar="CA.PEM", help="speak TLS; write the authority to trust here")
    parser.add_argument("--attached", action="store_true", help="end when standard input does")
    parser.add_argument("--core", type=int, help="the core to stay on")
    asked = parser.parse_args()
    if asked.core is not None and sys.platform == "linux":
        os.sched_setaffinity(0, {asked.core})
    uvloop.run(serve(asked.port, asked.latency_ms / 1000, asked.tls, attached=asked.attached))


if __name__ == "__main__":
    main()
