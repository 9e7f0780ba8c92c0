"""An influencer proposes, somebody else decides: the first decision counts."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from bot.core.events import ChatKind, Inbound, InboundKind, Media, MediaKind
from bot.core.words import CampaignState, RoleName
from bot.db import audit, people, roles, runs, units
from bot.db.tables import Campaign, Referral
from bot.inbox import Inbox
from handlers import ROUTERS
from tests.support.talk import ZONE, Speaker, Talk

VILLAGE = "18859001"
TEXT = "Tối nay lớp học số ở nhà văn hóa mở cửa."


@dataclass
class Cast:
    """Who takes part."""

    teacher: Speaker
    approver: Speaker
    second: Speaker


async def cast(talk: Talk) -> Cast:
    await talk.village(VILLAGE, "Thôn Đông")
    teacher = await talk.staff("7", RoleName.INFLUENCER, VILLAGE)
    approver = await talk.staff("8", RoleName.APPROVER, "18859")
    second = await talk.staff("9", RoleName.APPROVER, "44")
    for number in ("100", "101", "102"):
        await talk.resident(number, unit=VILLAGE)
    await joined_through(talk, "7", "100", "101")
    return Cast(teacher, approver, second)


async def joined_through(talk: Talk, inviter: str, *who: str) -> None:
    async with talk.database.write() as tx:
        by = await people.contact(tx, talk.account.id, inviter)
        assert by is not None
        for number in who:
            contact = await people.contact(tx, talk.account.id, number)
            assert contact is not None
            tx.add(Referral(person_id=contact.person_id, by_id=by.person_id, code="X", at=talk.now))


async def take_role(talk: Talk, number: str, role: RoleName, unit: str) -> None:
    async with talk.database.write() as tx:
        contact = await people.contact(tx, talk.account.id, number)
        place = await units.by_code(tx, unit)
        assert contact is not None
        assert place is not None
        assert await roles.revoke(tx, contact.person_id, role, place.id)


async def campaign(talk: Talk) -> Campaign:
    async with talk.database.read() as tx:
        return await runs.campaign(tx, 1)


async def propose(speaker: Speaker, target: str = "👥 Vòng của tôi", **fields: object) -> list[str]:
    await speaker.says("gửi tin")
    await speaker.presses(target)
    await speaker.says(TEXT, **fields)
    return await speaker.presses("✋ Gửi xin duyệt")


async def test_a_proposal_is_approved_and_reaches_the_circle(talk: Talk) -> None:
    who = await cast(talk)
    assert await propose(who.teacher) == ["approval.proposed"]
    preview, question = who.approver.heard
    assert preview.text.startswith("📢 Đại sứ số Thôn Đông gửi bà con:")
    assert TEXT in preview.text
    assert "2 người" in question.text
    talk.advance(minutes=5)
    await talk.deliver()
    assert talk.person("100").heard == [], "nothing leaves without consent"
    assert await who.approver.presses("✅ Duyệt, cho gửi") == ["approval.approved"]
    assert "đã được duyệt" in who.teacher.last.text
    talk.advance(seconds=61)
    await talk.deliver()
    assert [len(talk.person(n).heard) for n in ("100", "101", "102")] == [1, 1, 0]
    assert talk.person("100").heard[0].text == preview.text


async def test_a_proposal_for_a_unit(talk: Talk) -> None:
    who = await cast(talk)
    assert await propose(who.teacher, "Thôn Đông") == ["approval.proposed"]
    await who.approver.presses("✅ Duyệt, cho gửi")
    talk.advance(seconds=61)
    await talk.deliver()
    assert len(talk.person("102").heard) == 1


async def test_the_author_can_take_it_back_after_it_was_approved(talk: Talk) -> None:
    who = await cast(talk)
    await propose(who.teacher)
    await who.approver.presses("✅ Duyệt, cho gửi")
    assert await who.approver.presses_data("bc:undo:1") == ["broadcast.undo_not_yours"]
    assert await who.teacher.presses("↩️ Hoàn tác") == ["broadcast.undone"]
    talk.advance(seconds=61)
    await talk.deliver()
    assert talk.person("100").heard == []


async def test_the_wanted_hour_is_kept(talk: Talk) -> None:
    who = await cast(talk)
    await who.teacher.says("gửi tin")
    await who.teacher.presses("👥 Vòng của tôi")
    await who.teacher.says(TEXT)
    await who.teacher.presses("🕖 Hẹn giờ")
    await who.teacher.presses("Hôm nay 17:00")
    await who.teacher.presses("✋ Gửi xin duyệt")
    await who.approver.presses("✅ Duyệt, cho gửi")
    async with talk.database.read() as tx:
        run = (await runs.latest(tx, 1))[0][0]
    assert run.planned_at == datetime(2026, 11, 23, 17, tzinfo=ZONE).astimezone(UTC)


async def test_rejected_with_a_typed_reason(talk: Talk) -> None:
    who = await cast(talk)
    await propose(who.teacher)
    assert await who.approver.presses("❌ Không duyệt") == ["approval.ask_reason"]
    assert await who.approver.says("Ghi thêm địa chỉ nhà văn hóa") == ["approval.rejected"]
    assert "Ghi thêm địa chỉ nhà văn hóa" in who.teacher.last.text
    assert (await campaign(talk)).state is CampaignState.REJECTED
    talk.advance(hours=2)
    await talk.deliver()
    assert talk.person("100").heard == []


async def test_rejected_with_a_ready_reason(talk: Talk) -> None:
    who = await cast(talk)
    await propose(who.teacher)
    await who.approver.presses("❌ Không duyệt")
    assert await who.approver.presses("Cần ghi rõ nguồn") == ["approval.rejected"]
    assert "Cần ghi rõ nguồn tin." in who.teacher.last.text


async def test_no_decision_yet_after_all(talk: Talk) -> None:
    who = await cast(talk)
    await propose(who.teacher)
    await who.approver.presses("❌ Không duyệt")
    assert await who.approver.says("thôi") == ["approval.dropped"]
    assert await who.approver.presses("✅ Duyệt, cho gửi") == ["approval.approved"]


async def test_of_two_approvers_the_first_decides(talk: Talk) -> None:
    who = await cast(talk)
    await propose(who.teacher)
    assert len(who.second.heard) == 2
    await who.second.presses("❌ Không duyệt")
    assert await who.approver.presses("✅ Duyệt, cho gửi") == ["approval.approved"]
    assert await who.second.says("muộn rồi") == ["approval.over"]
    assert await who.second.presses("✅ Duyệt, cho gửi") == ["approval.over"]
    assert await who.approver.presses("✅ Duyệt, cho gửi") == ["approval.over"]
    talk.advance(seconds=61)
    await talk.deliver()
    assert len(talk.person("100").heard) == 1


async def test_nobody_approves_their_own(talk: Talk) -> None:
    who = await cast(talk)
    async with talk.database.write() as tx:
        contact = await people.contact(tx, talk.account.id, "7")
        unit = await units.by_code(tx, "44")
        assert contact is not None
        assert unit is not None
        await roles.grant(tx, contact.person_id, RoleName.APPROVER, unit.id, talk.now)
    await propose(who.teacher)
    assert await who.teacher.presses_data("ap:yes:1") == ["approval.own"]
    assert await who.teacher.presses_data("ap:no:1") == ["approval.own"]


async def test_without_an_approver_nothing_can_be_proposed(talk: Talk) -> None:
    await talk.village(VILLAGE, "Thôn Đông")
    teacher = await talk.staff("7", RoleName.INFLUENCER, VILLAGE)
    assert await propose(teacher, "Thôn Đông") == ["approval.nobody"]


async def test_an_approver_who_said_stop_is_not_asked_and_does_not_count(talk: Talk) -> None:
    who = await cast(talk)
    await who.approver.says("dừng")
    assert await propose(who.teacher) == ["approval.proposed"]
    assert who.approver.last.text.startswith("Dạ, Loa Số đã ngừng"), "the answer to their own word was the last"
    assert "Xin duyệt" in who.second.last.text
    await who.second.says("dừng")
    await who.teacher.says("hủy")
    assert await propose(who.teacher, "Thôn Đông") == ["approval.nobody"]


async def test_an_approver_who_said_stop_may_look_and_decide(talk: Talk) -> None:
    who = await cast(talk)
    await propose(who.teacher)
    await who.approver.says("dừng")
    await who.approver.presses_data("ap:list")
    assert await who.approver.presses("✅ Duyệt, cho gửi") == ["approval.approved"]


async def test_an_author_who_said_stop_is_not_told(talk: Talk) -> None:
    who = await cast(talk)
    await propose(who.teacher)
    await who.teacher.says("dừng")
    heard = len(who.teacher.heard)
    await who.approver.presses("✅ Duyệt, cho gửi")
    talk.advance(seconds=61)
    await talk.deliver()
    assert len(who.teacher.heard) == heard


async def test_roles_are_looked_at_when_deciding(talk: Talk) -> None:
    who = await cast(talk)
    await propose(who.teacher)
    await take_role(talk, "8", RoleName.APPROVER, "18859")
    assert await who.approver.presses("✅ Duyệt, cho gửi") == ["approval.no_right"]
    await take_role(talk, "7", RoleName.INFLUENCER, VILLAGE)
    assert await who.second.presses("✅ Duyệt, cho gửi") == ["approval.author_gone"]
    assert (await campaign(talk)).state is CampaignState.REJECTED


async def test_a_stranger_cannot_decide(talk: Talk) -> None:
    who = await cast(talk)
    await propose(who.teacher)
    assert await talk.person("100").presses_data("ap:yes:1") == ["approval.no_right"]
    assert await talk.person("100").presses_data("ap:why:1:source") == ["approval.no_right"]
    assert await talk.person("100").presses_data("ap:yes:77") == ["approval.over"]
    assert await talk.person("100").presses_data("ap") == ["approval.over"]


async def test_the_approver_sees_files_too(talk: Talk) -> None:
    who = await cast(talk)
    await propose(who.teacher, media=(Media(MediaKind.PHOTO, file_id="p"),))
    assert who.approver.heard[0].media[0].file_id == "p"


async def test_an_approver_alone_has_nothing_to_send(talk: Talk) -> None:
    who = await cast(talk)
    assert await who.approver.says("gửi tin") == ["broadcast.not_staff"]


@pytest.mark.parametrize("press", ["✅ Duyệt, cho gửi", "❌ Không duyệt"])
async def test_decisions_are_in_the_audit(talk: Talk, press: str) -> None:
    who = await cast(talk)
    await propose(who.teacher)
    await who.approver.presses(press)
    if press.startswith("❌"):
        await who.approver.says("chưa rõ nguồn")
    action = "broadcast.approved" if press.startswith("✅") else "broadcast.rejected"
    async with talk.database.read() as tx:
        noted = await audit.of_action(tx, action)
    assert [row.subject for row in noted] == ["campaign:1"]
    assert "nguồn" not in str(noted[0].detail)


async def test_two_approvers_who_press_at_once_decide_once(talk: Talk) -> None:
    who = await cast(talk)
    await propose(who.teacher)
    other = Inbox(
        talk.database, talk.desk, ROUTERS, {talk.channel.account: talk.channel.capabilities}, lambda _rows: None
    )
    presses = [(talk.inbox, "8", "ap:yes:1"), (other, "9", "ap:why:1:source")]
    handled = await asyncio.gather(
        *(
            inbox.handle(
                Inbound(
                    account=talk.channel.account,
                    external_id=f"press-{chat}",
                    kind=InboundKind.BUTTON,
                    chat_id=chat,
                    chat_kind=ChatKind.PRIVATE,
                    at=talk.now,
                    sender_id=chat,
                    button=data,
                    message_id="1",
                    answer_id=chat,
                )
            )
            for inbox, chat, data in presses
        )
    )
    keys = sorted(key for one in handled for key in one.keys)
    assert keys in (["approval.approved", "approval.over"], ["approval.over", "approval.rejected"])
    async with talk.database.read() as tx:
        planned = await runs.latest(tx, 9)
    assert len(planned) == (1 if "approval.approved" in keys else 0)


async def test_the_menu_shows_approvers_what_waits(talk: Talk) -> None:
    who = await cast(talk)
    assert await who.approver.presses_data("ap:list") == ["approval.none_waiting"]
    await propose(who.teacher)
    before = len(who.second.heard)
    assert await who.second.presses_data("ap:list") == []
    assert len(who.second.heard) == before + 2
    assert await talk.person("100").presses_data("ap:list") == ["approval.none_waiting"]
    assert await who.second.presses("✅ Duyệt, cho gửi") == ["approval.approved"]
    assert await who.second.presses_data("ap:list") == ["approval.none_waiting"]
