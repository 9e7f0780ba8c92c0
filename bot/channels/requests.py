"""What every request to a platform needs: when its first byte left, how long it may take, what went wrong in words."""

from __future__ import annotations

from urllib.request import getproxies

import aiohttp
from aiohttp.abc import AbstractStreamWriter

from bot.core.channel import ON_WIRE

CONNECT_SECONDS = 10.0
WRITE_SECONDS = 30.0
FILE_SECONDS = 300.0
NEVER = aiohttp.ClientTimeout(total=None)


class Noting:
    """A request body that remembers whether its first byte was handed to the connection. aiohttp sends the head
    of a request together with the first byte of its body, so this is the moment after which nobody knows."""

    begun = False

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        transport = getattr(writer, "transport", None)
        self.begun = transport is not None and not transport.is_closing()
        tell = ON_WIRE.get()
        if tell is not None:
            tell()
        await super().write_with_length(writer, content_length)  # type: ignore[misc]  # the class is mixed into a payload


def reason_of(error: Exception) -> str:
    """What happened in words without an address; of the operating system's text only the part after the host."""
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"{type(error).__name__}: {error.os_error.strerror or type(error.os_error).__name__}"
    return type(error).__name__


def proxied() -> bool:
    """Whether the environment names a proxy. aiohttp looks it up in a thread at every request, which costs as much
    as half the request, so it is asked to only where there is one."""
    return not {"http", "https"}.isdisjoint(getproxies())


def timeout_of(read: float, write: float) -> aiohttp.ClientTimeout:
    """Seconds that an answer may take once the request is written, and that writing may take."""
    return aiohttp.ClientTimeout(
        total=CONNECT_SECONDS + write + read, connect=CONNECT_SECONDS, sock_connect=CONNECT_SECONDS, sock_read=read
    )
