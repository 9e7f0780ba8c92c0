"""The scene: a platform, a database, people, and the program as one process or as several."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from bot.engine.progress import at_once_at
from bot.sandbox.telegram import BotAccount, Limits, TelegramSandbox, Timing
from tests.support.judge import Judge
from tests.support.postgres import Postgres
from tests.support.program import Program
from tests.support.warm import Warm

TOKENS = ("123456:AAaaBBbbCCccDDddEEeeFFff", "777777:BBaaBBbbCCccDDddEEeeFFff")
LEASE = 3.0
"""Seconds after which one process of a cluster takes over from another, here."""
_FIRST_CHAT = 5_000


def afternoon() -> str:
    """A time zone in which nobody is asleep and no tip is due."""
    ahead = (13 - datetime.now(UTC).hour + 11) % 24 - 11
    return f"Etc/GMT{-ahead:+d}"


def administrate(server: Postgres, statement: str) -> int:
    """Run a statement as the server's administrator; returns how many rows it found."""
    with psycopg.connect(server.url("postgres").replace("+psycopg", ""), autocommit=True) as connection:
        return connection.execute(statement.encode()).rowcount


@dataclass(slots=True)
class Scene:
    """`program` is asked and given orders; `senders` send. In one process they are the same. `server` is the PostgreSQL
    server, if that is where the database is."""

    telegram: TelegramSandbox
    program: Program
    senders: Sequence[Program]
    people: range
    rate: float
    server: Postgres | None

    @property
    def programs(self) -> list[Program]:
        return [self.program, *(sender for sender in self.senders if sender is not self.program)]

    @property
    def is_cluster(self) -> bool:
        return self.senders[0] is not self.program

    @property
    def bots(self) -> list[BotAccount]:
        return list(self.telegram.bots.values())

    @property
    def database(self) -> str:
        """The database's name on the server."""
        return self.program.read_settings.database_url.rpartition("/")[2]

    @property
    def delivered(self) -> int:
        """Messages that the platform has delivered so far."""
        return self.telegram.sent()

    @property
    def left(self) -> int:
        """To how many of the people the platform has delivered nothing yet, in the scene's first run."""
        return max(0, len(self.people) - self.delivered)

    @property
    def account_window(self) -> int:
        """How many rows of an account may be claimed and without an answer: what one kill may leave unknown of it."""
        if self.is_cluster:
            return 1000 if self.rate == 0 else max(10, min(100, int(self.rate * 3)))
        return at_once_at(self.rate or None)

    @property
    def window(self) -> int:
        """The same of all accounts together."""
        return self.account_window * len(self.telegram.bots)

    async def start(self) -> None:
        await asyncio.gather(*(program.start() for program in self.programs))

    async def stop(self) -> float:
        """SIGTERM to every process; returns how many seconds the slowest took."""
        return max(await asyncio.gather(*(program.stop() for program in self.programs)))

    async def send(self, text: str, **options: Any) -> Judge:
        """A run to everybody, and its judge."""
        since = self.telegram.monotonic()
        run_id = await self.program.send(text, **options)
        return Judge(self.program, self.telegram, run_id, self.people, since)

    async def until_more(self, count: int, within: float = 60) -> None:
        """Wait until the platform has delivered so many more."""
        wanted = self.delivered + count
        async with asyncio.timeout(within):
            while self.delivered < wanted:  # noqa: ASYNC110  # the platform tells chats apart, not totals
                await asyncio.sleep(0.002)

    async def until_some_more(self, judge: Judge, chance: random.Random, within: float = 60) -> None:
        """Wait until a good part of those that are left have the run's message, or until it is over: of those that are
        left, some may never get it."""
        more = asyncio.create_task(self.until_more(chance.randint(1, max(1, self.left // 4)), within))
        while not more.done() and (await self.program.status(judge.run_id))["state"] != "done":
            await asyncio.wait((more,), timeout=0.5)
        if not more.done():
            more.cancel()
        await asyncio.gather(more, return_exceptions=True)
        if not more.cancelled():
            more.result()

    async def until_at_rest(self, seconds: float, within: float = 40) -> int:
        """Wait until nothing was delivered for so long; returns how many have been."""
        async with asyncio.timeout(within):
            while True:
                before = self.delivered
                await asyncio.sleep(seconds)
                if self.delivered == before:
                    return before


@asynccontextmanager
async def stage(
    database_url: str,
    folder: Path,
    *,
    rate: float,
    count: int,
    latency: float = 0.02,
    tokens: Sequence[str] = TOKENS[:1],
    workers: int = 0,
    server: Postgres | None = None,
    warm: Warm | None = None,
    **settings: Any,
) -> AsyncIterator[Scene]:
    """Everything that is needed, with `count` people and no process started yet. With `workers` it is a cluster of so
    many and one more process that does not send."""
    telegram = TelegramSandbox(
        Limits.none(), timing=Timing.fast(), latency=latency, anyone_reachable=True, keep_log=2_000_000
    )
    for place, token in enumerate(tokens):
        telegram.add_bot(token, username=f"loaso_{place}_bot", name="Loa Số")
    await telegram.start()
    common = {
        "warm": warm,
        "database_url": database_url,
        "telegram_token": ",".join(tokens),
        "telegram_api_url": telegram.url,
        "telegram_rate": rate,
        "secret_key": "kept by the tests",
        "timezone": afternoon(),
        "http_port": 0,
        **settings,
    }
    if workers:
        common |= {"engine": "cluster", "cluster_lease": LEASE}
    program = Program(folder, command=("run", "--no-send") if workers else ("run",), **common)
    senders = [Program(folder, name=f"worker-{n}", command=("worker",), **common) for n in range(workers)]
    people = range(_FIRST_CHAT, _FIRST_CHAT + count)
    scene = Scene(telegram, program, senders or [program], people, rate, server)
    await program.bring(scene.people)
    if server is not None:  # the tests' server forgets what was committed last when it is killed
        administrate(server, f'ALTER DATABASE "{scene.database}" SET synchronous_commit = on')
    try:
        yield scene
    finally:
        for process in scene.programs:
            if process.process is not None:
                await process.kill()
        await telegram.stop()
