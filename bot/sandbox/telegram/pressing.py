"""What a person did and waits for: a pressed button, an inline query, and the bot's answer to it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from bot.sandbox.telegram.chats import Message, Settled
from bot.sandbox.telegram.errors import Json

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CallbackAnswer:
    """What answerCallbackQuery said."""

    text: str = ""
    show_alert: bool = False
    url: str = ""
    cache_time: int = 0


@dataclass(eq=False, slots=True)
class Question(Settled, Generic[T]):
    """Something that a bot may answer once, while it is not too old. `asked_at` is the sandbox's clock."""

    id: str
    asked_at: float
    given: T | None = None
    _waiters: list[asyncio.Future[T]] = field(default_factory=list, repr=False)

    @property
    def answered(self) -> bool:
        return self.given is not None

    def settle(self, answer: T) -> None:
        """Record the answer and wake whoever waits."""
        self.given = answer
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(answer)

    async def answer(self, timeout: float = 5.0) -> T:
        """The bot's answer, as soon as it came. Raises `TimeoutError`."""
        if self.given is not None:
            return self.given
        waiter: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        async with asyncio.timeout(timeout):
            return await waiter


@dataclass(eq=False, slots=True)
class CallbackResult(Question[CallbackAnswer]):
    """A pressed inline button. A button with an address opens `url` and asks the bot nothing; a button of a reply
    keyboard writes `message` instead."""

    data: str = ""
    chat_id: int = 0
    url: str = ""
    message: Message | None = None

    async def answer(self, timeout: float = 5.0) -> CallbackAnswer:
        """What the bot answered to the press. Raises `TimeoutError`, and `LookupError` where nothing was asked."""
        if not self.id:
            raise LookupError("this button asks the bot nothing: it opens an address or writes a message")
        return await Question.answer(self, timeout)


@dataclass(eq=False, slots=True)
class InlineQuestion(Question[Json]):
    """An inline query; the answer is the request of answerInlineQuery with `results` decoded."""
