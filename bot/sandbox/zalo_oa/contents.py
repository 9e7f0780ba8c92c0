"""What a message holds: texts, buttons and attachments, checked as the platform checks them."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.sandbox.zalo_oa.errors import Json, OaError, invalid
from bot.sandbox.zalo_oa.limits import Limits

_QUERIES = ("oa.query.show", "oa.query.hide")
_PHONES = ("oa.open.phone", "oa.open.sms")
_MEDIA = ("image", "gif", "sticker")


@dataclass(frozen=True, slots=True)
class Button:
    """Something to tap: `kind` as on the wire, `payload` the text that a query sends, the address or the number."""

    title: str
    kind: str
    payload: str


@dataclass(frozen=True, slots=True)
class Content:
    """`kind` is text, image, gif, sticker, file, list, request_user_info or article; `attachment` is as received;
    `asset` is the uploaded file, article or sticker that it names."""

    kind: str
    text: str = ""
    buttons: tuple[Button, ...] = ()
    attachment: Json | None = None
    asset: str = ""
    quote_id: str = ""


@dataclass(slots=True)
class Received:
    """A message as it lies in somebody's chat. `at` is unix seconds of the sandbox's clock; `origin` is cs, agent,
    broadcast or group; `billed` says that it was taken from the paid quota."""

    id: str
    content: Content
    at: float
    origin: str = "cs"
    billed: bool = False
    seen: bool = False
    reactions: list[str] = field(default_factory=list)

    @property
    def kind(self) -> str:
        return self.content.kind

    @property
    def text(self) -> str:
        return self.content.text

    @property
    def buttons(self) -> tuple[Button, ...]:
        return self.content.buttons

    @property
    def attachment(self) -> Json | None:
        return self.content.attachment

    @property
    def quote_id(self) -> str:
        return self.content.quote_id


class Reader:
    """Reads one kind of place's messages. `asset(kind, id)` raises where an upload is unknown or too old."""

    def __init__(self, limits: Limits, asset: Callable[[str, str], None]) -> None:
        self._limits = limits
        self._asset = asset

    def read(self, message: object) -> Content:
        """Raises -201, -210, -233 or -100."""
        if not isinstance(message, dict):
            raise invalid("message")
        text = self._text(message)
        quote = message.get("quote_message_id", "")
        if not isinstance(quote, str):
            raise invalid("quote_message_id")
        raw = message.get("attachment")
        if raw is None:
            if not text:
                raise invalid("text")
            return Content("text", text, quote_id=quote)
        if not isinstance(raw, dict) or not isinstance(raw.get("payload"), dict):
            raise invalid("attachment")
        return self._attached(raw, text, quote)

    def _text(self, message: Json) -> str:
        text = message.get("text", "")
        if not isinstance(text, str):
            raise invalid("text")
        if len(unicodedata.normalize("NFC", text)) > self._limits.text:
            raise OaError(-210)
        return text if text.strip() else ""

    def _attached(self, raw: Json, text: str, quote: str) -> Content:
        payload: Json = raw["payload"]
        if raw.get("type") == "file":
            token = _string(payload, "token")
            self._asset("file", token)
            return Content("file", text, (), raw, token, quote)
        if raw.get("type") != "template":
            raise OaError(-233)
        match payload.get("template_type"):
            case "media":
                kind, asset = self._media(payload)
                return Content(kind, text, (), raw, asset, quote)
            case "list":
                return Content("list", text, self._list(payload), raw, "", quote)
            case "request_user_info":
                self._elements(payload, 1)
                return Content("request_user_info", text, (), raw, "", quote)
            case None:
                if not text:
                    raise invalid("text")
                return Content("text", text, self._buttons(payload, required=True), raw, "", quote)
        raise OaError(-233)

    def _media(self, payload: Json) -> tuple[str, str]:
        """Buttons under a picture are in no document, so they are refused."""
        if "buttons" in payload:
            raise invalid("buttons")
        element = self._elements(payload, 1)[0]
        kind = element.get("media_type")
        if kind not in _MEDIA:
            raise OaError(-233)
        if kind == "gif" and not all(isinstance(element.get(side), int) for side in ("width", "height")):
            raise invalid("width" if not isinstance(element.get("width"), int) else "height")
        return kind, self._source(kind, element)

    def _source(self, kind: str, element: Json) -> str:
        """Either `url` or `attachment_id`, never both."""
        if ("url" in element) == ("attachment_id" in element):
            raise invalid("attachment_id")
        if "url" in element:
            _address(element, "url")
            return ""
        asset = _string(element, "attachment_id")
        if kind != "sticker":
            self._asset(kind, asset)
        return asset

    def _list(self, payload: Json) -> tuple[Button, ...]:
        elements = self._elements(payload, self._limits.elements)
        found = [self._row(e) for e in elements if "default_action" in e]
        for element in elements:
            self._title(element)
        return (*found, *self._buttons(payload, required=False))

    def _row(self, element: Json) -> Button:
        """A row's action has its address beside the type, not inside a payload."""
        action = element["default_action"]
        if not isinstance(action, dict):
            raise invalid("default_action")
        if action.get("type") == "oa.open.url":
            action = {**action, "payload": action.get("payload", {"url": action.get("url")})}
        return self._button({**action, "title": element.get("title")})

    def _elements(self, payload: Json, most: int) -> list[Json]:
        elements = payload.get("elements")
        if not isinstance(elements, list) or not elements or not all(isinstance(e, dict) for e in elements):
            raise invalid("elements")
        if len(elements) > most:
            raise OaError(-210)
        return elements

    def _buttons(self, payload: Json, *, required: bool) -> tuple[Button, ...]:
        buttons = payload.get("buttons", [])
        if not isinstance(buttons, list) or (required and not buttons):
            raise invalid("buttons")
        if len(buttons) > self._limits.buttons:
            raise OaError(-210)
        return tuple(self._button(b) for b in buttons)

    def _button(self, raw: object) -> Button:
        if not isinstance(raw, dict):
            raise invalid("buttons")
        title, kind, payload = self._title(raw), raw.get("type"), raw.get("payload")
        if kind in _QUERIES:
            text = _string(raw, "payload")
            if len(text) > self._limits.payload:
                raise OaError(-210)
            return Button(title, kind, text)
        if kind not in ("oa.open.url", *_PHONES):
            raise OaError(-233)
        if not isinstance(payload, dict):
            raise invalid("payload")
        if kind == "oa.open.url":
            return Button(title, kind, _address(payload, "url"))
        return Button(title, kind, _string(payload, "phone_code"))

    def _title(self, raw: Json) -> str:
        title = _string(raw, "title")
        if len(title) > self._limits.title:
            raise OaError(-210)
        return title


def _string(raw: Json, field: str) -> str:
    found = raw.get(field)
    if not isinstance(found, str) or not found:
        raise invalid(field)
    return found


def _address(raw: Json, field: str) -> str:
    found = _string(raw, field)
    if not found.startswith(("https://", "http://")):
        raise invalid(field)
    return found
