"""When a question comes again, and days in a row: a small machine of days, whatever people do and leave undone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from bot.outreach import spacing

MONDAY = date(2026, 11, 23)


@dataclass
class Habit:
    """What `bot.db.tables_practice.Learner` keeps of somebody."""

    wanted: bool = True
    run_id: int | None = None
    asked_on: date | None = None
    ignored: int = 0
    streak: int = 0
    streak_on: date | None = None


class Village(RuleBasedStateMachine):
    """One person and one question, day by day. What must hold is told by what was seen, not by how it is reckoned."""

    def __init__(self) -> None:
        super().__init__()
        self.today = MONDAY
        self.habit = Habit()
        self.step = 0
        self.due: date | None = None
        self.before: tuple[int, bool | None] = (0, None)
        self.answered: list[date] = []
        self.asked: list[date] = []
        self.unanswered = 0
        """Daily questions that reached them since their last answer."""
        self.passed_by = False

    @rule(days=st.integers(1, 9))
    def days_pass(self, days: int) -> None:
        self.today += timedelta(days=days)

    @rule()
    def the_hour_comes(self) -> None:
        """As `bot.outreach.practice_round` does it, when every question reaches them."""
        habit = self.habit
        ignored = habit.ignored + (habit.run_id is not None)
        if spacing.is_turn(wanted=habit.wanted, asked_on=habit.asked_on, ignored=ignored, today=self.today):
            habit.ignored, habit.run_id, habit.asked_on = ignored, 1, self.today
            self.asked.append(self.today)
            self.unanswered += 1

    @rule(right=st.booleans())
    def they_answer(self, right: bool) -> None:
        before, broken = self.habit.streak, self.unanswered > 1
        again = self.today in self.answered
        assert spacing.keep_up(self.habit, self.today) is not again
        expected = before if again else 1 if broken else before + 1
        assert self.habit.streak == expected
        self.answered.append(self.today)
        self.unanswered = 0
        if self.due is None or self.due <= self.today:
            self.before = (self.step, right)
            self.step = spacing.next_step(self.step, right=right)
            self.due = spacing.due(self.step, self.today)

    @rule()
    def they_change_their_mind(self) -> None:
        self.habit.wanted = not self.habit.wanted

    @invariant()
    def nobody_is_asked_twice_on_a_day(self) -> None:
        assert len(self.asked) == len(set(self.asked))

    @invariant()
    def whoever_passes_by_is_left_alone(self) -> None:
        if self.unanswered > spacing.PATIENCE + 1:
            assert self.asked[-1] - self.asked[-2] >= spacing.REST

    @invariant()
    def no_more_days_in_a_row_than_days_with_an_answer(self) -> None:
        assert 0 <= self.habit.streak <= len(set(self.answered))

    @invariant()
    def what_was_wrong_comes_again_and_what_is_known_does_not(self) -> None:
        was, right = self.before
        if right is False:
            assert self.step == 1
        elif right is True:
            assert self.step == (was + 1) % (len(spacing.WAITS) + 1) if was else self.step == 0
        assert (self.due is None) == (self.step == 0)


TestVillage = Village.TestCase
TestVillage.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)


def test_after_a_wrong_answer_it_comes_after_one_three_and_seven_days() -> None:
    step, days = 0, []
    for right in (False, True, True, True):
        step = spacing.next_step(step, right=right)
        due = spacing.due(step, MONDAY)
        days.append(None if due is None else (due - MONDAY).days)
    assert days == [1, 3, 7, None]


@pytest.mark.parametrize(
    ("ignored", "days", "turn"), [(0, 0, False), (0, 1, True), (4, 1, True), (5, 1, False), (5, 6, False), (5, 7, True)]
)
def test_whose_turn_it_is(ignored: int, days: int, turn: bool) -> None:
    asked_on = MONDAY - timedelta(days=days)
    assert spacing.is_turn(wanted=True, asked_on=asked_on, ignored=ignored, today=MONDAY) is turn
    assert not spacing.is_turn(wanted=False, asked_on=asked_on, ignored=ignored, today=MONDAY)
