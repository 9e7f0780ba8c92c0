"""The tables of questions that the bot could not answer, and of the answers that people gave."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from bot.core.words import EntryState, QuestionState, RoleName, UnitKind
from bot.db.base import Base, BigId
from bot.db.types import Coded


def _few(name: str, column: str, condition: str) -> sa.Index:
    """An index of only those rows for which the condition holds."""
    return sa.Index(name, column, sqlite_where=sa.text(condition), postgresql_where=sa.text(condition))


class Asked(Base):
    """What a contact was shown, redacted, before they send it on: for the hour in which they may."""

    __tablename__ = "asked"
    contact_id: Mapped[int] = mapped_column(sa.ForeignKey("contact.id", ondelete="CASCADE"), primary_key=True)
    text: Mapped[str]
    at: Mapped[datetime]


class Question(Base):
    """What somebody asked of people, redacted. `contact_id` is where they asked, as long as an answer has to find its
    way; `unit_id` where they live. `level` is whose people were told last, none while nobody was; at `due_at` the
    next ones are, or the answer is given that waited for the morning. `turn` counts from 0 and grows when an answer
    was not clear. An answer without `given_at` waits until they write."""

    __tablename__ = "question"
    __table_args__ = (
        sa.Index("question_by_state", "state", "asked_at"),
        _few("question_due", "due_at", "due_at IS NOT NULL"),
        _few("question_by_contact_id", "contact_id", "contact_id IS NOT NULL"),
        _few("question_by_answered_by_id", "answered_by_id", "answered_by_id IS NOT NULL"),
        {"sqlite_autoincrement": True},
    )
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    contact_id: Mapped[int | None] = mapped_column(sa.ForeignKey("contact.id", ondelete="SET NULL"))
    unit_id: Mapped[int] = mapped_column(sa.ForeignKey("unit.id"))
    state: Mapped[QuestionState] = mapped_column(Coded(QuestionState), default=QuestionState.OPEN)
    text: Mapped[str | None]
    asked_at: Mapped[datetime]
    level: Mapped[UnitKind | None]
    turn: Mapped[int] = mapped_column(sa.SmallInteger, default=0)
    due_at: Mapped[datetime | None]
    answer: Mapped[str | None]
    answered_at: Mapped[datetime | None]
    answered_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id", ondelete="SET NULL"))
    answer_role: Mapped[RoleName | None]
    answer_unit_id: Mapped[int | None] = mapped_column(sa.ForeignKey("unit.id"))
    given_at: Mapped[datetime | None]


class QuestionNotice(Base):
    """Who was told of a question, once a turn. `message_id` is known when it has left: so that an answer to that
    message finds the question."""

    __tablename__ = "question_notice"
    __table_args__ = (sa.UniqueConstraint("question_id", "contact_id", "turn"),)
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    question_id: Mapped[int] = mapped_column(sa.ForeignKey("question.id", ondelete="CASCADE"))
    contact_id: Mapped[int] = mapped_column(sa.ForeignKey("contact.id", ondelete="CASCADE"), index=True)
    turn: Mapped[int] = mapped_column(sa.SmallInteger)
    message_id: Mapped[str | None]
    at: Mapped[datetime]


class LocalEntry(Base):
    """A question with its answer that people here wrote, for the bot to know once somebody else has agreed. Without
    `source` it is their own experience, and `source_name` says whose."""

    __tablename__ = "local_entry"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    state: Mapped[EntryState] = mapped_column(Coded(EntryState), default=EntryState.PROPOSED)
    unit_id: Mapped[int] = mapped_column(sa.ForeignKey("unit.id"))
    title: Mapped[str]
    phrasings: Mapped[list[Any]]
    answer: Mapped[str]
    source: Mapped[str]
    source_name: Mapped[str]
    checked_on: Mapped[date]
    expires_on: Mapped[date]
    author_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id", ondelete="SET NULL"))
    decided_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id", ondelete="SET NULL"))
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
