"""A small town with its page, without the product behind it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot.demo import Demo
from bot.sandbox.page import PREFIX, Page, TimeMachine
from bot.sandbox.sample import Town, Worlds, settle
from bot.settings import load

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=ZONE).astimezone(UTC)
Json = dict[str, Any]


@dataclass
class Visit:
    """Somebody who looks at the page."""

    town: Town
    page: Page
    client: TestClient[web.Request, web.Application]

    async def get(self, address: str) -> Json:
        response = await self.client.get(f"/demo/api/{address}")
        assert response.status == 200, await response.text()
        found: Json = await response.json()
        return found

    async def post(self, address: str, body: Json | None = None, *, status: int = 200, **headers: str) -> Json:
        response = await self.client.post(f"/demo/api/{address}", json=body or {}, headers=headers)
        assert response.status == status, await response.text()
        found: Json = await response.json() if response.content_type == "application/json" else {}
        return found

    async def says(self, text: str, *, to: int, **content: Any) -> Json:
        """The bot writes to somebody."""
        answer = await self.town.bot.call("sendMessage", {"chat_id": to, "text": text, **content})
        assert answer["ok"], answer
        result: Json = answer["result"]
        return result


@pytest.fixture
async def visit() -> AsyncIterator[Visit]:
    machine = TimeMachine(ZONE, (7, 19), source=lambda: NOON)
    town = settle(Worlds.by(machine.seconds), people=40)
    page = Page(town, machine)
    app = web.Application()
    app.add_subapp(PREFIX, page.app())
    async with TestClient(TestServer(app)) as client:
        yield Visit(town, page, client)


def from_noon() -> Callable[[], datetime]:
    """A clock that begins at noon and goes on."""
    begun = time.monotonic()
    return lambda: NOON + timedelta(seconds=time.monotonic() - begun)


@pytest.fixture
async def demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Demo]:
    """The whole demo on a free port, at noon."""
    for name in ("LOASO_DATABASE_URL", "LOASO_HTTP_HOST", "LOASO_HTTP_PORT"):
        monkeypatch.delenv(name, raising=False)
    found = Demo(load(http_port=0), tmp_path, people=120, source=from_noon())
    await found.start()
    yield found
    await found.stop()
