"""Three local platforms, running, and the product in front of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import partial

import pytest

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
