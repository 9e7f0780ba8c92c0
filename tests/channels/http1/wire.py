"""A wire in memory, for what must not depend on how an operating system cuts a stream."""

from __future__ import annotations

import asyncio
import socket
from typing import Any


class Wire(asyncio.Transport):
    """Keeps what is written. Its socket is a real one, on which nothing ever comes."""

    def __init__(self) -> None:
        self._near, self._far = socket.socketpair()
        super().__init__({"socket": self._near})
        self.written = b""
        self._closing = False

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *exception: object) -> None:
        self._near.close()
        self._far.close()

    def write(self, data: Any) -> None:
        self.written += bytes(data)

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        self._closing = True

    def abort(self) -> None:
        self._closing = True
