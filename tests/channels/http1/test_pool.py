"""Which connection carries which request, what waits, and what happens when one goes away."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from bot.channels import http1_pool
from bot.core.errors import NotSent, OutcomeUnknown
from tests.channels.conftest import until
from tests.channels.http1.gate import Gate
from tests.channels.http1.heard import SECRET, Client
from tests.channels.listening import OK, answer, listening, say_and_hang_up, say_nothing, serve, whole

Connect = Callable[..., Client]
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(OK), OK)


async def test_requests_one_after_another_share_a_connection(connect: Connect) -> None:
    async with listening(serve) as server:
        client = connect(server.root)
        for _ in range(5):
            assert (await client.answer()).body == OK
        assert server.connections == 1


async def test_a_request_goes_out_as_it_was_made(connect: Connect) -> None:
    seen = []

    async def look(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await whole(reader))
        await answer(writer)

    async with listening(look) as server:
        client = connect(server.root)
        await client.answer(b'{"text":"a"}')
    host = server.root.removeprefix("http://")
    assert seen == [
        f"POST /bot{SECRET}/sendMessage HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        'Content-Length: 12\r\n\r\n{"text":"a"}'.encode()
    ]


async def test_never_more_connections_than_allowed_and_never_two_requests_on_one(connect: Connect) -> None:
    gate = Gate()
    async with listening(gate) as server:
        client = connect(server.root, connections=3, read_seconds=5)
        asked = [client.ask(b"%d" % number) for number in range(10)]
        await until(lambda: gate.held == 3)
        gate.open.set()
        for heard in asked:
            await heard.end()
        assert (server.connections, gate.most_held) == (3, 3)
        assert sorted(gate.arrived[:3]) == [b"0", b"1", b"2"]
        assert sorted(gate.arrived) == [b"%d" % number for number in range(10)]
        assert [len(heard.told) for heard in asked] == [1] * 10


async def test_those_that_wait_go_in_the_order_in_which_they_came(connect: Connect) -> None:
    gate = Gate()
    gate.open.set()
    async with listening(gate) as server:
        client = connect(server.root, connections=1)
        for heard in [client.ask(b"%d" % number) for number in range(10)]:
            await heard.end()
    assert gate.arrived == [b"%d" % number for number in range(10)]


async def test_no_more_connections_are_opened_than_there_are_requests(connect: Connect) -> None:
    async with listening(serve) as server:
        client = connect(server.root)
        for heard in [client.ask(), client.ask()]:
            await heard.end()
        for heard in [client.ask(), client.ask()]:
            await heard.end()
        assert server.connections <= 2


async def test_an_end_that_came_with_the_answer_is_noticed_before_the_next_request(connect: Connect) -> None:
    """A server that closes after each answer and does not say so."""

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await whole(reader)
        say_and_hang_up(writer, ANSWER)
        await reader.read()

    async with listening(once) as server:
        client = connect(server.root, connections=1)
        asked = [client.ask() for _ in range(4)]
        asked.append(client.ask(then=lambda: asked.append(client.ask())))
        for heard in asked:
            await heard.end()
        assert [type(end).__name__ for heard in asked for end in heard.told] == ["Answer"] * 6
        assert server.connections == 6


async def test_what_comes_unasked_ends_a_connection_that_rests(connect: Connect) -> None:
    rested, ended = asyncio.Event(), asyncio.Event()

    async def farewell(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await whole(reader)
        await answer(writer)
        await rested.wait()
        await answer(writer, b"", "408 Request Timeout")
        assert await reader.read() == b""
        ended.set()

    async with listening(farewell) as server:
        client = connect(server.root)
        await client.answer()
        rested.set()
        async with asyncio.timeout(5):
            await ended.wait()
        assert (await client.answer()).status == 200
        assert server.connections == 2


async def test_a_connection_that_was_closed_while_it_rested_is_not_used(connect: Connect) -> None:
    closing = asyncio.Event()
    gone = asyncio.Event()

    async def wait_and_close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await whole(reader)
        await answer(writer)
        await closing.wait()
        writer.close()
        await reader.read()
        gone.set()

    async with listening(wait_and_close) as server:
        client = connect(server.root)
        await client.answer()
        closing.set()
        await gone.wait()
        await client.answer()
        assert server.connections == 2


async def test_a_connection_is_not_used_longer_than_the_server_waits(connect: Connect) -> None:
    async def impatient(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await whole(reader)
            await answer(writer, more="Keep-Alive: max=100, timeout=1\r\n")

    async with listening(impatient) as server:
        client = connect(server.root)
        for _ in range(3):
            await client.answer()
        assert server.connections == 3


async def test_a_connection_that_rests_too_long_is_closed(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http1_pool, "IDLE_SECONDS", 0.01)
    ended = asyncio.Event()

    async def note_the_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await whole(reader)
        await answer(writer)
        assert await reader.read() == b""
        ended.set()

    async with listening(note_the_end) as server:
        await connect(server.root).answer()
        async with asyncio.timeout(5):
            await ended.wait()


async def test_an_old_connection_is_replaced_between_two_requests(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http1_pool, "OLD_SECONDS", (-1.0, -1.0))
    async with listening(serve) as server:
        client = connect(server.root, connections=2)
        asked = [client.ask() for _ in range(6)]
        assert [type(await heard.end()).__name__ for heard in asked] == ["Answer"] * 6
        assert server.connections == 6


async def test_what_came_unasked_and_unread_is_no_answer(connect: Connect) -> None:
    async def talk_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await whole(reader)
        await answer(writer)
        await answer(writer, b"", "408 Request Timeout")
        await reader.read()

    async with listening(talk_on) as server:
        client = connect(server.root, connections=1)
        asked = [client.ask() for _ in range(3)]
        assert [getattr(await heard.end(), "status", None) for heard in asked] == [200] * 3
        assert server.connections == 3


async def test_a_server_that_speaks_first_is_none_of_ours(connect: Connect) -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
        await reader.read()

    async with listening(greet) as server:
        client = connect(server.root, read_seconds=5)
        asked = [client.ask() for _ in range(5)]
        assert {type(await heard.end()) for heard in asked} <= {NotSent, OutcomeUnknown}
        await until(lambda: server.open == 0)


async def test_silence_ends_a_request_and_its_connection(connect: Connect) -> None:
    async with listening(say_nothing) as server:
        client = connect(server.root)
        for _ in range(2):
            error = await client.error()
            assert (type(error), error.detail) == (OutcomeUnknown, "no answer in time")
        assert server.connections == 2


async def test_after_a_standstill_what_has_come_in_counts(connect: Connect) -> None:
    """The whole process stood still for longer than an answer may take, and the answer is there."""
    heard_of = asyncio.Event()
    loop = asyncio.get_running_loop()

    def reply(connection: socket.socket) -> None:
        connection.recv(65536)
        loop.call_soon_threadsafe(heard_of.set)
        time.sleep(0.1)
        connection.sendall(ANSWER)

    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as threads:
        client = connect(f"http://127.0.0.1:{listener.getsockname()[1]}")
        heard = client.ask()
        connection, _ = await loop.run_in_executor(None, listener.accept)
        with connection:
            threads.submit(reply, connection)
            await heard_of.wait()
            time.sleep(1.2)  # noqa: ASYNC251 - the standstill
            assert not isinstance(await heard.end(), Exception)


async def test_nobody_there_means_that_nothing_was_sent(connect: Connect) -> None:
    async with listening(serve) as server:
        pass
    client = connect(server.root)
    asked = [client.ask() for _ in range(5)]
    for heard in asked:
        end = await heard.end()
        assert isinstance(end, NotSent)
        assert "ConnectionRefusedError" in end.detail
        assert (heard.was_begun, SECRET in end.detail) == (0, False)


async def test_an_unknown_host_means_that_nothing_was_sent(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    async def unknown(*args: object, **kwargs: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    if isinstance(asyncio.get_running_loop(), asyncio.SelectorEventLoop):  # uvloop's has no place for another
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", unknown)
    error = await connect("http://telegram.invalid").error()
    assert isinstance(error, NotSent)
    assert "gaierror" in error.detail


async def test_a_connection_that_does_not_open_in_time(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http1_pool, "CONNECT_SECONDS", 0.1)
    async with listening(say_nothing) as server:  # which never answers a TLS greeting either
        error = await connect(server.root.replace("http:", "https:"), read_seconds=9).error()
    assert isinstance(error, NotSent)
    assert "TimeoutError" in error.detail


async def test_a_request_does_not_wait_for_ever_for_a_connection(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with listening(say_nothing) as server:
        client = connect(server.root, connections=1, read_seconds=0.5)
        busy = client.ask()
        await until(lambda: busy.was_begun)
        monkeypatch.setattr(http1_pool, "CONNECT_SECONDS", 0.1)
        error = await client.error()
        assert (type(error), error.detail) == (NotSent, "no connection was free in time")
        assert isinstance(await busy.end(), OutcomeUnknown)


async def test_where_no_more_connections_open_those_that_there_are_carry_everything(connect: Connect) -> None:
    gate = Gate()
    async with listening(gate) as server:
        client = connect(server.root, read_seconds=5)
        first = client.ask()
        await until(lambda: gate.held == 1)
        server.refuse()
        asked = [client.ask() for _ in range(5)]
        gate.open.set()
        assert [type(await heard.end()).__name__ for heard in [first, *asked]] == ["Answer"] * 6
        assert server.connections == 1


async def test_those_that_wait_are_not_lost_with_the_connection_they_wait_for(connect: Connect) -> None:
    async def break_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await whole(reader)
        if server.connections == 1:
            writer.transport.abort()
        else:
            await answer(writer)

    async with listening(break_off) as server:
        client = connect(server.root, connections=1)
        asked = [client.ask(), client.ask()]
        ends = [await heard.end() for heard in asked]
        assert [type(end).__name__ for end in ends] == ["OutcomeUnknown", "Answer"]
        assert server.connections == 2


@pytest.mark.parametrize("connections", [1, 7])
async def test_much_at_once_comes_back_whole(connect: Connect, connections: int) -> None:
    """Each answer belongs to its request, also over connections that the server keeps closing."""
    count = 0

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        while True:
            body = (await whole(reader)).partition(b"\r\n\r\n")[2]
            count += 1
            if count % 5 == 0:
                await answer(writer, body, more="Connection: close\r\n")
                return
            await answer(writer, body)

    async with listening(echo) as server:
        client = connect(server.root, connections=connections, read_seconds=5)
        asked = {b"%d" % number: client.ask(b"%d" % number) for number in range(300)}
        for body, heard in asked.items():
            end = await heard.end()
            assert not isinstance(end, Exception)
            assert end.body == body
