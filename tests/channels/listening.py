"""A server that treats each connection as a test wants it."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

OK = b'{"ok":true,"result":{"message_id":7}}'
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Listening:
    """`root` is its address without a path; `connections` counts what was ever accepted, `open` what still is."""

    def __init__(self, handler: Handler, tls: ssl.SSLContext | None = None) -> None:
        self.connections = self.open = 0
        self.root = ""
        self._handler = handler
        self._tls = tls
        self._writers: list[asyncio.StreamWriter] = []
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._handle, "127.0.0.1", 0, ssl=self._tls)
        port = self._server.sockets[0].getsockname()[1]
        self.root = f"http{'s' if self._tls else ''}://127.0.0.1:{port}"

    def refuse(self) -> None:
        """Accept nobody any more; who is connected stays."""
        assert self._server is not None
        self._server.close()

    async def stop(self) -> None:
        self.refuse()
        for writer in self._writers:
            writer.transport.abort()
        assert self._server is not None
        await self._server.wait_closed()

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open += 1
        self._writers.append(writer)
        try:
            await self._handler(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self.open -= 1
            writer.close()


@asynccontextmanager
async def listening(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[Listening]:
    server = Listening(handler, tls)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


async def whole(reader: asyncio.StreamReader) -> bytes:
    """One request with its body."""
    head = await reader.readuntil(b"\r\n\r\n")
    size = next(int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
    return head + await reader.readexactly(size)


async def answer(writer: asyncio.StreamWriter, body: bytes = OK, status: str = "200 OK", more: str = "") -> None:
    writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{more}\r\n".encode() + body)
    await writer.drain()


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """As it should be."""
    while True:
        await whole(reader)
        await answer(writer)


async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


def say_and_hang_up(writer: asyncio.StreamWriter, words: bytes) -> None:
    """Both arrive before the other side's loop can read either."""
    connection = socket.socket(fileno=os.dup(writer.get_extra_info("socket").fileno()))
    connection.sendall(words)
    connection.shutdown(socket.SHUT_WR)
    connection.close()
