"""The tables of practice: how far each person is, what they answered, how far today's questions are given out."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from bot.db.base import Base, BigId


class Learner(Base):
    """Somebody who is asked, or has said that they do not want to be (`wanted`). `tip` is what they were asked about
    last, `is_open` until they answer that. `run_id` brought the latest daily question since they last answered,
    `asked_on` is the local day of it; before that one, `ignored` daily questions in a row reached them and were passed
    by. They have answered on `streak` days in a row, last on `streak_on`."""

    __tablename__ = "learner"
    person_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("person.id", ondelete="CASCADE"), primary_key=True)
    wanted: Mapped[bool] = mapped_column(default=True)
    tip: Mapped[str | None]
    is_open: Mapped[bool] = mapped_column(default=False)
    run_id: Mapped[int | None] = mapped_column(BigId)
    asked_on: Mapped[date | None]
    ignored: Mapped[int] = mapped_column(sa.SmallInteger, default=0)
    streak: Mapped[int] = mapped_column(sa.SmallInteger, default=0)
    streak_on: Mapped[date | None]


class Practice(Base):
    """The question of one tip for one person who has answered it: whether the latest answer `was_right`, when it came,
    and when one was last wrong. `step` counts the repeats from 1 while it is asked again, on `due_on` or later; 0 is
    done."""

    __tablename__ = "practice"
    __table_args__ = (
        sa.Index(
            "practice_due",
            "person_id",
            "due_on",
            sqlite_where=sa.text("due_on IS NOT NULL"),
            postgresql_where=sa.text("due_on IS NOT NULL"),
        ),
        sa.Index("practice_by_at", "at"),
        {"sqlite_with_rowid": False},
    )
    person_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("person.id", ondelete="CASCADE"), primary_key=True)
    tip: Mapped[str] = mapped_column(primary_key=True)
    was_right: Mapped[bool]
    step: Mapped[int] = mapped_column(sa.SmallInteger)
    due_on: Mapped[date | None]
    at: Mapped[datetime]
    wrong_at: Mapped[datetime | None]


class PracticeRound(Base):
    """How far the daily questions of an hour are given out: on that day, to people up to the id `after`, of those up to
    `until`. Whoever comes later has had no tip yet."""

    __tablename__ = "practice_round"
    hour: Mapped[int] = mapped_column(sa.SmallInteger, primary_key=True, autoincrement=False)
    day: Mapped[date]
    after: Mapped[int] = mapped_column(BigId)
    until: Mapped[int] = mapped_column(BigId)
