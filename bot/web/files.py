"""Files under addresses that nobody can guess, for platforms that fetch pictures instead of taking them."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Awaitable, Callable

from aiohttp import web

PREFIX = "/m/"
_NAME = re.compile(r"([A-Za-z0-9_-]{20,64})(\.[a-z0-9]{1,5})?")
_MIME = re.compile(r"[a-z0-9]+/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}")
_UNKNOWN = "application/octet-stream"
_SHOWN = frozenset(
    {
        *("image/jpeg", "image/png", "image/gif", "image/webp"),
        *("audio/mpeg", "audio/mp4", "audio/aac", "audio/ogg", "audio/wav", "audio/webm"),
        *("video/mp4", "video/webm", "video/quicktime"),
    }
)
"""What a browser may show: whoever sends us a file says what it is, and HTML or SVG would run under our name."""
_HEADERS = {
    "Cache-Control": "private, max-age=3600",
    "Content-Security-Policy": "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; "
    "frame-ancestors 'none'; sandbox",
}

Find = Callable[[str], Awaitable[tuple[bytes, str] | None]]
"""Content and MIME type behind a word, unless it has expired."""


def path_of(token: str, mime: str) -> str:
    """The path of a file; it ends like one of its kind, because some clients look at that."""
    path = f"{token}{mimetypes.guess_extension(_plain(mime)) or ''}"
    return PREFIX + (path if _NAME.fullmatch(path) else token)


def route(find: Find) -> web.RouteDef:
    """Shows what is there and tells nobody else anything."""

    async def show(request: web.Request) -> web.Response:
        match = _NAME.fullmatch(request.match_info["name"])
        found = await find(match[1]) if match is not None else None
        if found is None:
            raise web.HTTPNotFound(text="not found")
        content, mime = found[0], _plain(found[1])
        kind = "inline" if mime in _SHOWN else "attachment"
        return web.Response(body=content, content_type=mime, headers={"Content-Disposition": kind, **_HEADERS})

    return web.get(PREFIX + "{name}", show)


def _plain(mime: str) -> str:
    """The type without parameters; anything that is none counts as bytes."""
    kind = mime.partition(";")[0].strip().lower()
    return kind if _MIME.fullmatch(kind) else _UNKNOWN
