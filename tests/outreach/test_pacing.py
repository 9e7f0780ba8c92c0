"""Pacing: what may leave when, for any order of wishes."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.channel import Limits
from bot.core.words import Lane
from bot.outreach.pacing import Pacer, Ticket

TELEGRAM = Limits(per_second=30, per_chat_second=1, per_group_minute=20)


class Simulation:
    """A pacer under a clock that only the test moves."""

    def __init__(self, limits: Limits = TELEGRAM, delays: Sequence[float] = (0.0005,)) -> None:
        self.pacer = Pacer(limits)
        self.delays = itertools.cycle(delays)
        self.doorstep: tuple[Ticket, float] | None = None
        self.now = 100.0
        self.left: list[tuple[float, Lane, str, bool]] = []

    def wish(self, lane: Lane, chat: str, *, group: bool = False, weight: int = 1) -> Ticket:
        ticket = Ticket(lane, chat, group, lambda: self._fly(ticket), weight)
        self.pacer.ask(ticket)
        return ticket

    def _fly(self, ticket: Ticket) -> None:
        """Some messages are on the wire at once, some only after the loop was busy with something else."""
        self.doorstep = (ticket, self.now + next(self.delays))

    def _arrive(self) -> None:
        assert self.doorstep is not None
        ticket, self.now = self.doorstep
        self.doorstep = None
        self.left.extend([(self.now, ticket.lane, ticket.chat, ticket.group)] * ticket.weight)
        self.pacer.on_wire(ticket, self.now)

    def run(self, until: float) -> None:
        """Move on as a timer would, a little late each time."""
        while self.now < until:
            wait = self.pacer.turn(self.now)
            if self.doorstep is not None:
                self._arrive()
            elif wait is None:
                return
            else:
                self.now = min(until, self.now + wait + next(self.delays))

    def times(self, lane: Lane | None = None) -> list[float]:
        return [at for at, of, _, _ in self.left if lane in (None, of)]


def _most_within(times: list[float], seconds: float) -> int:
    times = sorted(times)
    return max((sum(1 for t in times[i:] if t < at + seconds) for i, at in enumerate(times)), default=0)


@settings(max_examples=300)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(list(Lane)),
            st.integers(0, 12),
            st.booleans(),
            st.floats(0, 1.5),
            st.sampled_from([1, 1, 1, 4, 10]),
        ),
        max_size=150,
    ),
    st.lists(st.sampled_from([0.0, 0.0005, 0.003, 0.02, 0.09]), min_size=1, max_size=20),
)
def test_no_limit_is_ever_exceeded(wishes: list[tuple[Lane, int, bool, float, int]], delays: list[float]) -> None:
    world = Simulation(delays=delays)
    for lane, number, group, pause, weight in wishes:
        world.wish(lane, f"{'g' if group else 'p'}{number}", group=group, weight=weight)
        world.run(world.now + pause)
    world.run(world.now + 6000)
    assert len(world.left) == sum(weight for *_, weight in wishes)
    assert _most_within(world.times(), 1.0) <= 30
    for chat in {c for _, _, c, _ in world.left}:
        of_chat = [at for at, _, c, _ in world.left if c == chat]
        moments = Counter(of_chat)  # an album is one moment; what follows waits a second for each of its pictures
        assert all(b - a >= moments[a] * 1.0 for a, b in itertools.pairwise(sorted(moments)))
        if chat.startswith("g"):
            assert _most_within(of_chat, 60.0) <= 20


def test_bulk_alone_uses_nearly_the_whole_rate() -> None:
    world = Simulation()
    for number in range(300):
        world.wish(Lane.BULK, f"p{number}")
    world.run(110.0)
    assert len(world.left) >= 290


def test_a_busy_loop_costs_no_pace() -> None:
    world = Simulation(delays=(0.0005, 0.012, 0.003, 0.02))
    for number in range(400):
        world.wish(Lane.BULK, f"p{number}")
    world.run(110.0)
    assert 275 <= len(world.left) <= 296
    assert _most_within(world.times(), 1.0) <= 30


def test_alerts_go_before_replies_and_replies_before_bulk() -> None:
    world = Simulation()
    for lane in (Lane.BULK, Lane.REPLY, Lane.ALERT):
        world.wish(lane, str(lane))
    world.run(110.0)
    assert [lane for _, lane, _, _ in world.left] == [Lane.ALERT, Lane.REPLY, Lane.BULK]


def test_bulk_keeps_a_fifth_while_replies_wait() -> None:
    world = Simulation()
    for number in range(200):
        world.wish(Lane.REPLY, f"r{number}")
        world.wish(Lane.BULK, f"b{number}")
    world.run(103.0)
    bulk, reply = len(world.times(Lane.BULK)), len(world.times(Lane.REPLY))
    assert bulk == pytest.approx(reply / 4, abs=2)


def test_replies_keep_a_tenth_while_alerts_go_out() -> None:
    world = Simulation()
    for number in range(400):
        world.wish(Lane.ALERT, f"a{number}")
        world.wish(Lane.REPLY, f"r{number}")
    world.run(105.0)
    assert len(world.times(Lane.REPLY)) == pytest.approx(len(world.times(Lane.ALERT)) / 9, abs=2)


def test_a_busy_chat_does_not_hold_up_the_others() -> None:
    world = Simulation()
    for _ in range(5):
        world.wish(Lane.REPLY, "busy")
    for number in range(20):
        world.wish(Lane.REPLY, f"r{number}")
    world.run(101.0)
    assert len([c for _, _, c, _ in world.left if c != "busy"]) == 20


def test_a_pause_that_the_platform_asks_for_stops_runs_but_not_replies() -> None:
    world = Simulation()
    world.pacer.slow_down(world.now, 10.0)
    for number in range(50):
        world.wish(Lane.BULK, f"b{number}")
        world.wish(Lane.ALERT, f"a{number}")
        world.wish(Lane.REPLY, f"r{number}")
    world.run(110.0)
    assert not world.times(Lane.BULK)
    assert not world.times(Lane.ALERT)
    assert 8 <= len(world.times(Lane.REPLY)) <= 12


def test_the_pace_drops_after_a_pause_and_recovers_slowly() -> None:
    world = Simulation()
    full = world.pacer.rate(world.now)
    world.pacer.slow_down(world.now, 3.0)
    assert world.pacer.rate(103.0) == pytest.approx(full * 0.7)
    assert world.pacer.rate(113.0) == pytest.approx(full * 0.76)
    assert world.pacer.rate(400.0) == full


def test_several_refusals_in_one_pause_lower_the_pace_once() -> None:
    world = Simulation()
    full = world.pacer.rate(world.now)
    for _ in range(5):
        world.pacer.slow_down(world.now, 3.0)
    assert world.pacer.rate(103.0) == pytest.approx(full * 0.7)


def test_no_limit_of_our_own_lets_everything_go_at_once() -> None:
    world = Simulation(Limits(per_second=None, per_chat_second=1, per_group_minute=20))
    for _ in range(500):
        world.wish(Lane.BULK, "same")
    assert world.pacer.turn(world.now) is None
    assert not world.pacer._lines[Lane.BULK]


def test_the_platform_is_obeyed_even_without_a_limit_of_our_own() -> None:
    world = Simulation(Limits(per_second=None))
    world.pacer.slow_down(world.now, 5.0)
    world.wish(Lane.BULK, "somebody")
    world.run(104.9)
    assert not world.left
    world.run(106.0)
    assert len(world.left) == 1


def test_who_gave_up_waiting_does_not_take_a_slot() -> None:
    world = Simulation()
    first = world.wish(Lane.BULK, "a")
    first.cancelled = True
    world.wish(Lane.BULK, "b")
    world.run(101.0)
    assert [c for _, _, c, _ in world.left] == ["b"]
