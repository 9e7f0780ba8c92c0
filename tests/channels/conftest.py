"""A local Telegram, a bot on it, the channel under test, and a place that keeps what it receives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from bot.channels.telegram import CommandsMenu, MenuTexts, TelegramChannel
from bot.core.events import Inbound
from bot.sandbox.telegram import BotAccount, Limits, TelegramSandbox, Timing, User

TOKEN = "7001:AAE-fAkE_tOkEn_000000000000000000000"
MENU = CommandsMenu(
    default=MenuTexts(commands=(("start", "Bắt đầu"), ("help", "Trợ giúp")), description="Chào bác", about="Loa Số"),
    translations={"en": MenuTexts(commands=(("start", "Begin"),), description="Welcome", about="Loa So")},
)


class Inbox:
    """What a channel handed over. While `down`, storing fails as if the database were away."""

    def __init__(self) -> None:
        self.events: list[Inbound] = []
        self.refused: list[Inbound] = []
        self.down = False
        self._changed = asyncio.Event()

    async def __call__(self, inbound: Inbound) -> None:
        (self.refused if self.down else self.events).append(inbound)
        self._changed.set()
        if self.down:
            raise ConnectionError("the database is away")

    @property
    def texts(self) -> list[str]:
        return [event.text for event in self.events]

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until it holds. Raises `TimeoutError` after five seconds."""
        async with asyncio.timeout(5):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def holding(self, count: int) -> list[Inbound]:
        await self.until(lambda: len(self.events) >= count)
        return self.events


async def until(condition: Callable[[], object]) -> None:
    """Look every few milliseconds, for what tells nobody that it changed. Raises `TimeoutError` after five seconds."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - see above
            await asyncio.sleep(0.005)


@pytest.fixture
async def server() -> AsyncIterator[TelegramSandbox]:
    """Without limits and forced waits; every request and answer is judged."""
    found = TelegramSandbox(Limits.none(), timing=Timing.fast(), judge=True, strict_webhooks=False)
    await found.start()
    yield found
    await found.stop()
    assert found.violations == []


@pytest.fixture
def account(server: TelegramSandbox) -> BotAccount:
    return server.add_bot(TOKEN, username="LoaSo_bot", name="Loa Số")


@pytest.fixture
def lan(server: TelegramSandbox, account: BotAccount) -> User:
    """Somebody who has started the bot; that they did is not waiting to be read."""
    user = server.add_user(501, "Lan")
    user.start(account)
    account.updates.clear()
    return user


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


def connect(server: TelegramSandbox, token: str = TOKEN, **more: Any) -> TelegramChannel:
    """A channel for that token with short waits, not started."""
    options = {"poll_timeout": 5, "read_seconds": 1.0, "longest_wait": 0.02, "api_url": server.url, **more}
    return TelegramChannel(token, secret_key=b"secret", rate=30, commands=MENU, **options)


@pytest.fixture
async def channel(server: TelegramSandbox, account: BotAccount) -> AsyncIterator[TelegramChannel]:
    """Connected, not started."""
    found = connect(server)
    yield found
    await found.close()
