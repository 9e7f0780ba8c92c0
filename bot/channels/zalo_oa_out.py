"""What goes out to Zalo: an `Outbound`, whose files Zalo already has, becomes one call or two. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from bot.channels.zalo_oa_in import PRESSED
from bot.core.events import Button, Media, MediaKind, Outbound
from bot.core.text import nfc, shorten

MAX_TEXT = 2000
MAX_BUTTONS = 5
MAX_LABEL = 100
MAX_PAYLOAD = 1000

TO_PERSON = "/v3.0/oa/message/cs"
TO_GROUP = "/v3.0/oa/group/message"

_MEDIA = {MediaKind.PHOTO: "image", MediaKind.ANIMATION: "gif", MediaKind.STICKER: "sticker"}
_MENTION = re.compile(r"\[@[^\[\]]*\]")
_SIZED = re.compile(r"(.+)#(\d{1,5})x(\d{1,5})")
_UNKNOWN_SIZE = (320, 240)

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """One POST."""

    path: str
    fields: Json


def to_calls(message: Outbound) -> tuple[Call, ...]:
    """The call that carries `message`; two where Zalo takes words or buttons only apart from a file: the words first,
    for they matter more. None for an answer to a pressed button, which nobody waits for.

    Raises `ValueError` for what Zalo does not carry: edits and deletions, places, business cards, albums, films and
    sounds, more than five buttons, buttons without words.
    """
    if message.answer is not None:
        return ()
    _check(message)
    words, parts = _words(message), []
    if _goes_apart(message):
        parts = [_text(message, words)] if words or message.buttons else []
        parts.append({"attachment": _attachment(message.media[0])})
    elif message.media:
        parts = [{**({"text": words} if words else {}), "attachment": _attachment(message.media[0])}]
    else:
        parts = [_quoting(message, _text(message, words))]
    return tuple(_call(message, part) for part in parts)


def sized(attachment_id: str, width: int, height: int) -> str:
    """The id under which we know a moving picture: Zalo wants its measures with every message."""
    return f"{attachment_id}#{width}x{height}"


def _check(message: Outbound) -> None:
    if message.edit is not None or message.delete is not None:
        raise ValueError("Zalo edits and deletes nothing")
    if message.location is not None or message.card is not None:
        raise ValueError("Zalo carries no places and business cards")
    if len(message.media) > 1:
        raise ValueError("Zalo carries one attachment at a time")
    if message.media and message.media[0].kind not in (*_MEDIA, MediaKind.FILE):
        raise ValueError(f"Zalo carries no {message.media[0].kind}")
    if sum(map(len, message.buttons)) > MAX_BUTTONS:
        raise ValueError(f"Zalo shows at most {MAX_BUTTONS} buttons")


def _words(message: Outbound) -> str:
    """In a group `[@…]` calls people, which nobody's words may do."""
    words = nfc(message.text)
    if message.group:
        while _MENTION.search(words):  # taking one away may leave another that was written around it
            words = _MENTION.sub("", words).strip()
    return words


def _goes_apart(message: Outbound) -> bool:
    """Documented are words under a picture; not words beside a file or a sticker, nor buttons under either."""
    if not message.media:
        return False
    return bool(message.buttons) or message.media[0].kind in (MediaKind.FILE, MediaKind.STICKER)


def _text(message: Outbound, words: str) -> Json:
    if not message.buttons:
        return {"text": words}
    if not words:
        raise ValueError("Zalo shows no buttons without words")
    buttons = [_button(button) for row in message.buttons for button in row]
    return {"text": words, "attachment": {"type": "template", "payload": {"buttons": buttons}}}


def _quoting(message: Outbound, part: Json) -> Json:
    """Documented for messages to people; not in groups."""
    if message.quote is None or message.group:
        return part
    return {**part, "quote_message_id": message.quote}


def _button(button: Button) -> Json:
    title = shorten(nfc(button.label), MAX_LABEL)
    if button.url is not None:
        return {"title": title, "type": "oa.open.url", "payload": {"url": button.url}}
    payload = PRESSED + (button.data or "")
    if len(payload) > MAX_PAYLOAD:
        raise ValueError(f"a button carries at most {MAX_PAYLOAD} characters")
    return {"title": title, "type": "oa.query.hide", "payload": payload}


def _attachment(media: Media) -> Json:
    known = media.file_id or ""
    if media.kind is MediaKind.FILE:
        return {"type": "file", "payload": {"token": known}}
    element: Json = {"media_type": _MEDIA[media.kind]}
    if media.kind is MediaKind.ANIMATION:
        known, width, height = _measures(known)
        element |= {"width": width, "height": height}
    element["url" if known.startswith(("https://", "http://")) else "attachment_id"] = known
    return {"type": "template", "payload": {"template_type": "media", "elements": [element]}}


def _measures(known: str) -> tuple[str, int, int]:
    match = _SIZED.fullmatch(known)
    return (match[1], int(match[2]), int(match[3])) if match else (known, *_UNKNOWN_SIZE)


def _call(message: Outbound, part: Json) -> Call:
    if message.group:
        return Call(TO_GROUP, {"recipient": {"group_id": message.chat_id}, "message": part})
    return Call(TO_PERSON, {"recipient": {"user_id": message.chat_id}, "message": part})


def message_ids(answers: Iterable[object]) -> tuple[str, ...]:
    """The ids in what Zalo answered."""
    found = (answer.get("message_id") for answer in answers if isinstance(answer, dict))
    return tuple(str(one) for one in found if isinstance(one, str | int) and one)
