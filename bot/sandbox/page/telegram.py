"""Telegram on the page: private chats with the bot, groups, and what happens in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.sandbox.page import view
from bot.sandbox.page.lines import ChatId, Do, File, Line, Tell, Wrong, said, sample, words
from bot.sandbox.sample import Character, Town
from bot.sandbox.telegram import Attachment, BotAccount, Chat, Group, Message, User, WorldEvent
from bot.sandbox.telegram.errors import Json

MAX_TEXT = 4096
MAX_FILE = 20 * 1024 * 1024
_ANSWER_SECONDS = 12.0
_BEHIND = 2000
_SAMPLE_KINDS = {".jpg": "photo", ".png": "photo", ".ogg": "voice", ".pdf": "document", ".ics": "document"}
_UPLOAD_KINDS = ("photo", "video", "audio", "voice", "document")


class TelegramLine:
    """The private chat with the bot, or a group, as one person has it."""

    def __init__(self, town: Town, user: User, where: BotAccount | Group) -> None:
        self.town = town
        self.user = user
        self.where = where

    @property
    def found(self) -> Chat:
        return self.where.current if isinstance(self.where, Group) else self.user.chat(self.where)

    @property
    def chat(self) -> ChatId:
        return self.found.id

    @property
    def blocked(self) -> bool:
        return self.user.chat(self.town.bot).blocked

    @property
    def errands(self) -> Mapping[str, Do]:
        here: dict[str, Do] = {
            "write": self.write,
            "edit": self.edit,
            "sample": self.sample,
            "files": self.files,
            "location": self.location,
            "contact": self.contact,
            "press": self.press,
            "forward": self.forward,
        }
        return here | ({} if isinstance(self.where, Group) else {"start": self.start, "block": self.block})

    def shown(self) -> Json:
        return view.chat(self.found)

    def last(self) -> Json | None:
        said = [m for m in self.found.messages[-1:] if not m.deleted]
        return {"text": view.snippet(said[0]), "date": said[0].date} if said else None

    def message(self, id: object) -> Message:
        """Raises `Wrong` for one that is not there."""
        found = self.found.message(id) if isinstance(id, int) else None
        if found is None:
            raise Wrong("Tin này không còn nữa.")
        return found

    # Saying

    async def write(self, asked: Json) -> Json:
        text = said(asked, MAX_TEXT)
        reply_to = self.message(asked["reply_to"]) if asked.get("reply_to") else None
        return _done(self.user.write(self.where, text, reply_to=reply_to))

    async def start(self, asked: Json) -> Json:
        payload = words(asked, "payload", 64)
        if not all(c.isalnum() or c in "_-" for c in payload):
            raise Wrong("Đường dẫn này không đúng dạng.")
        return _done(self.user.start(self.town.bot, payload))

    async def edit(self, asked: Json) -> Json:
        found = self.message(asked.get("message"))
        if found.sender["id"] != self.user.id or found.file is not None or "text" not in found.content:
            raise Wrong("Chỉ sửa được tin chữ của chính mình.")
        return _done(self.user.edit(found, words(asked, "text", MAX_TEXT)))

    async def forward(self, asked: Json) -> Json:
        """Pass a message of this chat on to the bot."""
        return _done(self.user.forward(self.town.bot, self.message(asked.get("message"))))

    async def sample(self, asked: Json) -> Json:
        path = sample(asked, *_SAMPLE_KINDS)
        kind = _SAMPLE_KINDS[path.suffix]
        extras = {"duration": 4} if kind == "voice" else {}
        caption = words(asked, "caption", 1024)
        return _done(self.user.send(self.where, Attachment(kind, path.read_bytes(), caption, path.name, extras=extras)))

    async def files(self, asked: Json) -> Json:
        """Send files from the disk; several at once are an album."""
        chosen: list[Attachment] = asked["files"]
        if not chosen:
            raise Wrong("Chưa chọn tệp nào.")
        if len(chosen) == 1:
            return _done(self.user.send(self.where, chosen[0]))
        return _done(*self.user.send_album(self.where, chosen[:10]))

    async def location(self, _asked: Json) -> Json:
        return _done(self.user.send_venue(self.where, "Nhà văn hóa thôn", "Địa điểm mẫu", 17.6103, 106.3075))

    async def contact(self, _asked: Json) -> Json:
        return _done(self.user.send_contact(self.where))

    # Doing

    async def press(self, asked: Json) -> Json:
        """Press a button, and wait for what the bot answers to it."""
        found = self.message(asked.get("message"))
        try:
            result = self.user.press(self.town.bot, found, words(asked, "button", 256))
        except LookupError:
            raise Wrong("Nút này không còn nữa.") from None
        if not result.id:
            return {"url": result.url}
        try:
            answer = await result.answer(_ANSWER_SECONDS)
        except TimeoutError:
            return {"late": True}
        return {"text": answer.text, "alert": answer.show_alert, "url": answer.url}

    async def block(self, asked: Json) -> Json:
        wanted = asked.get("blocked") is True
        (self.user.block if wanted else self.user.unblock)(self.town.bot)
        return {"blocked": wanted}


class TelegramPlatform:
    """The bot on Telegram."""

    channel = "telegram"

    def __init__(self, town: Town) -> None:
        self.town = town
        self.world = town.worlds.telegram

    def about(self) -> Json:
        bot = self.town.bot
        return {
            "name": "Telegram",
            "title": bot.name,
            "note": "máy trả lời tự động",
            "about": bot.profile.descriptions.get("", ""),
            "commands": bot.profile.commands.get(("default", "")) or [],
            "link": bot.username,
            "max_text": MAX_TEXT,
            "replies": True,
        }

    def line(self, who: Character, chat: ChatId) -> Line:
        return TelegramLine(self.town, who.user, self.town.bot)

    def groups(self, who: Character) -> Mapping[str, Line]:
        user = who.telegram
        if user is None:
            return {}
        return {str(g.id): TelegramLine(self.town, user, g) for g in self.town.groups if user.id in g.members}

    async def listen(self, tell: Tell) -> None:
        with self.world.subscribe(_BEHIND) as events:
            async for event in events:
                told = self._translated(event)
                if told is not None:
                    tell(*told)

    def file(self, path: str) -> File | None:
        stored = self.world.files.at(path)
        return File(stored.content, stored.mime) if stored is not None else None

    def sent(self) -> int:
        return self.world.sent(self.town.bot)

    def refused(self) -> int:
        return self.world.count_429(self.town.bot)

    def _translated(self, event: WorldEvent) -> tuple[str, Json] | None:
        where = self._chat(event.chat_id)
        if where is None:
            return None
        if event.kind in ("message", "edited", "deleted"):
            found = next((m for m in reversed(where.messages) if m.id == event.data["message_id"]), None)
            return (event.kind, {"chat": where.id, "message": view.message(found)}) if found else None
        if event.kind == "chat_action":
            return "action", {"chat": where.id, "action": event.data["action"]}
        if event.kind == "membership" and where.is_private:
            return "standing", {"chat": where.id, "blocked": getattr(where, "blocked", False)}
        return None

    def _chat(self, id: int) -> Chat | None:
        group = next((g.current for g in self.town.groups if g.current.id == id), None)
        who = self.town.people.get(id)
        return group or (who.telegram.chat(self.town.bot) if who and who.telegram else None)


def attachment(name: str, mime: str, content: bytes, kind: str, caption: str) -> Attachment:
    """A file that was chosen on the page. `kind` is what it was chosen as; empty goes by its type."""
    if len(content) > MAX_FILE:
        raise Wrong("Tệp lớn hơn 20 MB, hãy chọn tệp nhỏ hơn.")
    if kind not in _UPLOAD_KINDS:
        family = mime.partition("/")[0]
        kind = {"image": "photo", "video": "video", "audio": "audio"}.get(family, "document")
    extras: dict[str, Any] = {"duration": 5} if kind in ("voice", "video", "audio") else {}
    return Attachment(kind, content, caption[:1024], name[:120], mime, extras)


def _done(*made: Message) -> Json:
    """What the page gets back for something that was said."""
    return {"messages": [view.message(m) for m in made]}
