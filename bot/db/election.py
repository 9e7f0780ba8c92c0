"""Seats that one process at a time may hold: advisory locks of one session, gone when the session is."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any

from psycopg import AsyncConnection, InterfaceError, OperationalError

from bot.core.errors import UserError
from bot.db.direct import connect
from bot.db.guard import KEY
from bot.db.session import Database

CLOCK = 0
"""The seat of the clock. The seat of whoever polls an account's token is the account's id."""

_KIND = 7_046_031
_ANSWER_WITHIN = 3.0
_IDLE = 10
"""Seconds without a word from us after which the server ends the session: a process that stands still holds no seat."""
_LOCAL = (
    "A 'loaso run' with LOASO_ENGINE=local sends on this database: stop it first, "
    "or set LOASO_ENGINE=cluster for all processes"
)


class Seats:
    """Raises `ConnectionError` when the session is gone, and with it every seat."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._connection: AsyncConnection[Any] | None = None

    async def open(self) -> None:
        """Begin a session. Raises `UserError` while the engine of one process sends on this database: until this
        session ends, none may."""
        try:
            self._connection = await connect(self.database, "election", idle_session_timeout=f"{_IDLE}s")
        except OperationalError as error:
            raise ConnectionError("no session for the election") from error
        ((alone,),) = await self._ask("SELECT pg_try_advisory_lock_shared(%s)", (KEY,))
        if not alone:
            await self.close()
            raise UserError(_LOCAL)

    async def take(self, wanted: Sequence[int]) -> list[int]:
        """Say that we are alive, and try for these seats. Returns those that are ours now."""
        rows = await self._ask(
            "SELECT seat FROM unnest(%s::int[]) AS wanted (seat) WHERE pg_try_advisory_lock(%s, seat)",
            (list(wanted), _KIND),
        )
        return [seat for (seat,) in rows]

    async def _ask(self, statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        if self._connection is None:
            raise ConnectionError("there is no session")
        try:
            async with asyncio.timeout(_ANSWER_WITHIN):
                cursor = await self._connection.execute(statement, values)
                return await cursor.fetchall()
        except (OperationalError, InterfaceError, TimeoutError) as error:
            await self.close()
            raise ConnectionError("the session of the election is gone") from error

    async def close(self) -> None:
        """End the session: all seats are free."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(OperationalError):
                await connection.close()
