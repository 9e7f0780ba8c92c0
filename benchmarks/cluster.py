"""`python -m benchmarks.cluster`: 1, 2 and 4 workers with 4 accounts, and how soon one that died is replaced.

Throughput is without a limit on the pace; the CPU time of the workers and of PostgreSQL is read from the system.
Replacing is measured at 30 messages a second and account, with the lease that operators have (20 s).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks import pages
from benchmarks.addresses import FIRST_CHAT, token
from benchmarks.answers import TEXT
from benchmarks.cost import Watch, Wrong
from benchmarks.ours import check
from benchmarks.seed import seed
from benchmarks.serving import ROOT, BotApi, Log
from bot.commands.opened import Opened
from bot.core.clock import Clock
from bot.db import Database, runs
from bot.outreach import campaigns
from bot.settings import EngineKind, Settings
from tests.support.postgres import Postgres
from tests.support.program import send_to_all

ACCOUNTS = 4
LIMIT = 30
AS_SHIPPED = ("max_connections=100", "shared_buffers=128MB")
"""PostgreSQL's own defaults: every commit is on disk before it is answered."""
_PATIENCE = 120.0
_CLOCK = b'"seat":"clock","event":"A seat was won"'


class Worker:
    """`loaso worker`, a process of its own."""

    def __init__(self, settings: Settings, folder: Path, name: str) -> None:
        self.log = folder / f"{name}.log"
        kept = {n: v for n, v in os.environ.items() if not n.startswith("LOASO_")}
        ours = {
            "LOASO_DATABASE_URL": settings.database_url,
            "LOASO_ENGINE": "cluster",
            "LOASO_TELEGRAM_TOKEN": ",".join(t.get_secret_value() for t in settings.telegram_token),
            "LOASO_TELEGRAM_API_URL": settings.telegram_api_url,
            "LOASO_TELEGRAM_RATE": str(settings.telegram_rate),
            "LOASO_SECRET_KEY": "kept by the benchmarks",
        }
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "bot", "worker"],
                cwd=folder,
                env={**kept, **ours, "PYTHONPATH": str(ROOT)},
                stdout=log,
                stderr=log,
            )

    async def works(self) -> None:
        await self._says("Loa Số works".encode())

    @property
    def holds_clock(self) -> bool:
        return _CLOCK in self.log.read_bytes()

    def kill(self) -> float:
        """SIGKILL; returns when, in seconds since 1970."""
        self.process.kill()
        self.process.wait()
        return time.time()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(15)

    async def _says(self, word: bytes) -> None:
        for _ in range(int(_PATIENCE / 0.05)):
            if word in self.log.read_bytes():
                return
            if self.process.poll() is not None:
                raise Wrong(f"a worker ended: {self.log.read_text('utf-8')[-2000:]}")
            await asyncio.sleep(0.05)
        raise Wrong("a worker does not begin")


@dataclass(slots=True)
class Cluster:
    """So many workers on a database of their own."""

    api: BotApi
    postgres: Postgres
    settings: Settings
    workers: list[Worker]
    people: int

    @property
    def chats(self) -> list[int]:
        return list(range(FIRST_CHAT + 1, FIRST_CHAT + self.people + 1))

    async def send(self) -> int:
        """Returns the run's id."""
        async with self._opened() as found:
            return await send_to_all(found, TEXT, again=True)

    async def done(self, run_id: int) -> tuple[float, dict[str, Any]]:
        """Wait for the end of a run. Returns how many seconds it took from its plan, and its status."""
        async with self._opened() as found:
            for _ in range(int(_PATIENCE / 0.1)):
                async with found.database.read() as tx:
                    run = await runs.get(tx, run_id)
                    assert run is not None
                    status = await campaigns.status(tx, run)
                    if run.finished_at is not None:
                        return (run.finished_at - run.planned_at).total_seconds(), status
                await asyncio.sleep(0.1)
        raise Wrong(f"run {run_id} does not end: {status}")

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[Opened]:
        database = Database(self.settings.database_url)
        try:
            yield Opened(self.settings, database, Clock(self.settings.zone))
        finally:
            await database.close()


@asynccontextmanager
async def cluster(
    api: BotApi, postgres: Postgres, workers: int, people: int, *, rate: float, folder: Path
) -> AsyncIterator[Cluster]:
    name = f"cluster{time.monotonic_ns()}"
    settings = Settings(
        _env_file=None,
        database_url=postgres.create(name),
        telegram_token=",".join(map(token, range(ACCOUNTS))),
        telegram_api_url=api.url,
        telegram_rate=rate,
        engine=EngineKind.CLUSTER,
    )
    await seed(settings.database_url, people, ACCOUNTS)
    api.reset()
    found = Cluster(api, postgres, settings, [], people)
    try:
        for place in range(workers):
            found.workers.append(Worker(settings, folder, f"worker{place}"))
        for worker in found.workers:
            await worker.works()
        yield found
    finally:
        for worker in found.workers:
            if worker.process.poll() is None:
                worker.stop()
        postgres.drop(name)


async def throughput(api: BotApi, postgres: Postgres, workers: int, people: int, folder: Path) -> str:
    """One line of the table."""
    async with cluster(api, postgres, workers, people, rate=0, folder=folder) as found:
        watches = [Watch(process.pid) for process in (postgres.process, *(w.process for w in found.workers))]
        seconds, status = await found.done(await found.send())
        theirs, *used = (watch.read(people).database for watch in watches)
        check(status, found.chats, api.log().chats)
    each, database = sum(used) / people * 1e6, theirs / people * 1e6
    shares = ", ".join(f"{part / sum(used):.0%}" for part in used)
    return f"| {workers} | {people:,} | {people / seconds:,.0f} | {each:,.0f} | {shares} | {database:,.0f} |"


async def replaced(api: BotApi, postgres: Postgres, people: int, folder: Path) -> str:
    """Kill one of two workers in mid-run. Returns a line of the table."""
    async with cluster(api, postgres, 2, people, rate=LIMIT, folder=folder) as found:
        run_id = await found.send()
        await _until(lambda: len(api.log().times) >= people // 4)
        killed = next(w for w in found.workers if not w.holds_clock).kill()
        _, status = await found.done(run_id)
        log = api.log()
    if len(set(log.chats)) < len(log.chats) or status["sent"] + status["unknown"] != people:
        raise Wrong(f"somebody was lost or written to twice: {status}")
    return f"| a worker | {_longest(log, killed):.1f} | {status['unknown']} | 0 |"


async def clock_replaced(api: BotApi, postgres: Postgres, folder: Path) -> str:
    """Kill the holder of the clock while nothing is sent, and plan a run at that moment. Returns a line."""
    async with cluster(api, postgres, 2, 200, rate=LIMIT, folder=folder) as found:
        await _until(lambda: any(w.holds_clock for w in found.workers))
        killed = next(w for w in found.workers if w.holds_clock).kill()
        _, status = await found.done(await found.send())
        log = api.log()
        check(status, found.chats, log.chats)
    return f"| the holder of the clock | {min(log.times) - killed:.1f} | {status['unknown']} | 0 |"


async def _until(holds: Callable[[], bool]) -> None:
    for _ in range(int(_PATIENCE / 0.2)):
        if holds():
            return
        await asyncio.sleep(0.2)
    raise Wrong("it never was so")


def _longest(log: Log, killed: float) -> float:
    """For how many seconds after that moment the account that waited longest sent nothing."""
    longest = 0.0
    for bot in set(log.bots):
        times = [killed, *(at for at, by in zip(log.times, log.bots, strict=True) if by == bot and at > killed)]
        longest = max(longest, *(later - earlier for earlier, later in pairwise(times)), 0.0)
    return longest


async def measure(asked: argparse.Namespace) -> Sequence[str]:
    lines = [
        "| workers | messages | messages/s | CPU µs a message, all workers | of that each | database µs |",
        "|---:|---:|---:|---:|---|---:|",
    ]
    postgres = Postgres(AS_SHIPPED)
    try:
        with BotApi() as api, tempfile.TemporaryDirectory(prefix="loaso-bench-") as folder:
            for workers in asked.workers:
                lines.append(await throughput(api, postgres, workers, asked.messages, Path(folder)))
                print(lines[-1], flush=True)
            if asked.replace:
                lines += [
                    "",
                    "| killed (SIGKILL) | replaced after s | unknown | lost or doubled |",
                    "|---|---:|---:|---:|",
                ]
                lines.append(await replaced(api, postgres, asked.messages // 5, Path(folder)))
                lines.append(await clock_replaced(api, postgres, Path(folder)))
                print("\n".join(lines[-2:]), flush=True)
    finally:
        postgres.stop()
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cluster", description=__doc__)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--no-replace", dest="replace", action="store_false", help="measure throughput only")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/benchmarks.md")
    asked = parser.parse_args()
    try:
        lines = asyncio.run(measure(asked))
    except Wrong as error:
        print(error)
        return 1
    if asked.write:
        pages.put("cluster", "\n".join([*lines, "", pages.circumstances()]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
