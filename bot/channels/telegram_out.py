"""What goes out to Telegram: an `Outbound` becomes one call of the Bot API. Reads files that are to be uploaded."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from telegram import InputFile, InputMediaAudio, InputMediaDocument, InputMediaPhoto, InputMediaVideo, MessageEntity

from bot.channels.telegram_json import Json, integer
from bot.channels.telegram_media import media_of
from bot.core.events import Button, Buttons, Entity, Media, MediaKind, Outbound, Sent
from bot.core.text import shorten

MAX_TEXT = 4096
MAX_CAPTION = 1024
MAX_ANSWER = 200
MAX_ALBUM = 10
MAX_UPLOAD = 50 * 1024 * 1024

_NO_PREVIEW = {"is_disabled": True}
_SINGLE = {
    MediaKind.PHOTO: ("sendPhoto", "photo", "photo.jpg"),
    MediaKind.VIDEO: ("sendVideo", "video", "video.mp4"),
    MediaKind.ANIMATION: ("sendAnimation", "animation", "animation.mp4"),
    MediaKind.VOICE: ("sendVoice", "voice", "voice.ogg"),
    MediaKind.AUDIO: ("sendAudio", "audio", "audio.mp3"),
    MediaKind.FILE: ("sendDocument", "document", "file.bin"),
    MediaKind.VIDEO_NOTE: ("sendVideoNote", "video_note", "video.mp4"),
    MediaKind.STICKER: ("sendSticker", "sticker", "sticker.webp"),
}
_BARE = {MediaKind.VIDEO_NOTE, MediaKind.STICKER}
_ALBUM = {
    MediaKind.PHOTO: InputMediaPhoto,
    MediaKind.VIDEO: InputMediaVideo,
    MediaKind.AUDIO: InputMediaAudio,
    MediaKind.FILE: InputMediaDocument,
}


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the Bot API. Fields that are `None` are not sent."""

    method: str
    fields: dict[str, Any]


def to_call(message: Outbound) -> Call:
    """The one call that carries `message`. Raises `ValueError` for what no single call carries: buttons under an
    album, an album of one or of more than ten, words beside a sticker, a place or a business card."""
    if message.answer is not None:
        return _answer(message.answer, message)
    if message.delete is not None:
        return Call("deleteMessage", {"chat_id": chat_number(message.chat_id), "message_id": int(message.delete)})
    if message.edit is not None:
        return _edit(int(message.edit), message)
    if len(message.media) > 1:
        return _album(message)
    return _new(message)


def to_sent(message: Outbound, result: object) -> Sent:
    """What Telegram's result says. An edit keeps its message's id even where Telegram only says `true`."""
    ids = message_ids(result)
    files: tuple[str, ...] = ()
    if message.media:
        files = tuple(media.file_id for m in _messages(result) for media in media_of(m) if media.file_id)
    return Sent(ids[0] if ids else message.edit, ids, files)


def message_ids(result: object) -> tuple[str, ...]:
    """The ids of the messages in Telegram's result, several for an album."""
    if isinstance(result, dict):
        only = integer(result, "message_id")
        return () if only is None else (str(only),)
    return tuple([str(number) for m in _messages(result) if (number := integer(m, "message_id")) is not None])


def chat_number(chat_id: str) -> int | str:
    """Numbers travel as numbers; a public name stays a string."""
    return int(chat_id) if chat_id.removeprefix("-").isdecimal() else chat_id


def _messages(result: object) -> list[Json]:
    return [m for m in (result if isinstance(result, list) else [result]) if isinstance(m, dict)]


def _answer(query: str, message: Outbound) -> Call:
    return Call(
        "answerCallbackQuery",
        {
            "callback_query_id": query,
            "text": shorten(message.text, MAX_ANSWER) or None,
            "show_alert": True if message.alert else None,
        },
    )


def _edit(message_id: int, message: Outbound) -> Call:
    fields = {
        "chat_id": chat_number(message.chat_id),
        "message_id": message_id,
        "reply_markup": _keyboard(message.buttons),
    }
    if message.media:
        return Call("editMessageCaption", fields | _caption(message))
    if not message.text:
        return Call("editMessageReplyMarkup", fields)
    return Call("editMessageText", fields | _text(message))


def _new(message: Outbound) -> Call:
    fields: dict[str, Any] = {
        "chat_id": chat_number(message.chat_id),
        "disable_notification": True if message.silent else None,
        "reply_markup": _keyboard(message.buttons),
    }
    if message.quote is not None and message.quote.isdecimal():
        fields["reply_parameters"] = {"message_id": int(message.quote), "allow_sending_without_reply": True}
    if message.media:
        return _single(message, message.media[0], fields)
    if message.location is None and message.card is None:
        return Call("sendMessage", fields | _text(message))
    if message.text:
        raise ValueError("Telegram carries no words beside a place or a business card")
    return _place_or_card(message, fields)


def _single(message: Outbound, media: Media, fields: dict[str, Any]) -> Call:
    method, field, _ = _SINGLE[media.kind]
    if media.kind in _BARE:
        if message.text:
            raise ValueError("Telegram carries no words beside a sticker or a round video")
        return Call(method, fields | {field: _file(media)})
    return Call(method, fields | {field: _file(media)} | _caption(message))


def _place_or_card(message: Outbound, fields: dict[str, Any]) -> Call:
    if message.card is not None:
        card = message.card
        who = {"phone_number": card.phone, "first_name": card.first_name, "last_name": card.last_name or None}
        return Call("sendContact", fields | who)
    assert message.location is not None  # noqa: S101 - one of the two is there
    place = message.location
    point = {"latitude": place.latitude, "longitude": place.longitude}
    if place.title:
        return Call("sendVenue", fields | point | {"title": place.title, "address": place.address or place.title})
    return Call("sendLocation", fields | point)


def _album(message: Outbound) -> Call:
    if message.buttons:
        raise ValueError("Telegram carries no buttons under an album")
    if len(message.media) > MAX_ALBUM:
        raise ValueError(f"Telegram carries at most {MAX_ALBUM} attachments in an album")
    entities = [MessageEntity(e.kind.value, e.offset, e.length, url=e.url) for e in message.entities]
    album = []
    for position, media in enumerate(message.media):
        if media.kind not in _ALBUM:
            raise ValueError(f"Telegram carries no {media.kind} in an album")
        words = {"caption": message.text, "caption_entities": entities} if position == 0 and message.text else {}
        album.append(_ALBUM[media.kind](_file(media, attach=True), **words))
    silent = True if message.silent else None
    return Call(
        "sendMediaGroup", {"chat_id": chat_number(message.chat_id), "media": album, "disable_notification": silent}
    )


def _text(message: Outbound) -> dict[str, Any]:
    return {
        "text": message.text,
        "entities": _entities(message.entities),
        "link_preview_options": None if message.preview else _NO_PREVIEW,
    }


def _caption(message: Outbound) -> dict[str, Any]:
    return {"caption": message.text or None, "caption_entities": _entities(message.entities)}


def _entities(entities: Iterable[Entity]) -> list[dict[str, Any]] | None:
    return [_entity(e) for e in entities] or None


def _entity(entity: Entity) -> dict[str, Any]:
    plain = {"type": entity.kind.value, "offset": entity.offset, "length": entity.length}
    return plain if entity.url is None else {**plain, "url": entity.url}


def _keyboard(buttons: Buttons) -> Json | None:
    return {"inline_keyboard": [[_button(b) for b in row] for row in buttons]} if buttons else None


def _button(button: Button) -> dict[str, str]:
    if button.url is not None:
        return {"text": button.label, "url": button.url}
    return {"text": button.label, "callback_data": button.data or ""}


def _file(media: Media, *, attach: bool = False) -> InputFile | str:
    """What Telegram already has by its id; anything else as an upload. Raises `OSError` for a file that is gone or
    larger than Telegram takes."""
    if media.file_id is not None:
        return media.file_id
    content = media.content if media.content is not None else _content(Path(media.path or ""))
    name = media.name or (Path(media.path).name if media.path else _SINGLE[media.kind][2])
    return InputFile(content, filename=name, attach=attach)


def _content(path: Path) -> bytes:
    if path.stat().st_size > MAX_UPLOAD:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
    return path.read_bytes()
