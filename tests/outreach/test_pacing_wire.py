"""Pacing at the wire: what a platform that counts strictly sees, however busy the program is."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.channel import Limits
from bot.core.words import Lane
from bot.outreach.pacing_queue import Ticket
from bot.outreach.pacing_wire import Wire
from tests.support.pacing import TELEGRAM, World, most_within, people, rough, strict

WISHES = st.lists(
    st.tuples(
        st.sampled_from(list(Lane)),
        st.integers(0, 12),
        st.booleans(),
        st.floats(0, 1.5),
        st.sampled_from([1, 1, 1, 4, 10]),
    ),
    max_size=150,
)
DELAYS = st.lists(st.sampled_from([0.0, 0.0005, 0.003, 0.02, 0.09, 0.4, 1.5]), min_size=1, max_size=20)
SMALL = st.lists(st.sampled_from([0.0, 0.0005, 0.002, 0.02]), min_size=1, max_size=20)
STALLS = st.lists(st.tuples(st.floats(0, 60), st.floats(0, 0.3)), max_size=40)


@settings(max_examples=300, deadline=None)
@given(WISHES, DELAYS, SMALL, STALLS)
def test_no_limit_is_ever_exceeded(
    wishes: list[tuple[Lane, int, bool, float, int]],
    doors: list[float],
    late: list[float],
    stalls: list[tuple[float, float]],
) -> None:
    world = World(doors=doors, late=late, stalls=stalls)
    at = 0.0
    for lane, number, group, pause, weight in wishes:
        world.wish_at(at, lane, f"{'g' if group else 'p'}{number}", group=group, weight=weight)
        at += pause
    world.run(6000)
    assert len(world.times()) == sum(weight for *_, weight in wishes)
    assert most_within(world.times(), 1.0) <= 30
    for chat in {m.chat for m in world.left}:
        of_chat = [m for m in world.left if m.chat == chat]
        assert all(b.at - a.at >= a.weight for a, b in pairwise(of_chat))
        if chat.startswith("g"):
            assert most_within([m.at for m in of_chat for _ in range(m.weight)], 60.0) <= 20


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.floats(0, 0.3), st.floats(0, 0.3), STALLS, st.sampled_from([1, 5, 30, 400]))
def test_a_busy_program_never_puts_too_many_into_a_second(
    seed: int, doors: float, late: float, stalls: list[tuple[float, float]], rate: int
) -> None:
    world = World(
        Limits(per_second=rate), doors=rough(seed, 0.002, doors, 0.2), late=rough(seed, 0.002, late, 0.2), stalls=stalls
    )
    world.keep_sending(people())
    world.run(60 if rate < 400 else 10)
    assert most_within(world.times(), 1.0) <= rate


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.lists(st.floats(0, 0.06), min_size=12, max_size=12))
def test_small_stalls_cost_no_pace(seed: int, stalls: list[float]) -> None:
    world = World(
        doors=rough(seed, 0.002, 0.005, 0.05),
        late=rough(seed + 1, 0.0015, 0.004, 0.05),
        stalls=[(5 * n + seed % 5, length) for n, length in enumerate(stalls)],
    )
    world.keep_sending(people())
    world.run(60)
    assert len(world.left) >= 29.3 * 60
    assert most_within(world.times(), 1.0) <= 30


def test_a_strict_platform_refuses_nothing_though_the_way_to_it_varies() -> None:
    """Up to ten milliseconds more or less on each way."""
    world = World(platform=strict(30), latency=[0.06 + d for d in rough(3, 0.02, 0.02, 0)])
    world.keep_sending(people())
    world.run(600)
    assert not world.refused
    assert len(world.left) >= 29.3 * 600


def test_an_idle_line_lets_a_few_go_quickly_and_a_crowd_evenly() -> None:
    world = World()
    world.keep_sending(people())
    world.run(60)
    assert min(world.distances()) > 0.033
    assert max(world.distances()) < 0.035


def test_a_missed_slot_is_made_up_for_and_a_long_pause_is_not() -> None:
    world = World(stalls=[(10.01, 0.1), (30.01, 5.0)])
    world.keep_sending(people())
    world.run(60)
    assert len(world.left) == pytest.approx(29.5 * 55, abs=5)
    assert min(world.distances()) > 0.016


def test_a_message_that_is_long_on_its_way_to_the_wire_counts_until_it_is_there() -> None:
    """Connections are being opened: for two seconds nobody knows when the messages leave."""
    world = World(doors=[2.0] * 15 + [0.0005])
    world.keep_sending(people())
    world.run(10)
    assert most_within(world.times(), 1.0) <= 30


def test_a_message_of_which_nothing_is_heard_holds_up_nobody_for_ever() -> None:
    world = World(doors=[1e9, 0.0005])
    world.keep_sending(people(), waiting=200)
    world.run(60)
    assert len(world.left) > 100
    assert most_within(world.times(), 1.0) <= 30


def test_limits_are_values() -> None:
    world = World(Limits(per_second=5, per_chat_second=0.5))
    for _ in range(10):
        world.wish(Lane.REPLY, "one")
    world.keep_sending(people())
    world.run(30)
    assert most_within(world.times(), 1.0) <= 5
    assert Counter(m.chat for m in world.left)["one"] == 10
    assert all(b.at - a.at >= 2 for a, b in pairwise(m for m in world.left if m.chat == "one"))


def test_a_chat_is_not_waited_for_when_its_limits_ceased_to_count_meanwhile() -> None:
    wire = Wire(TELEGRAM)
    ticket = Ticket(Lane.BULK, "a", False, lambda: None)
    wire.leave(ticket, 10.0)
    assert wire.ready_at(ticket, 10.0) > 10.0
    wire.counts_chats = False
    assert wire.arrive(ticket, 10.1)
    wire.counts_chats = True
    assert wire.ready_at(ticket, 10.2) <= 10.2
