"""Outbound messages as plain JSON values, for the rows in which they wait."""

from __future__ import annotations

import base64
from dataclasses import asdict
from typing import Any

from bot.core.events import Button, ContactCard, Entity, EntityKind, Location, Media, MediaKind, Outbound


def dump(message: Outbound) -> dict[str, Any]:
    """The message without empty fields."""
    fields = _plain(asdict(message))
    return {n: v for n, v in fields.items() if n == "chat_id" or v not in (None, "", (), [], False)}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value


def load(row: dict[str, Any]) -> Outbound:
    """The inverse of `dump`."""
    fields = dict(row)
    fields["entities"] = tuple(entity(e) for e in fields.get("entities", ()))
    fields["buttons"] = tuple(tuple(Button(**b) for b in line) for line in fields.get("buttons", ()))
    fields["media"] = tuple(media(m) for m in fields.get("media", ()))
    if fields.get("location"):
        fields["location"] = Location(**fields["location"])
    if fields.get("card"):
        fields["card"] = ContactCard(**fields["card"])
    return Outbound(**fields)


def entity(row: dict[str, Any]) -> Entity:
    return Entity(EntityKind(row["kind"]), row["offset"], row["length"], row.get("url"))


def media(row: dict[str, Any]) -> Media:
    content = row.get("content")
    return Media(**{**row, "kind": MediaKind(row["kind"]), "content": base64.b64decode(content) if content else None})
