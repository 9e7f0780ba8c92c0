"""`loaso campaign send`: a text or an item to an audience, now or at a time."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from bot.commands import console
from bot.commands.edge import DONE
from bot.commands.opened import Opened, with_database
from bot.core.clock import Clock
from bot.core.errors import UserError
from bot.core.events import Outbound
from bot.core.text import clean
from bot.core.words import CampaignKind
from bot.db import Tx, items
from bot.db.tables import Item
from bot.outreach import audience, campaigns
from bot.outreach.desk import Desk

MAX_TEXT = 20_000
_GRACE = timedelta(minutes=1)
_FARTHEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Order:
    """What was typed after `campaign send`."""

    to: str
    text: str | None
    item: str | None
    at: str | None
    urgent: bool
    again: bool
    resend_unknown: bool


@dataclass(frozen=True, slots=True)
class _Fired:
    id: int
    total: int
    planned_at: datetime
    wanted_at: datetime


def _desk(opened: Opened) -> Desk:
    """Where an account has a limit, it is asked whether the run fits."""
    desk, settings = opened.desk(), opened.settings
    if settings.zalo_bot_token is not None or settings.zalo_oa_app_id is not None:
        from bot.wiring import capabilities

        desk.capabilities.update(capabilities(settings, opened.clock, opened.database))
    return desk


def send(order: Order, as_json: bool) -> int:
    if (order.text is None) == (order.item is None):
        raise console.WrongUsage("Write either --text or --item")
    wanted = audience.parse(order.to)
    text = None if order.text is None else _text(order.text)

    async def work(opened: Opened) -> tuple[_Fired, Clock]:
        now = opened.now
        at = read_time(order.at, opened.clock, now)
        async with opened.database.write() as tx:
            plan = campaigns.Plan(
                kind=CampaignKind.ALERT if order.urgent else CampaignKind.BROADCAST,
                parts=() if text is None else [Outbound(chat_id="", text=text)],
                item=None if order.item is None else await _item(tx, opened, order.item),
                audience=wanted,
                at=at,
                urgent=order.urgent,
                again=order.again,
                resend_unknown=order.resend_unknown,
            )
            _, run = await campaigns.create(tx, _desk(opened), plan, now)
            assert run is not None  # noqa: S101  # what operators send needs no approver
            return _Fired(run.id, run.total, run.planned_at, at), opened.clock

    fired, clock = with_database(work)
    console.result({"id": fired.id, "total": fired.total, "planned_at": console.iso(fired.planned_at)})
    if not as_json:
        console.say(_sentence(fired, clock))
    return DONE


def _text(typed: str) -> str:
    text = clean(sys.stdin.read() if typed == "-" else typed)
    if not text:
        raise UserError("The text is empty: write what to say")
    if len(text) > MAX_TEXT:
        raise UserError(f"The text has {len(text)} characters, {MAX_TEXT} is the most: shorten it")
    return text


async def _item(tx: Tx, opened: Opened, id: str) -> Item:
    """An item by its number, or a tip of the pack by its id."""
    if id.isdecimal():
        found = await items.get(tx, int(id)) if len(id) < 19 else None
        if found is None:
            raise UserError(f"There is no item {id}")
        return found
    from bot.outreach import curriculum
    from messages.content import packs

    pack = packs.load()
    tip = pack.tips.get(id)
    if tip is None:
        raise UserError(f"There is no item and no tip '{id}': the ids stand in {packs.PACK_ROOT / 'vi' / 'tips'}")
    if not pack.current(tip, opened.clock.today(opened.now)):
        raise UserError(f"The tip '{id}' has expired: check it against its source and set a new date")
    return await curriculum.item_of(tx, opened.desk(pack), tip, opened.now)


def read_time(text: str | None, clock: Clock, now: datetime) -> datetime:
    """`None` is now; `HH:MM` is today; otherwise an ISO time, local without an offset. Raises `UserError`."""
    if text is None:
        return now
    moment = _moment(text.strip(), clock, now)
    if moment < now - _GRACE:
        raise UserError(f"{text} has passed: leave --at out to send now")
    if moment > now + _FARTHEST:
        raise UserError(f"{text} is more than a year away: write a nearer time")
    return moment


def _moment(text: str, clock: Clock, now: datetime) -> datetime:
    try:
        if len(text) <= 5:
            return clock.at(clock.today(now), time.fromisoformat(text.zfill(5)))
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=clock.zone)).astimezone(now.tzinfo)
    except (ValueError, OverflowError):
        raise UserError(f"'{text}' is not a time: write 2026-11-23T09:00, or 09:00 for today") from None


def _sentence(fired: _Fired, clock: Clock) -> str:
    local = clock.local(fired.planned_at)
    people = "Nobody is" if not fired.total else "1 person is" if fired.total == 1 else f"{fired.total:,} people are"
    when = f"it leaves at {local:%H:%M} on {local:%d/%m/%Y}"
    if fired.planned_at > fired.wanted_at:
        when = f"these are quiet hours, so {when} (--urgent sends at once)"
    elif fired.planned_at <= clock.now():
        when = "it leaves as soon as 'loaso run' is running"
    return f"Run {fired.id} is planned: {people} in the audience; {when}."
