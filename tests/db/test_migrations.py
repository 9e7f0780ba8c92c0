"""Migrations: on both databases, up, down and up again, and the same as the tables say."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from bot.core.errors import UserError
from bot.core.words import UnitKind
from bot.db import Database, units
from bot.db.migrate import config, migrate
from bot.db.partitions import no_partition
from bot.db.tables import Base
from tests.support.postgres import Postgres


@pytest.fixture(params=["sqlite", "postgres"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/var/new.db"
    server: Postgres = request.getfixturevalue("postgres")
    return server.create(f"m{abs(hash(str(tmp_path)))}")


async def test_an_empty_database_becomes_what_the_tables_say(empty_url: str) -> None:
    database = Database(empty_url)
    assert await migrate(database)
    assert not await migrate(database)

    def differences(connection: sa.Connection) -> Any:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "include_name": no_partition})
        return compare_metadata(context, Base.metadata)

    async with database.engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await database.close()


async def test_down_and_up_again(empty_url: str) -> None:
    database = Database(empty_url)
    await migrate(database)
    async with database.engine.begin() as connection:
        await connection.run_sync(lambda c: command.downgrade(config(c), "base"))
        names = await connection.run_sync(lambda c: sa.inspect(c).get_table_names())
    assert set(names) <= {"alembic_version"}
    assert await migrate(database)
    await database.close()


async def test_the_province_and_its_41_communes_are_there(database: Database) -> None:
    async with database.read() as tx:
        root = await units.root(tx)
        everything = (await tx.execute(sa.text("SELECT code, kind, path FROM unit"))).all()
        dong_thuan = await units.by_code(tx, "18859")
        assert dong_thuan is not None
        chain = await units.chain(tx, dong_thuan)
    assert (root.code, root.name, root.kind) == ("44", "Tỉnh Quảng Trị", UnitKind.PROVINCE)
    communes = [row for row in everything if row.code != "44"]
    assert len(communes) == 41
    assert all(row.path == f"/44/{row.code}/" for row in communes)
    assert [u.code for u in chain] == ["44", "18859"]
    assert "Phường Bắc Lý" in dong_thuan.aliases


async def test_two_processes_may_migrate_at_once(empty_url: str) -> None:
    databases = [Database(empty_url) for _ in range(3)]
    changed = await asyncio.gather(*(migrate(d) for d in databases))
    assert sorted(changed) == [False, False, True]
    for database in databases:
        await database.close()


async def test_a_database_of_a_newer_program_is_not_touched(database: Database) -> None:
    async with database.write() as tx:
        await tx.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(UserError, match="newer Loa Số"):
        await migrate(database)
