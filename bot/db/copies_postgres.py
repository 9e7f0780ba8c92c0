"""Copies of a PostgreSQL database, by its own tools: `pg_dump`, `pg_restore` and `psql`."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO, cast

import sqlalchemy as sa

from bot.core.errors import UserError
from bot.db.copies import POSTGRES_MARK, beside
from bot.db.tables import Base

_AT_ONCE = 1024 * 1024
_QUIET = ("--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--output=/dev/null")


def back_up_postgres(url: str, to: Path) -> None:
    """One consistent copy in one file; writers go on meanwhile. Raises `UserError`."""
    with beside(to) as copy, tempfile.TemporaryFile() as said:
        command = [_tool("pg_dump"), _target(url), "--format=custom", "--no-owner", "--no-privileges", f"--file={copy}"]
        done = subprocess.run(command, env=_environment(url), stderr=said, check=False)  # noqa: S603 - our own arguments
        if done.returncode:
            raise _failed("pg_dump", said)


def restore_postgres(copy: Path, url: str) -> None:
    """Put a copy in the place of what is there, in one transaction. Raises `UserError`, `OSError`.

    Our tables go first, as a whole: `pg_restore` alone would stumble over partitions, and leave tables that the copy
    does not know.
    """
    with copy.open("rb") as file:
        if file.read(len(POSTGRES_MARK)) != POSTGRES_MARK:
            raise UserError(f"{copy} is not a copy that pg_dump made of a PostgreSQL database")
    read = [_tool("pg_restore"), "--clean", "--if-exists", "--no-owner", "--no-privileges", "--file=-", str(copy)]
    ours = ", ".join(f'"{name}"' for name in (*Base.metadata.tables, "alembic_version"))
    away = f"--command=DROP TABLE IF EXISTS {ours} CASCADE"
    write = [_tool("psql"), _target(url), *_QUIET, "--single-transaction", away, "--file=-"]
    _pour(read, write, _environment(url))


def _pour(read: list[str], write: list[str], environment: dict[str, str]) -> None:
    """Let `psql` do what `pg_restore` says. Unless all was said, `psql` must not hear an end: it would commit."""
    with (
        tempfile.TemporaryFile() as why_not_read,
        tempfile.TemporaryFile() as why_not_written,
        subprocess.Popen(write, env=environment, stdin=subprocess.PIPE, stderr=why_not_written) as writer,  # noqa: S603
        subprocess.Popen(read, env=environment, stdout=subprocess.PIPE, stderr=why_not_read) as reader,  # noqa: S603
    ):
        said = False
        try:
            with suppress(BrokenPipeError):
                shutil.copyfileobj(cast("IO[bytes]", reader.stdout), cast("IO[bytes]", writer.stdin), _AT_ONCE)
                said = reader.wait() == 0
        finally:
            if not said:
                reader.kill()
                writer.kill()
        with suppress(BrokenPipeError):
            cast("IO[bytes]", writer.stdin).close()
        if reader.wait() > 0:
            raise _failed("pg_restore", why_not_read)
        if writer.wait():
            raise _failed("psql", why_not_written)


def _tool(name: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise UserError(
            f"A PostgreSQL database is copied by its own tools, and {name} is not installed here: "
            f"install postgresql-client, or run {name} on the database server"
        )
    return path


def _target(url: str) -> str:
    address = sa.make_url(url).set(drivername="postgresql", password=None)
    return f"--dbname={address.render_as_string()}"


def _environment(url: str) -> dict[str, str]:
    """The password is not on the command line, where everybody could read it."""
    password = sa.make_url(url).password
    quiet = {**os.environ, "PGCONNECT_TIMEOUT": "10", "PGOPTIONS": "--client-min-messages=warning"}
    return quiet if password is None else {**quiet, "PGPASSWORD": str(password)}


def _failed(program: str, said: IO[bytes]) -> UserError:
    said.seek(0)
    lines = said.read().decode(errors="replace").strip().splitlines() or ["no reason given"]
    return UserError(f"{program} failed: {lines[-1].removeprefix(f'{program}: ')}")
