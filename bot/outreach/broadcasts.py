"""Broadcasts: whom one would reach, how many one may send, when it leaves, confirming it, undoing it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta
from enum import StrEnum

from bot.core.events import Outbound
from bot.core.words import CampaignKind, CampaignState, RunState
from bot.db import Tx, audit, events, runs, units
from bot.db import audience as queries
from bot.db.audience import Expression, Reach, condition
from bot.db.tables import Campaign, Contact, Item, Person, Run
from bot.outreach import budgets, campaigns, mandates
from bot.outreach.campaigns import Plan
from bot.outreach.desk import Desk
from bot.outreach.drafts import Draft
from bot.outreach.mandates import Mandate

FARTHEST = timedelta(days=60)
_USUAL_HOURS = (time(7), time(11), time(17), time(19))


class Undone(StrEnum):
    """What came of taking a broadcast back."""

    DONE = "undone"
    TOO_LATE = "undo_too_late"
    NOT_YOURS = "undo_not_yours"


async def reach(tx: Tx, desk: Desk, audience: Expression, at: datetime) -> Reach:
    """Whom a broadcast that leaves at `at` would reach; `capped` people will have had their share by then."""
    house, clock = desk.house, desk.clock
    today, week = clock.start_of_day(at), clock.start_of_day(at - timedelta(days=6))
    full = queries.capped(today, week, house.broadcasts_per_person_day, house.broadcasts_per_person_week)
    found = await budgets.expected(tx, desk, audience, at)
    return replace(found, capped=await queries.count(tx, [condition(audience), full]))


async def is_used_up(tx: Tx, desk: Desk, mandate: Mandate, person: Person, now: datetime) -> bool:
    """Whether that person has sent as many broadcasts today as their role may."""
    if not mandate.is_limited:
        return False
    since = desk.clock.start_of_day(now)
    used = await runs.by_author_since(tx, person.id, (CampaignKind.BROADCAST,), since)
    return used >= desk.house.broadcasts_per_head_day


def leaves_at(desk: Desk, wanted: datetime | None, now: datetime) -> datetime:
    """When something confirmed now would leave: not before the time to undo it, not in quiet hours."""
    return desk.clock.after_quiet(_earliest(desk, wanted, now))


def _earliest(desk: Desk, wanted: datetime | None, now: datetime) -> datetime:
    return max(wanted or now, now + desk.house.undo)


def usual_times(desk: Desk, now: datetime) -> list[datetime]:
    """Hours to choose from: those of today that are still to come, and tomorrow morning."""
    today = desk.clock.today(now)
    still = [desk.clock.at(today, hour) for hour in _USUAL_HOURS]
    tomorrow = desk.clock.at(today + timedelta(days=1), time(7))
    return [moment for moment in still if moment > now + desk.house.undo] + [tomorrow]


async def header(tx: Tx, desk: Desk, mandate: Mandate) -> str:
    """The line above a broadcast."""
    return desk.book.label("vi", "broadcast.header", sender=await mandates.sender(tx, desk, mandate))


async def is_repeated(tx: Tx, desk: Desk, mandate: Mandate, parts: list[Outbound], now: datetime) -> bool:
    """Whether the same words went to the same people within two days."""
    return await campaigns.duplicate_of(tx, desk, parts, mandate.audience, now) is not None


async def confirm(
    tx: Tx, desk: Desk, author: Person, mandate: Mandate, draft: Draft, account_id: int, now: datetime
) -> tuple[Campaign, Run | None]:
    """Make a draft a campaign. Its run leaves after the time to undo it; there is no run yet where it needs an
    approver. Raises `Duplicate` unless the author has been asked."""
    needs = mandate.needs_approval
    plan = Plan(
        kind=CampaignKind.BROADCAST,
        parts=draft.parts,
        audience=mandate.audience,
        at=_earliest(desk, draft.at, now),
        author_id=author.id,
        author_role=mandate.role,
        unit_id=mandate.unit.id,
        header=await header(tx, desk, mandate),
        account_id=account_id,
        again=draft.again,
        state=CampaignState.PROPOSED if needs else CampaignState.APPROVED,
    )
    campaign, run = await campaigns.create(tx, desk, plan, now)
    action = "broadcast.proposed" if needs else "broadcast.confirmed"
    await audit.note(tx, now, action, f"campaign:{campaign.id}", actor_id=author.id, audience=campaign.audience)
    return campaign, run


async def carry_on(
    tx: Tx,
    desk: Desk,
    author: Person,
    mandate: Mandate,
    item: Item,
    now: datetime,
    *,
    valid_until: datetime,
    event_id: int | None = None,
    again: bool = False,
) -> tuple[Campaign, Run]:
    """Send an approved item to the mandate's people in the author's name: what is approved needs nobody's consent
    a second time. Nothing arrives after `valid_until`, which must be after `leaves_at`. Raises `Duplicate` unless
    the author has been asked."""
    plan = Plan(
        kind=CampaignKind.BROADCAST,
        item=item,
        audience=mandate.audience,
        at=_earliest(desk, None, now),
        author_id=author.id,
        author_role=mandate.role,
        unit_id=mandate.unit.id,
        header=await header(tx, desk, mandate),
        event_id=event_id,
        again=again,
        valid_for=valid_until - leaves_at(desk, None, now),
    )
    campaign, run = await campaigns.create(tx, desk, plan, now)
    assert run is not None  # noqa: S101  # the plan is approved
    await audit.note(tx, now, "item.carried_on", f"campaign:{campaign.id}", actor_id=author.id, item=item.id)
    return campaign, run


def watch(run: Run, contact: Contact) -> None:
    """From now on that contact sees how the run goes."""
    run.progress_contact_id = contact.id


async def undo(tx: Tx, person: Person, run_id: int, now: datetime) -> Undone:
    """Take a run back before it begins. Only its author may; an event that was being announced goes with it."""
    run = await runs.get(tx, run_id, lock=True)
    campaign = await runs.campaign(tx, run.campaign_id) if run is not None else None
    if run is None or campaign is None or campaign.author_id != person.id:
        return Undone.NOT_YOURS
    if run.state not in (RunState.PLANNED, RunState.PAUSED) or run.materialised_at is not None:
        return Undone.TOO_LATE
    await campaigns.cancel(tx, run, now)
    run.reported_at = now
    if campaign.kind is CampaignKind.EVENT and campaign.event_id is not None:
        await events.cancel(tx, campaign.event_id, now)
    await audit.note(tx, now, "broadcast.undone", f"campaign:{campaign.id}", actor_id=person.id)
    return Undone.DONE


async def place_of(tx: Tx, campaign: Campaign) -> str:
    """The name of the unit in whose people a campaign is interested; empty for operators' campaigns."""
    unit = await units.get(tx, campaign.unit_id) if campaign.unit_id is not None else None
    return unit.name if unit is not None else ""
