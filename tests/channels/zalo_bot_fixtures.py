"""A local Zalo Bot platform, a bot on it, somebody whom it knows, and the channel under test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.channels.zalo_bot import ZaloBotChannel
from bot.sandbox.zalo_bot import Oddities, ZaloBotAccount, ZaloBotSandbox, ZaloBotUser

TOKEN = "12345689:abc-xyz_fAkE_000000000000000000"
NAME = "Bot Loa Số"


@pytest.fixture(name="zalo")
async def a_zalo() -> AsyncIterator[ZaloBotSandbox]:
    """Takes addresses on this machine, delivers nothing twice and comes again soon."""
    found = ZaloBotSandbox(oddities=Oddities(duplicates=0), strict_webhooks=False)
    found.webhook_retry = 0.005
    await found.start()
    yield found
    await found.stop()


@pytest.fixture(name="zalo_bot")
def a_zalo_bot(zalo: ZaloBotSandbox) -> ZaloBotAccount:
    return zalo.add_bot(TOKEN, NAME)


@pytest.fixture(name="linh")
def a_linh(zalo: ZaloBotSandbox, zalo_bot: ZaloBotAccount) -> ZaloBotUser:
    """Somebody whom the bot may write to; what she said is not waiting to be read."""
    user = zalo.add_user("Linh")
    user.write(zalo_bot, "chào")
    zalo_bot.updates.waiting.clear()
    return user


def connect_zalo(server: ZaloBotSandbox, token: str = TOKEN, **more: Any) -> ZaloBotChannel:
    """A channel for that token with short waits, not started."""
    options = {
        "poll_timeout": 5,
        "poll_floor": 0.01,
        "read_seconds": 1.0,
        "longest_wait": 0.02,
        "api_url": server.url,
        **more,
    }
    return ZaloBotChannel(token, secret_key=b"secret", **options)


@pytest.fixture(name="zalo_channel")
async def a_zalo_channel(zalo: ZaloBotSandbox, zalo_bot: ZaloBotAccount) -> AsyncIterator[ZaloBotChannel]:
    """Connected, not started."""
    found = connect_zalo(zalo)
    yield found
    await found.close()
