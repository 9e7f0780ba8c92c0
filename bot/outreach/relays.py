"""Relays: what may be carried on, by whom to whom, and the links with which residents pass it on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from bot.core.words import ItemKind, RelayKind, RoleName
from bot.db import Tx, events, items, people, relays, units
from bot.db.tables import Event, Item, Person, Run
from bot.outreach import mandates, referrals, roles
from bot.outreach.desk import Desk
from bot.outreach.mandates import Mandate
from bot.outreach.referrals import Payload

_LONGEST_PAYLOAD = 64
_CIRCLE_HOLDERS = frozenset({RoleName.VILLAGE_HEAD, RoleName.INFLUENCER})
_MOST_UNITS = 4
_LATE = timedelta(days=3)
KINDS = {"village": RelayKind.VILLAGE, "circle": RelayKind.CIRCLE, "groups": RelayKind.GROUP}


@dataclass(frozen=True, slots=True)
class Carried:
    """Something approved that may be carried on: `word` is `tip` or `event`, `number` its id in buttons."""

    word: str
    number: int
    item: Item
    event: Event | None = None

    @property
    def title(self) -> str:
        return self.event.title if self.event is not None else self.item.title


@dataclass(frozen=True, slots=True)
class Ways:
    """To whom a person may carry something on, besides by hand."""

    units: tuple[Mandate, ...]
    circle: bool
    groups: int


async def find(tx: Tx, desk: Desk, word: str, number: int, now: datetime) -> Carried | None:
    """`None` for what is not there, has expired, was called off or has begun."""
    if word == "tip":
        item = await items.get(tx, number)
        fresh = item is not None and item.kind is ItemKind.TIP
        expired = item is not None and item.expires_on is not None and item.expires_on < desk.clock.today(now)
        return Carried(word, number, item) if item is not None and fresh and not expired else None
    event = await events.get(tx, number) if word == "event" else None
    if event is None or event.cancelled_at is not None or event.starts_at <= now:
        return None
    item = await items.get(tx, event.item_id)
    return Carried(word, number, item, event) if item is not None else None


def valid_until(desk: Desk, carried: Carried, leaves: datetime) -> datetime:
    """Until when it may still arrive: an event before it begins, a tip at most three days late and while it holds."""
    if carried.event is not None:
        return carried.event.starts_at
    expires = carried.item.expires_on
    late = leaves + _LATE
    return late if expires is None else min(late, desk.clock.at(expires + timedelta(days=1), time(0)))


async def ways(tx: Tx, person: Person) -> Ways:
    """What the buttons offer; asked again when one is pressed."""
    held = await mandates.everything(tx, person)
    if not held:
        return Ways((), circle=False, groups=0)
    circle = bool(await roles.units_for(tx, person, _CIRCLE_HOLDERS)) and await referrals.brought(tx, person.id) > 0
    return Ways(tuple(held[:_MOST_UNITS]), circle, len(await people.groups_of(tx, person.id)))


async def mandate_for(tx: Tx, person: Person, how: str, code: str) -> Mandate | None:
    """In which role a person may carry something on that way now."""
    if how == "village":
        return await mandates.to_unit(tx, person, code)
    if how == "circle":
        return await mandates.to_circle(tx, person, _CIRCLE_HOLDERS)
    return await mandates.to_groups(tx, person) if how == "groups" else None


async def payload(tx: Tx, person: Person | None, carried: Carried, now: datetime) -> str:
    """What a link to it hands over; with a person's code it credits them, if there is room for both."""
    tip = carried.item.key or "" if carried.word == "tip" else ""
    bare = Payload(tip=tip, event=carried.event.id if carried.event is not None else 0)
    if person is None:
        return str(bare)
    home = await units.get(tx, person.unit_id) if person.unit_id is not None else None
    code = await referrals.code_for(tx, person, home, now)
    both = str(Payload(code, bare.tip, bare.event))
    return both if len(both) <= _LONGEST_PAYLOAD else str(Payload(code))


async def note(
    tx: Tx,
    person: Person,
    carried: Carried,
    kind: RelayKind,
    now: datetime,
    *,
    run: Run | None = None,
    mandate: Mandate | None = None,
) -> None:
    """Write down that a person carried it on."""
    unit_id = mandate.unit.id if mandate is not None else person.unit_id
    run_id = run.id if run is not None else None
    await relays.add(tx, person.id, carried.item.id, kind, now, unit_id=unit_id, run_id=run_id)
