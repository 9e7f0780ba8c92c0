"""`python -m benchmarks.soak`: run after run, each with something happening to it, judged row by row.

Prints the kill matrix. A round that fails is told with the seed that repeats it, with the same other options:
`--seed N --rounds 1`.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import power_cut
from benchmarks.soak_strikes import KINDS, Kind, Trial
from bot.db import Database
from bot.db.migrate import migrate
from tests.kill import strikes
from tests.kill.scene import TOKENS, stage
from tests.support.judge import Judge
from tests.support.postgres import Postgres
from tests.support.program import Program
from tests.support.warm import Warm

_PEOPLE = {30: 200, 100: 600, 0: 5000}
"""Messages a second of each account, and how many people make that a run of some seconds."""
_DONE_WITHIN = 180


@dataclass(slots=True)
class Line:
    """What one kind of strike has done so far. `most` is the most rows of an account that one strike left unknown,
    `allowed` the most that it might have."""

    kind: Kind
    runs: int = 0
    strikes: int = 0
    people: int = 0
    lost: int = 0
    doubled: int = 0
    again: int = 0
    unknown: int = 0
    most: int = 0
    allowed: int = 0

    def __str__(self) -> str:
        cells = (
            self.kind.title,
            self.runs,
            self.strikes,
            self.people,
            self.lost,
            self.doubled,
            self.again,
            self.unknown,
        )
        return (
            "| " + " | ".join(f"{c:,}" if isinstance(c, int) else c for c in (*cells, self.most, self.allowed)) + " |"
        )


_COLUMNS = ("what happened", "runs", "times", "people", "lost", "doubled", "sent again as asked", "unknown")
HEAD = f"| {' | '.join((*_COLUMNS, 'most at a time of an account', 'allowed'))} |\n|---|{'--:|' * (len(_COLUMNS) + 1)}"


@dataclass(slots=True)
class Ground:
    """Where the rounds take place: a fresh database for each."""

    folder: Path
    warm: Warm
    server: Postgres | None
    workers: int
    template: Path = field(init=False)

    async def prepare(self) -> None:
        self.template = self.folder / "template.db"
        url = f"sqlite+aiosqlite:///{self.template}" if self.server is None else self.server.create("template_soak")
        database = Database(url)
        await migrate(database)
        await database.close()

    def database(self, folder: Path) -> str:
        """A migrated, empty one."""
        if self.server is not None:
            return self.server.create(folder.name.replace("-", "_"), "template_soak")
        return f"sqlite+aiosqlite:///{shutil.copy(self.template, folder / 'loaso.db')}"

    async def round(self, seed: int, line: Line) -> None:
        """One run. Raises `AssertionError` with every fault."""
        chance = random.Random(seed)
        folder = self.folder / f"round-{seed}"
        folder.mkdir()
        rate = chance.choice(list(_PEOPLE))
        tokens = TOKENS[: chance.randint(1, 2)]
        with ExitStack() as stack:
            url, disk = self.database(folder), None
            if line.kind.on_small_disk:
                disk = stack.enter_context(strikes.small_disk(folder, self.server))
                url = stack.enter_context(strikes.moved(url, self.server, disk))
            async with stage(
                url,
                folder,
                rate=rate,
                count=_PEOPLE[rate] * len(tokens),
                latency=chance.choice((0.0, 0.02, 0.1)),
                tokens=tokens,
                workers=self.workers,
                server=self.server,
                warm=self.warm,
            ) as scene:
                if line.kind.loses_power:
                    self._may_lose_power(scene.program)
                await scene.start()
                again = chance.random() < 0.2
                judge = await scene.send(f"Tin số {seed}", urgent=again or chance.random() < 0.5, resend_unknown=again)
                await _suffer(Trial(scene, judge, chance, disk, long=chance.random() < 0.15, again=again), line)
                await scene.stop()
        if self.server is not None:
            self.server.drop(folder.name.replace("-", "_"))
        shutil.rmtree(folder)

    def _may_lose_power(self, program: Program) -> None:
        path = program.read_settings.sqlite_path
        assert path is not None
        power_cut.begin(path)
        program.warm = None  # who was forked has loaded its libraries already
        program.more["LD_PRELOAD"] = str(power_cut.build(path.parent))


async def _suffer(trial: Trial, line: Line) -> None:
    """Strike some times, let the run end, judge it."""
    scene, judge, chance = trial.scene, trial.judge, trial.chance
    before: Counter[str] = Counter()
    allowed = 0
    for _ in range(chance.randint(2, 4)):
        await scene.until_some_more(judge, chance, _DONE_WITHIN)
        before = await _note(judge, line, before)
        of_account = await line.kind.strike(trial)
        allowed += of_account * len(scene.bots)
        line.allowed = max(line.allowed, of_account)
        line.strikes += 1
        if (await scene.program.status(judge.run_id))["state"] == "done":
            break
    await scene.program.until(judge.run_id, "done", within=_DONE_WITHIN)
    await _note(judge, line, before)
    await _judge(trial, line, allowed)


async def _note(judge: Judge, line: Line, before: Counter[str]) -> Counter[str]:
    """Returns how many are unknown now, by account; those that are new came from the latest strike."""
    unknown = await judge.remember()
    line.most = max(line.most, *(unknown - before).values(), 0)
    return unknown


async def _judge(trial: Trial, line: Line, allowed: int) -> None:
    """Where the campaign asked for it, who may have it already gets it once more; that is counted apart."""
    scene, judge = trial.scene, trial.judge
    found = await judge.verdict(unknown=allowed, doubled=allowed if trial.again else 0)
    line.runs += 1
    line.people += found.people
    line.lost += found.lost
    if trial.again:
        line.again += found.doubled
    else:
        line.doubled += found.doubled
    line.unknown += found.unknown
    closed = await judge.closed()
    assert not closed, f"addresses were closed: {sorted(closed)[:20]}"
    assert not found.faults, f"at {scene.rate} a second, {len(scene.bots)} accounts, again {trial.again}: {found}"


async def soak(ground: Ground, kinds: Sequence[Kind], first: int, until: float, rounds: int) -> tuple[list[Line], int]:
    """Round after round, each kind in its turn. Returns the matrix and how many rounds failed."""
    await ground.prepare()
    lines = [Line(kind) for kind in kinds]
    failed, seed = 0, first
    while time.monotonic() < until and seed - first < rounds:
        line = lines[seed % len(lines)]
        try:
            await ground.round(seed, line)
        except Exception:
            failed += 1
            print(f"\nround {seed} ({line.kind.title}) failed, see {ground.folder}/round-{seed}:", flush=True)
            traceback.print_exc()
        print(f"round {seed}: {line}", flush=True)
        seed += 1
    return lines, failed


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--rounds", type=int, default=10**9)
    parser.add_argument("--seed", type=int, default=0, help="of the first round")
    parser.add_argument("--engine", choices=("local", "cluster"), default="local")
    parser.add_argument("--workers", type=int, default=2, help="of a cluster")
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--only", action="append", choices=KINDS, metavar="KIND", help=", ".join(KINDS))
    asked = parser.parse_args()
    cluster = asked.engine == "cluster"
    if cluster and asked.database == "sqlite":
        parser.error("a cluster needs --database postgres")
    kinds = [
        kind
        for name, kind in KINDS.items()
        if name in (asked.only or KINDS) and kind.fits(cluster=cluster, sqlite=asked.database == "sqlite")
    ]
    folder = Path(tempfile.mkdtemp(prefix="loaso-soak-"))
    warm, server = Warm(), Postgres() if asked.database == "postgres" else None
    try:
        ground = Ground(folder, warm, server, asked.workers if cluster else 0)
        until = time.monotonic() + asked.minutes * 60
        lines, failed = asyncio.run(soak(ground, kinds, asked.seed, until, asked.rounds))
    finally:
        warm.stop()
        if server is not None:
            server.stop()
    print("\n".join(("", HEAD, *map(str, lines))))
    if failed:
        print(f"\n{failed} rounds failed.")
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
