"""A Zalo bot on the page: words and pictures only, choices are numbers that people type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from bot.sandbox.page import zalo
from bot.sandbox.page.lines import ChatId, Do, File, Line, Site, Tell, said, sample, words
from bot.sandbox.sample import Character, Town
from bot.sandbox.telegram.errors import Json
from bot.sandbox.zalo_bot import Chat, Message, ZaloBotAccount, ZaloBotUser

_KINDS = {"image": "photo", "voice": "voice", "sticker": "sticker"}


class BotLine:
    """One person's chat with the bot."""

    def __init__(self, bot: ZaloBotAccount, site: Site, who: Character, user: ZaloBotUser, chat: ChatId) -> None:
        self.bot = bot
        self.site = site
        self.who = who
        self.user = user
        self._chat = chat

    @property
    def chat(self) -> ChatId:
        return self._chat

    @property
    def blocked(self) -> bool:
        """The platform has no such thing."""
        return False

    @property
    def errands(self) -> Mapping[str, Do]:
        return {"write": self.write, "sample": self.sample}

    def shown(self) -> Json:
        return zalo.shown(self)

    def last(self) -> Json | None:
        return zalo.newest(self)

    def standing(self) -> Json:
        return {"blocked": False}

    def messages(self) -> Sequence[Json]:
        found = self.user.chat(self.bot)
        kept = found.messages
        return [self._message(n, m) for n, m in enumerate(kept, found.count - len(kept) + 1)]

    def _message(self, number: int, found: Message) -> Json:
        more: Json = {}
        if kind := _KINDS.get(found.kind):
            more = zalo.picture(self.site, found.photo or found.voice or "", kind=kind)
        sender = None if found.from_bot else self.who
        return zalo.message(number, sender, self.bot.name, found.at, found.text, **more)

    async def write(self, asked: Json) -> Json:
        return self._done(self.user.write(self.bot, said(asked, zalo.MAX_TEXT)))

    async def sample(self, asked: Json) -> Json:
        path = sample(asked, *zalo.PICTURES, ".ogg")
        url = self.site.address(f"samples/{quote(path.name)}")
        if path.suffix == ".ogg":
            return self._done(self.user.send_voice(self.bot, url))
        return self._done(self.user.send_photo(self.bot, url, words(asked, "caption", zalo.MAX_TEXT)))

    def _done(self, made: Message) -> Json:
        return {"messages": [self._message(self.user.chat(self.bot).count, made)]}


class BotPlatform:
    """The bot on Zalo."""

    channel = "zalo_bot"

    def __init__(self, town: Town, site: Site) -> None:
        self.world = town.worlds.zalo_bot
        self.bot = town.zalo_bot
        self.site = site
        self.lines: dict[str, zalo.ZaloLine] = {}
        self.news = zalo.News(self.lines)
        self._typed: dict[str, int] = {}

    def about(self) -> Json:
        return {
            "name": "Zalo Bot",
            "title": self.bot.name,
            "note": "Bot trên Zalo",
            "about": "Nhắn một lời chào để bắt đầu. Bot này không có nút: cần chọn gì thì nhắn số.",
            "commands": [],
            "link": "",
            "max_text": zalo.MAX_TEXT,
            "replies": False,
        }

    def line(self, who: Character, chat: ChatId) -> Line:
        if who.zalo_bot is None:
            raise LookupError(f"{who.name} does not have Zalo")
        made = BotLine(self.bot, self.site, who, who.zalo_bot, chat)
        self.lines[who.zalo_bot.id] = made
        return made

    def groups(self, who: Character) -> Mapping[str, Line]:
        return {}

    async def listen(self, tell: Tell) -> None:
        def changed(chat: Chat) -> None:
            self._act(chat, tell)
            self.news.changed(chat.id)

        self.world.on_change.append(changed)
        try:
            await self.news.listen(tell)
        finally:
            self.world.on_change.remove(changed)

    def file(self, path: str) -> File | None:
        """Its pictures are addresses."""
        return None

    def sent(self) -> int:
        return self.world.sent(self.bot)

    def refused(self) -> int:
        return self.world.count_429(self.bot)

    def _act(self, chat: Chat, tell: Tell) -> None:
        line = self.lines.get(chat.id)
        if line is not None and len(chat.actions) > self._typed.get(chat.id, 0):
            self._typed[chat.id] = len(chat.actions)
            tell("action", {"chat": line.chat, "action": "typing"})
