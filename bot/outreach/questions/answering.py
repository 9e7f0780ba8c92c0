"""An answer of people: the first one counts, finds its way back, and is clear or goes one level up, once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from bot.core.events import ChatKind, Outbound
from bot.core.text import shorten
from bot.core.words import ContactState, PersonStatus, QuestionState, RoleName, UnitKind
from bot.db import Tx, audit, people, question_notices, questions, replies, units
from bot.db.tables import Account, Contact, Person, Unit
from bot.db.tables_questions import Question
from bot.outreach import letterbox, mandates, notify, roles
from bot.outreach.desk import Desk
from bot.outreach.mandates import Mandate
from bot.outreach.questions import duty

GIVEN_UP_AFTER = timedelta(days=29)
"""A day before the words of a question are deleted."""
CONTENT_AFTER = timedelta(hours=72)
"""Whoever says nothing for so long after an answer is content with it."""
_REPEATED = 120
_AWAKE = timedelta(minutes=30)
"""Whoever wrote so lately may be answered at night."""
BY_NUMBER = r"(?:trả lời|tra loi|tl|answer)\s+(?:câu\s+|cau\s+)?(?:số\s+|so\s+)?#?(\d{1,18})\s*[:.,\-]?\s+([\s\S]+)"
"""How an answer names its question on every platform: the number, then the words; capitals or not."""
_NEAREST_FIRST = (RoleName.HELPER, RoleName.VILLAGE_HEAD, RoleName.EDITOR, RoleName.ADMIN)


class Verdict(StrEnum):
    """What came of wanting to answer; the last word of a key in `messages`."""

    DONE = "done"
    OVER = "over"
    NO_RIGHT = "no_right"


async def look(tx: Tx, person: Person, question_id: int) -> tuple[Verdict, Question | None]:
    """Whether that person may answer now; the question is locked until the transaction ends."""
    question = await questions.lock(tx, question_id)
    if question is None or question.state is not QuestionState.OPEN:
        return Verdict.OVER, question
    role = await _in_which_role(tx, person, question)
    return (Verdict.DONE if role is not None else Verdict.NO_RIGHT), question


async def _in_which_role(tx: Tx, person: Person, question: Question) -> tuple[RoleName, Unit] | None:
    mine = await _roles(tx, person, question)
    return min(mine, key=lambda pair: (-len(pair[1].path), _NEAREST_FIRST.index(pair[0])), default=None)


async def _roles(tx: Tx, person: Person, question: Question) -> list[tuple[RoleName, Unit]]:
    unit = await units.get(tx, question.unit_id)
    held = await roles.units_for(tx, person, duty.ANSWERERS) if unit is not None else []
    return [(role, own) for role, own in held if unit is not None and roles.covers(own, unit)]


async def pass_up(tx: Tx, desk: Desk, person: Person, question: Question, now: datetime) -> Unit | None:
    """They cannot answer: it is the turn of those above now, unless it is already. Returns whose people know."""
    widest = min((unit for _, unit in await _roles(tx, person, question)), key=lambda unit: len(unit.path))
    if question.level is not None and duty.is_above(question.level, widest.kind):
        unit = await units.get(tx, question.unit_id)
        chain = await units.chain(tx, unit) if unit is not None else []
        return next((unit for unit in chain if unit.kind is question.level), None)
    return await duty.tell_next(tx, desk, question, now)


async def answer(tx: Tx, desk: Desk, person: Person, ids: Sequence[int], text: str, now: datetime) -> list[Question]:
    """Answer those of the questions that are still open, and give each asker the answer where it can be given now.
    Returns them."""
    answered = []
    for question_id in sorted(ids):
        verdict, question = await look(tx, person, question_id)
        if verdict is not Verdict.DONE or question is None:
            continue
        found = await _in_which_role(tx, person, question)
        assert found is not None  # noqa: S101  # `look` has just said so
        question.answer_role, question.answer_unit_id = found[0], found[1].id
        question.state, question.answer, question.due_at = QuestionState.ANSWERED, text, None
        question.answered_at, question.answered_by_id = now, person.id
        await tx.flush()
        await audit.note(tx, now, "question.answered", f"question:{question.id}", actor_id=person.id)
        await _tell_the_others(tx, desk, question, person, now)
        await give(tx, desk, question, now)
        answered.append(question)
    return answered


async def _tell_the_others(tx: Tx, desk: Desk, question: Question, person: Person, now: datetime) -> None:
    """Whoever else was told sees that it is done: in the notice itself where it can be changed, which wakes nobody."""
    for notice, contact in await question_notices.told(tx, question):
        if contact.person_id == person.id or contact.state is not ContactState.OPEN:
            continue
        can = desk.capabilities.get((await tx.get_one(Account, contact.account_id)).key)
        if notice.message_id and can is not None and can.edit:
            await _strike(tx, desk, question, contact, notice.message_id, now)
        elif not desk.clock.is_quiet(now) and await notify.may_be_told(tx, desk, contact):
            await notify.notify(tx, desk, contact, "inbox.taken", now, id=question.id)


async def _strike(tx: Tx, desk: Desk, question: Question, contact: Contact, message_id: str, now: datetime) -> None:
    whoever = await tx.get_one(Person, contact.person_id)
    said = desk.book.say(whoever.language, "inbox.taken", id=question.id)
    message = Outbound(chat_id=contact.external_id, text=said.text, entities=said.entities, edit=message_id)
    await letterbox.put(tx, desk, contact.account_id, contact.id, message, now, language=whoever.language)


async def give(tx: Tx, desk: Desk, question: Question, now: datetime, *, to: Contact | None = None) -> bool:
    """Bring the answer to whoever asked: to the contact `to`, else where they asked, else where else they may be
    written to. Returns whether that was possible now; otherwise it waits until they write, at night for the morning."""
    contact = to or await _way(tx, desk, question, now)
    if contact is None:
        return False
    if to is None and desk.clock.is_quiet(now) and not _is_awake(contact, now):
        question.due_at = desk.clock.after_quiet(now)
        await tx.flush()
        return False
    question.given_at, question.due_at = now, None
    await tx.flush()
    last = question.turn > 0
    unclear = ("questions.button_unclear", f"q:unclear:{question.id}")
    await notify.notify(
        tx,
        desk,
        contact,
        "questions.answer",
        now,
        who=await sender(tx, desk, question, (await tx.get_one(Person, contact.person_id)).language),
        answer=question.answer,
        asked=shorten(question.text or "", _REPEATED),
        buttons=[[("questions.button_clear", f"q:clear:{question.id}")], [] if last else [unclear]],
        tag=f"{replies.ANSWER}{question.id}",
    )
    return True


def _is_awake(contact: Contact, now: datetime) -> bool:
    """Whether they wrote just now."""
    return contact.last_in_at is not None and now - contact.last_in_at < _AWAKE


async def step(tx: Tx, desk: Desk, question_id: int, now: datetime) -> None:
    """Do what is due of a question, if it still is: tell the next people of it, or give the answer that waited for the
    morning."""
    question = await questions.lock(tx, question_id)
    if question is None or question.due_at is None or question.due_at > now:
        return
    if question.state is QuestionState.OPEN:
        await duty.tell_next(tx, desk, question, now)
        return
    question.due_at = None
    await tx.flush()
    if question.state is QuestionState.ANSWERED and question.given_at is None:
        await give(tx, desk, question, now)


async def give_up(tx: Tx, desk: Desk, question_id: int, now: datetime) -> None:
    """Nobody answered for so long that the words must go: say so to whoever waits, if they may be written to now."""
    question = await questions.lock(tx, question_id)
    if question is None or question.state is not QuestionState.OPEN or desk.clock.is_quiet(now):
        return
    contact = await _way(tx, desk, question, now)
    if contact is not None:
        asked = shorten(question.text or "", _REPEATED)
        await notify.notify(tx, desk, contact, "questions.unanswered", now, id=question.id, asked=asked)
        await questions.expire(tx, question.id)


async def _way(tx: Tx, desk: Desk, question: Question, now: datetime) -> Contact | None:
    """Where the asker may be written to now: whoever has said stop since is left alone."""
    asked = await tx.get(Contact, question.contact_id) if question.contact_id is not None else None
    person = await people.get(tx, asked.person_id) if asked is not None else None
    if asked is None or person is None:
        return None
    if person.status is PersonStatus.STOPPED and (person.stopped_at or now) >= question.asked_at:
        return None
    found = [c for c in await people.open_contacts(tx, person.id) if c.kind is ChatKind.PRIVATE]
    for contact in sorted(found, key=lambda c: c.id != asked.id):
        if (contact.muted_until or now) <= now and await notify.can_be_told(tx, desk, contact):
            return contact
    return None


async def sender(tx: Tx, desk: Desk, question: Question, language: str) -> str:
    """Who answered, by role and unit, never by name."""
    unit = await units.get(tx, question.answer_unit_id) if question.answer_unit_id is not None else None
    if unit is None or question.answer_role is None:
        return desk.book.label(language, "questions.somebody")
    if question.answer_role is RoleName.HELPER:
        return desk.book.label(language, "questions.by_helper", unit=unit.name)
    name = await mandates.sender(tx, desk, Mandate(role=question.answer_role, own=unit, unit=unit), language)
    return name[:1].lower() + name[1:]


async def bring(tx: Tx, desk: Desk, person: Person, contact: Contact, now: datetime) -> int:
    """Give somebody who has just written the answers that had to wait. Returns how many."""
    just_stopped = person.status is PersonStatus.STOPPED and person.stopped_at == now
    if just_stopped or contact.kind is not ChatKind.PRIVATE or (contact.muted_until or now) > now:
        return 0
    found = await questions.waiting_for(tx, person.id)
    for question in found:
        await give(tx, desk, question, now, to=contact)
    return len(found)


async def own(tx: Tx, person: Person, question_id: int) -> Question | None:
    """An answered question of that very person, locked."""
    question = await questions.lock(tx, question_id)
    if question is None or question.contact_id is None or question.state is not QuestionState.ANSWERED:
        return None
    contact = await tx.get(Contact, question.contact_id)
    return question if contact is not None and contact.person_id == person.id else None


async def settle(tx: Tx, question: Question) -> None:
    """They are content: nobody needs to know any more who they are."""
    question.state, question.contact_id, question.due_at = QuestionState.SETTLED, None, None
    await tx.flush()


async def reopen(tx: Tx, desk: Desk, question: Question, now: datetime) -> Unit | None:
    """The answer was not clear: those above whoever was asked are asked now. Returns whose people were told."""
    question.state, question.turn = QuestionState.OPEN, question.turn + 1
    question.answered_at = question.given_at = None
    if question.level is UnitKind.PROVINCE:
        question.level = UnitKind.COMMUNE  # there is nobody above: the province once more
    return await duty.tell_next(tx, desk, question, now)
