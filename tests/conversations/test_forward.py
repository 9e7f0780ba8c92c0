"""Carrying a tip or an event on: by link, to a village, to a circle, to one's groups."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.core.events import ChatKind
from bot.core.words import PersonKind, RelayKind, RoleName, RunState
from bot.db import people, relays, runs
from bot.db.tables import Campaign, Item, Referral, Relay, Run
from bot.outreach import curriculum
from tests.support.talk import ZONE, Speaker, Talk

VILLAGE = "18859001"


def at(hour: int, minute: int = 0, day: int = 23) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=ZONE).astimezone(UTC)


async def village(talk: Talk) -> Item:
    """Thôn Đông with a head and two residents, and one fresh tip."""
    await talk.village(VILLAGE, "Thôn Đông")
    await talk.staff("7", RoleName.VILLAGE_HEAD, VILLAGE)
    await talk.resident("100", unit=VILLAGE)
    await talk.resident("101", unit=VILLAGE)
    await agree(talk, "7", "100", "101")
    tip = next(iter(talk.desk.pack.tips.values()))
    async with talk.database.write() as tx:
        return await curriculum.item_of(tx, talk.desk, tip, talk.now)


async def agree(talk: Talk, *who: str) -> None:
    async with talk.database.write() as tx:
        for number in who:
            contact = await people.contact(tx, talk.account.id, number)
            assert contact is not None
            person = await people.get(tx, contact.person_id)
            assert person is not None
            person.consent_version = talk.desk.house.consent_version


async def joined_through(talk: Talk, inviter: str, *who: str) -> None:
    async with talk.database.write() as tx:
        by = await people.contact(tx, talk.account.id, inviter)
        assert by is not None
        for number in who:
            contact = await people.contact(tx, talk.account.id, number)
            assert contact is not None
            tx.add(Referral(person_id=contact.person_id, by_id=by.person_id, code="X", at=talk.now))


async def add_group(talk: Talk, chat: str, by: str) -> None:
    async with talk.database.write() as tx:
        adder = await people.contact(tx, talk.account.id, by)
        assert adder is not None
        _, contact = await people.add(tx, talk.account.id, chat, talk.now, kind=PersonKind.GROUP, title="Nhóm")
        assert contact.kind is ChatKind.GROUP
        contact.added_by_id = adder.person_id
    talk.acquaint(chat, group=True)


async def carried_by(talk: Talk, number: str) -> list[Relay]:
    async with talk.database.read() as tx:
        contact = await people.contact(tx, talk.account.id, number)
        assert contact is not None
        return await relays.of_person(tx, contact.person_id)


async def latest(talk: Talk) -> tuple[Run, Campaign]:
    async with talk.database.read() as tx:
        return (await runs.latest(tx, 1))[0]


async def send_out(talk: Talk) -> None:
    talk.advance(seconds=61)
    await talk.deliver()


def labels(speaker: Speaker) -> list[str]:
    return [b.label for b in speaker.buttons()]


async def test_a_resident_gets_a_link_of_their_own(talk: Talk) -> None:
    tip = await village(talk)
    resident = talk.person("100")
    assert await resident.presses_data(f"fw:tip:{tip.id}") == ["forward.offer"]
    assert labels(resident) == ["📤 Gửi cho người quen", "🔗 Mở đường dẫn"]
    share, link = resident.buttons()
    payload = (link.url or "").partition("start=")[2]
    code, _, what = payload.partition("-")
    assert code.startswith("i_")
    assert what == f"t_{tip.key}"
    assert len(payload) <= 64
    assert (share.url or "").startswith(link.url or "?")
    assert [r.kind for r in await carried_by(talk, "100")] == [RelayKind.LINK]
    newcomer = talk.person("500")
    assert "tip.body" in await newcomer.says(f"/start {payload}")


async def test_somebody_who_has_not_agreed_gets_a_link_without_a_code(talk: Talk) -> None:
    tip = await village(talk)
    stranger = talk.person("900")
    await stranger.presses_data(f"fw:tip:{tip.id}")
    assert (stranger.buttons()[1].url or "").endswith(f"start=t_{tip.key}")


async def test_a_link_in_a_group_credits_whoever_pressed(talk: Talk) -> None:
    tip = await village(talk)
    group = talk.person("100").in_group("-5")
    assert await group.presses_data(f"fw:tip:{tip.id}") == ["forward.offer"]
    assert "start=i_" in (group.buttons()[1].url or "")
    head = talk.person("7").in_group("-5")
    await head.presses_data(f"fw:tip:{tip.id}")
    assert len(labels(head)) == 2, "a village is written to from the private chat alone"
    assert await head.presses_data(f"fw:village:tip:{tip.id}:{VILLAGE}") == ["forward.stale"]


async def test_a_head_carries_a_tip_to_the_village(talk: Talk) -> None:
    tip = await village(talk)
    head = talk.person("7")
    await head.presses_data(f"fw:tip:{tip.id}")
    assert "📢 Gửi cả Thôn Đông" in labels(head)
    assert await head.presses("📢 Gửi cả Thôn Đông") == ["forward.ask"]
    assert "3 người ở Thôn Đông" in head.last.text
    assert await head.presses("📢 Gửi") == ["broadcast.planned"]
    assert await head.presses_data("fw:go:" + "0" * 6) == ["forward.stale"]
    await send_out(talk)
    got = talk.person("100").last
    assert got.text.startswith("📢 Trưởng thôn Đông")
    assert tip.title in got.text
    assert f"fw:tip:{tip.id}" in [b.data for b in talk.person("100").buttons()]
    run, campaign = await latest(talk)
    assert campaign.item_id == tip.id, "the same item, not a copy"
    link, relay = await carried_by(talk, "7")
    assert link.kind is RelayKind.LINK
    assert (relay.kind, relay.run_id) == (RelayKind.VILLAGE, run.id)
    assert relay.unit_id == campaign.unit_id


async def test_pressing_send_twice_sends_once(talk: Talk) -> None:
    tip = await village(talk)
    head = talk.person("7")
    await head.presses_data(f"fw:village:tip:{tip.id}:{VILLAGE}")
    data = head.buttons()[0].data or ""
    assert await head.presses_data(data) == ["broadcast.planned"]
    assert await head.presses_data(data) == ["forward.stale"]
    await send_out(talk)
    assert len(talk.person("100").heard) == 1


async def test_it_can_be_taken_back_or_dropped(talk: Talk) -> None:
    tip = await village(talk)
    head = talk.person("7")
    await head.presses_data(f"fw:village:tip:{tip.id}:{VILLAGE}")
    assert await head.presses("🗑 Bỏ") == ["forward.dropped"]
    await head.presses_data(f"fw:village:tip:{tip.id}:{VILLAGE}")
    await head.presses("📢 Gửi")
    assert await head.presses("↩️ Hoàn tác") == ["broadcast.undone"]
    await send_out(talk)
    assert talk.person("100").heard == []
    assert (await latest(talk))[0].state is RunState.CANCELLED


async def test_the_same_item_twice_asks_first_and_counts_for_the_day(talk: Talk) -> None:
    tip = await village(talk)
    head = talk.person("7")
    for answer in ("broadcast.planned", "broadcast.repeated"):
        await head.presses_data(f"fw:village:tip:{tip.id}:{VILLAGE}")
        assert await head.presses("📢 Gửi") == [answer]
    assert await head.presses("📢 Vẫn gửi") == ["broadcast.planned"]
    assert await head.presses_data(f"fw:village:tip:{tip.id}:{VILLAGE}") == ["broadcast.used_up"]


async def test_an_influencer_reaches_the_circle_without_an_approver(talk: Talk) -> None:
    tip = await village(talk)
    teacher = await talk.staff("9", RoleName.INFLUENCER, VILLAGE)
    await agree(talk, "9")
    await teacher.presses_data(f"fw:tip:{tip.id}")
    assert "👥 Vòng của tôi" not in labels(teacher), "nobody has come through them yet"
    await joined_through(talk, "9", "100")
    await teacher.presses_data(f"fw:tip:{tip.id}")
    assert "Đã có 1 người tham gia" in teacher.last.text
    assert await teacher.presses("👥 Vòng của tôi") == ["forward.ask"]
    assert await teacher.presses("📢 Gửi") == ["broadcast.planned", "forward.brought"]
    await send_out(talk)
    assert len(talk.person("100").heard) == 1
    assert talk.person("101").heard == []
    assert (await carried_by(talk, "9"))[-1].kind is RelayKind.CIRCLE


async def test_ones_groups(talk: Talk) -> None:
    tip = await village(talk)
    head = talk.person("7")
    await head.presses_data(f"fw:tip:{tip.id}")
    assert not any("Nhóm" in label for label in labels(head))
    await add_group(talk, "-50", "7")
    await add_group(talk, "-51", "7")
    await add_group(talk, "-60", "100")
    await head.presses_data(f"fw:tip:{tip.id}")
    assert await head.presses("💬 Nhóm của tôi (2)") == ["forward.ask"]
    assert "2 nhóm" in head.last.text
    await head.presses("📢 Gửi")
    await send_out(talk)
    reached = {m.chat_id for m in talk.channel.sent if tip.title in m.text and m.chat_id.startswith("-")}
    assert reached == {"-50", "-51"}
    assert (await carried_by(talk, "7"))[-1].kind is RelayKind.GROUP


async def test_a_group_that_said_stop_is_left_alone(talk: Talk) -> None:
    tip = await village(talk)
    await add_group(talk, "-50", "7")
    await talk.person("100").in_group("-50").says("/stop")
    assert await talk.person("7").presses_data(f"fw:groups:tip:{tip.id}") == ["forward.nobody"]


async def test_residents_cannot_write_to_a_village(talk: Talk) -> None:
    tip = await village(talk)
    resident = talk.person("100")
    assert await resident.presses_data(f"fw:village:tip:{tip.id}:{VILLAGE}") == ["forward.not_yours"]
    assert await resident.presses_data(f"fw:circle:tip:{tip.id}") == ["forward.not_yours"]
    assert await resident.presses_data(f"fw:groups:tip:{tip.id}") == ["forward.not_yours"]
    assert await talk.person("7").presses_data(f"fw:village:tip:{tip.id}:44") == ["forward.not_yours"]


async def test_what_has_expired_is_not_carried_on(talk: Talk) -> None:
    tip = await village(talk)
    async with talk.database.write() as tx:
        found = await tx.get_one(Item, tip.id)
        found.expires_on = talk.now.date() - timedelta(days=1)
    assert await talk.person("100").presses_data(f"fw:tip:{tip.id}") == ["forward.gone"]
    assert await talk.person("100").presses_data("fw:tip:999") == ["forward.gone"]
    assert await talk.person("100").presses_data("fw:tip:x") == ["forward.gone"]
    assert await talk.person("100").presses_data("fw") == ["forward.stale"]


async def announce(talk: Talk, when: str = "19h ngày 26/11") -> None:
    head = talk.person("7")
    await head.says("tạo sự kiện")
    for word in ("Họp thôn", when, "Nhà văn hóa", "bỏ qua", "bỏ qua"):
        await head.says(word)
    await head.presses("📢 Đăng và gửi")
    await send_out(talk)


async def test_an_event_is_carried_on_with_its_buttons(talk: Talk) -> None:
    await village(talk)
    await announce(talk)
    talk.advance(days=1)
    head = talk.person("7")
    await head.presses_data("fw:event:1")
    links = [b.url for b in head.buttons() if b.url and "start=" in b.url]
    assert all("e_1" in link for link in links)
    await head.presses("📢 Gửi cả Thôn Đông")
    assert await head.presses("📢 Gửi") == ["broadcast.repeated"], "it was announced there yesterday"
    assert await head.presses("📢 Vẫn gửi") == ["broadcast.planned"]
    before = len(talk.person("100").heard)
    await send_out(talk)
    assert len(talk.person("100").heard) == before + 1
    assert "ev:yes:1" in [b.data for b in talk.person("100").buttons()]
    newcomer = talk.person("501")
    assert "event.card" in await newcomer.says("/start e_1")


async def test_an_event_that_is_off_or_over_is_not_carried_on(talk: Talk) -> None:
    await village(talk)
    await announce(talk)
    head = talk.person("7")
    await head.presses_data("fw:village:event:1:" + VILLAGE)
    await head.presses_data("ev:off:1")
    assert await head.presses("📢 Gửi") == ["forward.gone"]
    assert await head.presses_data("fw:event:1") == ["forward.gone"]


async def test_an_event_that_would_begin_before_it_leaves_is_refused_with_a_reason(talk: Talk) -> None:
    await village(talk)
    await announce(talk, "6h ngày 25/11")
    head = talk.person("7")
    talk.now = at(21, day=24)
    assert await head.presses_data("fw:event:1") == ["forward.offer"], "a link by hand is still in time"
    assert await head.presses_data("fw:village:event:1:" + VILLAGE) == ["forward.too_late"]
    assert "07:00 thứ Tư" in head.last.text
    talk.now = at(20, 20, day=24)
    assert await head.presses_data("fw:village:event:1:" + VILLAGE) == ["forward.ask"]
    talk.now = at(20, 30, day=24)
    assert await head.presses("📢 Gửi") == ["forward.too_late"], "meanwhile the evening is over"


async def test_a_carried_event_does_not_arrive_after_it_has_begun(talk: Talk) -> None:
    await village(talk)
    await announce(talk)
    talk.now = at(18, day=26)
    head = talk.person("7")
    await head.presses_data("fw:village:event:1:" + VILLAGE)
    await head.presses("📢 Gửi")
    assert (await latest(talk))[0].valid_until == at(19, day=26)
    heard = len(talk.person("100").heard)
    talk.now = at(19, 1, day=26)
    await talk.deliver()
    assert len(talk.person("100").heard) == heard
    assert (await latest(talk))[0].state is RunState.MISSED


@pytest.mark.parametrize("days", [None, 60, 0])
async def test_a_tip_is_carried_on_while_it_holds(talk: Talk, days: int | None) -> None:
    tip = await village(talk)
    async with talk.database.write() as tx:
        today = talk.now.date()
        (await tx.get_one(Item, tip.id)).expires_on = None if days is None else today + timedelta(days=days)
    head = talk.person("7")
    await head.presses_data(f"fw:village:tip:{tip.id}:{VILLAGE}")
    await head.presses("📢 Gửi")
    run, _ = await latest(talk)
    assert run.valid_until == (at(0, day=24) if days == 0 else run.planned_at + timedelta(days=3))


async def test_a_tip_that_ends_tonight_is_not_sent_tomorrow(talk: Talk) -> None:
    tip = await village(talk)
    async with talk.database.write() as tx:
        (await tx.get_one(Item, tip.id)).expires_on = talk.now.date()
    talk.now = at(21)
    head = talk.person("7")
    assert await head.presses_data(f"fw:village:tip:{tip.id}:{VILLAGE}") == ["forward.too_late"]
    assert "hết hạn" in head.last.text


@pytest.mark.parametrize("hour", [21, 5])
async def test_quiet_hours_are_said(talk: Talk, hour: int) -> None:
    tip = await village(talk)
    talk.now = datetime(2026, 11, 24, hour, tzinfo=ZONE).astimezone(UTC)
    head = talk.person("7")
    await head.presses_data(f"fw:village:tip:{tip.id}:{VILLAGE}")
    assert "07:00" in head.last.text
