"""What goes out to a Zalo bot's chats: an `Outbound` becomes one call. Files travel as public addresses only."""

from __future__ import annotations

import mimetypes
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from bot.channels.telegram_json import Json, integer, text
from bot.core.errors import BadContent
from bot.core.events import Media, MediaKind, Outbound, Sent
from bot.core.text import nfc

MAX_TEXT = 2000
MAX_CAPTION = 2000
MAX_UPLOAD = 10 * 1024 * 1024
AAC = "audio/aac"

Publish = Callable[[bytes, str], Awaitable[str]]
"""Puts a file of that type where anybody can load it, and returns its https address. A voice's address ends in
`.aac`."""

_MIMES = {MediaKind.PHOTO: "image/jpeg", MediaKind.VOICE: AAC}


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the Bot API."""

    method: str
    fields: dict[str, str]


def to_call(message: Outbound) -> Call:
    """The one call that carries `message`; formatting is dropped. Raises `ValueError` for what no single call carries:
    edits, deletions, answers, places, cards, buttons, albums, words beside a sticker or a voice, a voice in a group
    or of another kind than AAC, files of other kinds or without an address."""
    _refuse_impossible(message)
    if not message.media:
        return Call("sendMessage", {"chat_id": message.chat_id, "text": nfc(message.text)})
    return _media_call(message, message.media[0])


def to_sent(message: Outbound, result: Json) -> Sent:
    """What the platform's result says, and the addresses under which files can be sent again."""
    number = integer(result, "message_id")
    sent = text(result, "message_id") if number is None else str(number)
    return Sent(sent or None, (sent,) if sent else (), tuple(m.file_id for m in message.media if m.file_id))


def unpublished(message: Outbound) -> Media | None:
    """The file that must get an address before `message` can be sent. Raises `ValueError` as `to_call` does."""
    _refuse_impossible(message)
    waiting = [m for m in message.media if m.file_id is None]
    if not waiting:
        return None
    kind, mime = waiting[0].kind, mime_of(waiting[0])
    if kind not in _MIMES or (kind is MediaKind.VOICE and mime != AAC):
        raise ValueError("only pictures and AAC voices can be published")
    return waiting[0]


def published(message: Outbound, media: Media, url: str) -> Outbound:
    """`message` with the file's address instead of the file."""
    return replace(message, media=(replace(media, file_id=url, content=None, path=None),))


def content_of(media: Media) -> bytes:
    """The bytes of a file of our own. Raises `BadContent` for one that is gone or larger than 10 MiB."""
    try:
        content = media.content if media.content is not None else _read(Path(media.path or ""))
    except OSError as error:
        raise BadContent(f"a file cannot be read: {error.strerror}") from error
    if len(content) > MAX_UPLOAD:
        raise BadContent("a file cannot be sent: it is too large")
    return content


def mime_of(media: Media) -> str:
    """As said, by the name, or what is usual for its kind."""
    guessed, _ = mimetypes.guess_type(media.name or media.path or "")
    if guessed == "audio/x-aac":
        return AAC
    return media.mime or guessed or _MIMES.get(media.kind, "application/octet-stream")


def _read(path: Path) -> bytes:
    """At most a byte more than may be sent."""
    with path.open("rb") as file:
        return file.read(MAX_UPLOAD + 1)


def _refuse_impossible(message: Outbound) -> None:
    if message.edit is not None or message.delete is not None or message.answer is not None:
        raise ValueError("a Zalo bot can neither edit nor delete nor answer")
    if message.location is not None or message.card is not None or message.buttons:
        raise ValueError("a Zalo bot sends no places, cards or buttons")
    if len(message.media) > 1:
        raise ValueError("a Zalo bot sends one file at a time")
    if message.media:
        _refuse_media(message, message.media[0].kind)


def _refuse_media(message: Outbound, kind: MediaKind) -> None:
    if kind not in (MediaKind.PHOTO, MediaKind.STICKER, MediaKind.VOICE):
        raise ValueError(f"a Zalo bot sends no {kind}")
    if message.text and kind is not MediaKind.PHOTO:
        raise ValueError(f"words cannot go with a {kind}")
    if kind is MediaKind.VOICE and (message.group or message.chat_id.startswith("zgr-")):
        raise ValueError("a voice never arrives in a group, though the platform says that it did")


def _media_call(message: Outbound, media: Media) -> Call:
    chat = {"chat_id": message.chat_id}
    if media.file_id is None:
        raise ValueError("a Zalo bot sends a file by its public address only")
    if media.kind is MediaKind.STICKER:
        return Call("sendSticker", {**chat, "sticker": media.file_id})
    if not media.file_id.startswith(("https://", "http://")):
        raise BadContent("the file has no address on the web")
    if media.kind is MediaKind.PHOTO:
        caption = {"caption": nfc(message.text)} if message.text else {}
        return Call("sendPhoto", {**chat, "photo": media.file_id, **caption})
    if not urlsplit(media.file_id).path.endswith(".aac"):
        raise ValueError("a voice must be an .aac file")
    return Call("sendVoice", {**chat, "voice_url": media.file_id})
