"""The page to which a platform sends an administrator back who has consented that we act for an account."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web

log = structlog.get_logger(__name__)

PATH = "/zalo/callback"

Take = Callable[[str, str], Awaitable[str]]
"""Takes `code` and `state`; returns what went wrong, or nothing."""


def route(take: Take) -> web.RouteDef:
    """Shows in one sentence how it went. Not for HEAD: whoever only previews the address would use up the code."""

    async def back(request: web.Request) -> web.Response:
        problem = await take(request.query.get("code", ""), request.query.get("state", ""))
        if problem:
            log.warning("A consent was refused", why=problem)
            return web.Response(status=400, text=f"Chưa nối được với Zalo: {problem}\n")
        return web.Response(text="Đã nối với Zalo. Cửa sổ này đóng được rồi.\n")

    return web.get(PATH, back, allow_head=False)
