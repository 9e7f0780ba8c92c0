"""Files under addresses that nobody can guess, for platforms that fetch pictures instead of taking them."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Awaitable, Callable

from aiohttp import web

PREFIX = "/m/"
LARGEST = 20 * 1024 * 1024
_NAME = re.compile(r"([A-Za-z0-9_-]{20,64})(\.[a-z0-9]{1,5})?")
_SHOWN = ("image/", "audio/", "video/")

Find = Callable[[str], Awaitable[tuple[bytes, str] | None]]
"""Content and MIME type behind a word, unless it has expired."""


def path_of(token: str, mime: str) -> str:
    """The path of a file; it ends like one of its kind, because some clients look at that."""
    return f"{PREFIX}{token}{mimetypes.guess_extension(mime) or ''}"


def route(find: Find) -> web.RouteDef:
    """Shows what is there and tells nobody else anything."""

    async def show(request: web.Request) -> web.Response:
        match = _NAME.fullmatch(request.match_info["name"])
        found = await find(match[1]) if match is not None else None
        if found is None:
            raise web.HTTPNotFound(text="not found")
        content, mime = found
        kind = "inline" if mime.startswith(_SHOWN) else "attachment"
        headers = {"Content-Disposition": kind, "Cache-Control": "private, max-age=3600"}
        return web.Response(body=content, content_type=mime, headers=headers)

    return web.get(PREFIX + "{name}", show)
