"""A bot as the platform knows it: who it is, whom it has heard, what waits for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.sandbox.zalo_bot.chats import Chat, Message
from bot.sandbox.zalo_bot.errors import Json
from bot.sandbox.zalo_bot.quota import Quota
from bot.sandbox.zalo_bot.updates import Updates
from bot.sandbox.zalo_bot.webhooks import WebhookSender

if TYPE_CHECKING:
    from bot.sandbox.zalo_bot.people import ZaloBotUser
    from bot.sandbox.zalo_bot.world import World


class ZaloBotAccount:
    """One bot. `id` is the number in its token, `chats` are those it may write to, `revoked` makes the token answer
    401."""

    def __init__(self, world: World, token: str, name: str) -> None:
        self.world = world
        self.token = token
        self.id = token.partition(":")[0]
        self.name = name
        self.revoked = False
        self.chats: dict[str, Chat] = {}
        self.quota = Quota(world.limits, world.clock)
        self.updates = Updates(world.oddities)
        self.webhook = WebhookSender(self)
        self._profile_id = str(10**18 + int(world.new_id()[:15], 16))

    def profile(self) -> Json:
        """What getMe answers."""
        return {
            "id": self._profile_id,
            "account_name": f"bot.{self._profile_id[-9:]}",
            "account_type": "BASIC",
            "can_join_groups": False,
            "display_name": self.name,
        }

    def hear(self, chat: Chat, user: ZaloBotUser, kind: str, **content: Any) -> Message:
        """Somebody says something: it stands in the chat, and the bot is told unless it has too many people."""
        message = self.world.message(user.id, user.name, kind=kind, **content)
        if self.quota.admit(chat.id, group=chat.group):
            self.receive(self._update(chat, message))
        chat.add(message)
        return message

    def receive(self, update: Json) -> None:
        """Keep an update for a poll, or send it to the webhook."""
        self.updates.add(update)
        self.webhook.wake()

    def wrote(self, message: Message) -> bool:
        """Whether this bot sent it."""
        return message.from_bot and message.sender_id == self.id

    def _update(self, chat: Chat, message: Message) -> Json:
        told: Json = {
            "date": int(message.at * 1000),
            "chat": {"chat_type": "GROUP" if chat.group else "PRIVATE", "id": chat.id},
            "message_id": message.id,
            "from": {"id": message.sender_id, "is_bot": False, "display_name": message.sender},
            **self._content(message),
        }
        return {"event_name": f"message.{message.kind}.received", "message": told}

    def _content(self, message: Message) -> Json:
        if message.kind == "image":
            name = "photo_url" if self.world.chance(self.world.oddities.photo_url) else "photo"
            caption = {"caption": message.text} if message.text else {}
            return {"message_type": "CHAT_PHOTO", name: message.photo, **caption}
        if message.kind == "sticker":
            return {"sticker": message.sticker, "url": f"https://stickers.zaloapp.com/{message.sticker}"}
        if message.kind == "voice":
            return {"message_type": "CHAT_VOICE", "voice_url": message.voice}
        return {"text": message.text} if message.kind == "text" else {}
