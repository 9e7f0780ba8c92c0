"""The web server over real HTTP: who may knock, how much they may bring, and what is told to whom."""

from __future__ import annotations

import asyncio
import io
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from bot.core.channel import Webhook, WebhookAnswer
from bot.core.errors import UserError
from bot.settings import Settings
from bot.web import webhooks
from bot.web.metrics import Metrics
from bot.web.server import WebServer

PATH = "/webhook/telegram/4242"
LIMIT = 1024 * 1024
MB = b"x" * 1024 * 1024


class Platform:
    """A channel's webhook that remembers what reached it."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.headers: list[Mapping[str, str]] = []

    async def accept(self, headers: Mapping[str, str], body: bytes) -> WebhookAnswer:
        self.bodies.append(body)
        self.headers.append(headers)
        return WebhookAnswer(200, "ok") if headers.get("x-secret") == "s" else WebhookAnswer(403, "forbidden")


@pytest.fixture
def platform() -> Platform:
    return Platform()


def settings(**fields: Any) -> Settings:
    return Settings(**{"_env_file": None, "http_port": 0, **fields})


@asynccontextmanager
async def serving(
    platform: Platform, health: Callable[[], Any] | None = None, metrics: Metrics | None = None
) -> AsyncIterator[tuple[str, aiohttp.ClientSession]]:
    async def well() -> dict[str, Any]:
        return {"ok": True, "database": "ok", "accounts": {"telegram:4242": "ok"}}

    hook = Webhook(path=PATH, max_body=LIMIT, accept=platform.accept)
    server = WebServer(settings(), [hook], health or well, metrics or Metrics())
    await server.start()
    try:
        async with aiohttp.ClientSession() as session:
            yield server.url, session
    finally:
        await server.stop()


async def test_an_update_reaches_the_channel_byte_for_byte_with_lower_case_headers(platform: Platform) -> None:
    async with serving(platform) as (url, session):
        body = '{"update_id": 1, "x": "Đồng Hới"}'.encode()
        async with session.post(url + PATH, data=body, headers={"X-Secret": "s"}) as answer:
            assert (answer.status, await answer.text()) == (200, "ok")
    assert platform.bodies == [body]
    assert platform.headers[0]["x-secret"] == "s"


async def test_a_forged_update_gets_what_the_channel_says(platform: Platform) -> None:
    async with serving(platform) as (url, session), session.post(url + PATH, data=b"{}") as answer:
        assert (answer.status, await answer.text()) == (403, "forbidden")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD"])
async def test_only_post_is_for_webhooks(platform: Platform, method: str) -> None:
    async with serving(platform) as (url, session), session.request(method, url + PATH) as answer:
        assert answer.status == 405


@pytest.mark.parametrize("path", ["/webhook/telegram/1", "/webhook", "/", "/webhook/telegram/4242/x", "/..%2f..%2fetc"])
async def test_what_is_not_there_is_not_found(platform: Platform, path: str) -> None:
    async with serving(platform) as (url, session), session.post(url + path, data=b"{}") as answer:
        assert answer.status == 404
    assert platform.bodies == []


async def test_a_body_that_says_it_is_too_large_is_refused_unread(platform: Platform) -> None:
    async with serving(platform) as (url, _):
        host, port = url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: {50 * LIMIT}\r\n\r\n".encode())
        first = await asyncio.wait_for(reader.readline(), 5)
        writer.close()
    assert b"413" in first
    assert platform.bodies == []


async def test_a_stream_that_grows_too_large_is_cut_off(platform: Platform) -> None:
    async with serving(platform) as (url, _):
        host, port = url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(f"POST {PATH} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        sent = 0
        try:
            for _ in range(50):
                writer.write(b"100000\r\n" + MB + b"\r\n")
                await writer.drain()
                sent += 1
        except ConnectionError:
            pass
        writer.close()
        reader.feed_eof()
    assert sent < 50
    assert platform.bodies == []


async def test_a_body_at_the_limit_goes_through(platform: Platform) -> None:
    async with serving(platform) as (url, session):
        async with session.post(url + PATH, data=io.BytesIO(MB), headers={"X-Secret": "s"}) as answer:
            assert answer.status == 200
        async with session.post(url + PATH, data=io.BytesIO(MB + b"x"), headers={"X-Secret": "s"}) as answer:
            assert answer.status == 413
    assert [len(body) for body in platform.bodies] == [LIMIT]


async def test_a_body_that_never_comes_is_not_waited_for(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "READ_SECONDS", 0.05)
    async with serving(platform) as (url, _):
        host, port = url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc".encode())
        assert b"408" in await asyncio.wait_for(reader.readline(), 5)
        writer.close()


async def test_it_is_alive_ready_and_hardened(platform: Platform) -> None:
    async with serving(platform) as (url, session):
        async with session.get(url + "/healthz") as answer:
            assert (answer.status, await answer.json()) == (200, {"status": "ok"})
            assert answer.headers["Server"] == "loaso"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
        async with session.get(url + "/readyz") as answer:
            found = await answer.json()
            assert (answer.status, found["status"], found["accounts"]) == (200, "ok", {"telegram:4242": "ok"})


async def test_what_does_not_work_makes_it_not_ready_but_alive(platform: Platform) -> None:
    async def ill() -> dict[str, Any]:
        return {"ok": False, "accounts": {"telegram:4242": "the platform refuses its token"}}

    async with serving(platform, ill) as (url, session):
        async with session.get(url + "/readyz") as answer:
            assert answer.status == 503
            assert "refuses its token" in await answer.text()
        async with session.get(url + "/healthz") as answer:
            assert answer.status == 200


async def test_metrics_are_counted_apart_for_each_program(platform: Platform) -> None:
    metrics, others = Metrics(), Metrics()
    metrics.sent("telegram:4242", "bulk", "sent")
    metrics.inbound("telegram:4242", "message", 0.02)
    metrics.queued("telegram:4242", 3)
    metrics.runs("sending", 1)
    others.sent("telegram:1", "bulk", "failed")
    async with serving(platform, metrics=metrics) as (url, session), session.get(url + "/metrics") as answer:
        page = await answer.text()
    assert 'loaso_messages_total{account="telegram:4242",lane="bulk",outcome="sent"} 1.0' in page
    assert 'loaso_inbound_seconds_count{account="telegram:4242",kind="message"} 1.0' in page
    assert 'loaso_replies_waiting{account="telegram:4242"} 3.0' in page
    assert 'loaso_runs{state="sending"} 1.0' in page
    assert "telegram:1" not in page


async def test_a_port_in_use_is_said_in_one_sentence(platform: Platform) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        async def well() -> dict[str, Any]:
            return {"ok": True}

        server = WebServer(settings(http_port=port), [], well, Metrics())
        with pytest.raises(UserError, match=f"already listens on 127.0.0.1:{port}"):
            await server.start()
        await server.stop()


async def test_a_host_that_is_not_ours_is_said_in_one_sentence() -> None:
    async def well() -> dict[str, Any]:
        return {"ok": True}

    server = WebServer(settings(http_host="192.0.2.1"), [], well, Metrics())
    with pytest.raises(UserError, match="cannot listen on"):
        await server.start()
