"""Group chats and blocks."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from bot.core.errors import Reason
from bot.core.events import ChatKind, InboundKind, Membership
from bot.core.words import (
    CampaignKind,
    ContactState,
    DeliveryState,
    ItemKind,
    PersonKind,
    PersonStatus,
    TargetGroup,
)
from bot.db import items, people
from bot.db.tables import Campaign, Contact, Delivery, InboundSeen, Person, Run
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


async def upgraded(talk: Talk) -> None:
    fields = {"chat_id": CHAT, "chat_kind": ChatKind.GROUP, "sender_id": "5"}
    assert await talk.inbound(kind=InboundKind.MOVED, moved_to="-1009", **fields) == []


async def test_an_upgraded_group_in_which_somebody_spoke_first_keeps_everything(talk: Talk) -> None:
    inside = await added(talk)
    await inside.presses("Nhận mẹo hằng ngày")
    before, old = await group_of(talk)
    await talk.person("6").in_group("-1009").says("quên mật khẩu vneid")
    stray, _ = await group_of(talk, "-1009")
    await inside.blocks()
    await upgraded(talk)
    after, contact = await group_of(talk, "-1009")
    assert (after.id, after.status, contact.id) == (before.id, PersonStatus.ACTIVE, old.id)
    assert (contact.state, contact.closed_reason, contact.closed_at) == (ContactState.OPEN, None, None)
    assert contact.added_by_id == old.added_by_id
    async with talk.database.read() as tx:
        assert await people.get(tx, stray.id) is None
        assert await people.contact(tx, talk.account.id, CHAT) is None


async def test_an_upgraded_group_in_which_something_was_decided_keeps_that(talk: Talk) -> None:
    await added(talk)
    later = talk.person("6").in_group("-1009")
    await later.says("dừng")
    await upgraded(talk)
    group, contact = await group_of(talk, "-1009")
    assert (group.status, contact.state) == (PersonStatus.STOPPED, ContactState.OPEN)
    assert (await group_of(talk))[1].state is ContactState.CLOSED


async def test_hearing_twice_of_an_upgrade_changes_nothing(talk: Talk) -> None:
    await added(talk)
    _, before = await group_of(talk)
    async with talk.database.write() as tx:
        for _ in range(2):
            found = await tx.get_one(Contact, before.id)
            await people.move(tx, found, "-1009")
    _, contact = await group_of(talk, "-1009")
    assert (contact.id, contact.state) == (before.id, ContactState.OPEN)


async def test_what_waited_for_a_group_that_gives_way_is_skipped(talk: Talk) -> None:
    await added(talk)
    await talk.person("6").in_group("-1009").says("quên mật khẩu vneid")
    stray, _ = await group_of(talk, "-1009")
    async with talk.database.write() as tx:
        item = await items.add(tx, ItemKind.NOTICE, [], talk.now)
        campaign = Campaign(
            kind=CampaignKind.BROADCAST, item_id=item.id, audience="all", fingerprint="", created_at=talk.now
        )
        tx.add(campaign)
        await tx.flush()
        run = Run(campaign_id=campaign.id, planned_at=talk.now)
        tx.add(run)
        await tx.flush()
        run_id = run.id
        tx.add(Delivery(run_id=run_id, person_id=stray.id, state=DeliveryState.WAITING))
    await upgraded(talk)
    async with talk.database.read() as tx:
        row = await tx.get_one(Delivery, (run_id, stray.id))
    assert (row.state, row.reason) == (DeliveryState.SKIPPED, Reason.NOT_FOUND)


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
    assert await person.unblocks() in ([], ["menu.show"]), "where following is the first thing that one says"
    async with talk.database.read() as tx:
        again = await people.contact(tx, talk.account.id, "5")
    assert again is not None
    assert (again.state, again.closed_reason) == (ContactState.OPEN, None)


@pytest.mark.parametrize("kind", [InboundKind.MEMBERSHIP, InboundKind.EDITED, InboundKind.MOVED])
@pytest.mark.parametrize("chat_kind", list(ChatKind))
async def test_an_unknown_chat_that_says_nothing_to_us_is_not_written_down(
    talk: Talk, kind: InboundKind, chat_kind: ChatKind
) -> None:
    fields = {"kind": kind, "membership": Membership.LEFT, "moved_to": "-9", "text": "sửa", "external_id": "e1"}
    for _ in range(2):
        assert await talk.inbound(chat_id="9", chat_kind=chat_kind, sender_id="9", **fields) == []
    async with talk.database.read() as tx:
        assert (await tx.execute(sa.select(Contact))).first() is None
        assert (await tx.execute(sa.select(Person))).first() is None
        assert (await tx.execute(sa.select(InboundSeen.external_id))).scalars().all() == ["e1"]
