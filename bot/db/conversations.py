"""Queries about conversations: what the bot waits for from each contact, so that a restart forgets nothing."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bot.db.session import Tx
from bot.db.sql import changed, insert
from bot.db.tables import Account, Contact, Conversation


async def get(tx: Tx, contact_id: int) -> Conversation | None:
    return await tx.get(Conversation, contact_id, populate_existing=True)


async def step_of(tx: Tx, account: str, external_id: str) -> str | None:
    """What the bot waits for from whoever has that id on the account with that key."""
    query = (
        sa.select(Conversation.step)
        .join(Contact, Contact.id == Conversation.contact_id)
        .join(Account, Account.id == Contact.account_id)
        .where(Account.key == account, Contact.external_id == external_id)
    )
    return (await tx.execute(query)).scalar_one_or_none()


async def put(tx: Tx, contact_id: int, step: str, data: dict[str, Any], now: datetime) -> None:
    row = {"contact_id": contact_id, "step": step, "data": data, "updated_at": now}
    change = {"step": step, "data": data, "updated_at": now}
    statement = insert(tx, Conversation).values(row)
    await tx.execute(statement.on_conflict_do_update(index_elements=["contact_id"], set_=change))


async def drop(tx: Tx, contact_id: int) -> None:
    await tx.execute(sa.delete(Conversation).where(Conversation.contact_id == contact_id))


async def take(tx: Tx, contact_id: int) -> bool:
    """Drop it for good; false if another transaction has done so first. What may happen only once hangs on this."""
    return bool(await changed(tx, sa.delete(Conversation).where(Conversation.contact_id == contact_id)))


async def drop_older(tx: Tx, than: datetime) -> int:
    """Forget what was never finished."""
    return await changed(tx, sa.delete(Conversation).where(Conversation.updated_at < than))
