"""Pacing: who leaves when, for any order of wishes."""

from __future__ import annotations

import statistics

import pytest

from bot.core.words import Lane
from tests.support.pacing import TELEGRAM, UNLIMITED, World, people, per_chat


def _crowd(world: World, lane: Lane, count: int, prefix: str = "") -> None:
    for number in range(count):
        world.wish(lane, f"{prefix or lane}{number}")


def test_alerts_go_before_replies_and_replies_before_bulk() -> None:
    world = World()
    for lane in (Lane.BULK, Lane.BULK, Lane.REPLY, Lane.ALERT):
        world.wish(lane, str(lane))
    world.run(10)
    assert [m.lane for m in world.left] == [Lane.BULK, Lane.ALERT, Lane.REPLY, Lane.BULK]


def test_an_alert_overtakes_a_thousand_waiting_messages() -> None:
    world = World()
    _crowd(world, Lane.BULK, 1000)
    world.wish_at(5.001, Lane.ALERT, "somebody")
    world.run(10)
    assert world.waits(Lane.ALERT)[0] < 0.04


def test_bulk_keeps_a_fifth_while_replies_wait() -> None:
    world = World()
    _crowd(world, Lane.REPLY, 200)
    _crowd(world, Lane.BULK, 200)
    world.run(3)
    assert len(world.times(Lane.BULK)) == pytest.approx(len(world.times(Lane.REPLY)) / 4, abs=2)


def test_replies_keep_a_tenth_while_alerts_go_out() -> None:
    world = World()
    _crowd(world, Lane.ALERT, 400)
    _crowd(world, Lane.REPLY, 400)
    world.run(5)
    assert len(world.times(Lane.REPLY)) == pytest.approx(len(world.times(Lane.ALERT)) / 9, abs=2)


def test_everybody_in_one_lane_waits_alike() -> None:
    world = World()
    world.keep_sending(people(), waiting=300)
    world.run(60)
    waits = world.waits(Lane.BULK)
    assert max(waits) < 1.1 * statistics.median(waits)


def test_a_reply_hardly_waits_while_a_run_goes_at_full_pace() -> None:
    world = World()
    world.keep_sending(people())
    for number in range(300):
        world.wish_at(0.19731 * number, Lane.REPLY, f"asks{number % 10}{number // 100}")
    world.run(62)
    waits = world.waits(Lane.REPLY)
    assert len(waits) == 300
    assert statistics.median(waits) < 0.04
    assert waits[-4] < 0.1
    assert len(world.left) > 29.3 * 62


def test_a_reply_hardly_waits_while_albums_go_out() -> None:
    world = World()
    for number in range(200):
        world.wish(Lane.BULK, f"album{number}", weight=10)
    for number in range(60):
        world.wish_at(0.5 + 0.4437 * number, Lane.REPLY, f"asks{number}")
    world.run(30)
    assert world.waits(Lane.REPLY)[-1] < 0.4
    assert len(world.times()) > 20 * 30


def test_albums_count_as_their_pictures() -> None:
    world = World()
    for number in range(100):
        world.wish(Lane.BULK, f"album{number}", weight=10)
    world.run(30)
    assert len(world.times()) > 29.3 * 30


def test_a_busy_chat_does_not_hold_up_the_others() -> None:
    world = World()
    for _ in range(5):
        world.wish(Lane.REPLY, "busy")
    _crowd(world, Lane.REPLY, 20)
    world.run(1)
    assert per_chat(world) == {f"{Lane.REPLY}{n}": 1 for n in range(20)} | {"busy": 1}


def test_busy_chats_do_not_push_in_before_somebody_who_came_first() -> None:
    world = World()
    for _ in range(100):
        for number in range(40):
            world.wish(Lane.REPLY, f"busy{number}")
    world.wish_at(10, Lane.REPLY, "patient")
    world.run(20)
    waited = next(m.waited for m in world.left if m.chat == "patient")
    assert waited < 1.6


def test_messages_to_one_chat_keep_their_order() -> None:
    world = World()
    tickets = [world.wish(Lane.REPLY, "chat", weight=w) for w in (1, 2, 3, 1, 2)]
    tickets[2].cancelled = True
    world.run(30)
    assert [m.weight for m in world.left] == [1, 2, 1, 2]


def test_an_edit_waits_for_no_chat() -> None:
    world = World()
    world.wish(Lane.REPLY, "chat")
    for _ in range(5):
        world.wish(Lane.REPLY)
    world.run(0.5)
    assert len(world.left) == 6


def test_a_pause_that_the_platform_asks_for_stops_runs_but_not_replies() -> None:
    world = World()
    world.pacer.slow_down(world.now, 10.0)
    for lane in Lane:
        _crowd(world, lane, 50)
    world.run(9.9)
    assert not world.times(Lane.BULK)
    assert not world.times(Lane.ALERT)
    assert len(world.times(Lane.REPLY)) == 9
    world.run(12)
    assert len(world.times(Lane.ALERT)) > 30


def test_replies_that_are_refused_in_a_pause_come_more_rarely() -> None:
    world = World()
    world.pacer.slow_down(world.now, 40.0)
    for second in range(1, 40):
        world.wish_at(second, Lane.REPLY, f"asks{second}")
    for moment in (1.1, 3.2, 7.3, 15.4):
        world.run(moment)
        world.pacer.slow_down(world.now, 1000.0 + 40.0 - world.now)
    assert [round(at - 1000) for at in world.times()] == [1, 3, 7, 15]
    world.run(41)
    assert len(world.left) > 20


def test_who_gave_up_waiting_does_not_take_a_slot() -> None:
    world = World()
    world.pacer.slow_down(world.now, 1.0)
    first = world.wish(Lane.BULK, "a")
    first.cancelled = True
    world.wish(Lane.BULK, "b")
    world.run(2)
    assert [m.chat for m in world.left] == ["b"]


def test_when_all_gave_up_nobody_waits() -> None:
    world = World()
    ticket = world.wish(Lane.BULK, "a")
    world.run(1)
    ticket = world.wish(Lane.BULK, "a")
    ticket.cancelled = True
    world.run(3)
    assert world.pacer.turn(world.now) is None
    assert len(world.left) == 1


def test_no_limit_of_our_own_lets_everything_go_at_once() -> None:
    world = World(UNLIMITED)
    for _ in range(500):
        world.wish(Lane.BULK, "same")
    world.run(0.001)
    assert len(world.left) == 500
    assert world.pass_open(500) == 500


def test_nobody_passes_who_would_overtake_others() -> None:
    world = World(UNLIMITED)
    world.pacer.slow_down(world.now, 5.0)
    world.wish(Lane.BULK, "somebody")
    assert not world.pass_open(1)
    world.run(4.9)
    assert not world.left
    world.run(5.1)
    assert len(world.left) == 1
    assert world.pass_open(1)


def test_with_a_limit_nobody_passes_without_a_ticket() -> None:
    assert not World(TELEGRAM).pass_open(1)
