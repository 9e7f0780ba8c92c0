"""The thin client below both Zalo channels: what never left, what may have arrived, and files at public addresses."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web

from bot.channels.zalo_bot import ZaloBotChannel
from bot.channels.zalo_http import FilePart, ZaloHttp
from bot.core.channel import ON_WIRE
from bot.core.errors import BadContent, ContactRefused, NotSent, OutcomeUnknown, SendError
from bot.core.events import Media, MediaKind
from tests.channels.listening import Handler, answer, listening, say_nothing, whole
from tests.channels.zalo_bot_fixtures import a_zalo, a_zalo_bot, a_zalo_channel  # noqa: F401 - fixtures

OK = b'{"ok":true}'
SECRET = "bot123:geheim"
HEADERS = {"access_token": "geheim"}


@pytest.fixture
async def http() -> AsyncIterator[ZaloHttp]:
    found = ZaloHttp(read_seconds=0.1)
    yield found
    await found.close()


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await whole(reader)


async def hang_up_on_a_get(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")


async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await whole(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
    await writer.drain()


TABLE: list[tuple[str, str, Handler, type[SendError]]] = [
    ("closed unread", "POST", hang_up, OutcomeUnknown),
    ("silence", "POST", say_nothing, OutcomeUnknown),
    ("half an answer", "POST", half, OutcomeUnknown),
    ("a GET that nobody answers", "GET", say_nothing, NotSent),
    ("a GET that is hung up on", "GET", hang_up_on_a_get, NotSent),
]


@pytest.mark.parametrize(("method", "handler", "kind"), [r[1:] for r in TABLE], ids=[r[0] for r in TABLE])
async def test_failure(method: str, handler: Handler, kind: type[SendError], http: ZaloHttp) -> None:
    async with listening(handler) as server:
        with pytest.raises(SendError) as caught:
            await http.request(method, f"{server.root}/{SECRET}", headers=HEADERS)
    assert type(caught.value) is kind
    assert "geheim" not in "".join(traceback.format_exception(caught.value))


async def test_nobody_there_means_not_sent(http: ZaloHttp) -> None:
    async with listening(say_nothing) as server:
        root = server.root
    with pytest.raises(NotSent) as caught:
        await http.request("POST", f"{root}/{SECRET}", json={})
    assert "geheim" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("url", ["", "geheim", "ftp://a.vn/geheim", "http://[geheim"])
async def test_what_is_no_address_was_never_sent(url: str, http: ZaloHttp) -> None:
    with pytest.raises(NotSent) as caught:
        await http.request("POST", url, json={})
    assert "geheim" not in "".join(traceback.format_exception(caught.value))


async def test_a_closed_client_sends_nothing(http: ZaloHttp) -> None:
    await http.close()
    with pytest.raises(NotSent, match="closed"):
        await http.request("POST", "http://127.0.0.1:9/", json={})


async def test_what_is_no_utf8_is_wrong_for_everybody(http: ZaloHttp) -> None:
    for way in ("json", "form", "multipart"):
        body: dict[str, Any] = {way: {"text": "a\ud83d"}}
        with pytest.raises(BadContent):
            await http.request("POST", "http://127.0.0.1:9/", **body)


Sent = list[bytes]


@pytest.mark.parametrize(
    ("how", "parts"),
    [
        ({"json": {"a": "ạ"}}, ['{"a":"ạ"}', "Content-Type: application/json"]),
        ({}, ["\r\n\r\n{}", "Content-Type: application/json"]),
        ({"form": {"a": "ạ b"}}, ["\r\n\r\na=%E1%BA%A1+b", "Content-Type: application/x-www-form-urlencoded"]),
        (
            {"multipart": {"a": "ạ", "file": FilePart("ảnh\n.jpg", b"JPG", "image/jpeg")}},
            ['name="a"', 'name="file"; filename="ảnh_.jpg"', "JPG", "Content-Type: image/jpeg"],
        ),
    ],
    ids=["json", "nothing", "form", "multipart"],
)
async def test_a_body_leaves_as_it_should(how: dict[str, Any], parts: list[str], http: ZaloHttp) -> None:
    seen: Sent = []
    wire: list[str] = []

    async def keep(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await whole(reader))
        await answer(writer, OK, more="X-RateLimit-Remain: 7\r\nSet-Cookie: a=b\r\n")

    told = ON_WIRE.set(lambda: wire.append("now"))
    async with listening(keep) as server:
        for _ in range(2):
            status, headers, body = await http.request("POST", server.root, headers={"access_token": "t"}, **how)
            await asyncio.sleep(0)
    ON_WIRE.reset(told)
    assert (status, headers["x-ratelimit-remain"], body, len(wire)) == (200, "7", OK, 2)
    text = seen[-1].decode()
    assert [part for part in (*parts, "access_token: t") if part not in text] == []
    assert "Cookie" not in text


async def test_no_redirect_is_followed(http: ZaloHttp) -> None:
    async def elsewhere(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await whole(reader)
        await answer(writer, b"", "302 Found", "Location: http://127.0.0.1:9/\r\n")

    async with listening(elsewhere) as server:
        assert (await http.request("POST", server.root))[0] == 302


# Files


def page(status: int = 200, mime: str = "image/jpeg", body: bytes = b"JPG", to: str = "") -> Callable[[], web.Response]:
    headers = {"Location": to} if to else {}
    return lambda: web.Response(status=status, body=body, content_type=mime, headers=headers)


PAGES = {
    "picture": page(),
    "sound": page(mime="audio/aac"),
    "film": page(mime="video/mp4"),
    "login": page(mime="text/html"),
    "huge": page(body=b"a" * (20 * 1024 * 1024 + 1)),
    "gone": page(404),
    "broken": page(503),
    "moved": page(302, to="/picture"),
    "in circles": page(302, to="/in circles"),
    "to a file": page(302, to="file:///etc/passwd"),
}
FILES: list[tuple[str, type[SendError] | None]] = [
    ("picture", None),
    ("sound", None),
    ("moved", None),
    ("film", ContactRefused),
    ("login", ContactRefused),
    ("huge", ContactRefused),
    ("gone", ContactRefused),
    ("in circles", ContactRefused),
    ("to a file", ContactRefused),
    ("broken", NotSent),
]


@pytest.fixture
async def shelf() -> AsyncIterator[str]:
    async def handle(request: web.Request) -> web.Response:
        return PAGES[request.match_info["name"]]()

    app = web.Application()
    app.router.add_get("/{name}", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.mark.parametrize(("name", "kind"), FILES, ids=[row[0] for row in FILES])
async def test_file(name: str, kind: type[SendError] | None, shelf: str, zalo_channel: ZaloBotChannel) -> None:
    media = Media(MediaKind.PHOTO, file_id=f"{shelf}/{name}")
    if kind is None:
        assert await zalo_channel.fetch(media) == b"JPG"
        return
    with pytest.raises(SendError) as caught:
        await zalo_channel.fetch(media)
    assert type(caught.value) is kind
    assert shelf not in "".join(traceback.format_exception(caught.value))


async def test_a_sticker_has_no_content_to_fetch(zalo_channel: ZaloBotChannel) -> None:
    with pytest.raises(ContactRefused):
        await zalo_channel.fetch(Media(MediaKind.STICKER, file_id="c2b5"))
    with pytest.raises(ValueError, match="address"):
        await zalo_channel.fetch(Media(MediaKind.PHOTO, content=b"a"))


async def test_a_file_on_a_server_that_is_away_may_be_there_later(zalo_channel: ZaloBotChannel) -> None:
    async with listening(say_nothing) as server:
        root = server.root
    with pytest.raises(NotSent):
        await zalo_channel.fetch(Media(MediaKind.PHOTO, file_id=f"{root}/a.jpg"))
