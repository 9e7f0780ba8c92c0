"""What these tests share: a migrated PostgreSQL, and several processes of the program on it."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bot.db import Database
from tests.kill.scene import TOKENS, Scene, stage
from tests.support.postgres import Postgres
from tests.support.program import Program
from tests.support.warm import Warm

LEASE = 3
"""Seconds; an operator's cluster has twenty. Everything else that takes its time depends on it."""

RATE = 100


@contextmanager
def _database(server: Postgres, template: str) -> Iterator[str]:
    name = f"c{uuid.uuid4().hex}"
    yield server.create(name, template)
    server.drop(name)


@pytest.fixture
def postgres_url(postgres: Postgres, postgres_template: str) -> Iterator[str]:
    with _database(postgres, postgres_template) as url:
        yield url


@pytest.fixture
async def shared(postgres_url: str) -> AsyncIterator[Database]:
    found = Database(postgres_url)
    yield found
    await found.close()


@pytest.fixture(scope="session")
def warm() -> Iterator[Warm]:
    found = Warm()
    yield found
    found.stop()


class Team:
    """Several processes of one cluster. The scene's own program is only asked, never started."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.members: list[Program] = []

    async def worker(self, **settings: Any) -> Program:
        """`loaso worker`."""
        return await self._join("worker", **settings)

    async def run(self, *arguments: str, **settings: Any) -> Program:
        """`loaso run`."""
        return await self._join("run", *arguments, **settings)

    async def _join(self, command: str, *arguments: str, **settings: Any) -> Program:
        asked = self.scene.program
        name = f"{command}{len(self.members)}"
        mine = {**asked._given, **settings}
        member = Program(asked.folder, name=name, command=(command, *arguments), warm=asked.warm, **mine)
        self.members.append(member)
        await member.start()
        return member

    def holder(self) -> Program:
        """Who won the clock last."""
        held = [
            (line, member) for member in self.alive for line in member.said.splitlines() if '"seat":"clock"' in line
        ]
        return max(held, key=lambda found: found[0].partition('"timestamp"')[2])[1]

    @property
    def alive(self) -> list[Program]:
        return [member for member in self.members if member.process is not None]

    async def close(self) -> None:
        for member in self.alive:
            await member.kill()


@asynccontextmanager
async def assemble(
    url: str, folder: Path, server: Postgres, warm: Warm, *, accounts: int, count: int
) -> AsyncIterator[Team]:
    """People, a platform and nobody at work yet."""
    common: dict[str, Any] = {"engine": "cluster", "cluster_lease": LEASE, "rate": RATE, "count": count}
    async with stage(url, folder, tokens=TOKENS[:accounts], server=server, warm=warm, **common) as scene:
        found = Team(scene)
        try:
            yield found
        finally:
            await found.close()


Assemble = Callable[..., AbstractAsyncContextManager[Team]]


@pytest.fixture
def team(postgres_url: str, postgres: Postgres, tmp_path: Path, warm: Warm) -> Assemble:
    """A cluster of one's own, to kill."""
    return partial(assemble, postgres_url, tmp_path, postgres, warm)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def crew(
    postgres: Postgres, postgres_template: str, tmp_path_factory: pytest.TempPathFactory, warm: Warm
) -> AsyncIterator[Team]:
    """Two workers with two accounts, for all that leaves them alive."""
    folder = tmp_path_factory.mktemp("crew")
    with _database(postgres, postgres_template) as url:
        async with assemble(url, folder, postgres, warm, accounts=2, count=500) as found:
            await asyncio.gather(found.worker(), found.worker())
            yield found
