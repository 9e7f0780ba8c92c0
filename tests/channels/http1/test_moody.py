"""A server in every mood, and a client that is closed at any moment."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

import pytest

from bot.channels.http1 import Answer
from bot.core.errors import NotSent, OutcomeUnknown
from tests.channels.http1.heard import Client, Heard
from tests.channels.listening import answer, listening, say_and_hang_up, whole

Connect = Callable[..., Client]


class Moody:
    """A server that does something else with every request."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not writer.is_closing():
            body = (await whole(reader)).partition(b"\r\n\r\n")[2]
            await self._random.choice(self.MOODS)(writer, body)
            await asyncio.sleep(self._random.choice((0, 0, 0, 0.001)))

    @staticmethod
    async def _well(writer: asyncio.StreamWriter, body: bytes) -> None:
        await answer(writer, body)

    @staticmethod
    async def _in_pieces(writer: asyncio.StreamWriter, body: bytes) -> None:
        for piece in (b"HTTP/1.1 100 Go\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Enc", b"oding: chunked\r\n\r\n"):
            writer.write(piece)
            await asyncio.sleep(0)
        writer.write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))

    @staticmethod
    async def _for_the_last_time(writer: asyncio.StreamWriter, body: bytes) -> None:
        await answer(writer, body, more="Connection: close\r\n")

    @staticmethod
    async def _and_hang_up(writer: asyncio.StreamWriter, body: bytes) -> None:
        say_and_hang_up(writer, b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        writer.close()

    @staticmethod
    async def _talk_on(writer: asyncio.StreamWriter, body: bytes) -> None:
        await answer(writer, body)
        await answer(writer, b"of nobody", "403 Forbidden")

    @staticmethod
    async def _half(writer: asyncio.StreamWriter, body: bytes) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" + body)
        writer.close()

    @staticmethod
    async def _nonsense(writer: asyncio.StreamWriter, body: bytes) -> None:
        writer.write(b"<html>" + body)

    @staticmethod
    async def _break(writer: asyncio.StreamWriter, body: bytes) -> None:
        writer.transport.abort()

    @staticmethod
    async def _nothing(writer: asyncio.StreamWriter, body: bytes) -> None:
        """Silence."""

    MOODS = (
        *(_well,) * 8,
        *(_in_pieces, _for_the_last_time, _and_hang_up, _talk_on, _half, _nonsense, _break, _nothing),
    )


@pytest.mark.parametrize("seed", range(12))
async def test_whatever_a_server_does_each_request_ends_once(connect: Connect, seed: int) -> None:
    """And an answer is that of its own request; and what surely did not leave is known."""
    chance = random.Random(seed)
    async with listening(Moody(seed)) as server:
        client = connect(server.root, connections=chance.choice((1, 3, 20)), read_seconds=0.1)
        asked: dict[bytes, Heard] = {}
        for number in range(120):
            asked[b"%d" % number] = client.ask(b"%d" % number)
            if chance.random() < 0.3:
                await asyncio.sleep(chance.choice((0, 0.001)))
        if chance.random() < 0.5:
            for heard in asked.values():
                await heard.end()
        await client.pool.close()
    for body, heard in asked.items():
        (end,) = heard.told
        assert isinstance(end, NotSent) == (heard.was_begun == 0)
        assert heard.was_begun <= 1
        if isinstance(end, Answer):
            assert (end.status, end.body) == (200, body)
        else:
            assert isinstance(end, NotSent | OutcomeUnknown)
