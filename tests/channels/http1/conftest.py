"""Every test here runs on asyncio's loop and on the one that the program uses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import pytest
import uvloop

from bot.channels.http1_pool import Pool
from tests.channels.http1.heard import Client

PROXY_VARIABLES = ("http_proxy", "https_proxy", "no_proxy", "all_proxy")


def pytest_asyncio_loop_factories(config: object, item: object) -> Mapping[str, Callable[[], Any]]:
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXY_VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
async def connect() -> AsyncIterator[Callable[..., Client]]:
    """Makes clients of an address, with a second for an answer; closed at the end."""
    pools: list[Pool] = []

    def client(url: str, **options: Any) -> Client:
        found = Client(url, **{"read_seconds": 1.0, **options})
        pools.append(found.pool)
        return found

    yield client
    for pool in pools:
        await pool.close()
