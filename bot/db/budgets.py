"""Queries about what an account may still do in a month."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from bot.core.events import ChatKind
from bot.core.words import ContactState
from bot.db.session import Tx
from bot.db.sql import insert
from bot.db.tables import Budget, Contact

MESSAGES, PAID, ARTICLES = "messages", "paid", "articles"


async def reserve(tx: Tx, account_id: int, kind: str, month: str, wanted: int, limit: int) -> int:
    """Take up to `wanted` of what is left of `limit`. Returns how many were got; nobody else has them."""
    await _ensure(tx, account_id, kind, month)
    row = await _locked(tx, account_id, kind, month)
    got = max(0, min(wanted, limit - row.used))
    row.used += got
    await tx.flush()
    return got


async def give_back(tx: Tx, account_id: int, kind: str, month: str, count: int) -> None:
    """So many were reserved and not used."""
    mine = (Budget.account_id == account_id, Budget.kind == kind, Budget.month == month)
    await tx.execute(sa.update(Budget).where(*mine).values(used=Budget.used - count))


async def fill(tx: Tx, account_id: int, kind: str, month: str, limit: int) -> None:
    """The platform says that nothing is left."""
    await _ensure(tx, account_id, kind, month)
    mine = (Budget.account_id == account_id, Budget.kind == kind, Budget.month == month, Budget.used < limit)
    await tx.execute(sa.update(Budget).where(*mine).values(used=limit))


async def used(tx: Tx, account_id: int, kind: str, month: str) -> int:
    query = sa.select(Budget.used).where(Budget.account_id == account_id, Budget.kind == kind, Budget.month == month)
    return (await tx.execute(query)).scalar_one_or_none() or 0


async def warn_once(tx: Tx, account_id: int, kind: str, month: str) -> bool:
    """Whether nobody has been warned yet in this month; from now on somebody has."""
    await _ensure(tx, account_id, kind, month)
    row = await _locked(tx, account_id, kind, month)
    fresh, row.warned = not row.warned, True
    await tx.flush()
    return fresh


async def chats(tx: Tx, account_id: int, kind: ChatKind) -> int:
    """How many chats of a kind the account has."""
    query = sa.select(sa.func.count()).select_from(Contact)
    mine = (Contact.account_id == account_id, Contact.kind == kind, Contact.state == ContactState.OPEN)
    return (await tx.execute(query.where(*mine))).scalar_one()


async def windows(tx: Tx, account_id: int, free: datetime, closes: datetime) -> tuple[int, int, int]:
    """How many open private chats of an account wrote after `free`, before that but after `closes`, and earlier or
    never."""
    wrote = Contact.last_in_at
    kinds = (wrote >= free, sa.and_(wrote < free, wrote >= closes), sa.or_(wrote.is_(None), wrote < closes))
    counts = [sa.func.coalesce(sa.func.sum(sa.case((kind, 1), else_=0)), 0) for kind in kinds]
    mine = (
        Contact.account_id == account_id,
        Contact.kind == ChatKind.PRIVATE,
        Contact.state == ContactState.OPEN,
    )
    within, paid, closed = (await tx.execute(sa.select(*counts).where(*mine))).one()
    return int(within), int(paid), int(closed)


async def _ensure(tx: Tx, account_id: int, kind: str, month: str) -> None:
    row = {"account_id": account_id, "kind": kind, "month": month, "used": 0, "warned": False}
    await tx.execute(insert(tx, Budget).values(row).on_conflict_do_nothing())


async def _locked(tx: Tx, account_id: int, kind: str, month: str) -> Budget:
    key = (account_id, kind, month)
    return await tx.get_one(Budget, key, with_for_update=True, populate_existing=True)
