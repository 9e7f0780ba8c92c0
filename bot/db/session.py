"""One place starts and ends a transaction. SQLite: WAL, foreign keys on, busy timeout, one writer at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

Tx = AsyncSession
"""An open transaction: what every query function takes first."""

BUSY_SECONDS = 15
PRAGMAS = (
    f"busy_timeout={BUSY_SECONDS * 1000}",
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "temp_store=MEMORY",
    "cache_size=-16000",
)
"""Every commit reaches the disk before it counts: what has been sent does not wait again after a power cut."""


class Database:
    """The way to the database. `write()` is one transaction; on SQLite only one runs at a time in this process,
    and another process is waited for up to 15 s. `read()` sees one consistent state and changes nothing."""

    def __init__(self, url: str, *, pool: int = 10) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        self._lock = asyncio.Lock() if self.is_sqlite else nullcontext()
        self.at_close: list[Callable[[], Awaitable[None]]] = []
        if self.is_sqlite:
            Path(sa.make_url(url).database or "loaso.db").parent.mkdir(parents=True, exist_ok=True)
            self._writer = _sqlite(url, "BEGIN IMMEDIATE", 1)
            self._reader = _sqlite(url, "BEGIN", 4)
        else:
            self._writer = self._reader = create_async_engine(
                url,
                pool_size=pool,
                max_overflow=pool,
                pool_pre_ping=True,
                pool_timeout=30,
                json_serializer=_dumps,
                json_deserializer=orjson.loads,
                hide_parameters=True,
                connect_args={"connect_timeout": 10, "prepare_threshold": 5},
            )
        self._write = async_sessionmaker(self._writer, expire_on_commit=False, autoflush=False)
        self._read = async_sessionmaker(self._reader, expire_on_commit=False, autoflush=False)

    @property
    def engine(self) -> AsyncEngine:
        """For migrations and raw statements."""
        return self._writer

    @property
    def writing(self) -> AbstractAsyncContextManager[None]:
        """On SQLite: held by whoever writes in this process."""
        return self._lock

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Tx]:
        """One transaction: committed at the end, rolled back when anything is raised."""
        async with self._lock, self._write.begin() as tx:
            yield tx

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Tx]:
        async with self._read() as tx:
            yield tx

    async def close(self) -> None:
        while self.at_close:
            await self.at_close.pop()()
        await self._writer.dispose()
        if self._reader is not self._writer:
            await self._reader.dispose()


def _sqlite(url: str, begin: str, pool: int) -> AsyncEngine:
    engine = create_async_engine(
        url,
        pool_size=pool,
        max_overflow=0,
        poolclass=sa.AsyncAdaptedQueuePool,
        json_serializer=_dumps,
        json_deserializer=orjson.loads,
        hide_parameters=True,
        connect_args={"timeout": BUSY_SECONDS},
    )

    @sa.event.listens_for(engine.sync_engine, "connect")
    def _connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves: the driver would say it too late
        cursor = connection.cursor()
        for pragma in PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @sa.event.listens_for(engine.sync_engine, "begin")
    def _begins(connection: sa.Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _dumps(value: Any) -> str:
    return orjson.dumps(value).decode()


def is_passing(error: BaseException) -> bool:
    """Whether the same transaction may succeed when it is tried again: a lock, a lost connection, a restart."""
    if isinstance(error, (OperationalError, InterfaceError, PoolTimeout, ConnectionError)):
        return True
    return isinstance(error, DBAPIError) and error.connection_invalidated
