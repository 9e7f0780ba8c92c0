"""Queries about questions that people are asked because the bot did not know."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from bot.core.words import QuestionState
from bot.db.session import Tx
from bot.db.sql import Unindexed, changed, insert
from bot.db.tables import Contact, Unit
from bot.db.tables_questions import Asked, Question, QuestionNotice

_NOBODYS = {"contact_id": None, "due_at": None}
_WORDLESS = {"text": None, "answer": None, **_NOBODYS}


async def remember(tx: Tx, contact_id: int, text: str, now: datetime) -> None:
    """What this contact is about to send on."""
    row = {"contact_id": contact_id, "text": text, "at": now}
    statement = insert(tx, Asked).values(row)
    await tx.execute(statement.on_conflict_do_update(index_elements=["contact_id"], set_={"text": text, "at": now}))


async def recall(tx: Tx, contact_id: int, since: datetime) -> str | None:
    """What this contact is about to send on, if that was after `since`."""
    query = sa.select(Asked.text).where(Asked.contact_id == contact_id, Asked.at > since)
    return (await tx.execute(query)).scalar_one_or_none()


async def forget(tx: Tx, contact_id: int) -> None:
    await tx.execute(sa.delete(Asked).where(Asked.contact_id == contact_id))


async def drop_asked_older(tx: Tx, than: datetime) -> int:
    return await changed(tx, sa.delete(Asked).where(Asked.at <= than))


async def add(tx: Tx, contact_id: int, unit_id: int, text: str, now: datetime) -> Question:
    """A new question for which nobody was told yet."""
    found = Question(
        contact_id=contact_id, unit_id=unit_id, text=text, asked_at=now, due_at=now, turn=0, state=QuestionState.OPEN
    )
    tx.add(found)
    await tx.flush()
    return found


async def get(tx: Tx, question_id: int) -> Question | None:
    return await tx.get(Question, question_id)


async def lock(tx: Tx, question_id: int) -> Question | None:
    """The question as it is now; nobody else changes it before this transaction ends."""
    return await tx.get(Question, question_id, with_for_update=True, populate_existing=True)


async def open_of(tx: Tx, person_id: int) -> list[Question]:
    """What that person asked and nobody has answered yet, oldest first."""
    return await _of_person(tx, person_id, (QuestionState.OPEN,))


async def kept_of(tx: Tx, person_id: int) -> list[Question]:
    """Everything of that person that still belongs to them."""
    return await _of_person(tx, person_id, (QuestionState.OPEN, QuestionState.ANSWERED))


async def waiting_for(tx: Tx, person_id: int) -> list[Question]:
    """Answers that this person was not given yet, oldest first; nobody else gives them meanwhile."""
    query = of_person(person_id, (QuestionState.ANSWERED,)).where(Question.given_at.is_(None)).with_for_update()
    return list((await tx.execute(query, execution_options={"populate_existing": True})).scalars())


async def _of_person(tx: Tx, person_id: int, states: Sequence[QuestionState]) -> list[Question]:
    return list((await tx.execute(of_person(person_id, states))).scalars())


def of_person(person_id: int, states: Sequence[QuestionState]) -> sa.Select[Question]:
    """Found by who asked: there are thousands of a state, and this is asked at every message of everybody."""
    theirs = sa.select(Contact.id).where(Contact.person_id == person_id)
    mine = sa.and_(Question.contact_id.in_(theirs), Unindexed(Question.state).in_(states))
    return sa.select(Question).where(mine).order_by(Question.id)


async def due(tx: Tx, now: datetime, limit: int) -> list[int]:
    """Ids of questions of which the next people should be told, the longest due first."""
    query = sa.select(Question.id).where(Question.due_at.is_not(None), Question.due_at <= now)
    return list((await tx.execute(query.order_by(Question.due_at, Question.id).limit(limit))).scalars())


async def forsaken(tx: Tx, asked_before: datetime, limit: int) -> list[int]:
    """Ids of questions that nobody has answered and of which it is known who asked, the oldest first."""
    open_ones = sa.and_(Question.state == QuestionState.OPEN, Question.contact_id.is_not(None))
    query = sa.select(Question.id).where(open_ones, Question.asked_at < asked_before)
    return list((await tx.execute(query.order_by(Question.asked_at, Question.id).limit(limit))).scalars())


async def expire(tx: Tx, question_id: int) -> None:
    """Nobody answered: its words go, that it was asked stays."""
    await tx.execute(sa.delete(QuestionNotice).where(QuestionNotice.question_id == question_id))
    gone = {"state": QuestionState.EXPIRED, **_WORDLESS}
    await changed(tx, sa.update(Question).where(Question.id == question_id).values(**gone))


def _below(paths: Sequence[str]) -> sa.ColumnElement[bool]:
    below = sa.or_(sa.false(), *(Unit.path.startswith(path, autoescape=True) for path in paths))
    return sa.and_(Question.state == QuestionState.OPEN, below)


async def open_below(tx: Tx, paths: Sequence[str], limit: int) -> list[tuple[Question, Unit]]:
    """Open questions from the units below these paths with their units, oldest first."""
    query = sa.select(Question, Unit).join(Unit, Unit.id == Question.unit_id).where(_below(paths))
    rows = (await tx.execute(query.order_by(Question.asked_at, Question.id).limit(limit))).all()
    return [(question, unit) for question, unit in rows]


async def count_below(tx: Tx, paths: Sequence[str]) -> int:
    """How many open questions there are from the units below these paths."""
    query = sa.select(sa.func.count()).select_from(Question).join(Unit, Unit.id == Question.unit_id)
    return (await tx.execute(query.where(_below(paths)))).scalar_one()


async def answered_with(tx: Tx, question: Question) -> list[Question]:
    """Questions that got their answer together with this one, itself among them, oldest first."""
    query = sa.select(Question).where(
        Question.answered_at == question.answered_at, Question.answered_by_id == question.answered_by_id
    )
    return list((await tx.execute(query.order_by(Question.id))).scalars())


async def latest(tx: Tx, limit: int) -> list[tuple[Question, Unit]]:
    """The newest questions with their units, newest first."""
    query = sa.select(Question, Unit).join(Unit, Unit.id == Question.unit_id)
    rows = (await tx.execute(query.order_by(Question.id.desc()).limit(limit))).all()
    return [(question, unit) for question, unit in rows]


async def take_back(tx: Tx, question_id: int) -> None:
    """The answer did not leave after all: it waits until they write."""
    given = sa.and_(Question.id == question_id, Question.state == QuestionState.ANSWERED)
    await changed(tx, sa.update(Question).where(given).values(given_at=None))


async def settle_given_before(tx: Tx, moment: datetime) -> int:
    """Whoever got their answer by then and said nothing is content: who they are is forgotten."""
    given = sa.and_(Question.state == QuestionState.ANSWERED, Question.given_at <= moment)
    return await changed(tx, sa.update(Question).where(given).values(state=QuestionState.SETTLED, **_NOBODYS))


async def withdraw(tx: Tx, person_id: int) -> None:
    """Whatever hangs on that person is nobody's and says nothing any more."""
    theirs = Question.contact_id.in_(sa.select(Contact.id).where(Contact.person_id == person_id))
    await changed(tx, sa.update(Question).where(theirs).values(state=QuestionState.WITHDRAWN, **_WORDLESS))


async def drop_words_older(tx: Tx, than: datetime) -> int:
    """Of questions from before then only what is counted stays: when, where, in which role they were answered."""
    with_words = sa.or_(Question.text.is_not(None), Question.answer.is_not(None))
    old = sa.and_(Question.asked_at < than, with_words)
    unanswered, late = Question.state == QuestionState.OPEN, Question.state == QuestionState.ANSWERED
    await tx.execute(sa.delete(QuestionNotice).where(QuestionNotice.question_id.in_(sa.select(Question.id).where(old))))
    await changed(tx, sa.update(Question).where(old, unanswered).values(state=QuestionState.EXPIRED))
    await changed(tx, sa.update(Question).where(old, late).values(state=QuestionState.SETTLED))
    return await changed(tx, sa.update(Question).where(old).values(**_WORDLESS))
