"""The queue's own tables: made once, where a cluster is wanted. Our migrations know nothing of them."""

from __future__ import annotations

import sqlalchemy as sa
from procrastinate.schema import SchemaManager

from bot.db.direct import raw
from bot.db.session import Database

_LOCK = 7_046_032  # any number that nobody else uses as an advisory lock on this database
_LOCK_FREED = """
CREATE OR REPLACE FUNCTION loaso_lock_freed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('procrastinate_queue_v1#' || OLD.queue_name,
        json_build_object('type', 'job_inserted', 'job_id', OLD.id)::text);
    RETURN NULL;
END;
$$;
CREATE OR REPLACE TRIGGER loaso_lock_freed_by_end AFTER DELETE ON procrastinate_jobs
    FOR EACH ROW WHEN (OLD.status = 'doing' AND OLD.lock IS NOT NULL) EXECUTE FUNCTION loaso_lock_freed();
CREATE OR REPLACE TRIGGER loaso_lock_freed_by_change AFTER UPDATE OF status ON procrastinate_jobs
    FOR EACH ROW WHEN (OLD.status = 'doing' AND NEW.status <> 'doing' AND OLD.lock IS NOT NULL)
    EXECUTE FUNCTION loaso_lock_freed();
"""
"""Procrastinate tells workers of a new job and not of a lock that is free again: the next job of an account would wait
for somebody to look."""


async def ensure(database: Database) -> bool:
    """Make the tables if there are none; returns whether they were made. Safe to call from many processes."""
    async with database.write() as tx:
        await tx.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        if (await tx.execute(sa.text("SELECT to_regclass('procrastinate_jobs')"))).scalar_one() is not None:
            return False
        connection = await raw(tx)
        await connection.execute(SchemaManager.get_schema())
        await connection.execute(_LOCK_FREED)
        return True
