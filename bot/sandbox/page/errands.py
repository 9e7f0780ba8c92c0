"""What one does on the page on behalf of a person: each errand reads its fields, acts in the world, says what came."""

from __future__ import annotations

from collections.abc import Callable
from datetime import time, timedelta
from pathlib import Path
from typing import Any

from bot.sandbox.page import view
from bot.sandbox.page.timemachine import TimeMachine
from bot.sandbox.sample import Character, Town
from bot.sandbox.telegram import Attachment, BotAccount, Chat, Group, Message
from bot.sandbox.telegram.errors import Json

SAMPLES = Path(__file__).parent.parent / "sample" / "media"
MAX_TEXT = 4096
MAX_FILE = 20 * 1024 * 1024
_ANSWER_SECONDS = 12.0
_SAMPLE_KINDS = {".jpg": "photo", ".png": "photo", ".ogg": "voice", ".pdf": "document", ".ics": "document"}
_UPLOAD_KINDS = ("photo", "video", "audio", "voice", "document")


class Wrong(Exception):
    """An errand that cannot be run; the text is shown on the page."""


class Errands:
    """Everything that a page may ask for."""

    def __init__(self, town: Town, machine: TimeMachine) -> None:
        self.town = town
        self.machine = machine

    # Finding

    def person(self, id: str) -> Character:
        found = self.town.people.get(int(id)) if id.isdigit() else None
        if found is None:
            raise Wrong("Không có người này trong bản chạy thử.")
        return found

    def place(self, who: Character, name: str) -> BotAccount | Group:
        """`bot`, or the id of a group that the person is in."""
        if name == "bot":
            return self.town.bot
        for group in self.town.groups:
            if name == str(group.id) and who.user.id in group.members:
                return group
        raise Wrong("Người này không ở trong nhóm đó.")

    def chat(self, who: Character, where: BotAccount | Group) -> Chat:
        return where.current if isinstance(where, Group) else who.user.chat(where)

    def message(self, who: Character, where: BotAccount | Group, id: object) -> Message:
        found = self.chat(who, where).message(id) if isinstance(id, int) else None
        if found is None:
            raise Wrong("Tin này không còn nữa.")
        return found

    # Saying

    def write(self, who: Character, where: BotAccount | Group, asked: Json) -> Message:
        text = _text(asked, "text", MAX_TEXT)
        if not text.strip():
            raise Wrong("Hãy gõ vài chữ trước khi gửi.")
        reply_to = self.message(who, where, asked["reply_to"]) if asked.get("reply_to") else None
        return who.user.write(where, text, reply_to=reply_to)

    def start(self, who: Character, asked: Json) -> Message:
        payload = _text(asked, "payload", 64)
        if not all(c.isalnum() or c in "_-" for c in payload):
            raise Wrong("Đường dẫn này không đúng dạng.")
        return who.user.start(self.town.bot, payload)

    def edit(self, who: Character, where: BotAccount | Group, asked: Json) -> Message:
        found = self.message(who, where, asked.get("message"))
        if found.sender["id"] != who.user.id or found.file is not None or "text" not in found.content:
            raise Wrong("Chỉ sửa được tin chữ của chính mình.")
        return who.user.edit(found, _text(asked, "text", MAX_TEXT))

    def forward(self, who: Character, asked: Json) -> Message:
        """Pass a message of one of one's own chats on to the bot."""
        source = self.place(who, str(asked.get("from", "bot")))
        return who.user.forward(self.town.bot, self.message(who, source, asked.get("message")))

    def sample(self, who: Character, where: BotAccount | Group, asked: Json) -> Message:
        """Send one of the files that come with the demo."""
        name = _text(asked, "name", 64)
        path = SAMPLES / name
        if name not in {p.name for p in SAMPLES.iterdir()} or path.suffix not in _SAMPLE_KINDS:
            raise Wrong("Không có tệp mẫu này.")
        kind = _SAMPLE_KINDS[path.suffix]
        caption = _text(asked, "caption", 1024)
        extras = {"duration": 4} if kind == "voice" else {}
        return who.user.send(where, Attachment(kind, path.read_bytes(), caption, path.name, extras=extras))

    def upload(self, who: Character, where: BotAccount | Group, files: list[Attachment]) -> list[Message]:
        """Send files from the disk; several at once are an album."""
        if not files:
            raise Wrong("Chưa chọn tệp nào.")
        if len(files) == 1:
            return [who.user.send(where, files[0])]
        return list(who.user.send_album(where, files[:10]))

    def location(self, who: Character, where: BotAccount | Group) -> Message:
        return who.user.send_venue(where, "Nhà văn hóa thôn", "Địa điểm mẫu", 17.6103, 106.3075)

    def contact(self, who: Character, where: BotAccount | Group) -> Message:
        return who.user.send_contact(where)

    # Doing

    async def press(self, who: Character, where: BotAccount | Group, asked: Json) -> Json:
        """Press a button, and wait for what the bot answers to it."""
        found = self.message(who, where, asked.get("message"))
        try:
            result = who.user.press(self.town.bot, found, _text(asked, "button", 256))
        except LookupError:
            raise Wrong("Nút này không còn nữa.") from None
        if not result.id:
            return {"url": result.url}
        try:
            answer = await result.answer(_ANSWER_SECONDS)
        except TimeoutError:
            return {"late": True}
        return {"text": answer.text, "alert": answer.show_alert, "url": answer.url}

    def block(self, who: Character, asked: Json) -> Json:
        wanted = asked.get("blocked") is True
        (who.user.block if wanted else who.user.unblock)(self.town.bot)
        return {"blocked": wanted}

    def jump(self, asked: Json) -> Json:
        """Forward `minutes`, or to the next time that a local clock shows `hour` (`HH:MM`)."""
        try:
            if "hour" in asked:
                by = self.machine.until(time.fromisoformat(str(asked["hour"])))
            else:
                by = timedelta(minutes=float(asked["minutes"]))
            self.machine.forward(by)
        except (ValueError, KeyError, TypeError, OverflowError):
            raise Wrong("Đồng hồ chỉ tua tới, mỗi lần nhiều nhất 40 ngày.") from None
        return self.machine.shown()


def attachment(name: str, mime: str, content: bytes, kind: str, caption: str) -> Attachment:
    """A file that was chosen on the page. `kind` is what it was chosen as; empty goes by its type."""
    if len(content) > MAX_FILE:
        raise Wrong("Tệp lớn hơn 20 MB, hãy chọn tệp nhỏ hơn.")
    if kind not in _UPLOAD_KINDS:
        family = mime.partition("/")[0]
        kind = {"image": "photo", "video": "video", "audio": "audio"}.get(family, "document")
    extras: dict[str, Any] = {"duration": 5} if kind in ("voice", "video", "audio") else {}
    return Attachment(kind, content, caption[:1024], name[:120], mime, extras)


def _text(asked: Json, name: str, most: int) -> str:
    value = asked.get(name, "")
    if not isinstance(value, str) or len(value) > most:
        raise Wrong(f"Nhiều nhất {most} chữ một tin.")
    return value


Errand = Callable[[Character, BotAccount | Group, Json], Message]


def done(made: Message | list[Message]) -> Json:
    """What the page gets back for something that was said."""
    said = made if isinstance(made, list) else [made]
    return {"messages": [view.message(m) for m in said]}
