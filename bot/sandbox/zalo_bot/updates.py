"""What waits for a bot: one update for each poll, never confirmed by anybody, and sometimes given again."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from bot.sandbox.zalo_bot.errors import Json
from bot.sandbox.zalo_bot.oddities import Oddities


class Updates:
    """The updates of one bot. What a poll was given is gone, except for `Oddities.replays`."""

    def __init__(self, oddities: Oddities) -> None:
        self.waiting: deque[Json] = deque()
        self.polls = 0
        self._oddities = oddities
        self._changed = asyncio.Event()
        self._again: Json | None = None
        self._left = 0

    def __len__(self) -> int:
        return len(self.waiting)

    def add(self, update: Json) -> None:
        self.waiting.append(update)
        self.wake()

    def wake(self) -> None:
        """Let every poll look again."""
        self._changed.set()
        self._changed.clear()

    async def next(self, seconds: float, gone: Callable[[], bool]) -> Json | None:
        """One update within so many seconds; `None` when none came or `gone` says that nobody listens any more."""
        self.polls += 1
        try:
            async with asyncio.timeout(seconds):
                while not gone():
                    found = self._take()
                    if found is not None:
                        return found
                    await self._changed.wait()
        except TimeoutError:
            pass
        return None

    def _take(self) -> Json | None:
        if self.waiting:
            self._again, self._left = self.waiting.popleft(), self._oddities.replays
            return self._again
        if self._left > 0:
            self._left -= 1
            return self._again
        return None
