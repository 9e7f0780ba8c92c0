"""One call of a method: its parameters read as the server reads them, and the ways to carry it out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from bot.sandbox.telegram import entities, keyboards, markup_html, markup_markdown
from bot.sandbox.telegram.chats import Chat, Message
from bot.sandbox.telegram.entities import Formatted
from bot.sandbox.telegram.errors import Json, bad_request
from bot.sandbox.telegram.files import StoredFile, Upload, picture_size, same_kind
from bot.sandbox.telegram.journal import Entry

if TYPE_CHECKING:
    from bot.sandbox.telegram.bots import BotAccount
    from bot.sandbox.telegram.world import World


@dataclass(frozen=True, slots=True)
class Described:
    """A result with a description beside it."""

    result: object
    description: str


class Call:
    """`method` is spelled as documented; `entries` are the journal's entries of what was delivered."""

    __slots__ = ("bot", "entries", "method", "params", "server", "uploads")

    def __init__(
        self,
        server: World,
        bot: BotAccount,
        method: str,
        params: dict[str, object],
        uploads: dict[str, Upload],
    ) -> None:
        self.server = server
        self.bot = bot
        self.method = method
        self.params = params
        self.uploads = uploads
        self.entries: list[Entry] = []

    def text(self, name: str) -> str:
        """A string; numbers and booleans of a JSON body as they are written, missing ones empty."""
        value = self.params.get(name)
        if value is None:
            return ""
        if isinstance(value, str):
            return value
        return orjson.dumps(value).decode()

    def integer(self, name: str, default: int = 0, low: int = -(2**63), high: int = 2**63) -> int:
        """A number within bounds, clamped; what is no number is 0."""
        raw = self.text(name)
        if not raw:
            return default
        try:
            value = int(raw)
        except ValueError:
            value = 0
        return max(low, min(high, value))

    def number(self, name: str) -> float:
        """A decimal number. Raises 400."""
        try:
            return float(self.text(name))
        except ValueError:
            raise bad_request(f"Wrong parameter {name} specified") from None

    def flag(self, name: str) -> bool:
        value = self.params.get(name)
        return value is True or self.text(name).lower() in ("true", "yes", "1")

    def data(self, name: str) -> Any:
        """A JSON parameter, decoded; `None` when missing. Raises 400."""
        value = self.params.get(name)
        if not isinstance(value, str):
            return value
        if not value.strip():
            return None
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            raise bad_request(f"Can't parse {name.replace('_', ' ')} JSON object") from None

    def listed(self, name: str) -> list[Any]:
        """A JSON array, empty when missing. Raises 400."""
        value = self.data(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise bad_request(f"Can't parse {name.replace('_', ' ')} JSON object")
        return value

    def chat(self, name: str = "chat_id", *, reach: bool = True) -> Chat:
        """The chat, which this bot may write to if `reach`. Raises 400 and 403."""
        raw = self.text(name).strip()
        if not raw:
            raise bad_request(f"{name} is empty")
        try:
            chat_id = int(raw)
        except ValueError:
            raise bad_request("chat not found") from None
        return self.server.find_chat(self.bot, chat_id, reach=reach)

    def formatted(self, raw: str, parse_mode: str, given: object) -> Formatted:
        """A text after entity parsing. Raises 400."""
        if len(raw) * 4 > entities.MAX_RAW_BYTES and len(raw.encode("utf-8", "replace")) > entities.MAX_RAW_BYTES:
            raise bad_request("text is too long")
        mode = parse_mode.lower()
        if mode in ("", "none"):
            return entities.finish(raw, entities.given(given, raw) if given else [])
        if mode == "html":
            parsed = markup_html.parse(raw)
        elif mode == "markdownv2":
            parsed = markup_markdown.parse(raw)
        else:
            raise bad_request("Unsupported parse_mode")
        return entities.finish(parsed.text, parsed.entities)

    def message_text(self) -> Json:
        """`text` and `entities` of a text message. Raises 400."""
        found = self.formatted(self.text("text"), self.text("parse_mode"), self.data("entities"))
        if not found.text:
            raise bad_request("Message text is empty")
        if entities.units(found.text) > entities.MAX_TEXT:
            raise bad_request("Message is too long")
        content: Json = {"text": found.text}
        if found.entities:
            content["entities"] = found.entities
        return content

    def caption(self, source: Json | None = None) -> Json:
        """`caption` and `caption_entities`, from the parameters or from one item of an album. Raises 400."""
        if source is None:
            raw, mode, given = self.text("caption"), self.text("parse_mode"), self.data("caption_entities")
        else:
            raw, mode = str(source.get("caption") or ""), str(source.get("parse_mode") or "")
            given = source.get("caption_entities")
        found = self.formatted(raw, mode, given)
        if entities.units(found.text) > entities.MAX_CAPTION:
            raise bad_request("message caption is too long")
        content: Json = {}
        if found.text:
            content["caption"] = found.text
        if found.entities:
            content["caption_entities"] = found.entities
        if self.flag("show_caption_above_media"):
            content["show_caption_above_media"] = True
        return content

    def markup(self, *, inline_only: bool = False) -> Json:
        """`reply_markup`, or nothing. Raises 400."""
        if "reply_markup" not in self.params:
            return {}
        raw = self.data("reply_markup")
        found = keyboards.checked(raw, inline_only=inline_only) if raw is not None else None
        return {"reply_markup": found} if found else {}

    def file(self, kind: str, source: object = None, field: str = "", extras: Json | None = None) -> StoredFile:
        """The file in a parameter: uploaded, attached, known by its id, or fetched from a known address. Raises 400."""
        field = field or kind
        value = source if source is not None else self.text(field)
        upload = self.uploads.get(field) if source is None else None
        if isinstance(value, str) and value.startswith("attach://"):
            upload = self.uploads.get(value.removeprefix("attach://"))
        elif isinstance(value, str) and value.startswith(("http://", "https://")):
            if value not in self.server.files.urls:
                raise bad_request("failed to get HTTP URL content")
            upload = Upload(value.rpartition("/")[2], self.server.files.urls[value])
        if upload is not None:
            return self._keep(kind, upload, extras)
        if not isinstance(value, str) or not value:
            raise bad_request(f"there is no {kind.replace('_', ' ')} in the request")
        stored = self.server.files.find(self.bot.id, value)
        if stored is None:
            raise bad_request("Wrong file identifier/HTTP URL specified")
        return same_kind(stored, kind)

    def _keep(self, kind: str, upload: Upload, extras: Json | None) -> StoredFile:
        size = len(upload.content)
        if not size:
            raise bad_request("file must be non-empty")
        if kind == "photo":
            most = self.server.limits.photo_bytes
            if size > most:
                raise bad_request(f"file of size {size} bytes is too big for a photo; the maximum size is {most} bytes")
            picture = picture_size(upload.content)
            if picture is None:
                raise bad_request("IMAGE_PROCESS_FAILED")
            width, height = picture
            if not width or not height or width + height > 10000 or max(width, height) > 20 * min(width, height):
                raise bad_request("PHOTO_INVALID_DIMENSIONS")
        return self.server.files.add(kind, upload, extras)

    def reply_to(self, chat: Chat) -> Message | None:
        """The message that is replied to. Raises 400."""
        raw = self.data("reply_parameters")
        if raw is not None:
            if not isinstance(raw, dict) or not isinstance(raw.get("message_id"), int):
                raise bad_request("Can't parse reply parameters JSON object")
            id, optional = raw["message_id"], bool(raw.get("allow_sending_without_reply"))
        else:
            id, optional = self.integer("reply_to_message_id"), self.flag("allow_sending_without_reply")
        if not id:
            return None
        found = chat.message(id)
        if found is None and not optional:
            raise bad_request("message to be replied not found")
        return found

    def take(self, chat: Chat, amount: int = 1) -> None:
        """Count against the limits. Raises 429."""
        paid = self.bot.paid_broadcast and self.flag("allow_paid_broadcast")
        self.bot.meter.take(chat.id, amount, paid=paid)

    def deliver(
        self, chat: Chat, content: Json, file: StoredFile | None = None, reply_to: Message | None = None
    ) -> Message:
        """Put one message, already counted, into the chat and the journal."""
        if self.flag("protect_content"):
            content["has_protected_content"] = True
        message = self.server.post(chat, self.bot.json, content, file, reply_to)
        entry = Entry(self.server.monotonic(), self.bot.id, self.method, chat.id, message.id, 200)
        self.server.log.add(entry)
        self.entries.append(entry)
        return message

    def send(self, chat: Chat, content: Json, file: StoredFile | None = None) -> Json:
        """Count, deliver and show one message with its reply and keyboard."""
        reply_to = self.reply_to(chat)
        content |= self.markup()
        self.take(chat)
        return self.deliver(chat, content, file, reply_to).json(self.bot.id)
