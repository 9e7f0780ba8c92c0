"""A running platform, a person, a client that shows exactly what came back, and a receiver of events."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.sandbox.zalo_oa import CS_PATH, TOKEN_PATH, OaUser, Timing, ZaloOaSandbox, mac
from bot.sandbox.zalo_oa.world import ZONE

HOUR = 3600.0
DAY = 24 * HOUR


@dataclass
class Now:
    """A clock that moves when told."""

    at: float = datetime(2026, 11, 2, 9, 0, tzinfo=ZONE).timestamp()

    def __call__(self) -> float:
        return self.at

    def forward(self, seconds: float) -> None:
        self.at += seconds

    def set(self, year: int, month: int, day: int, hour: int, minute: int = 0, second: int = 0) -> None:
        """Local time in Việt Nam."""
        self.at = datetime(year, month, day, hour, minute, second, tzinfo=ZONE).timestamp()


@dataclass
class Client:
    """Calls with a good token."""

    sandbox: ZaloOaSandbox
    session: aiohttp.ClientSession
    token: str
    headers: dict[str, str] = field(default_factory=dict)

    async def request(self, verb: str, path: str, **more: Any) -> dict[str, Any]:
        """The body of an answer with status 200."""
        more.setdefault("headers", {"access_token": self.token})
        async with self.session.request(verb, self.sandbox.url + path, **more) as answer:
            assert answer.status == 200
            self.headers = dict(answer.headers)
            body: dict[str, Any] = await answer.json()
        if path != TOKEN_PATH:
            assert ("data" not in body) or body["error"] == 0
        return body

    async def post(self, path: str, **body: object) -> dict[str, Any]:
        return await self.request("POST", path, json=body)

    async def code(self, path: str, **body: object) -> int:
        """The error code, 0 for success."""
        return int((await self.post(path, **body))["error"])

    async def get(self, path: str, **query: object) -> dict[str, Any]:
        """With plain query parameters."""
        return await self.request("GET", path, params={k: str(v) for k, v in query.items()})

    async def ask(self, path: str, **data: object) -> dict[str, Any]:
        """With the one parameter `data`."""
        return await self.request("GET", path, params={"data": json.dumps(data)})

    async def cs(self, user: OaUser | str, text: str = "Chào bà con", **message: object) -> dict[str, Any]:
        """A consulting message."""
        id = user if isinstance(user, str) else user.id
        body = {**({"text": text} if text else {}), **message}
        return await self.post(CS_PATH, recipient={"user_id": id}, message=body)

    async def cs_code(self, user: OaUser | str, text: str = "Chào bà con", **message: object) -> int:
        return int((await self.cs(user, text, **message))["error"])

    async def upload(self, kind: str, name: str, content: bytes, field: str = "file") -> dict[str, Any]:
        form = aiohttp.FormData()
        form.add_field(field, io.BytesIO(content), filename=name)
        return await self.request("POST", f"/v2.0/oa/upload/{kind}", data=form)


@dataclass
class Taken:
    """One delivery as it arrived."""

    body: bytes
    headers: dict[str, str]

    @property
    def event(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


class Receiver:
    """A webhook. `statuses` are answered first, then 200; `delay` seconds pass before every answer."""

    def __init__(self) -> None:
        self.taken: list[Taken] = []
        self.statuses: list[int] = []
        self.delay = 0.0
        self.url = ""

    async def start(self) -> web.AppRunner:
        app = web.Application()
        app.router.add_post("/zalo", self._take)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/zalo"
        return runner

    async def _take(self, request: web.Request) -> web.Response:
        self.taken.append(Taken(await request.read(), dict(request.headers)))
        if self.delay:
            await asyncio.sleep(self.delay)
        return web.Response(status=self.statuses.pop(0) if self.statuses else 200)

    @property
    def events(self) -> list[dict[str, Any]]:
        """What arrived, the probe apart."""
        return [t.event for t in self.taken if t.body != b"{}"]

    @property
    def names(self) -> list[str]:
        return [e["event_name"] for e in self.events]

    def signed(self, sandbox: ZaloOaSandbox, taken: Taken) -> bool:
        """Whether the signature holds over the exact bytes."""
        timestamp = taken.event["timestamp"]
        good = mac(sandbox.app_id, taken.body, timestamp, sandbox.oa_secret)
        return taken.headers.get("X-ZEvent-Signature") == good


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
async def sandbox(now: Now) -> AsyncIterator[ZaloOaSandbox]:
    server = ZaloOaSandbox(clock=now, timing=Timing.fast())
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as found:
        yield found


@pytest.fixture
def client(sandbox: ZaloOaSandbox, session: aiohttp.ClientSession) -> Client:
    return Client(sandbox, session, sandbox.issue_pair()[0])


@pytest.fixture
async def person(sandbox: ZaloOaSandbox) -> OaUser:
    """Somebody who follows since now."""
    found = sandbox.add_user("Bé Hai")
    found.follow()
    return found


@pytest.fixture
async def receiver(sandbox: ZaloOaSandbox) -> AsyncIterator[Receiver]:
    found = Receiver()
    runner = await found.start()
    assert await sandbox.set_webhook(found.url)
    yield found
    await sandbox.settled()
    await runner.cleanup()
