"""A running sandbox, one bot, one person, and three clients: raw HTTP, python-telegram-bot, aiogram."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
import telegram
from aiogram import Bot as AiogramBot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer

from bot.sandbox.telegram import BotAccount, Limits, TelegramSandbox, Timing, User

TOKEN = "123456:TOKEN"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + (640).to_bytes(4, "big") + (480).to_bytes(4, "big") + b"rest"


async def until(condition: Callable[[], object], timeout: float = 5.0) -> None:
    """Wait for something that has no event of its own."""
    async with asyncio.timeout(timeout):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


@dataclass
class Answer:
    """One HTTP answer."""

    status: int
    json: dict[str, Any]
    headers: dict[str, str]

    @property
    def result(self) -> Any:
        assert self.status == 200, self.json
        return self.json["result"]

    @property
    def error(self) -> tuple[int, str]:
        assert self.json["ok"] is False
        assert self.json["error_code"] == self.status
        return self.status, self.json["description"]


class Raw:
    """Calls methods as JSON and shows exactly what came back."""

    def __init__(self, sandbox: TelegramSandbox, session: aiohttp.ClientSession, token: str) -> None:
        self.base = f"{sandbox.url}/bot{token}"
        self.sandbox = sandbox
        self.session = session

    async def __call__(self, method: str, **params: object) -> Answer:
        return await self.request("POST", f"{self.base}/{method}", json=params)

    async def request(self, verb: str, url: str, **kwargs: Any) -> Answer:
        async with self.session.request(verb, url, **kwargs) as answer:
            assert answer.content_type == "application/json"
            return Answer(answer.status, await answer.json(), dict(answer.headers))


@pytest.fixture(autouse=True)
def _timedeltas(monkeypatch: pytest.MonkeyPatch) -> None:
    """python-telegram-bot gives `retry_after` as it will in its next major version."""
    monkeypatch.setenv("PTB_TIMEDELTA", "true")


@pytest.fixture
async def sandbox() -> AsyncIterator[TelegramSandbox]:
    server = TelegramSandbox(limits=Limits.none(), timing=Timing.fast(), judge=True, strict_webhooks=False)
    await server.start()
    yield server
    await server.stop()
    assert server.violations == []


@pytest.fixture
def bot(sandbox: TelegramSandbox) -> BotAccount:
    return sandbox.add_bot(TOKEN, username="loaso_bot", name="Loa Số")


@pytest.fixture
def person(sandbox: TelegramSandbox) -> User:
    return sandbox.add_user(1001, "Bé", username="be_quangtri")


@pytest.fixture
def started(bot: BotAccount, person: User) -> User:
    """A person who has started the bot, whose /start is read."""
    person.start(bot)
    bot.updates.clear()
    return person


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as client:
        yield client


@pytest.fixture
def call(sandbox: TelegramSandbox, bot: BotAccount, session: aiohttp.ClientSession) -> Raw:
    return Raw(sandbox, session, bot.token)


@pytest.fixture
async def ptb(sandbox: TelegramSandbox, bot: BotAccount) -> AsyncIterator[telegram.Bot]:
    async with telegram.Bot(TOKEN, base_url=f"{sandbox.url}/bot", base_file_url=f"{sandbox.url}/file/bot") as client:
        yield client


@pytest.fixture
async def aio(sandbox: TelegramSandbox, bot: BotAccount) -> AsyncIterator[AiogramBot]:
    api = AiohttpSession(api=TelegramAPIServer.from_base(sandbox.url))
    async with AiogramBot(TOKEN, session=api) as client:
        yield client
