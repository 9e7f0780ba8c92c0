"""The transport against sockets that misbehave: what never left, what perhaps arrived, and no token anywhere."""

from __future__ import annotations

import asyncio
import socket
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import TCPConnector
from aiohttp.connector import Connection
from telegram import InputFile
from telegram.error import BadRequest, Forbidden, NetworkError, RetryAfter, TelegramError
from telegram.request import RequestData
from telegram.request._requestparameter import RequestParameter

from bot.channels.telegram_http import AiohttpRequest, AnswerLost, GarbledAnswer, NotWritten
from tests.channels.listening import OK, Handler, answer, say_nothing, whole
from tests.channels.listening import listening as listening_at

TOKEN = "123456:AAE-fAkE_tOkEn_000000000000000000000"


@asynccontextmanager
async def listening(handler: Handler) -> AsyncIterator[str]:
    """The address of a method on a server that treats each connection so."""
    async with listening_at(handler) as server:
        yield f"{server.root}/bot{TOKEN}/sendMessage"


@pytest.fixture
async def request_() -> AsyncIterator[AiohttpRequest]:
    transport = AiohttpRequest(read_seconds=1.0)
    yield transport
    await transport.shutdown()


def data(**fields: object) -> RequestData:
    return RequestData([RequestParameter.from_input(name, value) for name, value in fields.items()])


async def test_an_answer_is_read_and_the_connection_kept(request_: AiohttpRequest) -> None:
    connections = []
    bodies = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        while True:
            bodies.append((await whole(reader)).partition(b"\r\n\r\n")[2])
            await answer(writer)

    async with listening(serve) as url:
        for _ in range(3):
            assert await request_.post(url, data(chat_id=5, text="chào")) == {"message_id": 7}
    assert len(connections) == 1
    assert bodies == ['{"chat_id":5,"text":"chào"}'.encode()] * 3


async def close_half_read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    writer.close()


async def close_after_reading(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await whole(reader)


async def reset_after_reading(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await whole(reader)
    writer.transport.abort()


async def half_an_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await whole(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + OK)
    await writer.drain()


async def not_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await whole(reader)
    writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
    await writer.drain()


async def not_json(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await whole(reader)
    await answer(writer, b"<html>login</html>")


async def not_the_bot_api(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await whole(reader)
    await answer(writer, b'{"ok":true}')


LOST: list[tuple[str, Handler, type[TelegramError]]] = [
    ("closed half read", close_half_read, AnswerLost),
    ("closed after reading", close_after_reading, AnswerLost),
    ("reset after reading", reset_after_reading, AnswerLost),
    ("silence", say_nothing, AnswerLost),
    ("half an answer", half_an_answer, AnswerLost),
    ("not HTTP", not_http, AnswerLost),
    ("not JSON", not_json, GarbledAnswer),
    ("not the Bot API", not_the_bot_api, GarbledAnswer),
]


@pytest.mark.parametrize(("handler", "kind"), [row[1:] for row in LOST], ids=[row[0] for row in LOST])
async def test_nobody_knows_what_became_of_it(
    handler: Handler, kind: type[TelegramError], request_: AiohttpRequest
) -> None:
    async with listening(handler) as url:
        with pytest.raises(kind) as caught:
            await request_.post(url, data(chat_id=5, text="chào"))
    assert TOKEN not in everything(caught.value)


async def test_a_refused_connection_never_carried_it(request_: AiohttpRequest) -> None:
    async with listening(say_nothing) as url:
        pass
    with pytest.raises(NotWritten, match="ClientConnectorError") as caught:
        await request_.post(url, data(chat_id=5))
    assert TOKEN not in everything(caught.value)


async def test_an_unknown_host_never_saw_it(request_: AiohttpRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    async def unknown(*args: object, **kwargs: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", unknown)
    with pytest.raises(NotWritten) as caught:
        await request_.post(f"http://telegram.invalid/bot{TOKEN}/getMe", data())
    assert TOKEN not in everything(caught.value)


async def test_a_nonsense_address_never_carried_it(request_: AiohttpRequest) -> None:
    with pytest.raises(NotWritten):
        await request_.post(f"nonsense/bot{TOKEN}/getMe", data())


async def test_after_closing_nothing_leaves(request_: AiohttpRequest) -> None:
    await request_.shutdown()
    with pytest.raises(NotWritten, match="closed"):
        await request_.post("http://127.0.0.1:9/x", data())


async def test_a_connection_that_died_while_idle_is_not_used(request_: AiohttpRequest) -> None:
    """The server closes after each answer without saying so: the next request takes a new connection."""

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await whole(reader)
        await answer(writer)

    async with listening(once) as url:
        for _ in range(3):
            await request_.post(url, data(chat_id=5))
            await asyncio.sleep(0.02)  # until the end of the connection has arrived


async def test_a_connection_that_dies_before_the_first_byte_never_carried_it(
    request_: AiohttpRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection is taken from the pool alive, and is closing by the time the request is to be written."""
    alive = TCPConnector.connect

    async def closing(*args: Any, **kwargs: Any) -> Connection:
        connection = await alive(*args, **kwargs)
        assert connection.transport is not None
        connection.transport.abort()
        return connection

    monkeypatch.setattr(TCPConnector, "connect", closing)
    async with listening(say_nothing) as url:
        for fields in ({"text": "a"}, {"document": InputFile(b"x", filename="a.txt")}):
            with pytest.raises(NotWritten) as caught:
                await request_.post(url, data(**fields))
            assert TOKEN not in everything(caught.value)


async def test_a_redirect_is_not_followed(request_: AiohttpRequest) -> None:
    seen = []

    async def redirect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await whole(reader))
        await answer(writer, b"", "302 Found", "Location: /elsewhere\r\n")

    async with listening(redirect) as url:
        with pytest.raises(NetworkError, match="302"):
            await request_.post(url, data(chat_id=5))
    assert len(seen) == 1


async def test_nothing_is_repeated(request_: AiohttpRequest) -> None:
    seen = []

    async def fail(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await whole(reader))

    async with listening(fail) as url:
        with pytest.raises(AnswerLost):
            await request_.post(url, data(chat_id=5))
    assert len(seen) == 1


async def test_files_travel_as_a_form_with_their_names_in_utf8(request_: AiohttpRequest) -> None:
    bodies = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        bodies.append(await whole(reader))
        await answer(writer)

    file = InputFile(b"x" * 3_000_000, filename='Lịch "họp"\r\n.pdf')
    async with listening(serve) as url:
        await request_.post(url, data(chat_id=5, document=file, caption_entities=[{"type": "bold"}]))
    (body,) = bodies
    assert b"multipart/form-data" in body
    assert 'name="document"; filename="Lịch \\"họp\\"__.pdf"'.encode() in body
    assert b'[{"type": "bold"}]' in body
    assert b"x" * 3_000_000 in body


async def test_how_long_to_wait_may_be_in_the_header_alone(request_: AiohttpRequest) -> None:
    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await whole(reader)
        await answer(writer, b"<html>", "429 Too Many Requests", "Retry-After: 17\r\n")

    async with listening(flood) as url:
        with pytest.raises(RetryAfter) as caught:
            await request_.post(url, data(chat_id=5))
    assert caught.value.retry_after == timedelta(seconds=17)


async def test_a_refusal_keeps_telegrams_words(request_: AiohttpRequest) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await whole(reader)
        await answer(writer, b'{"ok":false,"error_code":403,"description":"Forbidden: x"}', "403 Forbidden")

    async with listening(serve) as url:
        with pytest.raises(Forbidden, match="Forbidden: x"):
            await request_.post(url, data(chat_id=5))


async def test_text_that_is_not_unicode_never_leaves(request_: AiohttpRequest) -> None:
    for fields in ({"text": "a\ud800"}, {"text": "a\ud800", "photo": InputFile(b"x", filename="a.jpg")}):
        with pytest.raises(BadRequest, match="UTF-8"):
            await request_.post("http://127.0.0.1:9/x", data(**fields))


def test_half_a_surrogate_pair_does_not_cost_the_whole_answer() -> None:
    assert AiohttpRequest.parse_json_payload(b'{"ok":true,"result":"\\ud83d"}')["result"] == "\ud83d"


ENVELOPES = [
    b"",
    b"[]",
    b"null",
    b'{"ok":1,"result":2}',
    b'{"ok":true}',
    b'{"ok":false,"description":5}',
    b'{"ok":false,"description":"x","parameters":[1]}',
    b'{"ok":false,"description":"x","parameters":{"retry_after":"soon"}}',
]


@pytest.mark.parametrize("payload", ENVELOPES)
def test_what_is_no_envelope_is_told_apart(payload: bytes) -> None:
    with pytest.raises(GarbledAnswer):
        AiohttpRequest.parse_json_payload(payload)


def everything(error: BaseException) -> str:
    """All that a log could show of an error, its causes included."""
    return "".join(traceback.format_exception(error)) + repr(error) + repr(error.__context__) + repr(error.__cause__)
