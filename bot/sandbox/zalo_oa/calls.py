"""One call of the OpenAPI: its parameters read as the platform reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from bot.sandbox.zalo_oa.errors import Json, OaError, invalid
from bot.sandbox.zalo_oa.journal import CallEntry


@dataclass(frozen=True, slots=True)
class Upload:
    """The `file` field of a form."""

    name: str
    content: bytes


@dataclass(slots=True)
class Call:
    """`entry` is what the journal will hold: a method fills in who was written to and the message's id."""

    query: Mapping[str, str]
    body: bytes
    entry: CallEntry
    upload: Upload | None = None

    def json(self) -> Json:
        """The body. Raises -201."""
        return _object(self.body, "body")

    def data(self) -> Json:
        """The one query parameter of user and conversation calls, JSON itself. Raises -201."""
        return _object(self.query.get("data", "").encode(), "data")

    def number(self, name: str, default: int, most: int) -> int:
        """A plain query parameter of a group call. Raises -201, -210."""
        raw = self.query.get(name, str(default))
        if not raw.isdecimal():
            raise invalid(name)
        return bounded(int(raw), most)


def _object(raw: bytes, name: str) -> Json:
    try:
        found = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise invalid(name) from None
    if not isinstance(found, dict):
        raise invalid(name)
    return found


def string(raw: Mapping[str, object], field: str) -> str:
    """A text that is there. Raises -201."""
    found = raw.get(field)
    if not isinstance(found, str) or not found:
        raise invalid(field)
    return found


def number(raw: Mapping[str, object], field: str, default: int, most: int) -> int:
    """A number from 0 to `most`. Raises -201, -210."""
    found = raw.get(field, default)
    if isinstance(found, bool) or not isinstance(found, int) or found < 0:
        raise invalid(field)
    return bounded(found, most)


def strings(raw: Mapping[str, object], field: str, most: int) -> list[str]:
    """1 to `most` texts. Raises -201, -210."""
    found = raw.get(field)
    if not isinstance(found, list) or not found or not all(isinstance(one, str) and one for one in found):
        raise invalid(field)
    bounded(len(found), most)
    return found


def bounded(value: int, most: int) -> int:
    """`value` if it is not above `most`. Raises -210."""
    if value > most:
        raise OaError(-210)
    return value
