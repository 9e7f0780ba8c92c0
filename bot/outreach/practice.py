"""Practice: which question somebody is asked, what their answer is worth, and what they have reached."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from bot.core.words import ItemKind, RoleName, TargetGroup
from bot.db import Tx, items, lessons
from bot.db import practice as rows
from bot.db.practice import Reckoned
from bot.db.tables import Item, Person, Unit
from bot.db.tables_practice import Learner, Practice
from bot.outreach import curriculum, roles, spacing
from bot.outreach import items as content
from bot.outreach.curriculum import tip_named
from bot.outreach.desk import Desk
from messages.content.models import Area, Quiz, Tip

LEADERS = frozenset({RoleName.VILLAGE_HEAD, RoleName.HELPER, RoleName.EDITOR, RoleName.APPROVER, RoleName.ADMIN})
"""Whoever may see how a unit does."""
FEW = 5
"""Fewer people than these are not counted: in a small village everybody would know who they are."""
WEEK = timedelta(days=7)
_AREAS = tuple(Area)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an answer is worth. `fresh` is false when the question was answered before and nothing was changed;
    `again` is the day on which it is asked again; `streak` is told when a new day has made it worth a word."""

    quiz: Quiz
    right: bool
    fresh: bool
    again: date | None
    streak: int | None = None


@dataclass(frozen=True, slots=True)
class Results:
    """What somebody has reached, for their own eyes. `again` is the next day on which something comes again."""

    done: int
    right: int
    streak: int
    areas: tuple[Area, ...]
    coming: int
    again: date | None


@dataclass(frozen=True, slots=True)
class OfUnit:
    """A unit's last seven days: `share` is the percentage of questions that were never answered wrong; `worst` the tip
    that is worth repeating. Without `people`, too few have practised to be counted; `is_part` when there were too many
    answers to look at them all."""

    people: int = 0
    questions: int = 0
    share: int = 0
    worst: Tip | None = None
    is_part: bool = False


def question(desk: Desk, key: str | None, now: datetime) -> Tip | None:
    """A tip whose question may be asked today."""
    tip = tip_named(desk, key, now) if key else None
    return tip if tip is not None and tip.quiz is not None else None


async def item_of(tx: Tx, desk: Desk, tip: Tip, now: datetime) -> Item:
    """The item of a tip's question as the pack has it now."""
    assert tip.quiz is not None  # noqa: S101  # nobody asks otherwise
    language = desk.pack.language
    return await items.put_tip(
        tx,
        tip.id,
        language,
        tip.title,
        content.dump([curriculum.asked(desk, tip.quiz, language)]),
        kind=ItemKind.QUESTION,
        source=tip.source,
        pack_version=desk.pack.version,
        checked_on=tip.checked_on,
        expires_on=tip.expires,
        now=now,
    )


async def choose(tx: Tx, desk: Desk, person: Person, now: datetime) -> Tip | None:
    """What somebody who asks for it is asked: what is open, else what is due again, else the newest of their tips that
    they have not answered. `None` until there is something new."""
    learner, had = await rows.learner(tx, person.id), await rows.everything(tx, person.id)
    today = desk.clock.today(now)
    due = sorted((row.due_on, row.tip) for row in had if row.due_on is not None and row.due_on <= today)
    known = {row.tip for row in had}
    newest = [tip for tip in reversed(await _had(tx, person)) if tip not in known]
    waiting = [learner.tip] if learner is not None and learner.is_open else []
    return _first(desk, [*waiting, *(tip for _, tip in due), *newest], now)


async def older(tx: Tx, desk: Desk, person: Person, now: datetime) -> Tip | None:
    """The question that they answered the longest ago."""
    return _first(desk, [row.tip for row in await rows.everything(tx, person.id)], now)


async def _had(tx: Tx, person: Person) -> list[str]:
    """The tips that somebody has had, in their order."""
    tips = (await lessons.everything(tx))[person.target_group or TargetGroup.RESIDENT]
    return [*(str(key) for key in person.tips_seen or []), *tips[: person.tip_day]]


def _first(desk: Desk, keys: Iterable[str | None], now: datetime) -> Tip | None:
    return next((tip for key in keys if (tip := question(desk, key, now)) is not None), None)


async def ask(tx: Tx, person: Person, tip: Tip) -> None:
    """That question is open now: it may be answered also if it was before."""
    learner = await rows.locked(tx, person.id)
    learner.tip, learner.is_open = tip.id, True
    await tx.flush()


async def answer(tx: Tx, desk: Desk, person: Person, tip: Tip, chosen: int, now: datetime) -> Verdict:
    """Take an answer (counted from 1), once: until the question is asked again, the first one counts."""
    quiz, today = curriculum.quiz_in(desk, tip.id, person.language), desk.clock.today(now)
    assert quiz is not None  # noqa: S101  # see `question`
    learner = await rows.locked(tx, person.id)
    before = await rows.answered(tx, person.id, tip.id)
    if before is not None and not _is_awaited(learner, before, today):
        return Verdict(quiz, before.was_right, fresh=False, again=before.due_on)
    right = chosen == quiz.right
    step = spacing.next_step(before.step if before is not None else 0, right=right)
    wrong_at = before.wrong_at if before is not None else None
    row = Practice(person_id=person.id, tip=tip.id, was_right=right, step=step, at=now)
    row.due_on = spacing.due(step, today)
    row.wrong_at = wrong_at if right else now
    await rows.put(tx, row)
    new_day = spacing.keep_up(learner, today)
    if learner.tip == tip.id:
        learner.is_open = False
    await tx.flush()
    praised = learner.streak if new_day and learner.streak in spacing.PRAISED else None
    return Verdict(quiz, right, fresh=True, again=row.due_on, streak=praised)


def _is_awaited(learner: Learner, before: Practice, today: date) -> bool:
    """Whether a question that was answered before is asked again just now."""
    due = before.due_on is not None and before.due_on <= today
    return due or (learner.is_open and learner.tip == before.tip)


async def is_wanted(tx: Tx, person: Person) -> bool:
    """Whether somebody is to be asked every day."""
    learner = await rows.learner(tx, person.id)
    return learner is None or learner.wanted


async def want(tx: Tx, person: Person, *, wanted: bool) -> None:
    """From now on they are asked every day, or no more. Who comes back is asked like everybody else."""
    learner = await rows.locked(tx, person.id)
    if wanted and not learner.wanted:
        learner.ignored = 0
    learner.wanted = wanted
    await tx.flush()


async def results(tx: Tx, desk: Desk, person: Person) -> Results:
    learner, had = await rows.learner(tx, person.id), await rows.everything(tx, person.id)
    found = {desk.pack.tips[row.tip].area for row in had if row.tip in desk.pack.tips}
    days = [row.due_on for row in had if row.due_on is not None]
    return Results(
        done=len(had),
        right=sum(row.was_right for row in had),
        streak=learner.streak if learner is not None and not learner.ignored else 0,
        areas=tuple(area for area in _AREAS if area in found),
        coming=len(days),
        again=min(days, default=None),
    )


async def units_of(tx: Tx, person: Person) -> list[Unit]:
    """The units of which somebody may see how they do, the widest first."""
    held = await roles.units_for(tx, person, LEADERS)
    return list({unit.id: unit for _, unit in held}.values())


async def of_unit(tx: Tx, desk: Desk, unit: Unit, now: datetime) -> OfUnit:
    """How a unit's last seven days went, unless so few have practised that they could be told."""
    found = await rows.of_unit(tx, unit, now - WEEK)
    if found.people < FEW:
        return OfUnit()
    share = round(100 * found.clean / found.questions)
    return OfUnit(found.people, found.questions, share, _worst(desk, found, now), found.questions == rows.MOST)


def _worst(desk: Desk, found: Reckoned, now: datetime) -> Tip | None:
    said: Sequence[Tip | None] = [tip_named(desk, key, now) for key in found.missed]
    return next((tip for tip in said if tip is not None), None)
