"""Chats and messages: what was said, by whom, and waiting for what comes next."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, Self, TypeVar

from bot.sandbox.telegram.errors import Json
from bot.sandbox.telegram.files import StoredFile, content_json
from bot.sandbox.telegram.keyboards import buttons

if TYPE_CHECKING:
    from bot.sandbox.telegram.bots import BotAccount
    from bot.sandbox.telegram.world import World

T = TypeVar("T")
_OTHER = ("location", "venue", "contact", "poll", "text")


class Settled:
    """Something that is done already: awaiting it gives itself, so that `await` in front of it is optional."""

    def __await__(self) -> Generator[Any, None, Self]:
        return self
        yield


class Message(Settled):
    """One message of a chat. `content` holds the Bot API's fields without id, chat, sender, date, file and reply."""

    __slots__ = ("chat", "content", "date", "deleted", "edit_date", "file", "id", "reactions", "reply_to", "sender")

    def __init__(
        self,
        chat: Chat,
        id: int,
        sender: Json,
        date: int,
        content: Json,
        file: StoredFile | None = None,
        reply_to: Message | None = None,
    ) -> None:
        self.chat = chat
        self.id = id
        self.sender = sender
        self.date = date
        self.content = content
        self.file = file
        self.reply_to = reply_to
        self.edit_date: int | None = None
        self.deleted = False
        self.reactions: dict[int, list[Json]] | None = None

    def __repr__(self) -> str:
        return f"<Message {self.id} in {self.chat.id} {self.kind} {self.text[:40]!r}>"

    @property
    def from_bot(self) -> bool:
        """Whether a bot sent it."""
        return bool(self.sender["is_bot"])

    @property
    def text(self) -> str:
        """The text, or the caption of media."""
        return str(self.content.get("text") or self.content.get("caption") or "")

    @property
    def entities(self) -> list[Json]:
        """The entities of `text`."""
        found: list[Json] = self.content.get("entities") or self.content.get("caption_entities") or []
        return found

    @property
    def kind(self) -> str:
        """photo, video, animation, voice, audio, document, video_note, sticker, venue, location, contact, poll, text
        or service."""
        if self.file is not None:
            return self.file.kind
        if "venue" in self.content:
            return "venue"
        return next((k for k in _OTHER if k in self.content), "service")

    @property
    def file_bytes(self) -> bytes:
        """The bytes of its file, empty without one."""
        return self.file.content if self.file else b""

    @property
    def reply_markup(self) -> Json | None:
        """The keyboard that came with it."""
        return self.content.get("reply_markup")

    @property
    def buttons(self) -> list[str]:
        """The labels of its buttons, row by row."""
        return [str(b["text"]) for b in buttons(self.reply_markup)]

    @property
    def edited(self) -> bool:
        return self.edit_date is not None

    @property
    def is_service(self) -> bool:
        return self.kind == "service"

    def json(self, bot_id: int = 0, *, nested: bool = False) -> Json:
        """The message as one bot sees it; a nested one carries no message that it replies to."""
        shown: Json = {"message_id": self.id, "from": self.sender, "chat": self.chat.json, "date": self.date}
        if self.file is not None:
            shown |= content_json(bot_id, self.file)
        shown |= self.content
        if self.edit_date is not None:
            shown["edit_date"] = self.edit_date
        if self.reply_to is not None and not nested:
            shown["reply_to_message"] = self.reply_to.json(bot_id, nested=True)
        markup = shown.get("reply_markup")
        if markup is not None and "inline_keyboard" not in markup:
            del shown["reply_markup"]
        return shown


class Chat(ABC):
    """A private chat of a person with a bot, or a group. The newest `keep` messages are remembered."""

    def __init__(self, server: World, id: int, keep: int) -> None:
        self.server = server
        self.id = id
        self.keep = keep
        self.count = 0
        self.actions: list[str] = []
        self.pinned: Message | None = None
        self.json: Json = {}
        self._messages: dict[int, Message] = {}
        self._waiters: list[asyncio.Future[None]] = []

    @property
    def is_private(self) -> bool:
        return self.id > 0

    @property
    def messages(self) -> list[Message]:
        """Oldest first, of people and bots, deleted ones included (`deleted` says so)."""
        return list(self._messages.values())

    @property
    def bot_messages(self) -> list[Message]:
        """What bots wrote, oldest first, without deleted ones and service messages."""
        return [m for m in self._messages.values() if m.from_bot and not m.deleted and not m.is_service]

    @property
    def last(self) -> Message:
        """The newest message. Raises `LookupError` in an empty chat."""
        if not self._messages:
            raise LookupError("nothing was said in this chat")
        return next(reversed(self._messages.values()))

    @property
    def keyboard(self) -> Json | None:
        """The reply keyboard on the person's screen."""
        for message in reversed(self._messages.values()):
            markup = message.reply_markup
            if markup and "keyboard" in markup:
                return markup
            if markup and markup.get("remove_keyboard"):
                return None
        return None

    def message(self, id: int) -> Message | None:
        """The message with that id, unless it was deleted."""
        found = self._messages.get(id)
        return found if found and not found.deleted else None

    def add(self, message: Message) -> None:
        """Append a message and wake whoever waits."""
        self._messages[message.id] = message
        self.count += 1
        while len(self._messages) > self.keep:
            del self._messages[next(iter(self._messages))]
        self.changed()

    def changed(self) -> None:
        """Wake whoever waits: a message came, changed or went."""
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    @abstractmethod
    def next_message_id(self, bot: BotAccount | None) -> int:
        """A fresh message id."""

    @abstractmethod
    def bots_that_see(self, message: Message) -> list[BotAccount]:
        """Bots that get an update for a person's message here."""

    @abstractmethod
    def check_reach(self, bot: BotAccount) -> None:
        """Raise what a bot is told when it may not write here."""

    async def wait(self, predicate: Callable[[Message], object], timeout: float = 5.0) -> Message:
        """The newest message that is not deleted and satisfies `predicate`, as soon as there is one. Raises
        `TimeoutError` that says what the chat holds."""
        return await self._until(
            lambda: next((m for m in self._newest_first() if not m.deleted and predicate(m)), None), timeout
        )

    async def wait_new(self, count_after: int, timeout: float = 5.0) -> list[Message]:
        """The messages after the first `count_after` of this chat (compare `count`), as soon as there are any."""
        await self._until(lambda: self.count > count_after or None, timeout)
        fresh = min(self.count - count_after, len(self._messages))
        return list(islice(self._messages.values(), len(self._messages) - fresh, None))

    async def wait_text(self, part: str, timeout: float = 5.0) -> Message:
        """The newest message of a bot whose text contains `part`, as soon as there is one."""
        return await self.wait(lambda m: m.from_bot and part in m.text, timeout)

    def _newest_first(self) -> Iterator[Message]:
        return iter(reversed(list(self._messages.values())))

    async def _until(self, look: Callable[[], T | None], timeout: float) -> T:
        try:
            async with asyncio.timeout(timeout):
                while (found := look()) is None:
                    waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                    self._waiters.append(waiter)
                    await waiter
                return found
        except TimeoutError:
            raise TimeoutError(f"not seen within {timeout} s; the chat holds {self.messages}") from None
