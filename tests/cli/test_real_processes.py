"""`loaso check` and `loaso run` as real processes, against a local Telegram."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.sandbox.telegram import BotAccount, TelegramSandbox, Timing
from tests.support.program import Program

TOKEN = "123456:AAaaBBbbCCccDDddEEeeFFff"


@pytest.fixture
async def telegram() -> AsyncIterator[TelegramSandbox]:
    server = TelegramSandbox(timing=Timing.fast(), strict_webhooks=False)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
def bot(telegram: TelegramSandbox) -> BotAccount:
    return telegram.add_bot(TOKEN, username="loaso_bot", name="Loa Số")


def program(telegram: TelegramSandbox, url: str, folder: Path, **settings: object) -> Program:
    usual: dict[str, Any] = {"http_port": _free_port(), "telegram_token": TOKEN, "secret_key": "kept by the tests"}
    return Program(folder, database_url=url, telegram_api_url=telegram.url, **{**usual, **settings})


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def test_a_check_asks_the_platform_about_every_account(
    telegram: TelegramSandbox, bot: BotAccount, sqlite_url: str, tmp_path: Path
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        tokens = f"{TOKEN},654321:ZZzzYYyyXXxxWWwwVVvv"
        checked = program(telegram, sqlite_url, tmp_path, telegram_token=tokens, http_port=port)
        out, _ = await checked.loaso("check", expect=1)
        _, refused = await checked.loaso("run", "--no-send", expect=1)
    assert "✓ telegram:123456: @loaso_bot" in out
    assert "✓ clock: agrees with 127.0.0.1" in out
    assert TOKEN not in out
    assert "✗ telegram:654321: Telegram refuses the token of telegram:654321" in out
    assert f"✗ web: 127.0.0.1:{port} cannot be had" in out
    assert "ZZzz" not in out
    assert refused.splitlines()[-1].startswith(f"Another program already listens on 127.0.0.1:{port}")
    assert "Traceback" not in refused


async def test_an_update_comes_in_by_webhook_and_the_answer_leaves(
    telegram: TelegramSandbox, bot: BotAccount, sqlite_url: str, tmp_path: Path
) -> None:
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    running = program(telegram, sqlite_url, tmp_path, telegram_mode="webhook", public_url=url, http_port=port)
    await running.start()
    try:
        user = telegram.add_user(first_name="Bà Lý")
        user.start(bot)
        for _ in range(200):
            if [m for m in user.chat(bot).messages if m.text and m.text != "/start"]:
                break
            await asyncio.sleep(0.05)
        else:
            raise AssertionError(running.log.read_text("utf-8"))
        async with aiohttp.ClientSession() as session:
            async with session.post(f"{url}/webhook/telegram/123456", data=b"{}") as answer:
                assert answer.status == 403
            async with session.get(f"{url}/readyz") as answer:
                assert (answer.status, (await answer.json())["accounts"]) == (200, {"telegram:123456": "ok"})
            async with session.get(f"{url}/metrics") as answer:
                assert 'loaso_inbound_seconds_count{account="telegram:123456"' in await answer.text()
        out, _ = await running.loaso("check")
        assert f"✓ web: Loa Số is running on 127.0.0.1:{port}" in out
        assert await running.stop() < 8
    finally:
        if running.process is not None:
            await running.kill()
