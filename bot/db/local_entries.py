"""Queries about questions and answers that people here wrote for the bot to know."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from bot.core.words import EntryState
from bot.db.session import Tx
from bot.db.sql import changed
from bot.db.tables import Unit
from bot.db.tables_questions import LocalEntry

Version = tuple[int, datetime | None]
"""How many entries are published, and when the last one changed."""


async def add(tx: Tx, entry: LocalEntry) -> LocalEntry:
    tx.add(entry)
    await tx.flush()
    return entry


async def lock(tx: Tx, entry_id: int) -> LocalEntry | None:
    """The entry as it is now; nobody else changes it before this transaction ends."""
    return await tx.get(LocalEntry, entry_id, with_for_update=True, populate_existing=True)


async def in_state(tx: Tx, state: EntryState) -> list[LocalEntry]:
    """Entries in that state, oldest first."""
    query = sa.select(LocalEntry).where(LocalEntry.state == state).order_by(LocalEntry.id)
    return list((await tx.execute(query)).scalars())


async def below(tx: Tx, state: EntryState, paths: Sequence[str], limit: int) -> list[LocalEntry]:
    """Entries in that state from the units below these paths, oldest first."""
    inside = sa.or_(sa.false(), *(Unit.path.startswith(path, autoescape=True) for path in paths))
    query = sa.select(LocalEntry).join(Unit, Unit.id == LocalEntry.unit_id).where(LocalEntry.state == state, inside)
    return list((await tx.execute(query.order_by(LocalEntry.id).limit(limit))).scalars())


async def version(tx: Tx) -> Version:
    """Changes whenever another set of entries is published."""
    query = sa.select(sa.func.count(), sa.func.max(LocalEntry.changed_at))
    published = query.where(LocalEntry.state == EntryState.PUBLISHED)
    count, changed_at = (await tx.execute(published)).one()
    return count, changed_at


async def drop_words_older(tx: Tx, than: datetime) -> int:
    """Of what was not published until then, or was taken out, only how it was decided stays: phrasings are words of
    people. The row stays, too: its number must never mean another entry to a button of today."""
    old = sa.and_(LocalEntry.changed_at <= than, LocalEntry.title != "")
    waits = sa.and_(old, LocalEntry.state == EntryState.PROPOSED)
    await changed(tx, sa.update(LocalEntry).where(waits).values(state=EntryState.REJECTED))
    unused = sa.and_(old, LocalEntry.state != EntryState.PUBLISHED)
    return await changed(tx, sa.update(LocalEntry).where(unused).values(title="", phrasings=[], answer=""))
