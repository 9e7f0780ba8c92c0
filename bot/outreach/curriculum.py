"""The curricula of the daily tip: which tip comes when, and what it says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING

from bot.core.events import Media, MediaKind, Outbound
from bot.core.words import ItemKind, TargetGroup
from bot.db import Tx, items, lessons
from bot.db.tables import Item, Person
from bot.outreach import items as content
from bot.outreach.desk import Desk

if TYPE_CHECKING:  # an import of people moves them between curricula and reads no content
    from messages.content.models import Quiz
    from messages.content.packs import Pack, Tip


async def sync(tx: Tx, pack: Pack) -> None:
    """Take the pack's curricula over. Days that are there never change; new tips are added at the end."""
    known = await lessons.everything(tx)
    for name, tips in pack.curricula.items():
        group = TargetGroup(name)
        fresh = [tip for tip in tips if tip not in known[group]]
        await lessons.append(tx, group, len(known[group]), fresh)


def next_day(desk: Desk, tips: Sequence[str], day: int, today: date, seen: frozenset[str] = frozenset()) -> int:
    """The first day from `day` on whose tip may be said today; beyond the end there are none."""
    while day < len(tips) and (tips[day] in seen or _sayable(desk, tips[day], today) is None):
        day += 1
    return day


def _sayable(desk: Desk, key: str, today: date) -> Tip | None:
    tip = desk.pack.tips.get(key)
    return tip if tip is not None and desk.pack.current(tip, today) else None


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


def said_in(desk: Desk, item: Item, language: str) -> tuple[Outbound, ...]:
    """The messages of an item as they are sent in a language: a tip in its words there, if the pack has them."""
    quiz = quiz_in(desk, item.key, language) if item.kind is ItemKind.QUESTION else None
    if quiz is not None:
        return (asked(desk, quiz, language),)
    tip = translated(desk, item.key, language) if item.kind is ItemKind.TIP else None
    return tuple(parts(desk, tip, language)) if tip is not None else content.load(item.parts)


def translated(desk: Desk, key: str | None, language: str) -> Tip | None:
    """A tip in the words of another language, if they may be said today."""
    pack = desk.translations.get(language)
    tip = pack.tips.get(key or "") if pack is not None else None
    return tip if pack and tip and pack.current(tip, desk.clock.today(desk.clock.now())) else None


def quiz_in(desk: Desk, key: str | None, language: str) -> Quiz | None:
    """The practice question of a tip as it is asked in a language."""
    tips = (translated(desk, key, language), desk.pack.tips.get(key or ""))
    return next((tip.quiz for tip in tips if tip is not None and tip.quiz is not None), None)


def asked(desk: Desk, quiz: Quiz, language: str) -> Outbound:
    """A practice question; its choices are buttons, which the frame brings."""
    said = desk.book.say(language, "practice.question", ask=quiz.ask)
    return Outbound(chat_id="", text=said.text, entities=said.entities)


def parts(desk: Desk, tip: Tip, language: str | None = None) -> list[Outbound]:
    """The messages of a tip: its text, under its picture if there is one. `language` is that of the pack from which it
    is; for its voice see `bot.outreach.voice`."""
    from messages.content.packs import PACK_ROOT

    language = language or desk.pack.language
    said = desk.book.say(language, "tip.body", title=tip.title, body=tip.body())
    folder = PACK_ROOT / language
    picture = (Media(MediaKind.PHOTO, path=str(folder / tip.picture)),) if tip.picture else ()
    return [Outbound(chat_id="", text=said.text, entities=said.entities, media=picture)]


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


def tip_named(desk: Desk, key: str, now: datetime, language: str | None = None) -> Tip | None:
    """A tip that may be said today, in that language if the pack has it there."""
    tip = _sayable(desk, key, desk.clock.today(now))
    return tip and (translated(desk, key, language or desk.pack.language) or tip)
