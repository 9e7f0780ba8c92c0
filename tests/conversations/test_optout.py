"""Stop, return, see and erase: at any moment, recorded first."""

from __future__ import annotations

import unicodedata

import pytest
import sqlalchemy as sa

from bot.core.events import InboundKind, Outbound
from bot.core.words import CampaignKind, DeliveryState, PersonStatus, RelayKind, RoleName
from bot.db import audit, conversations, deliveries, people, replies, roles, runs, units
from bot.db.audience import Atom, Term, condition
from bot.db.tables import (
    Audit,
    Base,
    Contact,
    Conversation,
    Delivery,
    Invite,
    Item,
    Person,
    Referral,
    Relay,
    Reply,
    Role,
    Tombstone,
)
from bot.outreach import campaigns, consent, referrals
from bot.outreach.campaigns import Plan
from bot.outreach.people import tombstone
from tests.support.talk import Talk


async def status(talk: Talk, id: str) -> PersonStatus:
    person = await talk.record(id)
    assert person is not None
    return person.status


async def waiting_delivery(talk: Talk, text: str = "Tối nay họp thôn.") -> int:
    """A broadcast to everybody that has not left yet; returns its run."""
    async with talk.database.write() as tx:
        everyone = ((Term(Atom.ALL),),)
        parts = [Outbound(chat_id="", text=text)]
        plan = Plan(kind=CampaignKind.BROADCAST, parts=parts, audience=everyone, at=talk.now)
        _, run = await campaigns.create(tx, talk.desk, plan, talk.now)
        assert run is not None
        await runs.materialise(tx, run, condition(everyone), talk.now)
        await campaigns.begin(tx, talk.desk, run, talk.now)
        return run.id


@pytest.mark.parametrize(
    "text",
    ["DỪNG", "dung", "Dừng lại nhé", "/stop", "huỷ đăng ký", "thôi", unicodedata.normalize("NFD", "ngừng"), "STOP!"],
)
async def test_stop(talk: Talk, text: str) -> None:
    person = await talk.resident("5")
    assert await person.says(text) == ["optout.done"]
    assert "TIẾP" in person.last.text
    assert await status(talk, "5") is PersonStatus.STOPPED


@pytest.mark.parametrize("text", ["dùng", "đúng", "đừng", "đúng rồi", "dừng xe ở đâu"])
async def test_other_words_do_not_stop(talk: Talk, text: str) -> None:
    person = await talk.resident("5")
    assert "optout.done" not in await person.says(text)
    assert await status(talk, "5") is PersonStatus.ACTIVE


async def test_stop_drops_what_waits_and_what_was_asked(talk: Talk) -> None:
    person = await talk.resident("5")
    await person.says("/settings")
    await person.presses("Đổi xã, phường")
    run_id = await waiting_delivery(talk)
    await person.says("dừng")
    known = await talk.record("5")
    assert known is not None
    assert known.stopped_at == talk.now
    async with talk.database.read() as tx:
        row = await tx.get(Delivery, (run_id, known.id))
        assert row is not None
        assert row.state is DeliveryState.SKIPPED
        assert (await tx.execute(sa.select(Conversation))).first() is None
    await talk.deliver()
    assert [m.text for m in person.heard if "họp thôn" in m.text] == []


async def test_stopping_twice_is_the_same(talk: Talk) -> None:
    person = await talk.resident("5")
    await person.says("dừng")
    first = await talk.record("5")
    talk.advance(hours=1)
    assert await person.says("dừng") == ["optout.done"]
    again = await talk.record("5")
    assert first is not None
    assert again is not None
    assert again.stopped_at == first.stopped_at


async def test_a_stranger_who_says_stop_is_stopped(talk: Talk) -> None:
    assert await talk.person("5").says("dừng") == ["optout.done"]
    assert await status(talk, "5") is PersonStatus.STOPPED
    assert await talk.person("5").says("quên mật khẩu vneid") == ["faq.answer"], "and is left alone"
    assert await talk.person("5").says("tiếp") == ["subscribe.greeting"], "there was no consent yet"


@pytest.mark.parametrize(
    "step", ["subscribe.commune", "settings.hour", "faq.choose", "broadcast.compose", "event.title"]
)
async def test_stop_works_at_any_moment(talk: Talk, step: str) -> None:
    person = await talk.resident("5")
    async with talk.database.write() as tx:
        contact = await people.contact(tx, talk.account.id, "5")
        assert contact is not None
        await conversations.put(tx, contact.id, step, {}, talk.now)
    assert await person.says("DỪNG") == ["optout.done"]
    assert await status(talk, "5") is PersonStatus.STOPPED


@pytest.mark.parametrize("step", ["broadcast.compose", "event.title", "settings.hour", "approval.reason"])
@pytest.mark.parametrize("text", ["hủy", "huỷ", "thôi"])
async def test_a_weak_word_calls_off_what_is_open_and_no_more(talk: Talk, step: str, text: str) -> None:
    person = await talk.resident("5")
    async with talk.database.write() as tx:
        contact = await people.contact(tx, talk.account.id, "5")
        assert contact is not None
        await conversations.put(tx, contact.id, step, {}, talk.now)
    assert "optout.done" not in await person.says(text)
    assert await status(talk, "5") is PersonStatus.ACTIVE


@pytest.mark.parametrize("text", ["thôi cảm ơn", "Thôi, cám ơn em nhé", "thôi khỏi"])
async def test_no_thanks_is_no_stop(talk: Talk, text: str) -> None:
    person = await talk.resident("5")
    await person.says(text)
    assert await status(talk, "5") is PersonStatus.ACTIVE


async def test_a_forwarded_stop_is_somebody_else_s(talk: Talk) -> None:
    person = await talk.resident("5")
    await person.says("dừng", forwarded=True)
    assert await status(talk, "5") is PersonStatus.ACTIVE


@pytest.mark.parametrize("text", ["TIẾP", "tiep", "/resume", "tiếp tục ạ", "nhận lại", "bật lại"])
async def test_return(talk: Talk, text: str) -> None:
    person = await talk.resident("5")
    async with talk.database.write() as tx:
        await tx.execute(sa.update(Person).values(tip_day=12))
    await person.says("dừng")
    assert await person.says(text) == ["optout.resumed"]
    known = await talk.record("5")
    assert known is not None
    assert (known.status, known.tip_day, known.stopped_at) == (PersonStatus.ACTIVE, 12, None)


async def test_return_by_button_and_start(talk: Talk) -> None:
    person = await talk.resident("5")
    await person.says("dừng")
    assert await person.says("/start") == ["subscribe.stopped"]
    assert await status(talk, "5") is PersonStatus.STOPPED, "a start is no wish to be written to"
    assert await person.presses("Nhận tin trở lại") == ["optout.resumed"]
    assert await person.says("tiếp") == ["optout.resumed"], "saying it twice is the same"


async def test_return_after_a_new_notice_asks_again(talk: Talk) -> None:
    person = await talk.resident("5")
    async with talk.database.write() as tx:
        await tx.execute(sa.update(Person).values(consent_version="2020-01"))
    await person.says("dừng")
    assert await person.says("tiếp") == ["subscribe.consent_again"]
    assert await status(talk, "5") is PersonStatus.STOPPED


async def test_questions_are_answered_after_a_stop(talk: Talk) -> None:
    person = await talk.resident("5")
    await person.says("dừng")
    assert await person.says("quên mật khẩu vneid") == ["faq.answer"]
    assert await status(talk, "5") is PersonStatus.STOPPED


@pytest.mark.parametrize("text", ["XÓA", "xoá", "xoa", "/delete", "/mydata", "xóa dữ liệu của tôi", "lưu gì về tôi"])
async def test_what_is_stored_is_shown(talk: Talk, text: str) -> None:
    person = await talk.staff("5", RoleName.VILLAGE_HEAD, "19138")
    assert await person.says(text) == ["optout.kept"]
    shown = person.last.text
    for part in ("Xã Phong Nha", "Bà con (người dân)", "7 giờ", "23/11/2026", "Số mẹo đã gửi: 0", "trưởng thôn"):
        assert part in shown
    assert [b.label for b in person.buttons()] == ["Xóa hết", "Giữ lại"]


async def test_a_stranger_sees_that_next_to_nothing_is_stored(talk: Talk) -> None:
    person = talk.person("5")
    assert await person.says("xóa") == ["optout.kept"]
    assert "Mã khung chat" in person.last.text
    assert "Nơi ở" not in person.last.text


async def test_keeping(talk: Talk) -> None:
    person = await talk.resident("5")
    await person.says("xóa")
    assert await person.presses("Giữ lại") == ["optout.kept_on"]
    assert await talk.record("5") is not None


async def test_erasing_leaves_nothing_but_a_tombstone(talk: Talk) -> None:
    person = await talk.staff("5", RoleName.INFLUENCER, "18859")
    friend = await talk.resident("6")
    run_id = await waiting_delivery(talk)
    before = await talk.record("5")
    assert before is not None
    async with talk.database.write() as tx:
        mine = await people.get(tx, before.id)
        other = await talk.record("6")
        assert mine is not None
        assert other is not None
        code = await referrals.code_for(tx, mine, await units.by_code(tx, "18859"), talk.now)
        await referrals.accept(tx, other, code, talk.now)
    await person.says("/settings")
    await person.presses("Đổi xã, phường")
    await person.says("xóa")
    assert await person.presses("Xóa hết") == ["optout.erased"]
    assert person.last.text.startswith("Đã xóa hết")
    assert person.last.chat_id == "5"
    async with talk.database.read() as tx:
        assert await people.contact(tx, talk.account.id, "5") is None
        assert await people.get(tx, before.id) is None
        for table, column in ((Contact, Contact.person_id), (Role, Role.person_id), (Invite, Invite.person_id)):
            assert (await tx.execute(sa.select(table).where(column == before.id))).first() is None
        referral = (await tx.execute(sa.select(Referral))).scalar_one()
        assert referral.by_id is None
        assert await people.is_erased(tx, tombstone(talk.desk.secret_key, talk.account.channel, "5"))
        row = await tx.get(Delivery, (run_id, before.id))
        assert row is not None
        assert (row.state, row.contact_id) == (DeliveryState.SKIPPED, None)
    await talk.deliver()
    assert friend.last.text.startswith("Tối nay")
    assert person.last.text.startswith("Đã xóa hết")


async def test_the_goodbye_hangs_on_nobody(talk: Talk) -> None:
    person = await talk.resident("5")
    await person.says("xóa")
    kept: list[int | None] = []
    flush = talk.flush

    async def look() -> None:
        async with talk.database.read() as tx:
            kept.extend(row.contact_id for row in (await tx.execute(sa.select(Reply))).scalars())
        await flush()

    talk.flush = look  # type: ignore[method-assign]  # looks before it leaves
    await person.presses("Xóa hết")
    assert kept, "the goodbye, and the answer to the button where a platform has any"
    assert set(kept) == {None}


async def test_after_erasing_one_is_a_stranger(talk: Talk) -> None:
    person = await talk.resident("5")
    await person.says("xóa")
    await person.presses("Xóa hết")
    assert await person.says("quên mật khẩu vneid") == ["faq.answer", "subscribe.greeting"]
    known = await talk.record("5")
    assert known is not None
    assert (known.status, known.unit_id, known.consent_at) == (PersonStatus.NEW, None, None)
    async with talk.database.read() as tx:
        assert not await people.is_erased(tx, tombstone(talk.desk.secret_key, talk.account.channel, "5")), (
            "they came back"
        )


async def everything(talk: Talk) -> dict[str, str]:
    """All rows of all tables, as they would be read by somebody with the file."""
    async with talk.database.read() as tx:
        tables = Base.metadata.sorted_tables
        return {t.name: repr([tuple(row) for row in (await tx.execute(sa.select(t))).all()]) for t in tables}


async def test_no_table_holds_the_address_after_erasing(talk: Talk) -> None:
    """Written to by everything that knows addresses: invites, groups, audit, runs, replies, conversations, relays."""
    id = "7090123456"
    person = await talk.staff(id, RoleName.VILLAGE_HEAD, "18859")
    await talk.resident("6")
    await person.in_group("-7").unblocks()
    await person.says("mời")
    await waiting_delivery(talk)
    await talk.deliver()
    await waiting_delivery(talk, "Mai họp thôn.")
    async with talk.database.write() as tx:
        known = await people.contact(tx, talk.account.id, id)
        other = await people.contact(tx, talk.account.id, "6")
        assert known is not None
        assert other is not None
        late = Outbound(chat_id=id, text="Việc cũ")
        await replies.add(tx, talk.account.id, known.id, late, talk.now)
        tx.add(Referral(person_id=other.person_id, by_id=known.person_id, code="ABC2345", at=talk.now))
        tx.add(Referral(person_id=known.person_id, by_id=other.person_id, code="ABC2346", at=talk.now))
        item_id = (await tx.execute(sa.select(Item.id).limit(1))).scalar_one()
        tx.add(Relay(person_id=known.person_id, item_id=item_id, kind=RelayKind.LINK, at=talk.now))
        await conversations.put(tx, known.id, "broadcast.compose", {"chat": id}, talk.now)
        await audit.note(tx, talk.now, "role_granted", f"person:{known.person_id}", actor_id=known.person_id)
        await consent.erase(tx, talk.desk, await tx.get_one(Person, known.person_id), talk.now)
    assert [name for name, rows in (await everything(talk)).items() if id in rows] == []
    await talk.flush()
    assert "Việc cũ" not in [m.text for m in person.heard]


async def test_a_block_after_erasing_brings_nothing_back(talk: Talk) -> None:
    person = await talk.resident("5")
    await person.says("xóa")
    await person.presses("Xóa hết")
    await person.blocks()
    await person.says("sửa lại", kind=InboundKind.EDITED)
    assert await talk.record("5") is None
    async with talk.database.read() as tx:
        assert await people.is_erased(tx, tombstone(talk.desk.secret_key, talk.account.channel, "5"))
    await person.unblocks()
    async with talk.database.read() as tx:
        assert not await people.is_erased(tx, tombstone(talk.desk.secret_key, talk.account.channel, "5")), (
            "they came back"
        )


async def test_erasing_twice_is_the_same(talk: Talk) -> None:
    person = await talk.resident("5")
    await person.says("xóa")
    await person.presses_data("erase:yes")
    assert await person.presses_data("erase:yes") == ["optout.erased"]
    assert await talk.record("5") is None
    async with talk.database.read() as tx:
        assert len((await tx.execute(sa.select(Tombstone))).all()) == 1
        assert (await tx.execute(sa.select(Audit).where(Audit.detail.is_not(None)))).first() is None
        assert await replies.waiting(tx, [talk.account.id]) == []


async def test_erasing_in_the_middle_of_subscribing(talk: Talk) -> None:
    person = talk.person("5")
    await person.says("/start")
    await person.says("đồng ý")
    await person.says("xóa")
    assert await person.presses("Xóa hết") == ["optout.erased"]
    assert await talk.record("5") is None
    assert await person.says("/start") == ["subscribe.greeting"]


async def test_all_addresses_of_a_person_get_a_tombstone(talk: Talk) -> None:
    person = await talk.resident("5")
    known = await talk.record("5")
    assert known is not None
    async with talk.database.write() as tx:
        tx.add(Contact(account_id=talk.account.id, external_id="55", person_id=known.id))
    await person.says("xóa")
    await person.presses("Xóa hết")
    async with talk.database.read() as tx:
        assert await people.is_erased(tx, tombstone(talk.desk.secret_key, talk.account.channel, "55"))
        assert await roles.of_person(tx, known.id) == []
        assert await deliveries.drop_person(tx, known.id, talk.now) == 0


@pytest.mark.parametrize("data", ["erase", "erase:", "erase:maybe", "erase:yes:no:x"])
async def test_odd_erase_buttons_erase_nobody_by_mistake(talk: Talk, data: str) -> None:
    person = await talk.resident("5")
    await person.presses_data(data)
    gone = await talk.record("5") is None
    assert gone == (data == "erase:yes:no:x")
