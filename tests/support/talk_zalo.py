"""Conversations on Zalo's two platforms: real channels against local sandboxes, choices by number."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast

from bot.channels.memory import MemoryChannel
from bot.core.channel import Channel
from bot.core.events import Button, Inbound, InboundKind, Media, MediaKind, Outbound, Sent
from bot.db import Database, people
from bot.db.tables import Account
from bot.inbox import Handled
from bot.outreach import choices
from tests.support.talk import Speaker, Talk
from tests.support.talk_reading import Offer, number_of
from tests.support.talk_wire import Front, WiredChannel

STICKERS = "https://stickers.zaloapp.com/"
TICK = timedelta(milliseconds=1)
"""Between two things that happen: what is said at the very same moment counts as one answer."""
JUST_NOW = timedelta(hours=1)
_ENDINGS = {MediaKind.VOICE: ".aac"}
_NEVER_TOLD = frozenset((InboundKind.EDITED, InboundKind.MOVED))


class ZaloTalk(Talk, ABC):
    """What both platforms have in common. `late` counts choices that nobody could have typed: of a message shown
    before the last one. They are handed to the inbox as a button."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.front = Front()
        self.late = 0
        self._handled: list[Handled] = []
        self._broken: Exception | None = None
        self._taken: dict[str, int] = {}
        self._offers: dict[str, tuple[datetime, list[Offer]]] = {}

    async def open(self) -> None:
        await self.front.start()
        channel = WiredChannel(await self.platform())
        self.desk.publish = self.front.publish
        self.equip(cast(MemoryChannel, channel))
        await super().open()
        self.front.hook = channel.webhook
        await channel.start(self._receive)
        await self.ready()

    async def close(self) -> None:
        await super().close()
        await self.channel.close()
        await self.shut()
        await self.front.stop()

    @abstractmethod
    async def platform(self) -> Channel:
        """Start the sandbox and connect to it."""

    async def ready(self) -> None:
        """The channel is listening."""

    @abstractmethod
    async def shut(self) -> None:
        """Stop the sandbox."""

    @abstractmethod
    async def settled(self) -> None:
        """Until every event of the sandbox is handled."""

    @abstractmethod
    def write(self, speaker: Speaker, text: str, **fields: Any) -> None:
        """Let somebody in the sandbox write."""

    @abstractmethod
    def arrived(self, chat: str) -> list[Outbound]:
        """Everything that reached a chat, oldest first, with its choices still written in the text."""

    @abstractmethod
    def chats(self) -> list[str]: ...

    @abstractmethod
    def readable(self, message: Outbound, offers: list[Offer]) -> Outbound: ...

    async def resident(self, id: str, *, unit: str = "18859", group: str = "resident", hour: int = 7) -> Speaker:
        """Somebody who has subscribed already, which means that they have written."""
        speaker = await super().resident(id, unit=unit, group=group, hour=hour)
        self.acquaint(id)
        async with self.database.write() as tx:
            contact = await people.contact(tx, self.account.id, id)
            assert contact is not None
            contact.last_in_at = self.now
        return speaker

    async def inbound(self, **fields: Any) -> list[str]:
        self.now += TICK
        self._offers.clear()
        return await super().inbound(**fields)

    async def flush(self) -> None:
        await super().flush()
        await self._look()

    async def send(self, message: Outbound) -> Sent:
        """As the engine does it: what the channel cannot carry becomes an address."""
        if not message.media:
            return await self.channel.send(message)
        if not self.engine.posts:
            await self.engine._open()
        return await self.engine.posts[self.account.id].sender.courier.send(message)

    async def deliver(self) -> None:
        self.now += TICK
        await super().deliver()

    async def said(self, speaker: Speaker, text: str, **fields: Any) -> list[str]:
        if fields.get("kind") in _NEVER_TOLD:
            return []
        return await self.after(lambda: self.write(speaker, text, **fields))

    async def after(self, act: Callable[[], object]) -> list[str]:
        """The keys of what was answered to what somebody did in the sandbox."""
        self.now += TICK
        self._handled.clear()
        self._offers.clear()
        act()
        await self.settled()
        if self._broken is not None:
            raise self._broken
        keys = [key for handled in self._handled for key in handled.keys]
        await self.flush()
        return keys

    async def pressed(self, speaker: Speaker, label: str) -> list[str]:
        for message in reversed(speaker.heard):
            for button in (b for row in message.buttons for b in row):
                if label in (button.label, button.data):
                    return await self.chose(speaker, button)
        raise speaker.no_button(label)

    async def chose(self, speaker: Speaker, button: Button) -> list[str]:
        return await self.pressed_data(speaker, button.data or "", "1")

    async def pressed_data(self, speaker: Speaker, data: str, message_id: str) -> list[str]:
        number = number_of(data, await self._offered(speaker.chat_id))
        return await self.said(speaker, str(number)) if number is not None else await self.pressed_late(speaker, data)

    async def pressed_late(self, speaker: Speaker, data: str) -> list[str]:
        """What no number means any more."""
        self.late += 1
        self.acquaint(speaker.chat_id, group=speaker.chat is not None)
        return await self.inbound(**speaker.origin(), kind=InboundKind.BUTTON, button=data)

    def noticed_by(self, speaker: Speaker) -> list[str]:
        """All that was said: nothing here only blinks."""
        return [message.text for message in speaker.heard]

    async def offers(self, chat: str) -> list[Offer]:
        """What a number means in that chat now."""
        async with self.database.read() as tx:
            contact = await people.contact(tx, self.account.id, chat)
            person = await people.get(tx, contact.person_id) if contact is not None else None
            if contact is None or person is None:
                return []
            account = await tx.get_one(Account, self.account.id)
            found = await choices._options(tx, self.desk, account, person, contact, self.now)
            return [(label, data) for label, data in found]

    async def _offered(self, chat: str) -> list[Offer]:
        """As it was when the last message came, if that was just now."""
        at, found = self._offers.get(chat, (self.now - 2 * JUST_NOW, []))
        return found if self.now - at < JUST_NOW else await self.offers(chat)

    async def _receive(self, inbound: Inbound) -> None:
        try:
            self._handled.append(await self.inbox.handle(inbound))
        except Exception as error:
            self._broken = error
            raise

    async def _look(self) -> None:
        """Read what has arrived since the last look."""
        for chat in self.chats():
            arrived = self.arrived(chat)
            fresh = arrived[self._taken.get(chat, 0) :]
            self._taken[chat] = len(arrived)
            if not fresh:
                continue
            offers = await self.offers(chat)
            self._offers[chat] = self.now, offers
            self.channel.sent += [self.readable(self._opened(message), offers) for message in fresh]

    def _opened(self, message: Outbound) -> Outbound:
        """With the files at addresses of ours, as whoever opens them sees them."""
        lines = message.text.split("\n")
        found = [self.front.content(line.rpartition(" ")[2]) for line in lines]
        media = tuple(Media(MediaKind.FILE, content=content) for content in found if content is not None)
        text = "\n".join(line for line, content in zip(lines, found, strict=True) if content is None)
        return replace(message, text=text, media=(*message.media, *media)) if media else message

    def address_of(self, media: Media) -> str:
        """Where somebody's file lies."""
        return f"{self.front.people}{media.file_id}{_ENDINGS.get(media.kind, '')}"

    def seen(self, kind: MediaKind, known: str) -> Media:
        """A file as somebody sees it, under the id that the test gave."""
        for place, ending in ((self.front.people, _ENDINGS.get(kind, "")), (STICKERS, ".png")):
            if known.startswith(place):
                return Media(kind, file_id=known.removeprefix(place).removesuffix(ending))
        return Media(kind, file_id=known)
