"""Events: announcing one, reminding those who come, calling it off."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from bot.core.clock import DAY_ENDS, Clock
from bot.core.events import Outbound
from bot.core.words import CampaignKind, ItemKind, RoleName
from bot.db import Tx, audit, events, items, runs, units
from bot.db.audience import Atom, Expression, Term
from bot.db.tables import Campaign, Event, Person, Run, Unit
from bot.outreach import campaigns, mandates, roles
from bot.outreach import items as content
from bot.outreach.campaigns import Plan
from bot.outreach.desk import Desk
from bot.outreach.event_drafts import EventDraft
from bot.outreach.mandates import Mandate

ANNOUNCERS = frozenset({RoleName.VILLAGE_HEAD, RoleName.EDITOR, RoleName.ADMIN})
FARTHEST = timedelta(days=366)
MOST_LISTED = 8
_SOON = timedelta(hours=3)
_ON_THE_WAY = timedelta(hours=1)
_PLANNED_AHEAD = timedelta(days=3)
_EVENING_BEFORE = time(18)
_INSTEAD_OF_NIGHT = time(20)


def is_in_time(desk: Desk, starts_at: datetime, now: datetime) -> bool:
    """Whether an announcement confirmed now leaves before the event begins."""
    return desk.clock.after_quiet(now + desk.house.undo) < starts_at


async def is_used_up(tx: Tx, desk: Desk, mandate: Mandate, person: Person, now: datetime) -> bool:
    """Whether that person has announced as many events today as their role may."""
    if not mandate.is_limited:
        return False
    used = await runs.by_author_since(tx, person.id, (CampaignKind.EVENT,), desk.clock.start_of_day(now))
    return used >= desk.house.events_per_head_day


async def announce(
    tx: Tx, desk: Desk, author: Person, mandate: Mandate, draft: EventDraft, account_id: int, now: datetime
) -> tuple[Event, Run]:
    """Write the event down and plan its announcement to the unit, after the time to undo it."""
    assert draft.starts_at is not None  # noqa: S101  # the step before has asked
    item = await items.add(
        tx,
        ItemKind.EVENT,
        content.dump(draft.announcement(desk)),
        now,
        title=draft.title,
        account_id=account_id,
        author_id=author.id,
    )
    event = await events.add(
        tx,
        now,
        item_id=item.id,
        unit_id=mandate.unit.id,
        title=draft.title,
        place=draft.place,
        description=draft.text,
        starts_at=draft.starts_at,
        author_id=author.id,
    )
    leaves = now + desk.house.undo
    plan = Plan(
        kind=CampaignKind.EVENT,
        item=item,
        audience=mandate.audience,
        at=leaves,
        author_id=author.id,
        author_role=mandate.role,
        unit_id=mandate.unit.id,
        header=await header(tx, desk, mandate),
        event_id=event.id,
        again=True,
        valid_for=draft.starts_at - desk.clock.after_quiet(leaves),
    )
    campaign, run = await campaigns.create(tx, desk, plan, now)
    assert run is not None  # noqa: S101  # the plan is approved
    await audit.note(tx, now, "event.announced", f"event:{event.id}", actor_id=author.id, campaign=campaign.id)
    return event, run


async def header(tx: Tx, desk: Desk, mandate: Mandate) -> str:
    """The line above an announcement."""
    return desk.book.label("vi", "event.header", sender=await mandates.sender(tx, desk, mandate))


async def may_manage(tx: Tx, person: Person, event: Event) -> bool:
    """Whether a person may call the event off and see how many come: its author while they hold a role for the
    place, and the editors of the place."""
    unit = await units.get(tx, event.unit_id)
    if unit is None:
        return False
    names = ANNOUNCERS if event.author_id == person.id else (RoleName.EDITOR, RoleName.ADMIN)
    return await roles.may(tx, person, names, unit)


async def coming(tx: Tx, person: Person, now: datetime) -> tuple[Unit, list[Event]]:
    """The next events where a person lives or holds a role, above it and below it; everywhere if that is not known.
    Also the unit of which it can be said."""
    home = await units.get(tx, person.unit_id) if person.unit_id is not None else None
    held = [unit for _, unit in await roles.units_for(tx, person, ANNOUNCERS)]
    home = home or (held[0] if held else await units.root(tx))
    paths = list(dict.fromkeys([home.path, *(unit.path for unit in held)]))
    return home, await events.coming(tx, paths, now, MOST_LISTED)


def reminder_times(clock: Clock, starts_at: datetime) -> list[tuple[datetime, datetime]]:
    """When those who come are reminded, each with the moment after which it is too late: at 18:00 on the day before,
    and two hours before; what would fall in quiet hours comes at 20:00 in the evening before them."""
    day_before = clock.at(clock.today(starts_at) - timedelta(days=1), _EVENING_BEFORE)
    two_hours = _out_of_the_night(clock, starts_at - timedelta(hours=2))
    return [(moment, min(starts_at, clock.end_of_day(moment))) for moment in (day_before, two_hours)]


def _out_of_the_night(clock: Clock, moment: datetime) -> datetime:
    if not clock.is_quiet(moment):
        return moment
    local = clock.local(moment)
    evening = local.date() if local.time() >= DAY_ENDS else local.date() - timedelta(days=1)
    return clock.at(evening, _INSTEAD_OF_NIGHT)


async def plan_reminders(tx: Tx, desk: Desk, now: datetime) -> list[Run]:
    """Plan the reminders of events in the next three days. Called as often as one likes: what is planned already
    is not planned again. Returns the new runs."""
    planned: list[Run] = []
    for event in await events.to_remind(tx, now, now + _PLANNED_AHEAD):
        for at, until in reminder_times(desk.clock, event.starts_at):
            if at > now and (run := await _remind(tx, desk, event, at, until - at, now)) is not None:
                planned.append(run)
    return planned


async def _remind(tx: Tx, desk: Desk, event: Event, at: datetime, valid_for: timedelta, now: datetime) -> Run | None:
    """One run of the event's one reminder campaign; the event's row is locked while there may be none."""
    locked = await events.get(tx, event.id, lock=True)
    if locked is None or locked.cancelled_at is not None:
        return None
    campaign = await events.campaign_of(tx, event.id, CampaignKind.EVENT_REMINDER)
    if campaign is not None:
        return await runs.plan(tx, campaign.id, at, valid_until=at + valid_for)
    said = desk.book.say("vi", "event.reminder", title=event.title, starts=event.starts_at, place=event.place)
    plan = Plan(
        kind=CampaignKind.EVENT_REMINDER,
        parts=[Outbound(chat_id="", text=said.text, entities=said.entities)],
        audience=_going(event),
        at=at,
        unit_id=event.unit_id,
        event_id=event.id,
        again=True,
        valid_for=valid_for,
    )
    return (await campaigns.create(tx, desk, plan, now))[1]


def _going(event: Event) -> Expression:
    return ((Term(Atom.GOING, str(event.id)),),)


async def call_off(tx: Tx, desk: Desk, person: Person, event: Event, now: datetime) -> int:
    """The event does not take place: nothing more is said about it but that, to those who said that they come.
    Returns how many; 0 also if it was called off before."""
    locked = await events.get(tx, event.id, lock=True)
    if locked is None or locked.cancelled_at is not None:
        return 0
    await events.cancel(tx, event.id, now)
    for run in await events.open_runs(tx, event.id):
        await campaigns.cancel(tx, run, now)
    await audit.note(tx, now, "event.cancelled", f"event:{event.id}", actor_id=person.id)
    answers = await events.answers(tx, event.id)
    if answers.going:
        await _say_it_is_off(tx, desk, person, event, now)
    return answers.going


async def _say_it_is_off(tx: Tx, desk: Desk, person: Person, event: Event, now: datetime) -> Campaign:
    said = desk.book.say("vi", "event.is_off", title=event.title, starts=event.starts_at, place=event.place)
    plan = Plan(
        kind=CampaignKind.EVENT_CANCELLED,
        parts=[Outbound(chat_id="", text=said.text, entities=said.entities)],
        audience=_going(event),
        at=now,
        author_id=person.id,
        unit_id=event.unit_id,
        event_id=event.id,
        urgent=_cannot_wait(desk, event.starts_at, now),
        again=True,
        valid_for=max(event.starts_at - now, timedelta(hours=1)),
    )
    return (await campaigns.create(tx, desk, plan, now))[0]


def _cannot_wait(desk: Desk, starts_at: datetime, now: datetime) -> bool:
    """Whether a notice that quiet hours hold back would find people on their way: the event is within three hours,
    or within an hour of the morning's first minute."""
    return starts_at - now <= _SOON or starts_at - desk.clock.after_quiet(now) < _ON_THE_WAY
