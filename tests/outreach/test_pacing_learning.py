"""Pacing against a platform that is stricter than documented: learnt at once, tried again rarely."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from bot.core.words import Lane
from tests.support.pacing import UNLIMITED, World, most_within, people, rough, strict


def _against(per_second: float, retry_after: int, **options: object) -> World:
    world = World(platform=strict(per_second, retry_after - 1), **options)  # type: ignore[arg-type]  # passed on
    world.keep_sending(people())
    return world


@pytest.mark.parametrize(("allowed", "retry_after"), [(25, 3), (25, 35), (10, 3), (29, 1)])
def test_half_an_hour_costs_a_handful_of_refusals(allowed: int, retry_after: int) -> None:
    world = _against(allowed, retry_after, latency=[0.06 + d for d in rough(1, 0.02, 0.02, 0.0)])
    world.run(1800)
    assert len(world.refused) < 10
    assert world.rate(0, 1800) > 0.95 * allowed


def test_on_an_uneven_way_a_little_less_is_sent() -> None:
    """One message in a hundred is up to a twentieth of a second late, so that the platform sees them bunched."""
    world = _against(25, 3, latency=[0.06 + d for d in rough(1, 0.02, 0.1, 0.01)])
    world.run(1800)
    assert len(world.refused) < 30
    assert world.rate(0, 1800) > 0.85 * 25


def test_the_pace_is_right_a_few_seconds_after_the_first_refusal() -> None:
    world = _against(25, 3)
    world.run(100)
    assert len(world.refused) <= 3
    assert world.rate(10, 100) == pytest.approx(25 * 0.983, abs=0.1)


def test_a_platform_that_turns_strict_in_the_middle_of_a_run_is_learnt_as_fast() -> None:
    world = World()
    world.keep_sending(people())
    world.run(60)
    world.meter.limits = strict(25, 2)
    world.run(1860)
    assert len(world.refused) < 10
    assert world.rate(60, 1860) > 0.95 * 25


def test_a_platform_that_is_strict_on_average_only_is_learnt_too() -> None:
    """Bursts are let through, so that more seems to get through than does for long."""
    world = World(platform=replace(strict(None, 2), per_chat_second=25, chat_burst=30))
    world.keep_sending(people())
    world.run(1800)
    assert len(world.refused) < 40
    assert world.rate(0, 1800) > 0.9 * 25


@pytest.mark.parametrize("allowed", [2, 25])
def test_full_pace_is_back_ten_minutes_after_the_platform_grew_kind(allowed: int) -> None:
    world = _against(allowed, 3)
    world.run(1500)
    world.meter.limits = strict(None)
    refused = len(world.refused)
    world.run(2100)
    assert world.rate(2090, 2100) == pytest.approx(29.5, abs=0.2)
    assert len(world.refused) == refused


def test_the_pace_climbs_in_steps_that_are_each_tried_for_a_while() -> None:
    world = _against(15, 3)
    world.run(60)
    world.meter.limits = strict(None)
    rates = []
    for moment in range(120, 260, 10):
        world.run(moment)
        rates.append(world.pacer.ceiling.pace)
    assert rates == sorted(rates)
    assert rates[0] < 17
    assert len(set(rates)) >= 4
    assert rates[-1] == 30


def test_without_anybody_waiting_nothing_is_tried() -> None:
    world = World(platform=strict(25, 2))
    world.keep_sending(people(), waiting=20)
    world.run(10)
    world.keep_sending(iter(()))
    for second in range(10, 1000):
        world.wish_at(second, Lane.REPLY, f"asks{second}")
    world.run(1000)
    assert world.pacer.rate() < 26


def test_after_an_hour_a_refusal_is_forgotten() -> None:
    world = World()
    world.keep_sending(people())
    world.run(10)
    world.pacer.slow_down(world.now, 3.0)
    world.keep_sending(iter(()))
    assert world.pacer.rate() < 29
    world.wish_at(3620, Lane.REPLY, "asks")
    world.run(3700)
    assert world.pacer.rate() > 29


def test_several_refusals_of_what_was_on_its_way_count_as_one() -> None:
    rates = []
    for refusals in (1, 5):
        world = World()
        world.keep_sending(people())
        world.run(10)
        for _ in range(refusals):
            world.pacer.slow_down(world.now, 3.0)
        rates.append(world.pacer.rate())
    assert rates == [pytest.approx(28.5, abs=0.1)] * 2


def test_a_refusal_of_one_among_few_says_nothing_about_the_pace() -> None:
    world = World()
    world.wish(Lane.REPLY, "asks")
    world.run(1)
    world.pacer.slow_down(world.now, 3.0)
    assert world.pacer.halted(world.now)
    assert world.pacer.rate() > 29


def test_a_single_refusal_may_have_been_about_one_chat_and_counts_the_second_time() -> None:
    world = World()
    world.keep_sending(people())
    world.run(0.6)
    world.pacer.slow_down(world.now, 3.0)
    assert world.pacer.rate() > 29
    world.run(4.2)
    world.pacer.slow_down(world.now, 3.0)
    assert world.pacer.rate() < 20


def test_a_very_strict_platform_is_believed_the_second_time() -> None:
    world = _against(1, 3)
    world.run(300)
    assert world.pacer.ceiling.pace <= 2
    assert len(world.refused) < 30


def test_without_a_limit_of_our_own_the_rate_is_learnt_from_what_got_through() -> None:
    world = World(UNLIMITED, strict(30, 4))
    assert world.pass_open(100) == 100
    world.run(0.2)
    assert len(world.refused) == 70
    assert world.pass_open(1) == 0
    world.keep_sending(people(), waiting=100)
    world.run(300)
    assert world.pacer.rate() == pytest.approx(29.5, abs=2)
    assert len(world.refused) < 75
    assert most_within(world.times()[100:], 1.0) <= 31


def test_a_line_without_limit_that_was_refused_keeps_to_the_limits_of_chats_too() -> None:
    world = World(UNLIMITED, strict(30, 4))
    world.pass_open(100)
    world.run(10)
    for _ in range(3):
        world.wish(Lane.REPLY, "busy")
    world.run(20)
    times = [m.at for m in world.left if m.chat == "busy"]
    assert all(b - a >= 1 for a, b in pairwise(times))
    assert len(times) == 3


def test_a_line_without_limit_is_open_again_when_the_platform_is() -> None:
    world = World(UNLIMITED, strict(30, 4))
    world.pass_open(100)
    world.run(10)
    world.meter.limits = strict(None)
    world.keep_sending(people(), waiting=20)
    world.run(250)
    assert world.pacer.ceiling.pace > 300


def test_a_line_without_limit_that_is_shut_from_the_start_begins_carefully() -> None:
    world = World(UNLIMITED, strict(30, 4))
    world.meter.take(1, 30)
    world.pass_open(100)
    world.run(0.2)
    assert len(world.refused) == 100
    assert 10 <= world.pacer.rate() <= 30
