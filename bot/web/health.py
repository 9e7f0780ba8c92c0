"""Whether we are alive and whether we are ready: for load balancers, monitors and people with a browser."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import structlog
from aiohttp import web

from bot.web.metrics import CONTENT_TYPE, Metrics

log = structlog.get_logger(__name__)

Ask = Callable[[], Awaitable[dict[str, Any]]]
"""Answers `{"ok": …, …}`; what else it says is shown as it is."""

PATIENCE = 5.0
"""Seconds after which a question about health counts as answered with no."""


class Health:
    """`/healthz`, `/readyz` and `/metrics`."""

    def __init__(self, ask: Ask, metrics: Metrics) -> None:
        self._ask = ask
        self._metrics = metrics

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/healthz", self.alive),
            web.get("/readyz", self.ready),
            web.get("/metrics", self.measures),
        ]

    async def alive(self, _request: web.Request) -> web.Response:
        """The event loop turns: always yes, or no answer at all."""
        return _json({"status": "ok"}, 200)

    async def ready(self, _request: web.Request) -> web.Response:
        """Whether the database answers and each account works; 503 says what does not."""
        try:
            found = await asyncio.wait_for(self._ask(), PATIENCE)
        except TimeoutError:
            found = {"ok": False, "problem": "no answer in time"}
        ok = bool(found.get("ok"))
        self._metrics.ready(ok)
        return _json({"status": "ok" if ok else "not ready", **found}, 200 if ok else 503)

    async def measures(self, _request: web.Request) -> web.Response:
        return web.Response(body=self._metrics.page(), headers={"Content-Type": CONTENT_TYPE})


def _json(value: dict[str, Any], status: int) -> web.Response:
    return web.Response(body=orjson.dumps(value), status=status, content_type="application/json")
