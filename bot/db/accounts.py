"""Queries about accounts: our tokens on the platforms."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from bot.core.words import AccountState, ContactState
from bot.db.session import Tx
from bot.db.sql import changed, insert
from bot.db.tables import Account, Contact

UNASSIGNED = "unassigned"


async def ensure(tx: Tx, key: str, now: datetime) -> Account:
    """The account with that key (`channel:id`), made if need be."""
    channel = key.partition(":")[0]
    row = {"key": key, "channel": channel, "state": AccountState.ACTIVE, "created_at": now}
    await tx.execute(insert(tx, Account).values(row).on_conflict_do_nothing(index_elements=["key"]))
    return await ensure_known(tx, key)


async def ensure_known(tx: Tx, key: str) -> Account:
    """The account with that key. Raises `NoResultFound` if there is none."""
    return (await tx.execute(sa.select(Account).where(Account.key == key))).scalar_one()


async def of_channel(tx: Tx, channel: str) -> list[Account]:
    """The accounts of a channel that stand for a real token, oldest first."""
    query = sa.select(Account).where(Account.channel == channel, Account.key != f"{channel}:{UNASSIGNED}")
    return list((await tx.execute(query.order_by(Account.id))).scalars())


async def everyone(tx: Tx) -> list[Account]:
    return list((await tx.execute(sa.select(Account).order_by(Account.id))).scalars())


async def set_state(tx: Tx, account_id: int, state: AccountState, problem: str | None = None) -> None:
    await tx.execute(sa.update(Account).where(Account.id == account_id).values(state=state, problem=problem))


async def stop(tx: Tx, account_id: int, problem: str) -> bool:
    """The platform refuses the account. Returns whether that is news."""
    worked = sa.and_(Account.id == account_id, Account.state != AccountState.STOPPED)
    fresh = await changed(tx, sa.update(Account).where(worked).values(state=AccountState.STOPPED)) > 0
    await tx.execute(sa.update(Account).where(Account.id == account_id).values(problem=problem))
    return fresh


async def adopt(tx: Tx, channel: str, to: Sequence[Account]) -> int:
    """Spread contacts that were imported before any account of their channel was known evenly over
    `to`. Returns how many."""
    orphan = sa.select(Account.id).where(Account.key == f"{channel}:{UNASSIGNED}").scalar_subquery()
    moved = 0
    for place, account in enumerate(to):
        mine = sa.and_(Contact.account_id == orphan, Contact.id % len(to) == place)
        known = sa.select(Contact.external_id).where(Contact.account_id == account.id)
        open_and_new = sa.and_(mine, Contact.external_id.not_in(known), Contact.state == ContactState.OPEN)
        moved += await changed(tx, sa.update(Contact).where(open_and_new).values(account_id=account.id))
    return moved
