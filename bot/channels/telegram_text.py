"""Telegram's formatted text in the one normal form (NFC), with formatting that still covers the same letters."""

from __future__ import annotations

from collections.abc import Iterable

from bot.channels.telegram_json import Json, integer, text
from bot.core.events import Entity, EntityKind
from bot.core.text import length, nfc

_KINDS = {kind.value: kind for kind in EntityKind} | {"expandable_blockquote": EntityKind.BLOCKQUOTE}


def formatted(words: str, entities: Iterable[Json]) -> tuple[str, tuple[Entity, ...]]:
    """NFC text and the formatting worth keeping. Mentions, hashtags, bare links and the like are drawn by whoever
    shows the text, so they are dropped, as is formatting that covers nothing."""
    kept = (entity for raw in entities if (entity := _entity(raw)) is not None)
    whole = nfc(words)
    places = _Places(words, whole)
    return whole, tuple(moved for entity in kept if (moved := places.move(entity)) is not None)


def _entity(raw: Json) -> Entity | None:
    kind = _KINDS.get(text(raw, "type"))
    offset, span = integer(raw, "offset"), integer(raw, "length")
    url = text(raw, "url") or None
    if kind is None or offset is None or span is None or (kind is EntityKind.LINK) != (url is not None):
        return None
    return Entity(kind, offset, span, url)


class _Places:
    """Where places of a text are after normalising it. Normalising may join letters and marks and reorder marks,
    so a place is where the normal form of everything before it ends."""

    def __init__(self, words: str, whole: str) -> None:
        self._same = words == whole
        self._units = words.encode("utf-16-le")
        self._length = length(whole)

    def move(self, entity: Entity) -> Entity | None:
        start = self._place(entity.offset)
        end = self._place(entity.offset + max(entity.length, 0))
        return Entity(entity.kind, start, end - start, entity.url) if end > start else None

    def _place(self, units: int) -> int:
        units = min(max(units, 0), len(self._units) // 2)
        before = self._units[: units * 2].decode("utf-16-le", "ignore")
        return min(length(before if self._same else nfc(before)), self._length)
