"""Fixtures for killing: a program that starts fast, and a stage on either database, also on a small disk."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, ExitStack
from functools import partial
from pathlib import Path

import pytest

from bot.db import Database
from bot.db.migrate import migrate
from tests.kill import strikes
from tests.kill.scene import Scene, stage
from tests.support.postgres import Postgres
from tests.support.warm import Warm

Stage = Callable[..., AbstractAsyncContextManager[Scene]]


@pytest.fixture(scope="session")
def warm() -> Iterator[Warm]:
    found = Warm()
    yield found
    found.stop()


@pytest.fixture
def server(request: pytest.FixtureRequest, database_url: str) -> Postgres | None:
    """The server of the database, if it is one of PostgreSQL."""
    if database_url.startswith("sqlite"):
        return None
    found: Postgres = request.getfixturevalue("postgres")
    return found


@pytest.fixture
def on_stage(database_url: str, server: Postgres | None, tmp_path: Path, warm: Warm) -> Stage:
    """`stage` on a database of each kind."""
    return partial(stage, database_url, tmp_path, server=server, warm=warm)


@pytest.fixture
def small_disk(server: Postgres | None, tmp_path: Path) -> Iterator[Path]:
    """A disk that a few thousand rows fill."""
    try:
        with strikes.small_disk(tmp_path, server) as found:
            yield found
    except PermissionError as error:
        pytest.skip(str(error))


@pytest.fixture
def on_small_disk(
    small_disk: Path, database_url: str, server: Postgres | None, tmp_path: Path, warm: Warm
) -> Iterator[Stage]:
    """`stage` with the database on that disk."""
    with strikes.moved(database_url, server, small_disk) as address:
        yield partial(stage, address, tmp_path, server=server, warm=warm)


@pytest.fixture
async def on_small_journal(tmp_path: Path, warm: Warm) -> AsyncIterator[tuple[Stage, Path]]:
    """`stage` on a PostgreSQL server of its own, and the small disk that holds its write-ahead log."""
    with ExitStack() as stack:
        try:
            server, disk = stack.enter_context(strikes.server_with_small_journal())
        except PermissionError as error:
            pytest.skip(str(error))
        url = server.create("loaso")
        database = Database(url)
        await migrate(database)
        await database.close()
        yield partial(stage, url, tmp_path, server=server, warm=warm), disk
