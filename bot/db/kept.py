"""Queries about what is kept for somebody until they write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from bot.core.errors import Reason
from bot.core.words import CampaignKind, DeliveryState, RunState
from bot.db import tally
from bot.db.session import Tx
from bot.db.sql import changed
from bot.db.tables import Campaign, Delivery, Event, Item, Run
from bot.db.tally import NOBODY, Changes

_OVER = (RunState.CANCELLED, RunState.MISSED, RunState.STOPPED)


@dataclass(frozen=True, slots=True)
class Kept:
    """One thing that could not be sent to a person, and until when it is of use."""

    run_id: int
    person_id: int
    reason: Reason | None
    item: Item
    header: str
    kind: CampaignKind
    valid_until: datetime | None
    starts_at: datetime | None

    def is_worth(self, now: datetime, today: date) -> bool:
        """Whether it still says something true."""
        if self.starts_at is not None:
            return now < self.starts_at
        if self.kind is CampaignKind.ALERT:
            return self.valid_until is None or now < self.valid_until
        return self.item.expires_on is None or today <= self.item.expires_on


async def of_person(tx: Tx, person_id: int, reasons: Sequence[Reason], since: datetime) -> list[Kept]:
    """What is kept for a person from runs that began after `since`, the newest first."""
    lately = sa.select(Run.id).where(Run.started_at > since, Run.state.not_in(_OVER), Run.rolled_up_at.is_(None))
    query = (
        sa.select(Delivery.run_id, Delivery.reason, Item, Campaign, Run.valid_until, Event.starts_at)
        .join(Run, Run.id == Delivery.run_id)
        .join(Campaign, Campaign.id == Run.campaign_id)
        .join(Item, Item.id == Campaign.item_id)
        .outerjoin(Event, Event.id == Campaign.event_id)
        .where(
            Delivery.run_id.in_(lately),
            Delivery.person_id == person_id,
            Delivery.state == DeliveryState.SKIPPED,
            Delivery.reason.in_(reasons),
            Campaign.kind != CampaignKind.PRACTICE,  # the question of a day is of no use on another
        )
        .order_by(Run.planned_at.desc(), Run.id.desc())
    )
    return [
        Kept(run_id, person_id, reason, item, campaign.header, campaign.kind, valid_until, starts_at)
        for run_id, reason, item, campaign, valid_until, starts_at in (await tx.execute(query)).all()
    ]


async def brought(tx: Tx, one: Kept, account_id: int, contact_id: int, now: datetime) -> None:
    """It was said to them after all."""
    change = {"state": DeliveryState.SENT, "reason": None, "contact_id": contact_id, "at": now}
    n = await changed(tx, sa.update(Delivery).where(*_still(one)).values(**change))
    changes = Changes()
    changes.add(one.run_id, NOBODY, DeliveryState.SKIPPED, -n, one.reason)
    changes.add(one.run_id, account_id, DeliveryState.SENT, n)
    await tally.apply(tx, changes)


async def let_go(tx: Tx, one: Kept, now: datetime) -> None:
    """It is too old, or one of too many: it is not kept any longer."""
    change = {"reason": Reason.EXPIRED, "at": now}
    n = await changed(tx, sa.update(Delivery).where(*_still(one)).values(**change))
    changes = Changes()
    changes.add(one.run_id, NOBODY, DeliveryState.SKIPPED, -n, one.reason)
    changes.add(one.run_id, NOBODY, DeliveryState.SKIPPED, n, Reason.EXPIRED)
    await tally.apply(tx, changes)


def _still(one: Kept) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        Delivery.run_id == one.run_id,
        Delivery.person_id == one.person_id,
        Delivery.state == DeliveryState.SKIPPED,
        Delivery.reason == one.reason,
    )
