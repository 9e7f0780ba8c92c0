"""What happens, as it happens: news of all platforms as server-sent events, and a pulse every second."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence

import orjson

from bot.sandbox.page import view
from bot.sandbox.page.lines import Platform
from bot.sandbox.page.timemachine import TimeMachine
from bot.sandbox.telegram.errors import Json

MINUTE = 60
_BEHIND = 2000
_RECENT = 400


class Feed:
    """Counts what was sent each second of the last minute, platform by platform, and tells every open page what
    happens."""

    def __init__(self, platforms: Sequence[Platform], machine: TimeMachine) -> None:
        self.platforms = tuple(platforms)
        self.machine = machine
        self.rates: deque[list[int]] = deque([[0] * len(self.platforms)] * MINUTE, MINUTE)
        self.recent: deque[Json] = deque(maxlen=_RECENT)
        self.readers: set[asyncio.Queue[bytes | None]] = set()
        self._counted = self.sent
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._counted = self.sent
        works = [platform.listen(self.hear) for platform in self.platforms]
        self._tasks = [asyncio.create_task(self._beat()), *(asyncio.create_task(work) for work in works)]

    async def stop(self) -> None:
        """Open pages are told that there will be no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for reader in self.readers:
            reader.put_nowait(None)

    async def read(self) -> AsyncIterator[bytes]:
        """Frames for one page, until it goes or the demo ends."""
        queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.readers.add(queue)
        try:
            yield frame("pulse", self.pulse())
            while (found := await queue.get()) is not None:
                yield found
        finally:
            self.readers.discard(queue)

    def tell(self, kind: str, data: Json) -> None:
        """One event for every page; a page that has fallen far behind starts anew."""
        made = frame(kind, data)
        for reader in self.readers:
            if reader.qsize() > _BEHIND:
                while not reader.empty():
                    reader.get_nowait()
                made = frame("again", {})
            reader.put_nowait(made)

    def hear(self, kind: str, data: Json) -> None:
        """Something happened on a platform."""
        if kind == "message" and data["message"]["bot"]:
            self.recent.append({"chat": data["chat"], "message": view.brief(data["message"])})
        self.tell(kind, data)

    @property
    def sent(self) -> list[int]:
        """How many messages the product has sent on each platform."""
        return [platform.sent() for platform in self.platforms]

    def pulse(self) -> Json:
        """The time and the counters."""
        return {
            "clock": self.machine.shown(),
            "sent": sum(self.sent),
            "refused": sum(platform.refused() for platform in self.platforms),
            "rate": self.rates[-1],
        }

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(1)
            sent = self.sent
            self.rates.append([now - before for now, before in zip(sent, self._counted, strict=True)])
            self._counted = sent
            self.tell("pulse", self.pulse())


def frame(kind: str, data: Json) -> bytes:
    """One server-sent event."""
    return b"event: " + kind.encode() + b"\ndata: " + orjson.dumps(data) + b"\n\n"
