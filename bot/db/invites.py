"""Queries about invites and referrals: who came through whom. The inviter sees counts, never people."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from bot.db.session import Tx
from bot.db.sql import changed, insert
from bot.db.tables import Invite, Referral


async def get(tx: Tx, code: str) -> Invite | None:
    return await tx.get(Invite, code)


async def of_person(tx: Tx, person_id: int, unit_id: int | None) -> Invite | None:
    """The invite of that person for that unit, if they have one."""
    same = Invite.unit_id.is_(None) if unit_id is None else Invite.unit_id == unit_id
    query = sa.select(Invite).where(Invite.person_id == person_id, same).order_by(Invite.created_at).limit(1)
    return (await tx.execute(query)).scalar_one_or_none()


async def add(tx: Tx, code: str, person_id: int | None, unit_id: int | None, now: datetime) -> bool:
    """False if the code is taken."""
    row = {"code": code, "person_id": person_id, "unit_id": unit_id, "created_at": now}
    return bool(await changed(tx, insert(tx, Invite).values(row).on_conflict_do_nothing()))


async def credit(tx: Tx, person_id: int, by_id: int | None, code: str, now: datetime) -> bool:
    """Write down who brought a person. False if somebody was written down before: the first one wins."""
    row = {"person_id": person_id, "by_id": by_id, "code": code, "at": now}
    return bool(await changed(tx, insert(tx, Referral).values(row).on_conflict_do_nothing()))


async def brought(tx: Tx, by_id: int) -> int:
    """How many people came through somebody."""
    query = sa.select(sa.func.count()).select_from(Referral).where(Referral.by_id == by_id)
    return (await tx.execute(query)).scalar_one()
