"""Entities of a text: given ones validated, plain ones found, all counted in UTF-16 units."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.sandbox.telegram.errors import Json, bad_request, named

MAX_TEXT = 4096
MAX_CAPTION = 1024
MAX_RAW_BYTES = 32768
MAX_ENTITIES = 100

KINDS = named(
    "mention hashtag cashtag bot_command url email phone_number bold italic underline strikethrough spoiler "
    "blockquote expandable_blockquote code pre text_link text_mention custom_emoji date_time"
)
_FOUND_BY_SERVER = named("mention hashtag cashtag bot_command url email phone_number")
_CLOSED = frozenset({"code", "pre", "text_link", "text_mention"})

_PLAIN = re.compile(
    r"(?P<url>https?://[^\s<>\"]+[^\s<>\".,;:!?)\]}»”’'…]|(?<![\w@.])(?:[\w-]+\.)+(?:vn|com|org|net|io|me|info)\b(?:/[^\s<>\"]*[^\s<>\".,;:!?)])?)"
    r"|(?P<email>(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+)"
    r"|(?P<mention>(?<!\w)@[A-Za-z][A-Za-z0-9_]{2,31}(?!\w))"
    r"|(?P<bot_command>(?<![\w/<>])/[A-Za-z0-9_]{1,64}(?:@[A-Za-z][A-Za-z0-9_]{2,31})?(?![\w/<>@]))"
    r"|(?P<hashtag>(?<!\w)#\w*[^\W\d]\w*)"
)
_HINTS = ("/", ".", "@", "#")


def units(text: str) -> int:
    """Length in UTF-16 code units."""
    if text.isascii():
        return len(text)
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


@dataclass(slots=True)
class Formatted:
    """A text with its entities, as the server keeps it."""

    text: str
    entities: list[Json] = field(default_factory=list)


def finish(text: str, entities: Sequence[Json]) -> Formatted:
    """Trim the ends as the server does, cut entities to what is left, add those that the server finds itself."""
    stripped = text.strip(" \n\t\r\u200b")
    kept = list(entities)
    if stripped != text and kept:
        lead = units(text[: text.find(stripped)]) if stripped else 0
        kept = _clip(kept, lead, units(stripped))
    if any(hint in stripped for hint in _HINTS):
        kept.extend(_found(stripped, kept))
    kept.sort(key=lambda e: (e["offset"], -e["length"]))
    return Formatted(stripped, kept[:MAX_ENTITIES])


def _clip(entities: list[Json], lead: int, length: int) -> list[Json]:
    clipped = []
    for entity in entities:
        start = max(0, entity["offset"] - lead)
        end = min(length, entity["offset"] + entity["length"] - lead)
        if end > start:
            clipped.append({**entity, "offset": start, "length": end - start})
    return clipped


def find(text: str) -> list[Json]:
    """Commands, links, addresses, mentions and hashtags in a text as somebody typed it."""
    return _found(text, [])


def _found(text: str, taken: list[Json]) -> list[Json]:
    closed = [(e["offset"], e["offset"] + e["length"]) for e in taken if e["type"] in _CLOSED]
    found = []
    for match in _PLAIN.finditer(text):
        start = units(text[: match.start()])
        length = units(match.group())
        if all(start + length <= a or start >= b for a, b in closed):
            found.append({"type": match.lastgroup, "offset": start, "length": length})
    return found


def given(raw: object, text: str) -> list[Json]:
    """Entities as a caller sent them, checked against the text. Raises 400."""
    if not isinstance(raw, list):
        raise bad_request("Can't parse entities JSON object: expected an Array")
    boundaries = _boundaries(text)
    total = units(text)
    checked = [_checked(item, boundaries, total) for item in raw[: MAX_ENTITIES + 1]]
    return [e for e in checked if e["type"] not in _FOUND_BY_SERVER and e["length"] > 0][:MAX_ENTITIES]


def _boundaries(text: str) -> frozenset[int] | None:
    """Where UTF-16 characters begin; `None` when every offset is one."""
    if all(ord(c) <= 0xFFFF for c in text):
        return None
    at = 0
    starts = {0}
    for c in text:
        at += 2 if ord(c) > 0xFFFF else 1
        starts.add(at)
    return frozenset(starts)


def _checked(item: object, boundaries: frozenset[int] | None, total: int) -> Json:
    if not isinstance(item, dict):
        raise bad_request("Can't parse MessageEntity: Expected an Object")
    offset, length, kind = item.get("offset"), item.get("length"), item.get("type")
    if not isinstance(offset, int) or not isinstance(length, int):
        raise bad_request('Can\'t parse MessageEntity: Field "offset" must be of type Number')
    if not isinstance(kind, str) or kind not in KINDS:
        raise bad_request("Can't parse MessageEntity: Unsupported type specified")
    if offset < 0 or length < 0:
        raise bad_request(f"Receive an entity with incorrect offset {offset} or length {length}")
    end = offset + length
    if offset > total or (offset == total and length):
        raise bad_request(f"Entity begins after the end of the text at UTF-16 offset {offset}")
    if end > total:
        raise bad_request(
            f"Entity beginning at UTF-16 offset {offset} ends after the end of the text at UTF-16 offset {end}"
        )
    if boundaries is not None and (offset not in boundaries or end not in boundaries):
        raise bad_request(f"Entity beginning at UTF-16 offset {offset} ends in a middle of a UTF-16 symbol")
    return _with_extras(item, kind, offset, length)


def _with_extras(item: Json, kind: str, offset: int, length: int) -> Json:
    entity: Json = {"type": kind, "offset": offset, "length": length}
    if kind == "text_link":
        url = item.get("url")
        if not isinstance(url, str) or not url:
            raise bad_request("Can't parse MessageEntity: Can't find field \"url\"")
        entity["url"] = url
    elif kind == "text_mention":
        if not isinstance(item.get("user"), dict):
            raise bad_request("Can't parse MessageEntity: Can't find field \"user\"")
        entity["user"] = item["user"]
    elif kind == "custom_emoji":
        entity["custom_emoji_id"] = str(item.get("custom_emoji_id", ""))
    elif kind == "pre" and item.get("language"):
        entity["language"] = str(item["language"])
    return entity
