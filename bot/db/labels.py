"""Queries about labels that people carry on a platform."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from bot.core.events import ChatKind
from bot.core.words import ContactState, PersonStatus, TargetGroup, UnitKind
from bot.db.session import Tx
from bot.db.tables import Account, Contact, Person, Unit


@dataclass(frozen=True, slots=True)
class Labelled:
    """Somebody whose labels may be out of date. `commune` is the name of the commune in which they live; `state` is
    what the labels were made from."""

    contact_id: int
    account: str
    external_id: str
    labels: tuple[str, ...]
    commune: str | None
    group: TargetGroup | None
    state: str


async def stale(tx: Tx, accounts: Sequence[str], limit: int) -> list[Labelled]:
    """People of these accounts whose place or group is not what their labels were made from, without those who were
    passed over and have not written since."""
    place = sa.func.coalesce(Person.unit_id, 0)
    now = sa.cast(place, sa.Text) + sa.literal("/") + sa.func.coalesce(sa.cast(_code(), sa.Text), sa.literal("-"))
    labelled = sa.func.coalesce(Contact.labelled, "")
    query = (
        sa.select(Contact.id, Account.key, Contact.external_id, Contact.labels, Unit, Person.target_group, now)
        .join(Person, Person.id == Contact.person_id)
        .join(Account, Account.id == Contact.account_id)
        .outerjoin(Unit, Unit.id == Person.unit_id)
        .where(
            Account.key.in_(accounts),
            Contact.kind == ChatKind.PRIVATE,
            Contact.state == ContactState.OPEN,
            Contact.last_in_at.is_not(None),
            Person.status == PersonStatus.ACTIVE,
            labelled != now,
            labelled != now + _silent_since(),
        )
        .order_by(Contact.id)
        .limit(limit)
    )
    rows = (await tx.execute(query)).all()
    return [
        Labelled(id, key, external_id, tuple(labels or ()), await _commune(tx, unit), group, str(state))
        for id, key, external_id, labels, unit, group, state in rows
    ]


def _code() -> sa.ColumnElement[int]:
    """The target group as it is stored."""
    return sa.type_coerce(Person.target_group, sa.SmallInteger)


async def _commune(tx: Tx, unit: Unit | None) -> str | None:
    while unit is not None and unit.kind is UnitKind.VILLAGE and unit.parent_id is not None:
        unit = await tx.get(Unit, unit.parent_id)
    return unit.name if unit is not None and unit.kind is UnitKind.COMMUNE else None


async def put(tx: Tx, contact_id: int, labels: Sequence[str]) -> None:
    """These are their labels now."""
    await tx.execute(sa.update(Contact).where(Contact.id == contact_id).values(labels=list(labels)))


async def settle(tx: Tx, contact_id: int, state: str) -> None:
    """They carry everything that follows from `state`."""
    await tx.execute(sa.update(Contact).where(Contact.id == contact_id).values(labelled=state))


async def pass_over(tx: Tx, contact_id: int, state: str) -> None:
    """Not again before they write, or `state` changes."""
    waits = sa.literal(state) + _silent_since()
    await tx.execute(sa.update(Contact).where(Contact.id == contact_id).values(labelled=waits))


def _silent_since() -> sa.ColumnElement[str]:
    return sa.literal("!") + sa.cast(Contact.last_in_at, sa.Text)
