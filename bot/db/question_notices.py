"""Queries about who was told of a question, and by which message."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from bot.core.words import ContactState, PersonStatus, RoleName
from bot.db.session import Tx
from bot.db.tables import Contact, Person, Role
from bot.db.tables_questions import Question, QuestionNotice


async def on_duty(tx: Tx, names: Iterable[RoleName], unit_id: int) -> list[int]:
    """Ids of people who hold one of the roles for that very unit and can be told something: reachable, and not
    stopped."""
    query = (
        sa.select(Role.person_id)
        .join(Person, Person.id == Role.person_id)
        .join(Contact, Contact.person_id == Role.person_id)
        .where(Role.role.in_(list(names)), Role.unit_id == unit_id)
        .where(Contact.state == ContactState.OPEN, Person.status != PersonStatus.STOPPED)
    )
    return list((await tx.execute(query.distinct().order_by(Role.person_id))).scalars())


async def add(tx: Tx, question: Question, contact_id: int, now: datetime) -> QuestionNotice:
    found = QuestionNotice(question_id=question.id, contact_id=contact_id, turn=question.turn, at=now)
    tx.add(found)
    await tx.flush()
    return found


async def told(tx: Tx, question: Question) -> list[tuple[QuestionNotice, Contact]]:
    """Who was told of the question this time, and where."""
    query = sa.select(QuestionNotice, Contact).join(Contact, Contact.id == QuestionNotice.contact_id)
    mine = query.where(QuestionNotice.question_id == question.id, QuestionNotice.turn == question.turn)
    return [(notice, contact) for notice, contact in (await tx.execute(mine.order_by(QuestionNotice.id))).all()]


async def question_of(tx: Tx, contact_id: int, message_id: str) -> int | None:
    """The question of which that message told."""
    query = sa.select(QuestionNotice.question_id).where(
        QuestionNotice.contact_id == contact_id, QuestionNotice.message_id == message_id
    )
    return (await tx.execute(query.order_by(QuestionNotice.id.desc()).limit(1))).scalar_one_or_none()


async def sent_as(tx: Tx, notice_id: int, message_id: str) -> None:
    """The notice has left as that message."""
    change = sa.update(QuestionNotice).where(QuestionNotice.id == notice_id).values(message_id=message_id)
    await tx.execute(change.execution_options(synchronize_session=False))
