"""Bringing the database up to this program's schema, by one process at a time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from bot.core.errors import UserError
from bot.db.session import Database

if TYPE_CHECKING:  # Alembic takes 0.4 s to import, and most commands find nothing to do
    from alembic.config import Config

_FOLDER = Path(__file__).parent / "migrations"
_LOCK = 7_046_029  # any number that nobody else uses as an advisory lock on this database


async def migrate(database: Database) -> bool:
    """Migrate if the database is behind; returns whether anything changed. Safe to call from many processes.

    Raises `UserError` when the database was written by a newer program.
    """
    async with database.engine.connect() as connection:
        if await connection.run_sync(_is_newest):
            return False
    async with database.write() as tx:
        connection = await tx.connection()
        if not database.is_sqlite:
            await connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        return await connection.run_sync(_upgrade)


def config(connection: sa.Connection | None = None) -> Config:
    """Alembic's configuration without a file: migrations live in the package."""
    from alembic.config import Config

    found = Config()
    found.set_main_option("script_location", str(_FOLDER))
    found.attributes["connection"] = connection
    return found


def newest() -> str:
    """The revision of this program: the last migration by name (`m0001_…` makes revision `0001`)."""
    return max(path.name[1:5] for path in (_FOLDER / "versions").glob("m[0-9]*.py"))


def _is_newest(connection: sa.Connection) -> bool:
    if not sa.inspect(connection).has_table("alembic_version"):
        return False
    return bool(connection.scalar(sa.text("SELECT version_num FROM alembic_version")) == newest())


def _is_current(connection: sa.Connection) -> bool:
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    current = MigrationContext.configure(connection).get_current_revision()
    script = ScriptDirectory.from_config(config())
    if current == script.get_current_head():
        return True
    if current is not None and current not in {s.revision for s in script.walk_revisions()}:
        raise UserError(
            f"The database was written by a newer Loa Số (revision {current}): update this program, "
            "or restore the backup that was made before the upgrade."
        )
    return False


def _upgrade(connection: sa.Connection) -> bool:
    from alembic import command

    if _is_current(connection):
        return False
    command.upgrade(config(connection), "head")
    return True
