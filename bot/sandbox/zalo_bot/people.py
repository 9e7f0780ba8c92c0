"""People and groups: what they write to bots, and what they see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bot.sandbox.zalo_bot.chats import Chat, Message

if TYPE_CHECKING:
    from bot.sandbox.zalo_bot.bots import ZaloBotAccount
    from bot.sandbox.zalo_bot.world import World


class ZaloBotUser:
    """A person. The id is the same for every bot, and also the id of the private chats."""

    def __init__(self, world: World, id: str, name: str) -> None:
        self.world = world
        self.id = id
        self.name = name
        self._chats: dict[str, Chat] = {}

    def chat(self, bot: ZaloBotAccount) -> Chat:
        """The private chat with a bot; empty until somebody says something."""
        if bot.id not in self._chats:
            self._chats[bot.id] = Chat(self.world, self.id, keep=self.world.keep_messages)
        return self._chats[bot.id]

    def write(self, bot: ZaloBotAccount, text: str) -> Message:
        return self._say(bot, "text", text=text)

    def send_photo(self, bot: ZaloBotAccount, url: str, caption: str = "") -> Message:
        return self._say(bot, "image", photo=url, text=caption)

    def send_sticker(self, bot: ZaloBotAccount, sticker: str = "c2b5ec0b974e7e10275f") -> Message:
        return self._say(bot, "sticker", sticker=sticker)

    def send_voice(self, bot: ZaloBotAccount, url: str) -> Message:
        return self._say(bot, "voice", voice=url)

    def send_unsupported(self, bot: ZaloBotAccount) -> Message:
        """A link, a file, or anything from the account of a child: the bot learns only that there was something."""
        return self._say(bot, "unsupported")

    def _say(self, bot: ZaloBotAccount, kind: str, **content: Any) -> Message:
        bot.chats[self.id] = chat = self.chat(bot)
        return bot.hear(chat, self, kind, **content)


class ZaloBotGroup:
    """A group with bots in it; a bot hears what mentions it or replies to it, nothing else."""

    def __init__(self, world: World, id: str, title: str, members: Sequence[ZaloBotUser]) -> None:
        self.id = id
        self.title = title
        self.members = list(members)
        self.chat = Chat(world, id, group=True, title=title, keep=world.keep_messages)
        self._world = world

    def add_bot(self, bot: ZaloBotAccount) -> None:
        """By an invite link of the Bot Creator: the bot is told nothing."""
        bot.chats[self.id] = self.chat

    def write(
        self, user: ZaloBotUser, text: str, *, mention: ZaloBotAccount | None = None, reply_to: Message | None = None
    ) -> Message:
        """`mention` puts `@<the bot's name> ` before the text."""
        bot = mention or next((b for b in self._world.bots.values() if reply_to and b.wrote(reply_to)), None)
        words = f"@{mention.name} {text}" if mention else text
        if bot is not None:
            return bot.hear(self.chat, user, "text", text=words)
        message = self._world.message(user.id, user.name, text=words)
        self.chat.add(message)
        return message
