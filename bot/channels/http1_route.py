"""The way to one origin: its address, a proxy that the environment names, TLS; and the head of a request that way."""

from __future__ import annotations

import asyncio
import base64
import re
import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from urllib.request import getproxies, proxy_bypass

from aiohappyeyeballs import AddrInfoType, start_connection
from yarl import URL

_NEXT_ADDRESS = 0.25
_FRESH_SECONDS = 300.0
_MAX_HEAD = 16 * 1024
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})")


class NoTunnel(OSError):
    """The proxy does not let us through, or is none."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """`credentials` is a whole header line, or nothing."""

    host: str
    port: int
    credentials: str


@dataclass(frozen=True, slots=True)
class Route:
    """To `host`, over TLS or not, directly or by a proxy. `authority` is the host as a request names it."""

    host: str
    port: int
    authority: str
    tls: bool
    credentials: str
    proxy: Proxy | None

    def head(self, path: str, headers: Mapping[str, str]) -> bytes:
        """The head of a POST up to and including `Content-Length: `; the number, an empty line and the body follow."""
        lines = [f"{name}: {value}\r\n" for name, value in headers.items()]
        target = path
        if self.proxy is not None and not self.tls:
            target = f"http://{self.authority}{path}"
            lines.append(self.proxy.credentials)
        start = f"POST {target} HTTP/1.1\r\nHost: {self.authority}\r\n{self.credentials}"
        return f"{start}{''.join(lines)}Content-Length: ".encode("ascii")


def find_route(url: URL) -> Route:
    """By the proxy variables as they are now. Raises `ValueError` for what is no HTTP address and for a kind of proxy
    that we do not speak."""
    if url.scheme not in ("http", "https") or not url.raw_host or url.port is None:
        raise ValueError("not an address of a web server")
    return Route(
        url.raw_host, url.port, _authority(url), url.scheme == "https", _basic("Authorization", url), _proxy(url)
    )


class Road:
    """Opens sockets along a route. The certificate authorities are read once, names are looked up every five
    minutes."""

    def __init__(self, route: Route) -> None:
        self._route = route
        self._trust = _trust() if route.tls else None
        self._addresses: list[AddrInfoType] = []
        self._fresh_until = 0.0
        self._asking = asyncio.Lock()

    async def open(self, protocol: asyncio.Protocol) -> None:
        """Connect `protocol`. Raises `OSError` (which certificate and name errors are) or `ValueError`."""
        loop = asyncio.get_running_loop()
        connected = await self._connected()
        try:
            if self._route.proxy is not None and self._route.tls:
                await self._tunnel(connected, self._route.proxy)
        except BaseException:
            connected.close()
            raise
        await loop.create_connection(
            lambda: protocol,
            sock=connected,
            ssl=self._trust,
            server_hostname=self._route.host if self._route.tls else None,
        )

    async def _connected(self) -> socket.socket:
        try:
            connected = await start_connection(await self._looked_up(), happy_eyeballs_delay=_NEXT_ADDRESS)
        except (OSError, RuntimeError) as error:
            self._fresh_until = 0.0
            raise error if isinstance(error, OSError) else OSError(str(error)) from error
        with suppress(OSError):
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connected

    async def _looked_up(self) -> list[AddrInfoType]:
        """Many connections are opened at once, and one of them asks."""
        loop = asyncio.get_running_loop()
        async with self._asking:
            if loop.time() >= self._fresh_until:
                to = self._route.proxy or self._route
                self._addresses = list(await loop.getaddrinfo(to.host, to.port, type=socket.SOCK_STREAM))
                self._fresh_until = loop.time() + _FRESH_SECONDS
            return self._addresses

    async def _tunnel(self, connected: socket.socket, proxy: Proxy) -> None:
        """Ask a proxy to let TLS through. Nothing of what the server says can come before we speak to it."""
        loop = asyncio.get_running_loop()
        to = f"[{self._route.host}]" if ":" in self._route.host else self._route.host
        ask = f"CONNECT {to}:{self._route.port} HTTP/1.1\r\nHost: {to}:{self._route.port}\r\n{proxy.credentials}\r\n"
        await loop.sock_sendall(connected, ask.encode("ascii"))
        head = b""
        while b"\r\n\r\n" not in head:
            part = await loop.sock_recv(connected, 4096)
            head += part
            if not part or len(head) > _MAX_HEAD:
                raise NoTunnel("the proxy did not answer")
        status = _STATUS.match(head)
        if status is not None and not status[1].startswith(b"2"):
            raise NoTunnel(f"the proxy refused with {status[1].decode()}")
        if status is None or not head.endswith(b"\r\n\r\n"):
            raise NoTunnel("the proxy's answer is not HTTP")


def reason(error: BaseException) -> str:
    """Why there is no connection, in words without the request's address; of a certificate, what is wrong with it."""
    detail = ""
    if isinstance(error, ssl.SSLCertVerificationError):
        detail = error.verify_message
    elif isinstance(error, NoTunnel):
        detail = str(error)
    elif isinstance(error, OSError):
        detail = error.strerror or ""
    return f"{type(error).__name__}: {detail}" if detail else type(error).__name__


def _trust() -> ssl.SSLContext:
    """Certificates and host names are checked; `SSL_CERT_FILE` and `SSL_CERT_DIR` say whom to trust."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


def _proxy(url: URL) -> Proxy | None:
    address = getproxies().get(url.scheme)
    if not address or proxy_bypass(url.raw_host or ""):
        return None
    proxy = URL(address if "://" in address else f"http://{address}")
    if proxy.scheme != "http" or not proxy.raw_host or proxy.port is None:
        raise ValueError("not the address of an HTTP proxy")
    return Proxy(proxy.raw_host, proxy.port, _basic("Proxy-Authorization", proxy))


def _basic(name: str, url: URL) -> str:
    if url.user is None and url.password is None:
        return ""
    secret = base64.b64encode(f"{url.user or ''}:{url.password or ''}".encode()).decode()
    return f"{name}: Basic {secret}\r\n"


def _authority(url: URL) -> str:
    host = f"[{url.raw_host}]" if ":" in (url.raw_host or "") else url.raw_host or ""
    return host if url.is_default_port() else f"{host}:{url.port}"
