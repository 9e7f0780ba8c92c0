"""What somebody attached to a message on Zalo: files are addresses there, places and cards come as attachments too."""

from __future__ import annotations

import math

import orjson

from bot.channels.telegram_json import Json, items, member, text
from bot.core.events import ContactCard, Location, Media, MediaKind
from bot.core.text import nfc

_KINDS = {
    "image": MediaKind.PHOTO,
    "gif": MediaKind.ANIMATION,
    "audio": MediaKind.VOICE,
    "video": MediaKind.VIDEO,
    "sticker": MediaKind.STICKER,
    "file": MediaKind.FILE,
}


def media_of(message: Json) -> tuple[Media, ...]:
    """Every attachment that has an address."""
    return tuple(media for attachment in items(message, "attachments") if (media := _media(attachment)) is not None)


def location_of(message: Json) -> Location | None:
    """Degrees, whether they are numbers or texts."""
    for payload in _payloads(message, "location"):
        point = member(payload, "coordinates")
        latitude, longitude = _degrees(point, "latitude", 90), _degrees(point, "longitude", 180)
        if latitude is not None and longitude is not None:
            return Location(latitude, longitude)
    return None


def card_of(message: Json) -> ContactCard | None:
    """A business card is a link whose description is JSON in a text."""
    for payload in _payloads(message, "link", "business_card"):
        written = _object(text(payload, "description"))
        phone = text(written, "phone") or text(payload, "phone")
        if phone:
            return ContactCard(phone, nfc(text(written, "name") or text(payload, "name")))
    return None


def link_of(message: Json, words: str) -> str:
    """The words with the address of the link in them."""
    for payload in _payloads(message, "link"):
        url = text(payload, "url")
        if url and url not in words:
            return f"{words}\n{url}".strip()
    return words


def _media(attachment: Json) -> Media | None:
    kind, payload = _KINDS.get(text(attachment, "type")), member(attachment, "payload")
    url = text(payload, "url")
    if kind is None or not url.startswith(("https://", "http://")):
        return None
    return Media(kind, file_id=url, name=nfc(text(payload, "name")) or None, size=_size(payload))


def _size(payload: Json) -> int | None:
    value = payload.get("size")
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < len(str(2**63)):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63 else None


def _payloads(message: Json, *kinds: str) -> list[Json]:
    return [member(a, "payload") for a in items(message, "attachments") if text(a, "type") in kinds]


def _degrees(point: Json, key: str, most: int) -> float | None:
    value = point.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        degrees = float(value)
    except (ValueError, OverflowError):
        return None
    return degrees if math.isfinite(degrees) and -most <= degrees <= most else None


def _object(raw: str) -> Json:
    try:
        found = orjson.loads(raw)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
