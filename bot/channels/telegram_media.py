"""Attachments of a Telegram message, whether somebody sent it to us or Telegram says what it made of ours."""

from __future__ import annotations

from bot.channels.telegram_json import Json, integer, items, member, text
from bot.core.events import Media, MediaKind
from bot.core.text import nfc

_FIELDS = {
    "animation": MediaKind.ANIMATION,  # before `document`: an animation carries both
    "video": MediaKind.VIDEO,
    "voice": MediaKind.VOICE,
    "audio": MediaKind.AUDIO,
    "video_note": MediaKind.VIDEO_NOTE,
    "sticker": MediaKind.STICKER,
    "document": MediaKind.FILE,
}


def media_of(message: Json) -> tuple[Media, ...]:
    """The attachment, if there is one; of a photo its largest size."""
    sizes = [size for size in items(message, "photo") if text(size, "file_id")]
    if sizes:
        return (_media(MediaKind.PHOTO, max(sizes, key=_area)),)
    for field, kind in _FIELDS.items():
        attachment = member(message, field)
        if text(attachment, "file_id"):
            return (_media(kind, attachment),)
    return ()


def _area(size: Json) -> int:
    return (integer(size, "width") or 0) * (integer(size, "height") or 0)


def _media(kind: MediaKind, attachment: Json) -> Media:
    return Media(
        kind,
        file_id=text(attachment, "file_id"),
        name=nfc(text(attachment, "file_name")) or None,
        mime=text(attachment, "mime_type") or None,
        size=integer(attachment, "file_size"),
    )
