"""Group chats and blocks."""

from __future__ import annotations

import pytest

from bot.core.errors import Reason
from bot.core.events import ChatKind, InboundKind
from bot.core.words import ContactState, PersonKind, PersonStatus, TargetGroup
from bot.db import people
from bot.db.tables import Contact, Person
from tests.support.talk import Speaker, Talk

CHAT = "-1001"


async def group_of(talk: Talk, id: str = CHAT) -> tuple[Person, Contact]:
    async with talk.database.read() as tx:
        contact = await people.contact(tx, talk.account.id, id)
        assert contact is not None
        person = await people.get(tx, contact.person_id)
        assert person is not None
        return person, contact


async def added(talk: Talk) -> Speaker:
    """A group to which a resident has just added the bot."""
    person = await talk.resident("5", unit="19138")
    inside = person.in_group(CHAT)
    assert await inside.unblocks() == ["group.greeting"]
    return inside


async def test_a_group_is_greeted_and_its_adder_remembered(talk: Talk) -> None:
    inside = await added(talk)
    group, contact = await group_of(talk)
    adder = await talk.record("5")
    assert adder is not None
    assert (group.kind, group.status, group.unit_id) == (PersonKind.GROUP, PersonStatus.NEW, adder.unit_id)
    assert (contact.kind, contact.title, contact.added_by_id) == (ChatKind.GROUP, "Nhóm thôn", adder.id)
    assert "Nhận mẹo hằng ngày" in [b.label for b in inside.buttons()]


async def test_who_added_the_bot_turns_the_tips_on(talk: Talk) -> None:
    inside = await added(talk)
    assert await inside.presses("Nhận mẹo hằng ngày") == ["group.started"]
    group, _ = await group_of(talk)
    assert (group.status, group.target_group, group.tip_hour) == (PersonStatus.ACTIVE, TargetGroup.RESIDENT, 7)
    assert group.consent_at is not None
    assert await inside.presses("Nhận mẹo hằng ngày") == ["group.already"]


async def test_nobody_else_turns_them_on(talk: Talk) -> None:
    await added(talk)
    other = talk.person("6").in_group(CHAT)
    assert await other.presses_data("grp:tips") == ["group.not_yours"]
    assert await other.says("tiếp") == ["group.not_yours"]
    assert (await group_of(talk))[0].status is PersonStatus.NEW


async def test_a_stranger_who_adds_the_bot_answers_for_the_group(talk: Talk) -> None:
    inside = talk.person("77").in_group(CHAT)
    await inside.unblocks()
    assert await inside.presses("Nhận mẹo hằng ngày") == ["group.started"]
    assert await talk.person("77").says("/start") == ["subscribe.greeting"]


async def test_when_nobody_is_known_the_first_one_answers(talk: Talk) -> None:
    await talk.inbound(kind=InboundKind.MEMBERSHIP, membership="joined", chat_id=CHAT, chat_kind=ChatKind.GROUP)
    await talk.resident("6")
    assert await talk.person("6").in_group(CHAT).presses_data("grp:tips") == ["group.started"]
    assert (await group_of(talk))[1].added_by_id is not None


@pytest.mark.parametrize("text", ["dừng", "@loaso_bot dừng lại", "/stop"])
async def test_anybody_may_stop_a_group_by_addressing_the_bot(talk: Talk, text: str) -> None:
    inside = await added(talk)
    await inside.presses("Nhận mẹo hằng ngày")
    other = talk.person("6").in_group(CHAT)
    assert await other.says(text) == ["group.stopped"]
    assert (await group_of(talk))[0].status is PersonStatus.STOPPED
    adder = await talk.record("5")
    assert adder is not None
    assert adder.status is PersonStatus.ACTIVE, "the person is not the group"
    assert await inside.says("tiếp") == ["group.started"]


@pytest.mark.parametrize(
    "text", ["dừng", "DỪNG lại đi", "quên mật khẩu vneid", "xóa", "menu", "#ABC2345", "chào cả nhà"]
)
async def test_what_people_say_to_each_other_is_left_alone(talk: Talk, text: str) -> None:
    inside = await added(talk)
    await inside.presses("Nhận mẹo hằng ngày")
    assert await inside.says(text, addressed=False) == []
    assert (await group_of(talk))[0].status is PersonStatus.ACTIVE


async def test_a_question_to_the_bot_is_answered_in_the_group(talk: Talk) -> None:
    inside = await added(talk)
    assert await inside.says("quên mật khẩu vneid") == ["faq.answer"]
    assert inside.last.group
    assert inside.buttons() == []
    assert await inside.says("cái ni không ai biết mô hè") == ["faq.unknown"]


async def test_private_matters_stay_out_of_groups(talk: Talk) -> None:
    inside = await added(talk)
    assert await inside.says("xóa") == ["group.private_only"]
    assert await inside.presses_data("erase:yes") == ["common.old_button"]
    assert await inside.says("/start") == ["group.greeting"]
    assert await inside.says("/menu") == ["group.help"]
    for text in ("/settings", "đổi xã"):
        assert "settings.overview" not in await inside.says(text)
    for data in ("set:place:18859", "consent:yes", "invite", "settings"):
        assert await inside.presses_data(data) == ["common.old_button"]
    group, _ = await group_of(talk)
    assert (group.status, group.consent_at) == (PersonStatus.NEW, None)


async def test_tips_and_questions_work_in_groups(talk: Talk) -> None:
    from bot.outreach import curriculum

    async with talk.database.write() as tx:
        await curriculum.sync(tx, talk.desk.pack)
    inside = await added(talk)
    assert await inside.says("/tip") == ["tip.body"]
    assert inside.last.group


async def test_a_removed_bot_is_not_written_to_and_comes_back_where_it_was(talk: Talk) -> None:
    inside = await added(talk)
    await inside.presses("Nhận mẹo hằng ngày")
    assert await inside.blocks() == []
    group, contact = await group_of(talk)
    assert (contact.state, contact.closed_reason) == (ContactState.CLOSED, Reason.KICKED)
    assert group.status is PersonStatus.ACTIVE
    assert await inside.unblocks() == ["group.back"]
    assert (await group_of(talk))[1].state is ContactState.OPEN


async def test_an_upgraded_group_keeps_everything(talk: Talk) -> None:
    inside = await added(talk)
    await inside.presses("Nhận mẹo hằng ngày")
    before, _ = await group_of(talk)
    fields = {"chat_id": CHAT, "chat_kind": ChatKind.GROUP, "sender_id": "5"}
    assert await talk.inbound(kind=InboundKind.MOVED, moved_to="-1009", **fields) == []
    after, contact = await group_of(talk, "-1009")
    assert (after.id, contact.state) == (before.id, ContactState.OPEN)


async def test_a_block_closes_the_address_and_changes_nothing_else(talk: Talk) -> None:
    person = await talk.resident("5")
    assert await person.blocks() == []
    known = await talk.record("5")
    assert known is not None
    assert known.status is PersonStatus.ACTIVE
    async with talk.database.read() as tx:
        contact = await people.contact(tx, talk.account.id, "5")
    assert contact is not None
    assert (contact.state, contact.closed_reason) == (ContactState.CLOSED, Reason.BLOCKED)
    assert await person.unblocks() == []
    async with talk.database.read() as tx:
        again = await people.contact(tx, talk.account.id, "5")
    assert again is not None
    assert (again.state, again.closed_reason) == (ContactState.OPEN, None)


async def test_a_block_by_a_stranger_breaks_nothing(talk: Talk) -> None:
    assert await talk.person("9").blocks() == []
    assert await talk.person("9").blocks() == []
