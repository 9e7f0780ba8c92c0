"""The limit of Python here: a bare protocol that writes prepared bytes and looks at nothing but the status line."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from typing import cast
from urllib.parse import urlsplit

import orjson

_LENGTH = b"\r\nContent-Length: "


class _Sender(asyncio.Protocol):
    """One connection that takes the next chat as soon as the answer for the last one is whole."""

    def __init__(self, head: bytes, tail: bytes, room: int, chats: Iterator[int], done: asyncio.Future[None]) -> None:
        self.head, self.tail, self.room, self.chats, self.done = head, tail, room, chats, done
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.next()

    def next(self) -> None:
        chat = next(self.chats, None)
        if chat is None:
            self.transport.close()
            return
        chat_id = b"%d" % chat
        self.transport.write(self.head % (self.room + len(chat_id)) + chat_id + self.tail)

    def data_received(self, data: bytes) -> None:
        if self.buffer:
            data = self.buffer + data
        end = data.find(b"\r\n\r\n")
        at = data.find(_LENGTH)
        if end < 0 or len(data) < end + 4 + int(data[at + 18 : data.index(b"\r", at + 18)]):
            self.buffer = data
            return
        if data[9:12] != b"200":
            raise RuntimeError(data[:100])
        self.buffer = b""
        self.next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None) if exc is None else self.done.set_exception(exc)


async def flood(url: str, token: str, text: str, chats: Iterator[int], connections: int) -> None:
    """Send one text to every chat over so many connections."""
    where = urlsplit(url)
    start, tail = b'{"chat_id":"', b'","text":' + orjson.dumps(text) + b"}"
    head = (
        f"POST /bot{token}/sendMessage HTTP/1.1\r\nHost: {where.netloc}\r\nContent-Type: application/json\r\n"
        "Content-Length: %d\r\n\r\n"
    ).encode() + start
    loop = asyncio.get_running_loop()
    context = ssl.create_default_context() if where.scheme == "https" else None
    ends: list[asyncio.Future[None]] = []

    def sender() -> _Sender:
        ends.append(loop.create_future())
        return _Sender(head, tail, len(start) + len(tail), chats, ends[-1])

    for _ in range(connections):
        await loop.create_connection(sender, where.hostname or "", where.port or 0, ssl=context)
    await asyncio.gather(*ends)
