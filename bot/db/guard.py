"""One sender on a database: whoever holds this is the only process that sends, and knows it."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
from pathlib import Path
from typing import IO

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.errors import UserError
from bot.db.session import Database

KEY = 7_046_030
"""The advisory lock of whoever sends: alone, or shared by all processes of a cluster (see `bot.db.election`)."""
_TAKEN = "Another 'loaso run' already sends on this database: stop it first, or start this one with --no-send"


class SoleSender:
    """A lock that dies with its process: a locked file beside SQLite, a session's advisory lock on PostgreSQL.

    `take` raises `UserError` when another process holds it for longer than `patience` seconds.
    """

    def __init__(self, database: Database, path: Path | None) -> None:
        self.database = database
        self.path = path
        self._file: IO[str] | None = None
        self._connection: AsyncConnection | None = None

    async def take(self, patience: float = 5.0) -> None:
        for _ in range(max(1, int(patience / 0.25))):
            if await self._try():
                return
            await asyncio.sleep(0.25)
        raise UserError(_TAKEN)

    async def _try(self) -> bool:
        return self._try_file(self.path) if self.path is not None else await self._try_session()

    def _try_file(self, path: Path) -> bool:
        file = path.with_name(path.name + ".sender").open("a")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            return False
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self._file = file
        return True

    async def _try_session(self) -> bool:
        connection = await self.database.engine.connect()
        connection = await connection.execution_options(isolation_level="AUTOCOMMIT")
        taken = await connection.scalar(sa.text("SELECT pg_try_advisory_lock(:key)"), {"key": KEY})
        if taken:
            self._connection = connection
        else:
            await connection.close()
        return bool(taken)

    async def held(self) -> bool:
        """Whether the lock is still ours: a cut connection loses it."""
        if self._connection is None:
            return self._file is not None
        try:
            await self._connection.execute(sa.text("SELECT 1"))
        except sa.exc.DBAPIError:
            connection, self._connection = self._connection, None
            with contextlib.suppress(sa.exc.SQLAlchemyError):
                await connection.close()
            return False
        return True

    async def retake(self) -> bool:
        """Try once to have a lost lock back."""
        try:
            return await self._try()
        except (sa.exc.SQLAlchemyError, OSError):
            return False

    async def release(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
        if self._connection is not None:
            connection, self._connection = self._connection, None
            with contextlib.suppress(sa.exc.DBAPIError):
                await connection.execute(sa.text("SELECT pg_advisory_unlock_all()"))
            await connection.close()
