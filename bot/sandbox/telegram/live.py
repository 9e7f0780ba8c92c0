"""A live stream of what happens in the world, for a page that shows chats."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from bot.sandbox.telegram.errors import Json


@dataclass(frozen=True, slots=True)
class WorldEvent:
    """`kind` is message, edited, deleted, callback_answer, chat_action, membership, reaction or pinned."""

    kind: str
    bot_id: int | None
    chat_id: int
    data: Json


class Subscription:
    """An async iterator of events. A reader that falls `size` events behind loses the oldest."""

    def __init__(self, forget: Callable[[Subscription], None], size: int) -> None:
        self._forget = forget
        self._queue: asyncio.Queue[WorldEvent | None] = asyncio.Queue(size)
        self.lost = 0

    def put(self, event: WorldEvent | None) -> None:
        if self._queue.full():
            self._queue.get_nowait()
            self.lost += 1
        self._queue.put_nowait(event)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> WorldEvent:
        event = await self._queue.get()
        if event is None:
            raise StopAsyncIteration
        return event

    async def get(self, timeout: float = 5.0) -> WorldEvent:
        """The next event. Raises `TimeoutError`."""
        async with asyncio.timeout(timeout):
            return await anext(self)

    def close(self) -> None:
        """No more events; a waiting reader ends."""
        self._forget(self)
        self.put(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class Stream:
    """Hands each event to every subscriber; costs nothing without any."""

    def __init__(self) -> None:
        self._subscribers: list[Subscription] = []

    @property
    def watched(self) -> bool:
        return bool(self._subscribers)

    def subscribe(self, size: int = 1000) -> Subscription:
        subscription = Subscription(self._drop, size)
        self._subscribers.append(subscription)
        return subscription

    def publish(self, kind: str, bot_id: int | None, chat_id: int, data: Json) -> None:
        if self._subscribers:
            event = WorldEvent(kind, bot_id, chat_id, data)
            for subscriber in self._subscribers:
                subscriber.put(event)

    def end(self) -> None:
        """Close every subscription."""
        for subscriber in list(self._subscribers):
            subscriber.close()

    def _drop(self, subscription: Subscription) -> None:
        if subscription in self._subscribers:
            self._subscribers.remove(subscription)
