"""What a server may say, and what counts as an answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels import http1
from bot.channels.http1 import Answer, Connection
from bot.core.errors import OutcomeUnknown
from tests.channels.http1.heard import SECRET, Client, Heard
from tests.channels.http1.wire import Wire
from tests.channels.listening import Handler, listening, serve, whole

BODY = b'{"ok":true}'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n"
PLAIN = HEAD + b"\r\n" + BODY
CHUNKED = (
    b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{"ok\r\n7;x=y\r\n":true}\r\n0\r\nTrailer: t\r\n\r\n'
)
OPEN_END = b"\r\nServer: old\r\n\r\n" + BODY
FLOOD = b"HTTP/1.1 429 Too Many\r\nretry-AFTER: 17 \r\nContent-Length: 11\r\n\r\n" + BODY

STAYS = [
    ("with a length", PLAIN, 200),
    ("chunked", CHUNKED, 200),
    ("after 100", b"HTTP/1.1 100 Continue\r\n\r\n" + PLAIN, 200),
    ("after 103 and 102", b"HTTP/1.1 103 Early\r\nContent-Length: 5\r\n\r\nHTTP/1.1 102 P\r\n\r\n" + CHUNKED, 200),
    ("after blank lines", b"\r\n\r\n" + PLAIN, 200),
    ("headers in capitals", PLAIN.replace(b"Content-Length", b"CONTENT-LENGTH"), 200),
    ("a phrase with spaces", PLAIN.replace(b"200 OK", b"404 Not Found at all"), 404),
    ("no phrase", PLAIN.replace(b"200 OK", b"502 "), 502),
    ("a wait in the header", FLOOD, 429),
    ("an old server that stays", PLAIN.replace(b"1.1 200 OK", b"1.0 200 OK\r\nConnection: keep-alive"), 200),
    ("an empty body", b"HTTP/1.1 204 No Content\r\n\r\n", 204),
    ("a redirect", PLAIN.replace(b"200 OK", b"302 Found\r\nLocation: /elsewhere"), 302),
]  # fmt: skip
LEAVES = [
    ("says that it closes", HEAD + b"Connection: close\r\n\r\n" + BODY, 200),
    ("an old server", PLAIN.replace(b"1.1", b"1.0"), 200),
    ("an old server, no length", b"HTTP/1.0 200 OK" + OPEN_END, 200),
    ("no length", b"HTTP/1.1 200 OK" + OPEN_END, 200),
    ("no length after 100", b"HTTP/1.1 100 Continue\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK" + OPEN_END, 200),
    ("something follows", PLAIN + b"and on", 200),
    ("the start of something follows", PLAIN + b"H", 200),
    ("a second answer follows", PLAIN + PLAIN.replace(b"200 OK", b"403 No"), 200),
]
LOST = [
    ("nothing", b""),
    ("half a head", PLAIN[:20]),
    ("half a body", PLAIN[:-3]),
    ("half a chunk", CHUNKED[:-20]),
    ("no last chunk", CHUNKED[: CHUNKED.index(b"0\r\nTrailer")]),
    ("only 100", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ("not HTTP", b"SSH-2.0-OpenSSH_9.2\r\n"),
    ("a page without a head", b"<html>login</html>"),
    ("bare line feeds", PLAIN.replace(b"\r", b"")),
    ("two lengths", HEAD + b"Content-Length: 10\r\n\r\n" + BODY),
    ("a length that is none", PLAIN.replace(b"11", b"-1")),
    ("a length beyond all", PLAIN.replace(b"11", b"9" * 40)),
    ("a length and chunks", HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("a chunk that is none", CHUNKED.replace(b"7;", b"Z;")),
    ("another protocol", b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"),
    ("a status that is none", PLAIN.replace(b"200", b"20")),
    ("status zero", PLAIN.replace(b"200", b"000")),
    ("TLS", b"\x15\x03\x01\x00\x02\x02\x46"),
]


def saying(words: bytes, *, and_close: bool) -> Handler:
    """A server that reads each request and says these words."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not writer.is_closing():
            await whole(reader)
            writer.write(words)
            if and_close:
                writer.close()

    return handler


def expected(words: bytes, status: int) -> Answer:
    return Answer(status, b"" if status == 204 else BODY, "17" if words == FLOOD else "")


@pytest.mark.parametrize(("words", "status"), [row[1:] for row in STAYS], ids=[row[0] for row in STAYS])
async def test_an_answer_after_which_the_connection_is_used_again(
    words: bytes, status: int, connect: Callable[..., Client]
) -> None:
    async with listening(saying(words, and_close=False)) as server:
        client = connect(server.root)
        assert [await client.answer() for _ in range(3)] == [expected(words, status)] * 3
        assert server.connections == 1


@pytest.mark.parametrize(("words", "status"), [row[1:] for row in LEAVES], ids=[row[0] for row in LEAVES])
async def test_an_answer_after_which_it_is_not(words: bytes, status: int, connect: Callable[..., Client]) -> None:
    until_closed = "no length" in next(row[0] for row in LEAVES if row[1] == words)
    async with listening(saying(words, and_close=until_closed)) as server:
        client = connect(server.root)
        assert [await client.answer() for _ in range(3)] == [expected(words, status)] * 3
        assert server.connections == 3


@pytest.mark.parametrize("and_close", [True, False], ids=["and closes", "and waits"])
@pytest.mark.parametrize("words", [row[1] for row in LOST], ids=[row[0] for row in LOST])
async def test_what_is_no_answer_leaves_the_outcome_unknown(
    words: bytes, and_close: bool, connect: Callable[..., Client]
) -> None:
    async with listening(saying(words, and_close=and_close)) as server:
        client = connect(server.root)
        heard = client.ask()
        end = await heard.end()
        assert isinstance(end, OutcomeUnknown)
        assert SECRET not in f"{end!r} {end.detail}"
        assert (heard.was_begun, server.connections) == (1, 1)
        await client.pool.close()
        assert len(heard.told) == 1


async def flood_the_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await whole(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n")
    while True:
        writer.write(b"x" * 65536)
        await writer.drain()


async def flood_the_head(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await whole(reader)
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X-More: yes\r\n" * 1000)
        await writer.drain()


async def announce_for_ever(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await whole(reader)
    while True:
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)
        await writer.drain()


@pytest.mark.parametrize("handler", [flood_the_body, flood_the_head, announce_for_ever])
async def test_an_answer_without_end_is_cut_off(handler: Handler, connect: Callable[..., Client]) -> None:
    async with listening(handler) as server:
        error = await connect(server.root, read_seconds=30).error()
        assert (type(error), error.detail) == (OutcomeUnknown, "the answer is too large")


async def test_an_answer_may_be_as_large_as_the_limit(connect: Callable[..., Client]) -> None:
    body = b"x" * (http1.MAX_ANSWER - 100)
    words = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    async with listening(saying(words, and_close=False)) as server:
        assert (await connect(server.root, read_seconds=30).answer()).body == body


async def test_an_answer_that_drips_is_not_waited_for_for_ever(connect: Callable[..., Client]) -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await whole(reader)
        for byte in PLAIN:
            writer.write(bytes([byte]))
            await asyncio.sleep(0.05)

    async with listening(drip) as server:
        error = await connect(server.root).error()
        assert (type(error), error.detail) == (OutcomeUnknown, "no answer in time")


async def test_an_answer_that_comes_before_the_whole_request_is_an_answer(connect: Callable[..., Client]) -> None:
    async def hasty(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(PLAIN.replace(b"200 OK", b"413 Too Large\r\nConnection: close"))
        await reader.read()

    async with listening(hasty) as server:
        assert (await connect(server.root, read_seconds=5).answer(b"x" * 5_000_000)).status == 413


async def test_the_fault_of_a_listener_is_told_and_stays_its_own(
    connect: Callable[..., Client], caplog: pytest.LogCaptureFixture
) -> None:
    def faulty() -> None:
        raise LookupError("of ours")

    async with listening(serve) as server:
        client = connect(server.root)
        with caplog.at_level(logging.ERROR, "asyncio"):
            await client.ask(then=faulty).end()
        await client.answer()
        assert server.connections == 1
    assert "of ours" in caplog.text
    assert SECRET not in caplog.text


EVERY_ANSWER = [(words, status, True) for _, words, status in STAYS] + [(w, s, False) for _, w, s in LEAVES]


@given(row=st.sampled_from(EVERY_ANSWER), cuts=st.lists(st.integers(0, 300), max_size=12))
def test_an_answer_is_the_same_however_it_is_cut(row: tuple[bytes, int, bool], cuts: Sequence[int]) -> None:
    words, status, stays = row
    places = [0, *sorted(cut for cut in cuts if cut < len(words)), len(words)]
    pieces = [words[start:end] for start, end in pairwise(places) if start < end]
    assert asyncio.run(told(pieces)) == ([expected(words, status)], stays)


@given(words=st.binary(max_size=300), after=st.sampled_from([b"", PLAIN[:38], CHUNKED[:60], b"HTTP/1.1 "]))
def test_nonsense_ends_a_request_once_and_breaks_nothing(words: bytes, after: bytes) -> None:
    ends, _ = asyncio.run(told([after + words]))
    assert len(ends) == 1


async def told(pieces: Sequence[bytes]) -> tuple[list[object], bool]:
    """What one request hears when this comes in and then the end of the connection; whether the connection was free
    for another request before that end."""
    free: list[Connection] = []
    with Wire() as wire:
        connection = Connection(free.append, lambda _connection: None)
        connection.connection_made(wire)
        heard = Heard(b"request")
        connection.begin(heard, 0.0)
        for piece in pieces:
            if not wire.is_closing():
                connection.data_received(piece)
        stayed = bool(free) and not wire.is_closing()
        if not wire.is_closing():
            connection.eof_received()
        connection.connection_lost(None)
        await asyncio.sleep(0)
    return list(heard.told), stayed
