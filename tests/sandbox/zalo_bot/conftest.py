"""A local Zalo Bot platform on a clock that is moved by hand, a bot on it, and a client as plain as can be."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest

from bot.sandbox.zalo_bot import Oddities, ZaloBotAccount, ZaloBotSandbox, ZaloBotUser

TOKEN = "12345689:abc-xyz"
Answer = tuple[int, dict[str, Any]]


class Clock:
    """Seconds since 1970, as somebody says."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now.timestamp()


class Client:
    """Calls methods and gives the status and the JSON of the answers."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url = url
        self.session = session
        self.token = TOKEN

    async def call(self, method: str, **params: object) -> Answer:
        return await self.ask("POST", method, json=params)

    async def ask(self, verb: str, method: str, **how: Any) -> Answer:
        async with self.session.request(verb, f"{self.url}/bot{self.token}/{method}", **how) as answer:
            return answer.status, await answer.json()

    async def result(self, method: str, **params: object) -> Any:
        status, answer = await self.call(method, **params)
        assert (status, answer["ok"], answer.get("error_code", 0)) == (200, True, 0)
        return answer.get("result")


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime(2026, 11, 20, 2, 0, tzinfo=UTC))


@pytest.fixture
async def server(clock: Clock) -> AsyncIterator[ZaloBotSandbox]:
    found = ZaloBotSandbox(oddities=Oddities(duplicates=0), clock=clock, strict_webhooks=False)
    found.webhook_retry = 0.01
    await found.start()
    yield found
    await found.stop()


@pytest.fixture
def bot(server: ZaloBotSandbox) -> ZaloBotAccount:
    return server.add_bot(TOKEN, "Bot Loa Số")


@pytest.fixture
def linh(server: ZaloBotSandbox, bot: ZaloBotAccount) -> ZaloBotUser:
    """Somebody whom the bot may write to; what she said is not waiting to be read."""
    user = server.add_user("Linh")
    user.write(bot, "chào")
    bot.updates.waiting.clear()
    return user


@pytest.fixture
async def client(server: ZaloBotSandbox, bot: ZaloBotAccount) -> AsyncIterator[Client]:
    async with aiohttp.ClientSession() as session:
        yield Client(server.url, session)
