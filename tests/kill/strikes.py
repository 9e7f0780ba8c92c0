"""What may happen to a program in mid-run: each strikes once and returns when it is over."""

from __future__ import annotations

import asyncio
import os
import pwd
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import psycopg

from tests.kill.scene import Scene, administrate
from tests.support.postgres import Postgres
from tests.support.program import Program

_STARTING = 2.0
"""Seconds within which a start is certainly under way."""


async def kill(scene: Scene, chance: random.Random) -> int:
    """SIGKILL to one of the processes at some moment, and a new start. Returns how many kills it took."""
    await asyncio.sleep(chance.uniform(0.0, 0.4))
    return await kill_one(chance.choice(scene.programs), chance)


async def kill_one(victim: Program, chance: random.Random) -> int:
    """SIGKILL to that process, and a new start; one new start in three is killed as well. Returns how many kills."""
    await victim.kill()
    if chance.random() > 1 / 3:
        await victim.start()
        return 1
    await victim.spawn()
    await asyncio.sleep(chance.uniform(0.0, _STARTING))
    await victim.kill()
    await victim.start()
    return 2


@contextmanager
def frozen(program: Program) -> Iterator[None]:
    """SIGSTOP, then SIGCONT. Not within a transaction that keeps everybody else out of an SQLite file: then it goes on
    for a moment and is stopped again."""
    program.signal(signal.SIGSTOP)
    while not _may_be_written(program.read_settings.database_url):
        program.signal(signal.SIGCONT)
        time.sleep(0.005)
        program.signal(signal.SIGSTOP)
    try:
        yield
    finally:
        program.signal(signal.SIGCONT)


def _may_be_written(database_url: str) -> bool:
    """Whether nobody holds the lock of that database, if it is a file."""
    kind, _, path = database_url.partition(":///")
    if not kind.startswith("sqlite"):
        return True
    with closing(sqlite3.connect(path, timeout=0.05, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            return False
        connection.execute("ROLLBACK")
    return True


async def outage(scene: Scene, seconds: float) -> None:
    """The platform refuses every connection for so long."""
    await scene.telegram.stop()
    await asyncio.sleep(seconds)
    await scene.telegram.start()


async def cut(scene: Scene) -> None:
    """Every connection to the PostgreSQL database is ended by its server."""
    assert scene.server is not None
    others = f"datname = '{scene.database}' AND pid <> pg_backend_pid()"
    end = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"
    assert await asyncio.to_thread(administrate, scene.server, end) > 0


async def restart_database(scene: Scene, seconds: float) -> None:
    """The PostgreSQL server ends at once, without tidying up, and comes back after so long."""
    server = scene.server
    assert server is not None
    server.process.send_signal(signal.SIGQUIT)
    await asyncio.to_thread(server.process.wait, 20)
    await asyncio.sleep(seconds)
    await asyncio.to_thread(server.start)


@contextmanager
def no_file_may_grow(scene: Scene) -> Iterator[None]:
    """The operating system refuses every write of the program to a file, its log included."""
    process = scene.program.process
    assert process is not None
    before = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0, before[1]))
    yield
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, before)


@contextmanager
def small_disk(folder: Path, server: Postgres | None) -> Iterator[Path]:
    """A disk that a few thousand rows fill, for a database of that server, gone afterwards. Raises `PermissionError`
    where only the administrator may do that."""
    if server is None:
        with _mounted(folder / "disk", 8, os.geteuid()) as at:
            yield at
    else:
        with _mounted(server.root / f"disk-{folder.name}", 32, server.root.stat().st_uid) as at:
            yield at


@contextmanager
def server_with_small_journal() -> Iterator[tuple[Postgres, Path]]:
    """A PostgreSQL server of its own, and the small disk that its write-ahead log is on. Raises `PermissionError` where
    only the administrator may do that."""
    with tempfile.TemporaryDirectory(prefix="loaso-wal-") as folder:
        Path(folder).chmod(0o755)
        owner = pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else os.geteuid()
        with _mounted(Path(folder) / "disk", 24, owner) as disk:
            journal = disk / "journal"
            journal.mkdir(mode=0o700)
            os.chown(journal, owner, -1)
            server = Postgres(("fsync=off", "min_wal_size=2MB", "max_wal_size=8MB"), journal=journal)
            try:
                yield server, disk
            finally:
                server.stop()


@contextmanager
def _mounted(at: Path, megabytes: int, owner: int) -> Iterator[Path]:
    at.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,uid={owner}", "tmpfs", str(at)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        at.rmdir()
        raise PermissionError("a disk may be mounted by the administrator only")
    try:
        yield at
    finally:
        subprocess.run(["umount", "--lazy", str(at)], check=True)
        at.rmdir()


@contextmanager
def moved(database_url: str, server: Postgres | None, to: Path) -> Iterator[str]:
    """The database on that disk; on PostgreSQL a new one, which is gone afterwards. Gives its address."""
    if server is None:
        yield f"sqlite+aiosqlite:///{shutil.move(database_url.partition(':///')[2], to)}"
        return
    name = f"small{uuid.uuid4().hex}"
    url = server.create(name, "loaso_template")
    administrate(server, f"CREATE TABLESPACE small LOCATION '{to}'")
    administrate(server, f'ALTER DATABASE "{name}" SET TABLESPACE small')
    try:
        yield url
    finally:
        server.drop(name)
        administrate(server, "DROP TABLESPACE small")


async def no_room_for_the_journal(scene: Scene, disk: Path, seconds: float) -> None:
    """The server of the database finds no room for its write-ahead log, ends, and is started again after so long, when
    there is room."""
    server = scene.server
    assert server is not None
    with full(disk):
        with suppress(psycopg.OperationalError):
            while (
                server.process.poll() is None
            ):  # what is written anyway fills the file that is open, this does it at once
                await asyncio.to_thread(administrate, server, "SELECT pg_switch_wal()")
                await asyncio.to_thread(administrate, server, "SELECT pg_logical_emit_message(false, '', 'full')")
        await asyncio.to_thread(server.process.wait, 20)
        await asyncio.sleep(seconds)
    await asyncio.to_thread(server.start)


@contextmanager
def full(at: Path) -> Iterator[None]:
    """Not one byte is free on that disk."""
    ballast = at / "ballast"
    with ballast.open("wb", buffering=0) as file:
        while free := shutil.disk_usage(at).free:
            file.write(bytes(min(free, 1 << 20)))
    try:
        yield
    finally:
        ballast.unlink()
