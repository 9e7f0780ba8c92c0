"""The whole product behind a webhook: real updates in, forged ones out."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import aiohttp
import pytest
import sqlalchemy as sa

from bot.core.events import ChatKind, Inbound, InboundKind
from bot.db.tables import InboundSeen, Person
from bot.sandbox.telegram import Limits, TelegramSandbox, Timing
from tests.support.product import TOKEN, Product


@pytest.fixture
async def telegram() -> AsyncIterator[TelegramSandbox]:
    server = TelegramSandbox(Limits(), timing=Timing.fast(), judge=True, strict_webhooks=False)
    server.add_bot(TOKEN, username="loaso_bot", name="Loa Số")
    await server.start()
    yield server
    await server.stop()
    assert server.violations == []


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def test_people_are_answered_and_forgers_are_not(telegram: TelegramSandbox, database_url: str) -> None:
    port = _free_port()
    address = f"http://127.0.0.1:{port}"
    bot = next(iter(telegram.bots.values()))
    product = Product(telegram, database_url, telegram_mode="webhook", public_url=address)
    product.app.web._port = port
    lan = telegram.add_user(1001, "Lan")
    async with product:
        await lan.start(bot)
        greeting = await lan.chat(bot).wait_text("máy trả lời tự động", timeout=10)
        assert "Đồng ý, đăng ký" in greeting.buttons
        async with aiohttp.ClientSession() as stranger:
            hook = f"{address}/webhook/telegram/123456"
            forged = {"update_id": 1, "message": {"message_id": 1}}
            for headers in ({}, {"X-Telegram-Bot-Api-Secret-Token": "guess"}):
                async with stranger.post(hook, json=forged, headers=headers) as answer:
                    assert answer.status == 403
            async with stranger.post(f"{address}/webhook/telegram/999", json=forged) as answer:
                assert answer.status == 404
            async with stranger.get(f"{address}/readyz") as answer:
                assert answer.status == 200, await answer.text()
        async with product.app.database.read() as tx:
            stored = (await tx.execute(sa.select(sa.func.count()).select_from(InboundSeen))).scalar_one()
            met = (await tx.execute(sa.select(sa.func.count()).select_from(Person))).scalar_one()
        assert (stored, met) == (1, 1)


async def test_an_event_that_comes_again_is_answered_once(telegram: TelegramSandbox, database_url: str) -> None:
    """A platform that did not hear our answer sends again."""
    bot = next(iter(telegram.bots.values()))
    lan = telegram.add_user(1001, "Lan")
    again = Inbound(
        account="telegram:123456",
        external_id="77",
        kind=InboundKind.MESSAGE,
        chat_id="1001",
        chat_kind=ChatKind.PRIVATE,
        at=datetime.now(UTC),
        sender_id="1001",
        text="vneid là gì",
    )
    async with Product(telegram, database_url) as product:
        await lan.start(bot)
        await lan.chat(bot).wait_text("máy trả lời tự động", timeout=10)
        before = lan.chat(bot).count
        assert (await product.app.inbox.handle(again)).fresh
        await lan.chat(bot).wait_new(before)
        await asyncio.sleep(1.5)
        answered = lan.chat(bot).count
        for _ in range(2):
            assert not (await product.app.inbox.handle(again)).fresh
        await asyncio.sleep(1.5)
        assert lan.chat(bot).count == answered > before
