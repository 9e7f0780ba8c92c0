"""Where rows run: one server, one PostgreSQL, and a fresh process on a core of its own for everything measured."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import orjson

from benchmarks.cost import Cost, Wrong
from benchmarks.ours import MEASURED, WARM_UP
from benchmarks.rows import WARM_UP_PEOPLE, Row
from benchmarks.seed import seed
from benchmarks.serving import ROOT, BotApi, cores
from tests.support.postgres import Postgres

_AS_SHIPPED = ("max_connections=100", "shared_buffers=128MB")
"""PostgreSQL's own defaults: every commit is on disk before it is answered."""

_PATIENCE = 0.1
"""Seconds a message after which something must be wrong."""


class Ground:
    """Use as a context manager. What is measured has a core; this process, the server and PostgreSQL share another."""

    def __init__(self, *, latency_ms: float = 0, tls: bool = False) -> None:
        self.mine, self.others = cores()
        self.api = BotApi(latency_ms=latency_ms, tls=tls, core=self.others)
        self._stack = ExitStack()
        self._postgres: Postgres | None = None
        self._databases = 0

    def __enter__(self) -> Ground:
        if self.others is not None and sys.platform == "linux":
            os.sched_setaffinity(0, {self.others})
        self._stack.enter_context(self.api)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def measure(self, row: Row, messages: int) -> Cost:
        """One run of one row. Raises `Wrong` when it failed, or lost somebody."""
        messages = min(messages, row.at_most)
        printed = self.run("benchmarks.rows", row.name, messages=messages, database=row.database)
        return Cost(**orjson.loads(printed.splitlines()[-1]))

    def run(self, module: str, *arguments: str, messages: int, database: str) -> str:
        """Start a module with the server's address and a new database, full of people, of that kind ("" for none).
        Returns what it printed. Raises `Wrong` when it failed or took far too long."""
        with self._database(database) as url:
            if url:
                asyncio.run(_people(url, messages))
            near = ("--url", self.api.url, "--messages", str(messages), *self._near(url))
            return self._run([sys.executable, "-m", module, *arguments, *near], 60 + messages * _PATIENCE)

    def _run(self, command: list[str], patience: float) -> str:
        environment = {n: v for n, v in os.environ.items() if not n.startswith("LOASO_")}
        if self.api.authority is not None:
            environment["SSL_CERT_FILE"] = str(self.api.authority)
        try:
            done = subprocess.run(
                command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment, timeout=patience
            )
        except subprocess.CalledProcessError as error:
            raise Wrong(f"ended with {error.returncode}") from error
        except subprocess.TimeoutExpired as error:
            raise Wrong(f"was not done after {patience:.0f} s") from error
        return done.stdout

    def _near(self, url: str) -> list[str]:
        """What else the process needs to know."""
        near = [] if self.mine is None else ["--core", str(self.mine)]
        near += ["--database-url", url] if url else []
        if url.startswith("postgres"):
            near += ["--postmaster", str(self._server().process.pid)]
        return near

    @contextmanager
    def _database(self, kind: str) -> Iterator[str]:
        """A new database of that kind; an empty word for none."""
        if kind == "postgres":
            server = self._server()
            self._databases += 1
            name = f"bench{self._databases}"
            yield server.create(name)
            server.drop(name)
        elif kind == "sqlite":
            with tempfile.TemporaryDirectory(prefix="loaso-bench-") as folder:
                yield f"sqlite+aiosqlite:///{Path(folder) / 'loaso.db'}"
        else:
            yield ""

    def _server(self) -> Postgres:
        if self._postgres is None:
            self._postgres = Postgres(_AS_SHIPPED)
            self._stack.callback(self._postgres.stop)
        return self._postgres


async def _people(url: str, count: int) -> None:
    await seed(url, count, unit=MEASURED)
    await seed(url, WARM_UP_PEOPLE, unit=WARM_UP)
