"""The daily tip: who gets which one when, each once, at the hour that they chose, never in quiet hours."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import date, datetime, time, timedelta

from bot.core.events import Media, MediaKind, Outbound
from bot.core.words import CampaignState, RunState, TargetGroup
from bot.db import Tx, audit, items, lessons, runs
from bot.db.lessons import Slot
from bot.db.tables import Item, Person, Run
from bot.outreach import items as content
from bot.outreach.desk import Desk
from bot.outreach.hours import EARLIEST, LATEST
from messages import Rich
from messages.content.packs import PACK_ROOT, Pack, Tip

VALID_FOR = timedelta(hours=3)
"""How long after its hour a tip may still leave."""
AT_ONCE = 100_000
"""After about so many people `plan_due` ends, so that nobody's answer waits for long: call it again until it plans
nothing. A single run is never divided."""
_LOOK_BACK = timedelta(days=7)


async def sync(tx: Tx, pack: Pack) -> None:
    """Take the pack's curricula over. Days that are there never change; new tips are added at the end."""
    known = await lessons.everything(tx)
    for name, tips in pack.curricula.items():
        group = TargetGroup(name)
        fresh = [tip for tip in tips if tip not in known[group]]
        await lessons.append(tx, group, len(known[group]), fresh)


async def plan_due(tx: Tx, desk: Desk, now: datetime) -> list[Run]:
    """Plan the tips whose hour has come: one run for each group, day of its curriculum and hour, ready to be sent.
    Hours that passed unnoticed for too long are written down as missed, once; those people go on the day after."""
    planned: list[Run] = []
    taught = await lessons.everything(tx)
    for slot in _slots(desk, await lessons.latest_slot(tx), now):
        if not await lessons.any_due(tx, slot):
            continue
        await _move_on(tx, desk, slot, taught)
        if now > _until(desk, slot):
            await _miss(tx, desk, slot, taught, now)
            continue
        async for run in _plan(tx, desk, slot, taught, now):
            planned.append(run)
            if sum(run.total for run in planned) >= AT_ONCE:
                return planned
    return planned


def _slots(desk: Desk, latest: datetime | None, now: datetime) -> Iterator[Slot]:
    """Every hour from the latest one that was planned (a week ago at most) until now; all of today's."""
    today = desk.clock.today(now)
    first = today if latest is None else min(desk.clock.today(max(latest, now - _LOOK_BACK)), today)
    day = first
    while day <= today:
        for hour in range(EARLIEST, LATEST + 1):
            slot = Slot(day, hour)
            if _begin(desk, slot) <= now and (day == today or latest is None or _begin(desk, slot) > latest):
                yield slot
        day += timedelta(days=1)


def _begin(desk: Desk, slot: Slot) -> datetime:
    return desk.clock.at(slot.day, time(slot.hour))


def _until(desk: Desk, slot: Slot) -> datetime:
    begin = _begin(desk, slot)
    return min(begin + VALID_FOR, desk.clock.end_of_day(begin))


async def _move_on(tx: Tx, desk: Desk, slot: Slot, taught: dict[TargetGroup, list[str]]) -> None:
    """Past tips that may no longer be said, and past those that somebody had before they changed their group."""
    for person in await lessons.with_past(tx, slot):
        if person.target_group is not None:
            seen = frozenset(person.tips_seen or ())
            person.tip_day = _next_day(desk, taught[person.target_group], person.tip_day, slot.day, seen)
    await tx.flush()
    for group, day in await lessons.positions(tx, slot):
        following = _next_day(desk, taught[group], day, slot.day)
        if following != day:
            await lessons.skip_to(tx, slot, group, day, following)


def _next_day(desk: Desk, tips: Sequence[str], day: int, today: date, seen: frozenset[str] = frozenset()) -> int:
    """The first day from `day` on whose tip may be said today; beyond the end there are none."""
    while day < len(tips) and (tips[day] in seen or _sayable(desk, tips[day], today) is None):
        day += 1
    return day


def _sayable(desk: Desk, key: str, today: date) -> Tip | None:
    tip = desk.pack.tips.get(key)
    return tip if tip is not None and desk.pack.current(tip, today) else None


async def _plan(
    tx: Tx, desk: Desk, slot: Slot, taught: dict[TargetGroup, list[str]], now: datetime
) -> AsyncIterator[Run]:
    for group, day in await lessons.positions(tx, slot):
        tip = _tip_of(desk, taught[group], day)
        if tip is None:
            await lessons.pass_over(tx, slot, group, day)
            continue
        run = await _fire(tx, desk, slot, group, day, tip, now)
        if run is None:
            continue
        if not await runs.materialise(tx, run, lessons.due(slot, group, day), now):
            await tx.delete(run)
            continue
        await lessons.advance(tx, run.id, slot.day)
        await runs.set_state(tx, run, RunState.SENDING, now)
        yield run


async def _miss(tx: Tx, desk: Desk, slot: Slot, taught: dict[TargetGroup, list[str]], now: datetime) -> None:
    """Nobody was there to send: say so, for each tip that did not go out."""
    missed = 0
    counts = await lessons.positions(tx, slot, known_by=_begin(desk, slot))
    for group, day in await lessons.positions(tx, slot):
        tip, count = _tip_of(desk, taught[group], day), counts.get((group, day), 0)
        run = await _fire(tx, desk, slot, group, day, tip, now) if tip is not None and count else None
        await lessons.pass_over(tx, slot, group, day)
        if run is not None:
            run.total = count
            await runs.set_state(tx, run, RunState.MISSED, now)
            missed += count
    if missed:
        await audit.note(tx, now, "tips.missed", f"{slot.day.isoformat()} {slot.hour}:00", people=missed)


def _tip_of(desk: Desk, tips: Sequence[str], day: int) -> Tip | None:
    return desk.pack.tips.get(tips[day]) if day < len(tips) else None


async def _fire(tx: Tx, desk: Desk, slot: Slot, group: TargetGroup, day: int, tip: Tip, now: datetime) -> Run | None:
    """The run of that slot; a second one, from now on, for people who came after the first was planned."""
    item = await item_of(tx, desk, tip, now)
    campaign = await lessons.campaign(tx, item.id, f"tips:{group}:{day}:{slot.hour}", now)
    if campaign.state is not CampaignState.APPROVED:
        return None
    until = _until(desk, slot)
    run = await runs.plan(tx, campaign.id, _begin(desk, slot), valid_until=until)
    return run or await runs.plan(tx, campaign.id, now, valid_until=until)


async def item_of(tx: Tx, desk: Desk, tip: Tip, now: datetime) -> Item:
    """The item of a tip as the pack has it now."""
    return await items.put_tip(
        tx,
        tip.id,
        desk.pack.language,
        tip.title,
        content.dump(parts(desk, tip)),
        source=tip.source,
        pack_version=desk.pack.version,
        checked_on=tip.checked_on,
        expires_on=tip.expires,
        now=now,
    )


def parts(desk: Desk, tip: Tip) -> list[Outbound]:
    """The messages of a tip: its text, under its picture if there is one, and its voice."""
    said = words(desk, tip)
    folder = PACK_ROOT / desk.pack.language
    picture = (Media(MediaKind.PHOTO, path=str(folder / tip.picture)),) if tip.picture else ()
    first = Outbound(chat_id="", text=said.text, entities=said.entities, media=picture)
    if tip.voice is None:
        return [first]
    return [first, Outbound(chat_id="", media=(Media(MediaKind.VOICE, path=str(folder / tip.voice)),))]


def words(desk: Desk, tip: Tip) -> Rich:
    return desk.book.say(desk.pack.language, "tip.body", title=tip.title, body=tip.body())


async def change_group(tx: Tx, person: Person, group: TargetGroup) -> None:
    """Begin another curriculum; what somebody has had in the old one never comes again."""
    if person.target_group is group:
        return
    if person.target_group is not None and person.tip_day:
        had = (await lessons.everything(tx))[person.target_group][: person.tip_day]
        person.tips_seen = list(dict.fromkeys([*(person.tips_seen or []), *had]))
    person.target_group, person.tip_day = group, 0
    await tx.flush()


async def latest(tx: Tx, desk: Desk, person: Person, now: datetime) -> Tip | None:
    """The newest tip that somebody has had; before the first one, the one with which they will begin."""
    today = desk.clock.today(now)
    tips = (await lessons.everything(tx))[person.target_group or TargetGroup.RESIDENT]
    for key in reversed(tips[: person.tip_day]):
        if (tip := _sayable(desk, key, today)) is not None:
            return tip
    return next((tip for key in tips if (tip := _sayable(desk, key, today)) is not None), None)


def tip_named(desk: Desk, key: str, now: datetime) -> Tip | None:
    """A tip that may be said today."""
    return _sayable(desk, key, desk.clock.today(now))
