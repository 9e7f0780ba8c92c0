"""Conversations with a Zalo bot: no buttons, no edits, no word of who comes and goes."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from bot.channels.zalo_bot import ZaloBotChannel
from bot.core.channel import Channel
from bot.core.events import Media, MediaKind, Outbound
from bot.sandbox.zalo_bot import Limits, Oddities, ZaloBotSandbox, ZaloBotUser
from bot.sandbox.zalo_bot.chats import Message
from bot.sandbox.zalo_bot.people import ZaloBotGroup
from tests.support.talk import Speaker
from tests.support.talk_reading import Offer, read
from tests.support.talk_zalo import ZaloTalk

TOKEN = "12345689:abc-xyz_fAkE_000000000000000000"


class ZaloBotTalk(ZaloTalk):
    """People and groups have the ids that the tests give them."""

    async def platform(self) -> Channel:
        limits = Limits(per_month=None, people=None, groups=None)
        oddities = Oddities(duplicates=0)
        self.zalo = ZaloBotSandbox(limits, oddities=oddities, strict_webhooks=False, clock=lambda: self.now.timestamp())
        await self.zalo.start()
        self.bot = self.zalo.add_bot(TOKEN)
        return ZaloBotChannel(
            TOKEN,
            api_url=self.zalo.url,
            secret_key=self.desk.secret_key,
            mode="webhook",
            public_url=self.front.root,
            clock=lambda: self.now,
            publish=self.front.publish,
        )

    async def shut(self) -> None:
        await self.zalo.stop()

    async def settled(self) -> None:
        while (task := self.bot.webhook._task) is not None:
            await asyncio.wait({task})

    def acquaint(self, chat: str, *, group: bool = False) -> None:
        if group:
            self._group(chat)
        else:
            self.bot.chats[chat] = self._user(chat).chat(self.bot)

    def write(self, speaker: Speaker, text: str, **fields: Any) -> None:
        user = self._user(speaker.id, speaker.name)
        if speaker.chat is not None:
            mention = self.bot if fields.get("addressed", True) else None
            self._group(speaker.chat).write(user, text, mention=mention)
            return
        media: tuple[Media, ...] = fields.get("media", ())
        if media:
            self._send(user, media[0], text)
        elif text:
            user.write(self.bot, text)
        else:
            user.send_unsupported(self.bot)

    def _send(self, user: ZaloBotUser, media: Media, text: str) -> None:
        if media.kind is MediaKind.PHOTO:
            user.send_photo(self.bot, self.address_of(media), text)
        elif media.kind is MediaKind.STICKER:
            user.send_sticker(self.bot, media.file_id or "")
        elif media.kind is MediaKind.VOICE:
            user.send_voice(self.bot, self.address_of(media))
        else:
            user.send_unsupported(self.bot)

    async def left(self, speaker: Speaker) -> list[str]:
        """The platform tells nobody."""
        return []

    async def joined(self, speaker: Speaker) -> list[str]:
        """The platform tells nobody; in a group, somebody calls the bot."""
        return await self.said(speaker, "/start") if speaker.chat is not None else []

    def chats(self) -> list[str]:
        return list(self.bot.chats)

    def arrived(self, chat: str) -> list[Outbound]:
        return [self._outbound(chat, message) for message in self.bot.chats[chat].bot_messages]

    def readable(self, message: Outbound, offers: list[Offer]) -> Outbound:
        words, buttons = read(message.text, offers)
        return replace(message, text=words, buttons=tuple((button,) for button in buttons))

    def _user(self, id: str, name: str = "") -> ZaloBotUser:
        found = self.zalo.users.setdefault(id, ZaloBotUser(self.zalo, id, name))
        found.name = name or found.name
        return found

    def _group(self, id: str) -> ZaloBotGroup:
        if id not in self.zalo.groups:
            self.zalo.groups[id] = group = ZaloBotGroup(self.zalo, id, "Nhóm thôn", ())
            group.add_bot(self.bot)
        return self.zalo.groups[id]

    def _outbound(self, chat: str, message: Message) -> Outbound:
        kinds = (
            (MediaKind.PHOTO, message.photo),
            (MediaKind.STICKER, message.sticker),
            (MediaKind.VOICE, message.voice),
        )
        media = tuple(self.seen(kind, known) for kind, known in kinds if known)
        return Outbound(chat_id=chat, text=message.text, media=media, group=chat.startswith("-"))
