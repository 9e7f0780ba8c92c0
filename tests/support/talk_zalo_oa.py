"""Conversations with an Official Account: five buttons at most, no edits, a window that closes, groups of its own."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.channels.zalo_oa import ZaloOaChannel
from bot.core.channel import Channel
from bot.core.events import Button, ContactCard, Location, Media, MediaKind, Outbound
from bot.core.grants import Grant, MemoryGrants
from bot.sandbox.zalo_oa import Limits, OaUser, Received, Timing, ZaloOaSandbox
from bot.sandbox.zalo_oa.groups import Group
from tests.support.talk import Speaker
from tests.support.talk_reading import Offer, read
from tests.support.talk_zalo import ZaloTalk

PRESSED = "#>"
_SENT = ("text", "image", "gif", "sticker", "file", "list")
_MEDIA = {"image": MediaKind.PHOTO, "gif": MediaKind.ANIMATION, "sticker": MediaKind.STICKER}


class ZaloOaTalk(ZaloTalk):
    """People and groups have the ids that the tests give them. What the platform reports of our own messages is
    switched off, as it can be in its console."""

    async def platform(self) -> Channel:
        limits, timing = Limits(per_minute=None), Timing.fast()
        self.zalo = ZaloOaSandbox(clock=lambda: self.now.timestamp(), timing=timing, limits=limits)
        self.zalo.sending.receipts = False
        self.zalo.webhook.muted = {f"oa_send_{kind}" for kind in _SENT} | {f"oa_send_group_{kind}" for kind in _SENT}
        self._received: dict[str, list[Received]] = {}
        await self.zalo.start()
        return ZaloOaChannel(
            self.zalo.app_id,
            self.zalo.app_secret,
            self.zalo.oa_secret,
            api_url=self.zalo.url,
            oauth_url=self.zalo.url,
            store=MemoryGrants(self._grant()),
            seed=None,
            secret_key=self.desk.secret_key,
            public_url=self.front.root,
            clock=lambda: self.now,
        )

    def _grant(self) -> Grant:
        access, refresh = self.zalo.issue_pair()
        ends = self.now + timedelta(seconds=self.zalo.limits.access_life)
        return Grant(access_token=access, refresh_token=refresh, obtained_at=self.now, expires_at=ends)

    async def ready(self) -> None:
        hook = self.channel.webhook
        assert hook is not None
        assert await self.zalo.set_webhook(self.front.root + hook.path)

    async def shut(self) -> None:
        await self.zalo.stop()

    async def settled(self) -> None:
        await self.zalo.settled()

    def acquaint(self, chat: str, *, group: bool = False) -> None:
        if group:
            self._group(chat)
            return
        user = self._user(chat)
        user.following = True
        user.last_interaction = self.now.timestamp()

    def write(self, speaker: Speaker, text: str, **fields: Any) -> None:
        user = self._user(speaker.id, speaker.name)
        if speaker.chat is not None:
            called = f"[@{self.zalo.oa_id}] " if fields.get("addressed", True) else ""
            self.zalo.groups.write(self._group(speaker.chat, user), user, called + (text or "👍"))
            return
        media: tuple[Media, ...] = fields.get("media", ())
        location: Location | None = fields.get("location")
        card: ContactCard | None = fields.get("card")
        if media:
            _send(user, media[0], text, self.address_of(media[0]))
        elif location is not None:
            user.send_location(location.latitude, location.longitude)
        elif card is not None:
            user.send_business_card(card.phone)
        elif text:
            user.write(text, fields.get("replies_to"))
        else:
            user.send_sticker()

    async def chose(self, speaker: Speaker, button: Button) -> list[str]:
        """Tap it, where it is a real one."""
        data = button.data or ""
        if self._is_real(speaker, data):
            return await self._tapped(speaker, data)
        return await self.pressed_data(speaker, data, "1")

    async def pressed_late(self, speaker: Speaker, data: str) -> list[str]:
        """An old button goes on working; what it sends can be written by hand."""
        return await self._tapped(speaker, data)

    async def _tapped(self, speaker: Speaker, data: str) -> list[str]:
        user = self._user(speaker.id, speaker.name)
        if speaker.chat is None:
            return await self.after(lambda: user.write(PRESSED + data))
        group = self._group(speaker.chat, user)
        return await self.after(lambda: self.zalo.groups.write(group, user, PRESSED + data))

    def _is_real(self, speaker: Speaker, data: str) -> bool:
        received = self._group(speaker.chat).received if speaker.chat else self._user(speaker.id).received
        return any(button.payload == PRESSED + data for message in received for button in message.buttons)

    async def left(self, speaker: Speaker) -> list[str]:
        if speaker.chat is None:
            return await self.after(self._user(speaker.id, speaker.name).unfollow)
        group = self._group(speaker.chat)
        return await self.after(lambda: self.zalo.groups.tell(group, "delete_group"))

    async def joined(self, speaker: Speaker) -> list[str]:
        user = self._user(speaker.id, speaker.name)
        if speaker.chat is None:
            return await self.after(user.follow)
        group = self._group(speaker.chat, user)
        return await self.after(lambda: self.zalo.groups.tell(group, "create_group", [user]))

    def chats(self) -> list[str]:
        return [*self.zalo.users, *self.zalo.groups.all]

    def arrived(self, chat: str) -> list[Outbound]:
        group = self.zalo.groups.all.get(chat)
        received = group.received if group is not None else self.zalo.users[chat].received
        return [self._outbound(chat, one) for one in received]

    def readable(self, message: Outbound, offers: list[Offer]) -> Outbound:
        if message.buttons:
            return message
        words, buttons = read(message.text, offers)
        return replace(message, text=words, buttons=tuple((button,) for button in buttons))

    def _outbound(self, chat: str, one: Received) -> Outbound:
        buttons = tuple((_button(b.title, b.kind, b.payload),) for b in one.buttons)
        group = chat in self.zalo.groups.all
        return Outbound(chat_id=chat, text=one.text, buttons=buttons, media=self._media(one), group=group)

    def _media(self, one: Received) -> tuple[Media, ...]:
        if one.kind == "file":
            asset = self.zalo.uploads.assets[one.content.asset]
            return (Media(MediaKind.FILE, content=asset.content, name=asset.name),)
        if one.kind not in _MEDIA or one.attachment is None:
            return ()
        element = one.attachment["payload"]["elements"][0]
        return (self.seen(_MEDIA[one.kind], element.get("url") or element["attachment_id"]),)

    def _user(self, id: str, name: str = "") -> OaUser:
        if id not in self.zalo.users:
            user = self.zalo.add_user(name)
            del self.zalo.users[user.id]
            user.id = id
            self.zalo.users[id] = user
        return self.zalo.users[id]

    def _group(self, id: str, *members: OaUser) -> Group:
        groups = self.zalo.groups
        if id not in groups.all:
            groups.all[id] = Group(id, "Nhóm thôn", "", "https://zalo.me/g/thon", groups.add_asset())
        groups.all[id].members |= {user.id: user for user in members}
        return groups.all[id]


def _button(title: str, kind: str, payload: str) -> Button:
    if kind.startswith("oa.query."):
        return Button(title, data=payload.removeprefix(PRESSED))
    return Button(title, url=payload)


def _send(user: OaUser, media: Media, text: str, url: str) -> None:
    match media.kind:
        case MediaKind.PHOTO:
            user.send_image(url, text)
        case MediaKind.ANIMATION:
            user.send_gif(url)
        case MediaKind.VIDEO | MediaKind.VIDEO_NOTE:
            user.send_video(url)
        case MediaKind.VOICE | MediaKind.AUDIO:
            user.send_audio(url)
        case MediaKind.STICKER:
            user.send_sticker(media.file_id or "")
        case MediaKind.FILE:
            user.send_file(media.name or "", media.size or 1024, url)
