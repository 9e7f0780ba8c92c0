"""Fixtures for killing: a program that starts fast, and a stage on either database, also on a small disk."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path

import pytest

from tests.kill import strikes
from tests.kill.scene import Scene, administrate, stage
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
    owner = os.geteuid() if server is None else server.root.stat().st_uid
    place = tmp_path / "disk" if server is None else server.root / f"disk-{tmp_path.name}"
    try:
        with strikes.disk(place, 8 if server is None else 32, owner) as found:
            yield found
    except PermissionError as error:
        pytest.skip(str(error))


@pytest.fixture
def on_small_disk(
    small_disk: Path, database_url: str, server: Postgres | None, tmp_path: Path, warm: Warm
) -> Iterator[Stage]:
    """`stage` with the database moved to that disk."""
    if server is None:
        moved = shutil.move(tmp_path / "loaso.db", small_disk)
        yield partial(stage, f"sqlite+aiosqlite:///{moved}", tmp_path, warm=warm)
        return
    name = database_url.rpartition("/")[2]
    administrate(server, f"CREATE TABLESPACE small LOCATION '{small_disk}'")
    administrate(server, f'ALTER DATABASE "{name}" SET TABLESPACE small')
    yield partial(stage, database_url, tmp_path, server=server, warm=warm)
    server.drop(name)
    administrate(server, "DROP TABLESPACE small")
