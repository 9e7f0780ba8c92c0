"""Fixtures for everybody: both databases, the desk, conversations."""

from __future__ import annotations

import asyncio
import gc
import shutil
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import settings as hypothesis_settings

from bot.db import Database
from bot.db.migrate import migrate
from tests.support.postgres import Postgres
from tests.support.quick import quick
from tests.support.reused import Reused
from tests.support.talk import Talk

hypothesis_settings.register_profile("loaso", deadline=None, max_examples=60)
hypothesis_settings.load_profile("loaso")

# The content and its index are some hundred thousand objects that never go: looking through them again and again costs
# the suite about a twentieth of its time.
gc.set_threshold(200_000, 50, 1000)

_configure = structlog.configure


def _configure_anew(**options: Any) -> None:
    """A logger that remembers an earlier configuration cannot be listened to by a later test."""
    _configure(**{**options, "cache_logger_on_first_use": False})


structlog.configure = _configure_anew  # type: ignore[assignment]  # the same, but for one option

# Who starts the tests in the background has them ignore interrupts, which every program that they start would inherit.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    server = Postgres()
    try:
        yield server
    finally:
        server.stop()


async def _migrated(url: str) -> None:
    database = Database(url)
    await migrate(database)
    await database.close()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "loaso.db"
    asyncio.run(_migrated(f"sqlite+aiosqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres: Postgres) -> str:
    asyncio.run(_migrated(postgres.create("loaso_template")))
    return "loaso_template"


@pytest.fixture(scope="session")
def reused_postgres(postgres: Postgres, postgres_template: str) -> Iterator[Reused]:
    found = Reused(postgres, postgres_template)
    yield found
    found.close()


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A migrated database of each kind."""
    if request.param == "sqlite":
        path = tmp_path / "loaso.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite+aiosqlite:///{path}"
        return
    reused: Reused = request.getfixturevalue("reused_postgres")
    yield reused.url
    reused.clean()


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A migrated SQLite database, where the kind of database makes no difference."""
    path = tmp_path / "loaso.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite+aiosqlite:///{path}"


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    found = quick(Database(database_url))
    yield found
    await found.close()


@pytest.fixture
async def talk(database: Database) -> AsyncIterator[Talk]:
    """Conversations through the real inbox, handlers, database and words, on both databases."""
    found = Talk(database)
    await found.open()
    yield found
    await found.close()
