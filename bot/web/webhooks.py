"""Webhooks: what platforms post to us, with a limit on size and time before anybody looks at it."""

from __future__ import annotations

import asyncio

import structlog
from aiohttp import web

from bot.core.channel import Webhook

log = structlog.get_logger(__name__)

READ_SECONDS = 20.0
"""How long a body may take to arrive. What is read is then handled however long it takes."""


def route(hook: Webhook) -> web.RouteDef:
    """Mounts one webhook."""
    return web.post(hook.path, _Door(hook).open)


class _Door:
    def __init__(self, hook: Webhook) -> None:
        self._hook = hook

    async def open(self, request: web.Request) -> web.Response:
        """Read within the limits, hand over, answer what the channel says."""
        try:
            async with asyncio.timeout(READ_SECONDS):
                body = await self._read(request)
        except TimeoutError:
            return _refuse(request, 408, "too slow")
        if body is None:
            return _refuse(request, 413, "too large")
        headers = {name.lower(): value for name, value in request.headers.items()}
        answer = await self._hook.accept(headers, body)
        return web.Response(status=answer.status, text=answer.body)

    async def _read(self, request: web.Request) -> bytes | None:
        """The body; `None` as soon as it is known to be too large, so that it is never held."""
        limit = self._hook.max_body
        if (request.content_length or 0) > limit:
            return None
        body = bytearray()
        async for chunk in request.content.iter_any():
            body += chunk
            if len(body) > limit:
                return None
        return bytes(body)


def _refuse(request: web.Request, status: int, why: str) -> web.Response:
    """Say no and hang up: what else is on its way is not read."""
    log.warning("A webhook was refused", path=request.path, status=status, why=why)
    response = web.Response(status=status, text=why)
    response.force_close()
    return response
