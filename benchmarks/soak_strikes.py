"""What the soak lets happen: each kind strikes once in mid-run, and says how many rows of an account it may leave
unknown."""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks import power_cut
from tests.kill import strikes
from tests.kill.scene import LEASE, Scene
from tests.support.judge import Judge
from tests.support.program import Program

Strike = Callable[["Trial"], Awaitable[int]]

_LONG = 62.0
"""Seconds: longer than a process that sends alone leases what it claims, and than any answer is waited for."""


@dataclass(slots=True)
class Trial:
    """One run that something happens to. `disk` is the small disk that its database is on, if there is one; `again`
    says that the campaign resends what is unknown."""

    scene: Scene
    judge: Judge
    chance: random.Random
    disk: Path | None = None
    long: bool = False
    again: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """`title` is its line in the table. It fits one process (`local`), several (`cluster`), SQLite, PostgreSQL."""

    title: str
    strike: Strike
    local: bool = True
    cluster: bool = True
    sqlite: bool = True
    postgres: bool = True
    on_small_disk: bool = False
    loses_power: bool = False

    def fits(self, *, cluster: bool, sqlite: bool) -> bool:
        return (self.cluster if cluster else self.local) and (self.sqlite if sqlite else self.postgres)


async def _kill(trial: Trial) -> int:
    return await strikes.kill(trial.scene, trial.chance) * trial.scene.account_window


async def _kill_holder(trial: Trial) -> int:
    """Whoever holds the cluster's clock."""
    return await strikes.kill_one(_holder(trial.scene), trial.chance) * trial.scene.account_window


def _holder(scene: Scene) -> Program:
    """Who said last that the clock's seat is theirs."""
    said = [
        (line.partition('"timestamp"')[2], member)
        for member in scene.programs
        for line in member.said.splitlines()
        if '"seat":"clock"' in line
    ]
    return max(said, key=lambda found: found[0])[1] if said else scene.program


async def _freeze(trial: Trial) -> int:
    with strikes.frozen(trial.chance.choice(trial.scene.senders)):
        if trial.scene.is_cluster:
            await asyncio.sleep(LEASE + trial.chance.uniform(0.0, 3.0))
        elif trial.long:
            await asyncio.sleep(_LONG)
        else:
            await trial.judge.end_leases()
            await asyncio.sleep(trial.chance.uniform(0.1, 3.0))
    return trial.scene.account_window


async def _stop(trial: Trial) -> int:
    victim = trial.chance.choice(trial.scene.programs)
    assert await victim.stop() < 10
    await victim.start()
    return 0


async def _orders(trial: Trial) -> int:
    """Pause and resume: in between, nothing arrives later than a second after the pause."""
    program, run_id = trial.scene.program, trial.judge.run_id
    if (await program.status(run_id))["state"] != "sending":
        return 0
    await program.order(run_id, "pause")
    told = trial.scene.telegram.monotonic()
    await asyncio.sleep(trial.chance.uniform(1.0, 2.0))
    assert trial.judge.came_after(told + 1.0) == 0
    await program.order(run_id, "resume")
    return 0


async def _cut(trial: Trial) -> int:
    await strikes.cut(trial.scene)
    return trial.scene.account_window


async def _restart(trial: Trial) -> int:
    await strikes.restart_database(trial.scene, trial.chance.uniform(0.0, 3.0))
    return trial.scene.account_window


async def _fill(trial: Trial) -> int:
    assert trial.disk is not None
    with strikes.full(trial.disk):
        await asyncio.sleep(trial.chance.uniform(1.0, 5.0))
    return 0


async def _fill_and_kill(trial: Trial) -> int:
    """What was sent without room to write it down is unknown to whoever starts afterwards."""
    assert trial.disk is not None
    with strikes.full(trial.disk):
        await asyncio.sleep(trial.chance.uniform(1.0, 5.0))
        await trial.scene.program.kill()
    await trial.scene.start()
    return trial.scene.account_window


async def _refuse_writes(trial: Trial) -> int:
    with strikes.no_file_may_grow(trial.scene):
        await asyncio.sleep(trial.chance.uniform(1.0, 5.0))
    return 0


async def _lose_power(trial: Trial) -> int:
    await asyncio.sleep(trial.chance.uniform(0.0, 0.4))
    program = trial.scene.program
    await program.kill()
    path = program.read_settings.sqlite_path
    assert path is not None
    power_cut.lose(path)
    await program.start()
    return trial.scene.account_window


async def _fill_and_stop(trial: Trial) -> int:
    """SIGTERM when nothing can be written down: it ends in time all the same, and nobody is doubled."""
    assert trial.disk is not None
    program = trial.scene.program
    with strikes.full(trial.disk):
        await asyncio.sleep(trial.chance.uniform(1.0, 3.0))
        program.signal(signal.SIGTERM)
        await program.ended(within=11)
    await program.start()
    return trial.scene.account_window


async def _outage(trial: Trial) -> int:
    await strikes.outage(trial.scene, trial.chance.uniform(0.5, 6.0))
    return trial.scene.account_window


async def _lose_answers(trial: Trial) -> int:
    """The request or its answer is lost on the way, or what comes back is no answer."""
    faults, count = trial.scene.telegram.faults, trial.chance.randint(1, 10)
    ways = (
        faults.drop_after,
        faults.drop_before,
        partial(faults.garbage, b'{"ok":tr', 200, after=True),
    )
    with trial.chance.choice(ways)(count=count, method="sendMessage") as fault:
        for _ in range(600):
            if fault.over:
                break
            await asyncio.sleep(0.05)
    return count


async def _slow_down(trial: Trial) -> int:
    """429 with `retry_after`."""
    with trial.scene.telegram.faults.flood(1, count=trial.chance.randint(1, 5)):
        await asyncio.sleep(2)
    return 0


KINDS = {
    "kill": Kind("SIGKILL at any moment, also while starting", _kill),
    "clock": Kind("SIGKILL of the clock's holder", _kill_holder, local=False),
    "freeze": Kind("SIGSTOP for longer than the lease, SIGCONT", _freeze),
    "stop": Kind("SIGTERM and a new start", _stop),
    "orders": Kind("pause and resume", _orders),
    "cut": Kind("every database connection cut", _cut, sqlite=False),
    "restart": Kind("database server killed and started again", _restart, sqlite=False),
    "disk": Kind("disk full, then room again", _fill, on_small_disk=True),
    "disk-kill": Kind("disk full, SIGKILL, then room again", _fill_and_kill, cluster=False, on_small_disk=True),
    "disk-stop": Kind("disk full, SIGTERM, then room again", _fill_and_stop, cluster=False, on_small_disk=True),
    "power": Kind("power cut", _lose_power, cluster=False, postgres=False, loses_power=True),
    "writes": Kind("every write refused by the system, then allowed", _refuse_writes, cluster=False, postgres=False),
    "outage": Kind("platform gone and back", _outage),
    "answers": Kind("1 to 10 answers or requests lost", _lose_answers),
    "flood": Kind("told to slow down", _slow_down),
}
