"""The partitions of the deliveries on PostgreSQL: about a month each, so that what is too old goes as a whole.

A partition holds the runs from one id to another, and ids rise with time: no query has to know. The current one is open
above. At the turn of a month it is closed a little above the newest run, in steps of which none keeps senders waiting:

1. a CHECK that nothing will lie above the end; new runs have `MARGIN` ids before they meet it
2. PostgreSQL proves it for what is there, beside everybody else's work
3. under a lock of milliseconds, the partition gets its end, without being read again, and the next one is made

Each step finds by itself how far it is. On SQLite there is one table, and nothing here does anything.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from bot.db.session import Database, Tx, is_passing
from bot.db.tables import Run

NAME = re.compile(r"delivery_\d{4}_\d{2}")
"""The year and month in which a partition was made; `0000_00` is what was there before there were any."""
MARGIN = 100
"""So many more runs still belong to a partition that is being closed."""
FILLED = 35
"""Percent of a page that is filled at first: a delivery is changed twice, and what stays in its page needs no new entry
in the index."""
_BOUNDS = re.compile(r"FROM \('?(MINVALUE|-?\d+)'?\) TO \('?(MAXVALUE|-?\d+)'?\)")
_ENDS = re.compile(r"run_id < '?(\d+)")


@dataclass(frozen=True, slots=True)
class Partition:
    """The runs from id `first` up to `end`, without it; `None` is no limit."""

    name: str
    first: int | None
    end: int | None

    @property
    def bounds(self) -> str:
        return f"FROM ({_limit(self.first, 'MINVALUE')}) TO ({_limit(self.end, 'MAXVALUE')})"

    @property
    def within(self) -> str:
        """The same as a condition."""
        above = "" if self.first is None else f"run_id >= {self.first} AND "
        return f"{above}run_id < {self.end}"


def _limit(id: int | None, otherwise: str) -> str:
    return otherwise if id is None else str(id)


def named(day: date) -> str:
    """The partition that is made in that month."""
    return f"delivery_{day:%Y_%m}"


def no_partition(name: str | None, kind: str, _parents: object) -> bool:
    """For Alembic, which would otherwise drop tables that `bot.db.tables` does not name."""
    return kind != "table" or NAME.fullmatch(name or "") is None


async def everything(tx: Tx) -> list[Partition]:
    """All partitions, the current one last."""
    query = (
        "SELECT c.relname, pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
        " WHERE i.inhparent = 'delivery'::regclass ORDER BY c.relname"
    )
    return [_read(name, bounds) for name, bounds in (await tx.execute(sa.text(query))).all()]


def _read(name: str, bounds: str) -> Partition:
    found = _BOUNDS.search(bounds)
    assert found is not None, bounds  # noqa: S101  # we have made it ourselves
    first, end = found.groups()
    return Partition(name, None if first == "MINVALUE" else int(first), None if end == "MAXVALUE" else int(end))


async def turn(database: Database, today: date, *, margin: int = MARGIN) -> bool:
    """Begin a new partition if a month has begun and the current one holds anything. Returns whether it did. Where the
    lock cannot be had within a second, the next call goes on."""
    if database.is_sqlite:
        return False
    async with database.write() as tx:
        current = (await everything(tx))[-1]
        if current.name >= named(today):
            return False
        end = await _announced(tx, current) or await announce(tx, current, margin)
    if end is None:
        return False
    closed = Partition(current.name, current.first, end)
    async with database.write() as tx:
        await _do(tx, f"ALTER TABLE {closed.name} VALIDATE CONSTRAINT {closed.name}_ends")
    async with database.write() as tx:
        if not await _lock(tx):
            return False
        await close(tx, closed, Partition(named(today), end, None))
    async with database.write() as tx:
        await _do(tx, "ANALYZE delivery")  # nobody else counts a table that is divided
    return True


async def _announced(tx: Tx, current: Partition) -> int | None:
    """Where the current partition is about to end, if it was said before."""
    query = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = :name"
    said = (await tx.execute(sa.text(query), {"name": f"{current.name}_ends"})).scalar_one_or_none()
    found = _ENDS.search(said or "")
    return int(found[1]) if found else None


async def announce(tx: Tx, current: Partition, margin: int) -> int | None:
    """Say where the current partition ends; `None` while it holds no run, or cannot be locked."""
    newest = (await tx.execute(sa.select(sa.func.coalesce(sa.func.max(Run.id), 0)))).scalar_one()
    if newest < (current.first or 1) or not await _lock(tx):
        return None
    closed = Partition(current.name, current.first, newest + 1 + margin)
    await _do(tx, f"ALTER TABLE {closed.name} ADD CONSTRAINT {closed.name}_ends CHECK ({closed.within}) NOT VALID")
    return closed.end


async def close(tx: Tx, closed: Partition, following: Partition) -> None:
    await _do(tx, f"ALTER TABLE delivery DETACH PARTITION {closed.name}")
    await _do(tx, f"ALTER TABLE delivery ATTACH PARTITION {closed.name} FOR VALUES {closed.bounds}")
    await _do(tx, f"ALTER TABLE {closed.name} DROP CONSTRAINT {closed.name}_ends")
    room = f"WITH (fillfactor = {FILLED})"
    await _do(tx, f"CREATE TABLE {following.name} PARTITION OF delivery FOR VALUES {following.bounds} {room}")


async def drop_rolled_up(database: Database) -> list[str]:
    """Drop the partitions of which every run is rolled up, so that their room on the disk is free again. Returns their
    names."""
    if database.is_sqlite:
        return []
    async with database.read() as tx:
        over = [part for part in await everything(tx) if await _is_over(tx, part)]
    dropped = []
    for part in over:
        async with database.write() as tx:
            if await _lock(tx):
                await _do(tx, f"DROP TABLE {part.name}")
                dropped.append(part.name)
    return dropped


async def _is_over(tx: Tx, part: Partition) -> bool:
    """Whether nothing is in a partition and nothing can come: a later run has ended."""
    if part.end is None:
        return False
    still = sa.exists().where(Run.id >= (part.first or 0), Run.id < part.end, Run.rolled_up_at.is_(None))
    later = sa.exists().where(Run.id >= part.end, Run.finished_at.is_not(None))
    return bool((await tx.execute(sa.select(sa.and_(~still, later)))).scalar_one())


async def _lock(tx: Tx) -> bool:
    """Hold everybody off the deliveries for a moment; false, and nothing is waited for any more, after a second."""
    await _do(tx, "SET LOCAL lock_timeout = '1s'")
    try:
        async with tx.begin_nested():
            await _do(tx, "LOCK TABLE delivery IN ACCESS EXCLUSIVE MODE")
    except sa.exc.OperationalError as error:
        if not is_passing(error):
            raise
        return False
    return True


async def _do(tx: Tx, statement: str) -> None:
    """DDL takes no parameters: names and numbers in it are our own."""
    await tx.execute(sa.text(statement))
