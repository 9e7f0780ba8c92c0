"""When a question is asked again, how many days in a row somebody has answered, and how often they are asked: plain
arithmetic of days."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Protocol

WAITS = (1, 3, 7)
"""So many days after a wrong answer the question comes again, and after each right one from then on; 0 is done."""
PATIENCE = 5
"""Whoever passes by so many daily questions in a row is asked but once a `REST`."""
REST = timedelta(days=7)
PRAISED = (3, 7, 30)
"""Days in a row that are worth a warm word."""


class Habit(Protocol):
    """What decides about the next daily question and the days in a row: see `bot.db.tables_practice.Learner`."""

    wanted: bool
    run_id: int | None
    asked_on: date | None
    ignored: int
    streak: int
    streak_on: date | None


def next_step(step: int, *, right: bool) -> int:
    """The place in the repeats after an answer. What was known at once is not asked again."""
    if not right:
        return 1
    return step + 1 if 0 < step < len(WAITS) else 0


def due(step: int, today: date) -> date | None:
    """The day from which on it is asked again."""
    return today + timedelta(days=WAITS[step - 1]) if step else None


def is_turn(*, wanted: bool, asked_on: date | None, ignored: int, today: date) -> bool:
    """Whether somebody is asked today: once a day, and rarely when they pass it by."""
    if not wanted or asked_on is None:
        return wanted
    return asked_on <= today - REST if ignored >= PATIENCE else asked_on < today


def keep_up(habit: Habit, today: date) -> bool:
    """They have answered something today. Only a daily question that came and was followed by another one without an
    answer ends the days in a row: a day without a question does not. Returns whether it is their first answer today."""
    fresh = habit.streak_on != today
    if fresh:
        habit.streak = 1 if habit.ignored else habit.streak + 1
        habit.streak_on = today
    habit.ignored, habit.run_id = 0, None
    return fresh
