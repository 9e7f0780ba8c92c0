"""Transactions: one writer, nothing half done, times and words as they went in."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from bot.core.errors import UserError
from bot.core.words import AccountState
from bot.db import Database, accounts
from bot.db.guard import SoleSender
from bot.db.tables import Account
from bot.db.types import from_micros, to_micros
from tests.support.postgres import Postgres

NOW = datetime(2026, 11, 23, 2, 0, 0, 123456, tzinfo=UTC)


async def test_times_and_words_come_back_as_they_went_in(database: Database) -> None:
    hanoi = NOW.astimezone(timezone(timedelta(hours=7)))
    async with database.write() as tx:
        await accounts.ensure(tx, "telegram:1", hanoi)
    async with database.read() as tx:
        found = await accounts.ensure_known(tx, "telegram:1")
    assert found.created_at == NOW
    assert found.created_at.tzinfo is UTC
    assert found.state is AccountState.ACTIVE


async def test_a_moment_without_a_zone_is_refused(database: Database) -> None:
    with pytest.raises(sa.exc.StatementError, match="without a time zone"):
        async with database.write() as tx:
            await accounts.ensure(tx, "telegram:1", NOW.replace(tzinfo=None))


@given(st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001  # bounds are naive
def test_microseconds_are_exact(moment: datetime) -> None:
    assert from_micros(to_micros(moment)) == moment


async def test_what_raises_leaves_nothing_behind(database: Database) -> None:
    with pytest.raises(RuntimeError):
        async with database.write() as tx:
            await accounts.ensure(tx, "telegram:1", NOW)
            raise RuntimeError
    async with database.read() as tx:
        assert (await tx.execute(sa.select(sa.func.count()).select_from(Account))).scalar_one() == 0


async def test_many_writers_wait_for_one_another(database: Database) -> None:
    async def add(number: int) -> None:
        async with database.write() as tx:
            await accounts.ensure(tx, f"telegram:{number}", NOW)

    await asyncio.gather(*(add(n) for n in range(30)))
    async with database.read() as tx:
        assert (await tx.execute(sa.select(sa.func.count()).select_from(Account))).scalar_one() == 30


async def test_two_connections_to_one_file_wait_too(sqlite_url: str) -> None:
    first, second = Database(sqlite_url), Database(sqlite_url)

    async def add(database: Database, number: int) -> None:
        async with database.write() as tx:
            await accounts.ensure(tx, f"telegram:{number}", NOW)
            await asyncio.sleep(0.005)

    await asyncio.gather(*(add((first, second)[n % 2], n) for n in range(20)))
    async with first.read() as tx:
        assert len(await accounts.everyone(tx)) == 20
        assert (await tx.execute(sa.text("PRAGMA foreign_keys"))).scalar_one() == 1
        assert (await tx.execute(sa.text("PRAGMA journal_mode"))).scalar_one() == "wal"
    await first.close()
    await second.close()


async def test_only_one_process_may_send(database: Database, tmp_path: Path) -> None:
    path = tmp_path / "loaso.db" if database.is_sqlite else None
    first, second = SoleSender(database, path), SoleSender(database, path)
    await first.take()
    assert await first.held()
    with pytest.raises(UserError, match="already sends"):
        await second.take(patience=0.3)
    await first.release()
    await second.take()
    await second.release()


async def test_a_cut_connection_loses_the_lock_and_it_can_be_had_again(
    postgres: Postgres, postgres_template: str
) -> None:
    """A database that restarts forgets who held what."""
    url = postgres.create("lock_cut", postgres_template)
    first, second = Database(url), Database(url)
    mine, theirs = SoleSender(first, None), SoleSender(second, None)
    await mine.take()
    async with second.write() as tx:
        await tx.execute(
            sa.text("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted")
        )
    await asyncio.sleep(0.2)
    assert not await mine.held()
    await theirs.take()
    assert not await mine.retake()
    await theirs.release()
    assert await mine.retake()
    assert await mine.held()
    await mine.release()
    await first.close()
    await second.close()
