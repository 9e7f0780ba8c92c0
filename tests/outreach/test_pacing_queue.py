"""Who waits in a lane: order, turns between chats, and no search however many there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.words import Lane
from bot.outreach.pacing_queue import Queue, Ticket


class Chats:
    """A lane whose chats must rest a second after each message; counts how often it was asked when they may go on."""

    def __init__(self) -> None:
        self.queue = Queue()
        self.asked = 0
        self.now = 0.0
        self._ready: dict[str, float] = {}

    def join(self, chats: Iterable[str]) -> list[Ticket]:
        tickets = [Ticket(Lane.REPLY, chat, False, lambda: None) for chat in chats]
        for ticket in tickets:
            self.queue.join(ticket)
        return tickets

    def ready_at(self, ticket: Ticket, now: float) -> float:
        self.asked += 1
        return self._ready.get(ticket.chat, 0.0) if ticket.chat else 0.0

    def next(self) -> Ticket | None:
        """Take the first one, if anybody may go."""
        ticket = self.queue.first(self.now, self.ready_at)
        if ticket is not None:
            assert self.queue.take() is ticket
            self._ready[ticket.chat] = self.now + 1.0
        return ticket


def _one_chat() -> list[str]:
    return ["busy"] * 5000


def _many_busy_chats() -> list[str]:
    return [f"busy{n % 500}" for n in range(5000)]


def _everybody_once() -> list[str]:
    return [f"p{n}" for n in range(5000)]


@pytest.mark.parametrize("crowd", [_one_chat, _many_busy_chats, _everybody_once])
def test_nobody_is_searched_for(crowd: Callable[[], list[str]]) -> None:
    lane = Chats()
    lane.join(crowd())
    lane.join(f"other{n}" for n in range(1000))
    left = 0
    for _ in range(3000):
        left += lane.next() is not None
        lane.now += 0.034
    assert lane.asked < 3 * 3000 + left


def test_chats_take_turns() -> None:
    lane = Chats()
    lane.join(["a", "a", "a", "b", "c"])
    order = []
    for _ in range(40):
        ticket = lane.next()
        order.append("." if ticket is None else ticket.chat)
        lane.now += 0.125
    assert "".join(order).rstrip(".") == "abc.....a.......a"


@given(st.lists(st.tuples(st.sampled_from(["", "a", "b", "c"]), st.booleans(), st.floats(0, 2)), max_size=60))
def test_everybody_leaves_once_and_in_the_order_of_their_chat(wishes: list[tuple[str, bool, float]]) -> None:
    lane, joined, left = Chats(), [], []
    for chat, gives_up, pause in wishes:
        (ticket,) = lane.join([chat])
        ticket.cancelled = gives_up
        joined.append(ticket)
        while (found := lane.next()) is not None:
            left.append(found)
        lane.now += pause
    while lane.queue:
        found = lane.next()
        left += [found] if found is not None else []
        lane.now = lane.now if found is not None else max(lane.now, min(lane.queue.soonest(), lane.now + 9))
    for chat in {t.chat for t in joined}:
        assert [t for t in left if t.chat == chat] == [t for t in joined if t.chat == chat and not t.cancelled]


def test_who_gave_up_leaves_nothing_behind() -> None:
    lane = Chats()
    for ticket in lane.join(["a", "a", "b", ""]):
        ticket.cancelled = True
    assert lane.next() is None
    assert not lane.queue
    assert lane.queue.soonest() == inf
    lane.join(["a"])
    assert lane.next() is not None
