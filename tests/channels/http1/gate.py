"""A server that makes everybody wait."""

from __future__ import annotations

import asyncio

from tests.channels.listening import answer, whole


class Gate:
    """A server that holds every request back until the gate is opened; what arrived, in order, by connection."""

    def __init__(self) -> None:
        self.arrived: list[bytes] = []
        self.held = 0
        self.most_held = 0
        self.open = asyncio.Event()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            self.arrived.append((await whole(reader)).partition(b"\r\n\r\n")[2])
            self.held += 1
            self.most_held = max(self.most_held, self.held)
            await self.open.wait()
            self.held -= 1
            await answer(writer)
