"""Chats and messages: what was said, by whom, and waiting for what comes next."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from bot.sandbox.zalo_bot.world import World

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message of a chat. `method` is what a bot called to send it, empty for a person's; `kind` is text, image,
    sticker, voice or unsupported; `text` is the caption of a picture; `at` is seconds since 1970."""

    id: str
    at: float
    sender_id: str
    sender: str
    method: str = ""
    kind: str = "text"
    text: str = ""
    photo: str | None = None
    sticker: str | None = None
    voice: str | None = None
    parse_mode: str = ""

    @property
    def from_bot(self) -> bool:
        """Whether a bot sent it."""
        return bool(self.method)


class Chat:
    """A person with a bot, or a group. The newest `keep` messages are remembered; `actions` are what the bot was
    shown doing; `title` is empty in private."""

    def __init__(self, world: World, id: str, *, group: bool = False, title: str = "", keep: int = 1000) -> None:
        self.world = world
        self.id = id
        self.group = group
        self.title = title
        self.count = 0
        self.actions: list[str] = []
        self._messages: deque[Message] = deque(maxlen=keep)
        self._changed = asyncio.Event()

    @property
    def messages(self) -> list[Message]:
        """Oldest first, of people and bots."""
        return list(self._messages)

    @property
    def bot_messages(self) -> list[Message]:
        """What bots wrote, oldest first."""
        return [m for m in self._messages if m.from_bot]

    @property
    def last(self) -> Message:
        """The newest message. Raises `LookupError` in an empty chat."""
        if not self._messages:
            raise LookupError("nothing was said in this chat")
        return self._messages[-1]

    def message(self, id: str) -> Message | None:
        """The message with that id."""
        return next((m for m in self._messages if m.id == id), None)

    def add(self, message: Message) -> None:
        """Append a message and tell whoever waits or listens."""
        self._messages.append(message)
        self.count += 1
        self.changed()

    def act(self, action: str) -> None:
        """Show the bot doing something, for example typing."""
        self.actions.append(action)
        self.changed()

    def changed(self) -> None:
        self._changed.set()
        self._changed.clear()
        for listener in list(self.world.on_change):
            listener(self)

    async def wait(self, predicate: Callable[[Message], object], timeout: float = 5.0) -> Message:
        """The newest message that satisfies `predicate`, as soon as there is one. Raises `TimeoutError`."""
        return await self._until(lambda: next((m for m in reversed(self._messages) if predicate(m)), None), timeout)

    async def wait_text(self, part: str, timeout: float = 5.0) -> Message:
        """The newest message of a bot whose text contains `part`, as soon as there is one."""
        return await self.wait(lambda m: m.from_bot and part in m.text, timeout)

    async def wait_new(self, count_after: int, timeout: float = 5.0) -> list[Message]:
        """The messages after the first `count_after` of this chat (compare `count`), as soon as there are any."""
        await self._until(lambda: self.count > count_after or None, timeout)
        fresh = min(self.count - count_after, len(self._messages))
        return list(islice(self._messages, len(self._messages) - fresh, None))

    async def _until(self, look: Callable[[], T | None], timeout: float) -> T:
        try:
            async with asyncio.timeout(timeout):
                while (found := look()) is None:
                    await self._changed.wait()
                return found
        except TimeoutError:
            raise TimeoutError(f"not seen within {timeout} s; the chat holds {self.messages}") from None
