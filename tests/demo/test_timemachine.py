"""The clock of the demo."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import pytest

from bot.sandbox.page import TimeMachine
from tests.demo.conftest import ZONE


def at(hour: int, minute: int = 0) -> TimeMachine:
    moment = datetime(2026, 11, 23, hour, minute, tzinfo=ZONE)
    return TimeMachine(ZONE, (19, 7, 11), source=lambda: moment)


@pytest.mark.parametrize(
    ("real", "shown"),
    [(at(3), "23 08:30"), (at(6, 59), "23 08:30"), (at(7), "23 07:00"), (at(20, 29), "23 20:29"), (at(22), "23 08:30")],
)
def test_by_day_it_is_the_real_time_and_by_night_a_morning(real: TimeMachine, shown: str) -> None:
    assert real.clock.local(real.now()).strftime("%d %H:%M") == shown


def test_it_knows_how_long_it_is_until_an_hour() -> None:
    assert at(12).until(time(19)) == timedelta(hours=7)
    assert at(12).until(time(7)) == timedelta(hours=19)
    assert at(12).until(time(12)) == timedelta(days=1)


def test_it_names_the_hours_of_tips_that_are_still_to_come() -> None:
    assert at(12).shown()["tip_hours"] == [19]
    assert at(19).shown()["tip_hours"] == []


def test_a_jump_goes_forward_and_tells_who_waits_for_it() -> None:
    machine, told = at(12), []
    machine.jumped.append(lambda: told.append(machine.now()))
    begun = machine.now()
    machine.forward(timedelta(hours=1))
    assert told == [begun + timedelta(hours=1)]
    for wrong in (timedelta(), timedelta(seconds=-1), timedelta(days=41)):
        with pytest.raises(ValueError, match="forward"):
            machine.forward(wrong)
