"""Certificates, proxies, and heads of requests."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme
from yarl import URL

from bot.channels import http1_pool
from bot.channels.http1_route import find_route
from bot.core.errors import NotSent, OutcomeUnknown
from tests.channels.http1.heard import SECRET, Client
from tests.channels.listening import OK, Handler, answer, listening, say_nothing, serve, whole

Connect = Callable[..., Client]
AUTHORITY = trustme.CA()


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As an operator would have us trust an authority of their own."""
    file = tmp_path / "authority.pem"
    AUTHORITY.cert_pem.write_to_path(str(file))
    monkeypatch.setenv("SSL_CERT_FILE", str(file))


def certificate(*names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert(*names).configure_cert(context)
    return context


async def test_a_server_that_can_prove_who_it_is(connect: Connect, trusted: None) -> None:
    async with listening(serve, certificate("127.0.0.1")) as server:
        client = connect(server.root, connections=2, read_seconds=5)
        asked = [client.ask() for _ in range(10)]
        assert [type(await heard.end()).__name__ for heard in asked] == ["Answer"] * 10
        assert server.connections <= 2


async def test_an_authority_that_nobody_knows(connect: Connect) -> None:
    async with listening(serve, certificate("127.0.0.1")) as server:
        error = await connect(server.root, read_seconds=5).error()
    assert isinstance(error, NotSent)
    assert "SSLCertVerificationError: unable to get local issuer certificate" in error.detail


async def test_a_certificate_of_somebody_else(connect: Connect, trusted: None) -> None:
    async with listening(serve, certificate("telegram.invalid")) as server:
        error = await connect(server.root, read_seconds=5).error()
    assert isinstance(error, NotSent)
    assert "SSLCertVerificationError: IP address mismatch" in error.detail


async def test_a_server_without_tls(connect: Connect, trusted: None) -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        await answer(writer, b"speak plainly", "400 Bad Request")

    async with listening(plain) as server:
        error = await connect(server.root.replace("http:", "https:"), read_seconds=5).error()
    assert isinstance(error, NotSent)
    assert "SSLError" in error.detail


async def close_after_reading(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await whole(reader)


async def break_after_reading(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await whole(reader)
    writer.transport.abort()


async def half_an_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await whole(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + OK)


@pytest.mark.parametrize("handler", [close_after_reading, break_after_reading, half_an_answer, say_nothing])
async def test_over_tls_too_nobody_knows_what_became_of_it(handler: Handler, connect: Connect, trusted: None) -> None:
    async with listening(handler, certificate("127.0.0.1")) as server:
        assert isinstance(await connect(server.root, read_seconds=1).error(), OutcomeUnknown)


async def test_over_tls_too_an_old_servers_answer_ends_with_its_connection(connect: Connect, trusted: None) -> None:
    async def old(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await whole(reader)
        writer.write(b"HTTP/1.0 200 OK\r\n\r\n" + OK)

    async with listening(old, certificate("127.0.0.1")) as server:
        client = connect(server.root, read_seconds=5)
        for _ in range(2):
            assert (await client.answer()).body == OK
        assert server.connections == 2


class ConnectProxy:
    """Lets through whoever knows the password, if there is one, and at most so many. `asked` holds the heads that it
    read."""

    def __init__(self, password: str = "") -> None:
        self.asked: list[bytes] = []
        self.most = 100
        self._wanted = f"Proxy-Authorization: Basic {base64.b64encode(password.encode()).decode()}\r\n".encode()
        self._open = not password

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.asked.append(head)
        if len(self.asked) > self.most or (not self._open and self._wanted not in head):
            await answer(writer, b"who are you?", "407 Proxy Authentication Required")
            return
        host, port = head.split()[1].decode().rsplit(":", 1)
        there, back = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 Connection established\r\nVia: us\r\n\r\n")
        try:
            await asyncio.gather(self._carry(reader, back), self._carry(there, writer))
        finally:
            back.transport.abort()

    @staticmethod
    async def _carry(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while part := await source.read(65536):
            target.write(part)
            await target.drain()
        target.close()


async def test_tls_goes_through_a_proxy_by_a_tunnel(
    connect: Connect, trusted: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = ConnectProxy("lan:mật khẩu")
    async with listening(serve, certificate("127.0.0.1")) as server, listening(proxy) as way:
        address = way.root.replace("http://", "http://lan:m%E1%BA%ADt%20kh%E1%BA%A9u@")
        monkeypatch.setenv("HTTPS_PROXY", address)
        client = connect(server.root, connections=1, read_seconds=5)
        for _ in range(3):
            assert (await client.answer()).body == OK
        await client.pool.close()
    (head,) = proxy.asked
    host = server.root.removeprefix("https://")
    assert head.startswith(f"CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n".encode())
    assert SECRET.encode() not in head


async def test_a_tunnel_does_not_spare_the_certificate(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening(serve, certificate("127.0.0.1")) as server, listening(ConnectProxy()) as way:
        monkeypatch.setenv("HTTPS_PROXY", way.root)
        error = await connect(server.root, read_seconds=5).error()
    assert isinstance(error, NotSent)
    assert "SSLCertVerificationError" in error.detail


async def talk_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\n\r\nand here is an advertisement")
    await reader.read()


async def talk_nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"<html>\r\n\r\n")
    await reader.read()


async def talk_too_much(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000)
        await writer.drain()


async def close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")


async def test_who_lets_nobody_else_through_is_not_asked_all_the_time(
    connect: Connect, trusted: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits goes over the one connection that there is."""
    proxy = ConnectProxy()
    async with listening(serve, certificate("127.0.0.1")) as server, listening(proxy) as way:
        monkeypatch.setenv("HTTPS_PROXY", way.root)
        monkeypatch.setattr(http1_pool, "PAUSE_SECONDS", 60)
        client = connect(server.root, read_seconds=5)
        await client.answer()
        proxy.most = 1
        for _ in range(5):
            asked = [client.ask() for _ in range(4)]
            assert [type(await heard.end()).__name__ for heard in asked] == ["Answer"] * 4
        assert server.connections == 1
    assert len(proxy.asked) <= 1 + 3


REFUSALS: list[tuple[Handler, str]] = [
    (ConnectProxy("lan:1"), "the proxy refused with 407"),
    (talk_on, "the proxy's answer is not HTTP"),
    (talk_nonsense, "the proxy's answer is not HTTP"),
    (talk_too_much, "the proxy did not answer"),
    (close, "the proxy did not answer"),
]


@pytest.mark.parametrize(("handler", "detail"), REFUSALS)
async def test_no_tunnel_means_that_nothing_was_sent(
    handler: Handler, detail: str, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with listening(handler) as way:
        monkeypatch.setenv("HTTPS_PROXY", way.root.replace("http://", "http://lan:secret@"))
        error = await connect("https://telegram.invalid", read_seconds=5).error()
    assert (type(error), error.detail) == (NotSent, f"NoTunnel: {detail}")


async def test_without_tls_a_proxy_gets_whole_addresses(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    heads = []

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            heads.append((await whole(reader)).partition(b"\r\n\r\n")[0].decode())
            await answer(writer)

    async with listening(proxy) as way:
        monkeypatch.setenv("http_proxy", way.root.replace("http://", "http://lan:1@"))
        client = connect("http://telegram.invalid:8081")
        for _ in range(2):
            await client.answer()
        assert way.connections == 1
    assert heads[0] == heads[1]
    assert heads[0].splitlines() == [
        f"POST http://telegram.invalid:8081/bot{SECRET}/sendMessage HTTP/1.1",
        "Host: telegram.invalid:8081",
        "Content-Type: application/json",
        "Proxy-Authorization: Basic bGFuOjE=",
        "Content-Length: 2",
    ]


async def test_a_host_may_be_reached_without_the_proxy(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1")
    async with listening(serve) as server:
        await connect(server.root).answer()


ROUTES = [
    ("https://api.telegram.org", "api.telegram.org", 443, "api.telegram.org", True),
    ("http://localhost:8081/", "localhost", 8081, "localhost:8081", False),
    ("http://[::1]:8081", "::1", 8081, "[::1]:8081", False),
    ("https://[::1]", "::1", 443, "[::1]", True),
    ("http://thôn.vn", "xn--thn-lna.vn", 80, "xn--thn-lna.vn", False),
]


@pytest.mark.parametrize(("url", "host", "port", "authority", "tls"), ROUTES)
def test_route(url: str, host: str, port: int, authority: str, tls: bool) -> None:
    route = find_route(URL(url))
    assert (route.host, route.port, route.authority, route.tls, route.proxy) == (host, port, authority, tls, None)


def test_a_name_and_a_password_in_the_address_are_shown_to_the_server() -> None:
    head = find_route(URL("https://lan:1@a.vn")).head("/x", {})
    assert head == b"POST /x HTTP/1.1\r\nHost: a.vn\r\nAuthorization: Basic bGFuOjE=\r\nContent-Length: "


@pytest.mark.parametrize("url", ["nonsense", "ftp://a.vn", "https://", "/bot1:a/sendMessage", "http:a"])
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(ValueError):
        find_route(URL(url))


@pytest.mark.parametrize("proxy", ["https://a.vn", "socks5://a.vn:1080", "http://"])
def test_a_kind_of_proxy_that_we_do_not_speak(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(ValueError):
        find_route(URL("https://api.telegram.org"))


def test_a_proxy_may_be_named_without_a_scheme(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "proxy.vn:3128")
    route = find_route(URL("https://api.telegram.org"))
    assert route.proxy is not None
    assert (route.proxy.host, route.proxy.port) == ("proxy.vn", 3128)
