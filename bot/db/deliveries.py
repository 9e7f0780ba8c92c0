"""Queries about deliveries and slices: claim, settle, recover. No network ever happens between begin and commit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import sqlalchemy as sa

from bot.core.errors import Reason
from bot.core.words import ContactState, DeliveryState, PersonStatus, RunState
from bot.db.session import Tx
from bot.db.sql import changed
from bot.db.tables import Campaign, Contact, Delivery, Person, Run, Slice
from bot.db.traffic_rows import Claimed, Outcome

__all__ = ["Claimed", "Outcome"]


async def claim(
    tx: Tx, run_id: int, account_id: int, *, after: int, limit: int, owner: str, lease_until: datetime
) -> tuple[int, list[Claimed]]:
    """Take the next waiting deliveries of a run that this account can send, walking the people by id from `after`.
    A person with several open contacts on the account gets one. Returns the slice's id (0 if nothing was left)."""
    chosen = (
        sa.select(Delivery.person_id, sa.func.min(Contact.id).label("contact_id"))
        .join(Contact, Contact.person_id == Delivery.person_id)
        .join(Person, Person.id == Delivery.person_id)
        .where(
            Delivery.run_id == run_id,
            Delivery.person_id > after,
            Delivery.state == DeliveryState.WAITING,
            Person.status != PersonStatus.STOPPED,
            Contact.account_id == account_id,
            Contact.state == ContactState.OPEN,
        )
        .group_by(Delivery.person_id)
        .order_by(Delivery.person_id)
        .limit(limit)
        .subquery()
    )
    taken = (
        sa.update(Delivery)
        .where(
            Delivery.run_id == run_id,
            Delivery.person_id == chosen.c.person_id,
            Delivery.state == DeliveryState.WAITING,
        )
        .values(state=DeliveryState.SENDING, contact_id=chosen.c.contact_id)
        .returning(Delivery.contact_id)
        .execution_options(synchronize_session=False)
    )
    mine = list((await tx.execute(taken)).scalars())
    if not mine:
        return 0, []
    query = (
        sa.select(Person.id, Contact.id, Contact.external_id, Contact.kind, Person.language)
        .join(Contact, Contact.person_id == Person.id)
        .where(Contact.id.in_(mine))
        .order_by(Person.id)
    )
    claimed = [Claimed(run_id, *row) for row in (await tx.execute(query)).all()]
    found = Slice(
        run_id=run_id,
        account_id=account_id,
        owner=owner,
        first=claimed[0].person_id,
        last=claimed[-1].person_id,
        lease_until=lease_until,
    )
    tx.add(found)
    await tx.flush()
    return found.id, claimed


async def settle(tx: Tx, outcomes: Sequence[Outcome]) -> None:
    """Write down how deliveries ended, in bulk. Only rows that are still being sent change: what another process
    has declared unknown stays so, and an erased person's row stays without their message."""
    if not outcomes:
        return
    statement = (
        sa.update(Delivery)
        .where(
            Delivery.run_id == sa.bindparam("b_run"),
            Delivery.person_id == sa.bindparam("b_person"),
            Delivery.state == DeliveryState.SENDING,
        )
        .values(
            state=sa.bindparam("b_state", type_=Delivery.state.type),
            reason=sa.bindparam("b_reason", type_=Delivery.reason.type),
            message_id=sa.case((Delivery.contact_id.is_(None), None), else_=sa.bindparam("b_message", type_=sa.Text())),
            at=sa.bindparam("b_at", type_=Delivery.at.type),
        )
    )
    rows = [
        {
            "b_run": o.run_id,
            "b_person": o.person_id,
            "b_state": o.state,
            "b_reason": o.reason,
            "b_message": o.message_id,
            "b_at": o.at,
        }
        for o in outcomes
    ]
    connection = await tx.connection()
    await connection.execute(statement, rows)


async def close_slices(tx: Tx, ids: Sequence[int]) -> None:
    if ids:
        await tx.execute(sa.delete(Slice).where(Slice.id.in_(ids)))


async def renew(tx: Tx, owner: str, lease_until: datetime) -> None:
    """Say that this sender is alive."""
    await tx.execute(sa.update(Slice).where(Slice.owner == owner).values(lease_until=lease_until))


async def recover(tx: Tx, now: datetime, *, all_owners: bool = False) -> int:
    """Declare unknown what dead senders had claimed: slices whose lease has passed, or every slice when the caller
    knows that nobody else can be sending. Runs of a campaign that resends unknown ones let them wait again.
    Returns how many deliveries."""
    query = sa.select(Slice) if all_owners else sa.select(Slice).where(Slice.lease_until < now)
    dead = list((await tx.execute(query.with_for_update(skip_locked=True))).scalars())
    again = set(
        (
            await tx.execute(
                sa.select(Run.id)
                .join(Campaign, Campaign.id == Run.campaign_id)
                .where(Run.id.in_({s.run_id for s in dead}), Campaign.resend_unknown.is_(True))
            )
        ).scalars()
    )
    unknown = {"state": DeliveryState.UNKNOWN, "reason": Reason.INTERRUPTED, "at": now}
    waiting = {"state": DeliveryState.WAITING, "reason": None, "at": None}
    lost = 0
    for found in dead:
        change = waiting if found.run_id in again else unknown
        lost += await changed(tx, sa.update(Delivery).where(_in_flight(found)).values(**change))
    await close_slices(tx, [found.id for found in dead])
    return lost


async def release(tx: Tx, owner: str) -> int:
    """Give back what this sender had claimed and never begun: it waits again. Returns how many deliveries."""
    mine = list((await tx.execute(sa.select(Slice).where(Slice.owner == owner))).scalars())
    waiting = {"state": DeliveryState.WAITING, "reason": None, "at": None}
    given = 0
    for found in mine:
        given += await changed(tx, sa.update(Delivery).where(_in_flight(found)).values(**waiting))
    await close_slices(tx, [found.id for found in mine])
    return given


def _in_flight(found: Slice) -> sa.ColumnElement[bool]:
    """The deliveries of a slice without an outcome."""
    of_account = sa.select(Contact.id).where(
        Contact.account_id == found.account_id, Contact.person_id.between(found.first, found.last)
    )
    return sa.and_(
        Delivery.run_id == found.run_id,
        Delivery.person_id.between(found.first, found.last),
        Delivery.state == DeliveryState.SENDING,
        sa.or_(Delivery.contact_id.in_(of_account), Delivery.contact_id.is_(None)),
    )


async def requeue(tx: Tx, run_id: int, state: DeliveryState) -> int:
    """Let failed or unknown deliveries of a run wait again. People whose contact is closed, and those who said stop
    meanwhile, stay as they are."""
    can_reach = sa.and_(
        sa.exists().where(Contact.person_id == Delivery.person_id, Contact.state == ContactState.OPEN), _listens()
    )
    change = {"state": DeliveryState.WAITING, "reason": None, "at": None}
    return await changed(
        tx,
        sa.update(Delivery).where(Delivery.run_id == run_id, Delivery.state == state, can_reach).values(**change),
    )


async def skip_cancelled(tx: Tx, run_ids: Sequence[int], now: datetime) -> int:
    """What came back to a run that was cancelled meanwhile does not wait any more."""
    cancelled = sa.select(Run.id).where(Run.id.in_(run_ids), Run.state == RunState.CANCELLED)
    change = {"state": DeliveryState.SKIPPED, "reason": Reason.CANCELLED, "at": now}
    waits = sa.and_(Delivery.run_id.in_(cancelled), Delivery.state == DeliveryState.WAITING)
    return await changed(tx, sa.update(Delivery).where(waits).values(**change))


async def skip_waiting(tx: Tx, run_id: int, reason: Reason, now: datetime) -> int:
    """End what still waits, with a reason."""
    change = {"state": DeliveryState.SKIPPED, "reason": reason, "at": now}
    waits = sa.and_(Delivery.run_id == run_id, Delivery.state == DeliveryState.WAITING)
    return await changed(tx, sa.update(Delivery).where(waits).values(**change))


def _listens() -> sa.ColumnElement[bool]:
    """The person of a delivery is there and has not said stop."""
    return sa.exists().where(Person.id == Delivery.person_id, Person.status != PersonStatus.STOPPED)


async def skip_unreachable(tx: Tx, run_id: int, now: datetime, accounts: Sequence[int] | None) -> int:
    """End waiting deliveries of people who said stop, and of those who have no open contact any more on one of
    `accounts` (`None`: on any), with what closed it."""
    stopped = sa.and_(Delivery.run_id == run_id, Delivery.state == DeliveryState.WAITING, ~_listens())
    opted_out = {"state": DeliveryState.SKIPPED, "reason": Reason.OPTED_OUT, "at": now}
    count = await changed(tx, sa.update(Delivery).where(stopped).values(**opted_out))
    of_person = sa.and_(Contact.person_id == Delivery.person_id)
    ours = sa.true() if accounts is None else Contact.account_id.in_(accounts)
    why = (
        sa.select(Contact.closed_reason)
        .where(of_person, Contact.state == ContactState.CLOSED)
        .order_by(Contact.closed_at.desc())
        .limit(1)
        .correlate(Delivery)
        .scalar_subquery()
    )
    gone = sa.and_(
        Delivery.run_id == run_id,
        Delivery.state == DeliveryState.WAITING,
        ~sa.exists().where(of_person, Contact.state == ContactState.OPEN, ours),
    )
    reason = sa.func.coalesce(why, sa.literal(Reason.NO_ROUTE, Delivery.reason.type))
    change = {"state": DeliveryState.SKIPPED, "reason": reason, "at": now}
    return count + await changed(tx, sa.update(Delivery).where(gone).values(**change))


async def drop_person(tx: Tx, person_id: int, now: datetime) -> int:
    """Nothing more for somebody who has said stop."""
    change = {"state": DeliveryState.SKIPPED, "reason": Reason.OPTED_OUT, "at": now}
    live = sa.select(Run.id).where(Run.state.in_((RunState.SENDING, RunState.PAUSED, RunState.STOPPED)))
    waits = sa.and_(Delivery.run_id.in_(live), Delivery.person_id == person_id, Delivery.state == DeliveryState.WAITING)
    return await changed(tx, sa.update(Delivery).where(waits).values(**change))


async def any_open(tx: Tx, run_id: int) -> bool:
    """Whether something of a run still waits or is being sent."""
    still = (DeliveryState.WAITING, DeliveryState.SENDING)
    query = sa.select(sa.exists().where(Delivery.run_id == run_id, Delivery.state.in_(still)))
    return bool((await tx.execute(query)).scalar_one())


async def latest_run_of(tx: Tx, person_id: int, run_ids: Iterable[int]) -> Delivery | None:
    """That person's latest delivery among those runs."""
    query = sa.select(Delivery).where(Delivery.person_id == person_id, Delivery.run_id.in_(list(run_ids)))
    return (await tx.execute(query.order_by(Delivery.run_id.desc()).limit(1))).scalar_one_or_none()
