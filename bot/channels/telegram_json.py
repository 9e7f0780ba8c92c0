"""Reading JSON that somebody else wrote: the value if it is of the expected kind, otherwise nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = Mapping[str, Any]
_NOTHING: Json = {}


def member(source: Json, key: str) -> Json:
    """An object, or an empty one."""
    value = source.get(key)
    return value if isinstance(value, Mapping) else _NOTHING


def items(source: Json, key: str) -> list[Json]:
    """The objects in a list."""
    value = source.get(key)
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list | tuple) else []


def text(source: Json, key: str) -> str:
    """A string that can be stored: half a surrogate pair becomes `�`, a NUL a space; lengths stay as they were."""
    value = source.get(key)
    if not isinstance(value, str):
        return ""
    if not value.isascii():
        value = value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return value.replace("\0", " ")


def integer(source: Json, key: str) -> int | None:
    """A whole number of at most 64 bits."""
    value = source.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) >= 2**63:
        return None
    return value


def boolean(source: Json, key: str) -> bool:
    return source.get(key) is True
