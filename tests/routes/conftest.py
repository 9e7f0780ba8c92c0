"""Three local platforms, running, and the product in front of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio

from tests.routes.village import Platforms, Village

Settle = Callable[..., Village]


@pytest.fixture
async def platforms() -> AsyncIterator[Platforms]:
    found = Platforms()
    await found.start()
    yield found
    await found.stop()


@pytest.fixture
def settle(sqlite_url: str, platforms: Platforms) -> Settle:
    """A village on SQLite, where the kind of database makes no difference."""
    return partial(Village, sqlite_url, platforms)


@pytest.fixture
def settle_anywhere(database_url: str, platforms: Platforms) -> Settle:
    """A village on a database of each kind."""
    return partial(Village, database_url, platforms)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def everything(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Village]:
    """One village for all tests of a file, on SQLite."""
    path = tmp_path_factory.mktemp("everything") / "loaso.db"
    path.write_bytes(sqlite_template.read_bytes())
    platforms = Platforms()
    await platforms.start()
    async with Village(f"sqlite+aiosqlite:///{path}", platforms, zalo_bot_mode="polling") as found:
        yield found
    await platforms.stop()


@pytest.fixture
def village(everything: Village) -> Iterator[Village]:
    """The same, with nobody of an earlier test, no fault, the clock where it was."""
    now = everything.hands.now
    everything.people.clear()
    yield everything
    everything.hands.now = now
    for platform in (everything.platforms.telegram, everything.platforms.bot, everything.platforms.oa):
        platform.faults.clear()
