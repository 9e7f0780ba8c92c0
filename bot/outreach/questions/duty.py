"""Who is told of a question, when, and who is next when nobody answers: the village, the commune, the province."""

from __future__ import annotations

from datetime import datetime

from bot.core.words import RoleName, UnitKind
from bot.db import Tx, question_notices, questions, units
from bot.db.tables import Contact, Person, Unit
from bot.db.tables_questions import Question
from bot.outreach import notify, roles
from bot.outreach.desk import Desk

ON_DUTY = {
    UnitKind.VILLAGE: (RoleName.HELPER, RoleName.VILLAGE_HEAD),
    UnitKind.COMMUNE: (RoleName.HELPER, RoleName.EDITOR, RoleName.ADMIN),
    UnitKind.PROVINCE: (RoleName.HELPER, RoleName.EDITOR, RoleName.ADMIN),
}
"""Whose roles for a unit of that kind mean that they are told of its questions."""
ANSWERERS = frozenset(role for names in ON_DUTY.values() for role in names)
"""Who may answer for their unit and everything below it."""
_MOST = 20


async def tell_next(tx: Tx, desk: Desk, question: Question, now: datetime) -> Unit | None:
    """Tell the people of the next unit up where anybody is on duty, and say when it is the turn of those above them.
    Returns that unit. At night nobody is told before the morning; where nobody is on duty further up it is tried again
    each morning. The question must be locked or new."""
    clock = desk.clock
    if clock.is_quiet(now):
        question.due_at = clock.after_quiet(now)
        await tx.flush()
        return None
    chain = await units.chain(tx, await _unit(tx, question))
    for unit in (u for u in reversed(chain) if question.level is None or is_above(u.kind, question.level)):
        if await _tell(tx, desk, question, unit, chain, now):
            question.level = unit.kind
            last = unit.kind is UnitKind.PROVINCE
            question.due_at = None if last else clock.awake_after(now, desk.house.answer_within)
            await tx.flush()
            return unit
    await _nobody(tx, desk, question, now)
    return None


async def _nobody(tx: Tx, desk: Desk, question: Question, now: datetime) -> None:
    """There is nobody (any more) to tell: it stays in the inbox, and is tried again in the morning, from the beginning
    if nobody knows of it."""
    if not await question_notices.told(tx, question):
        question.level = None
    last = question.level is UnitKind.PROVINCE
    question.due_at = None if last else desk.clock.after_quiet(desk.clock.end_of_day(now))
    await tx.flush()


def is_above(kind: UnitKind, other: UnitKind) -> bool:
    """Whether units of the one kind hold those of the other."""
    widest_first = tuple(UnitKind)
    return widest_first.index(kind) < widest_first.index(other)


async def _unit(tx: Tx, question: Question) -> Unit:
    unit = await units.get(tx, question.unit_id)
    assert unit is not None  # noqa: S101  # a foreign key says so
    return unit


async def _tell(tx: Tx, desk: Desk, question: Question, unit: Unit, chain: list[Unit], now: datetime) -> int:
    """Tell everybody who is on duty for that unit and knows nothing of it yet. Returns how many."""
    asker = await tx.get(Contact, question.contact_id) if question.contact_id is not None else None
    known = {contact.person_id for _, contact in await question_notices.told(tx, question)}
    known |= {asker.person_id} if asker is not None else set()
    told = 0
    for person_id in await question_notices.on_duty(tx, ON_DUTY[unit.kind], unit.id):
        if told == _MOST:
            break
        contact = await notify.contact_of(tx, person_id, desk=desk)
        if person_id in known or contact is None or not await notify.can_be_told(tx, desk, contact):
            continue
        await show(tx, desk, question, contact, now, place=place_of(chain))
        told += 1
    return told


def place_of(chain: list[Unit]) -> str:
    """`Thôn X, Xã Y`, or the province alone."""
    return ", ".join(u.name for u in reversed(chain) if u.kind is not UnitKind.PROVINCE) or chain[0].name


async def show(tx: Tx, desk: Desk, question: Question, contact: Contact, now: datetime, *, place: str) -> None:
    """Tell one of them; an answer to that very message is an answer to the question."""
    notice = await question_notices.add(tx, question, contact.id, now)
    await notify.notify(
        tx,
        desk,
        contact,
        "inbox.notice",
        now,
        id=question.id,
        place=place,
        text=question.text,
        before=question.answer if question.turn else None,
        buttons=[[("inbox.button_answer", f"ib:answer:{question.id}"), ("inbox.button_up", f"ib:up:{question.id}")]],
        tag=f"question:{notice.id}",
    )


async def paths_of(tx: Tx, person: Person) -> list[str]:
    """Below which units that person may answer; nothing if nowhere."""
    return list(dict.fromkeys(unit.path for _, unit in await roles.units_for(tx, person, ANSWERERS)))


async def waiting(tx: Tx, person: Person) -> int | None:
    """How many questions that person could answer now; `None` if it is not for them to answer."""
    paths = await paths_of(tx, person)
    return await questions.count_below(tx, paths) if paths else None
