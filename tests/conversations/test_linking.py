"""One person on Telegram and Zalo: linked by a code, written to where they like, erased and stopped as one, parted."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.memory import LIKE_TELEGRAM, MemoryChannel
from bot.core import wire
from bot.core.errors import Reason
from bot.core.events import Outbound
from bot.core.words import CampaignKind, DeliveryState, PersonStatus, RoleName, TargetGroup
from bot.db import accounts, people, replies, roles, units
from bot.db.audience import Atom, Term, condition, count, reach
from bot.db.tables import Account, Contact, Person, Tombstone
from bot.db.traffic import Traffic
from bot.engine import rounds
from bot.engine.local import LocalEngine
from bot.outreach import campaigns, consent, curriculum, linking, referrals
from bot.outreach.campaigns import Plan
from tests.db.crowd import counted, sent, want
from tests.support.talk import ACCOUNT, Speaker, Talk

ZALO = "zalo_bot:77"
EVERYBODY = ((Term(Atom.ALL),),)
CODE = re.compile(r"NOI-[A-Z2-9]{6}")


@dataclass
class Zalo:
    """The other side: the same product, another account with ids of its own."""

    talk: Talk
    channel: MemoryChannel
    account: Account

    def person(self, id: str = "z-ly") -> Speaker:
        return replace(self.talk.person(id), fields={"account": ZALO})

    async def subscriber(self) -> Speaker:
        """Somebody who has agreed there, unknown on Telegram."""
        person = self.person()
        await person.says("/start")
        assert await person.says("đồng ý") == ["subscribe.commune"]
        return person

    async def flush(self) -> None:
        async with self.talk.database.write() as tx:
            waiting = await replies.waiting(tx, [self.account.id])
            for row in waiting:
                await self.channel.send(wire.load(row.message))
            await replies.drop(tx, [row.id for row in waiting])

    async def heard(self, id: str = "z-ly") -> list[Outbound]:
        await self.flush()
        return [m for m in self.channel.sent if m.chat_id == id and m.answer is None]


@pytest.fixture
async def zalo(talk: Talk) -> AsyncIterator[Zalo]:
    channel = MemoryChannel(ZALO)
    async with talk.database.write() as tx:
        account = await accounts.ensure(tx, ZALO, talk.now)
    talk.inbox.capabilities = {ACCOUNT: LIKE_TELEGRAM, ZALO: LIKE_TELEGRAM}
    talk.engine = LocalEngine(talk.database, talk.desk, [talk.channel, channel])
    yield Zalo(talk, channel, account)
    await talk.engine.stop()


async def code_of(speaker: Speaker, say: str = "liên kết") -> str:
    assert await speaker.says(say) == ["link.code"]
    found = CODE.search(speaker.last.text)
    assert found is not None
    return found[0]


async def linked(talk: Talk, zalo: Zalo, id: str = "5") -> tuple[Speaker, Speaker]:
    """A resident of Telegram who has linked their Zalo."""
    here, there = await talk.resident(id), zalo.person()
    assert await there.says(await code_of(here)) == ["link.done"]
    return here, there


async def contacts(talk: Talk) -> list[Contact]:
    async with talk.database.read() as tx:
        return list((await tx.execute(sa.select(Contact).order_by(Contact.id))).scalars())


async def everybody(talk: Talk) -> list[Person]:
    async with talk.database.read() as tx:
        return list((await tx.execute(sa.select(Person).order_by(Person.id))).scalars())


async def preferred(talk: Talk) -> list[str]:
    return [c.external_id for c in await contacts(talk) if c.preferred]


async def broadcast(talk: Talk, text: str = "Tối nay họp thôn.") -> None:
    async with talk.database.write() as tx:
        parts = [Outbound(chat_id="", text=text)]
        plan = Plan(kind=CampaignKind.BROADCAST, parts=parts, audience=EVERYBODY, at=talk.now)
        await campaigns.create(tx, talk.desk, plan, talk.now)


@pytest.mark.parametrize(
    "say", ["liên kết", "lien ket", "nối tài khoản", "Nối Zalo ạ", "link", "/link", "nối telegram"]
)
async def test_a_code_is_given_to_whoever_has_agreed(talk: Talk, say: str) -> None:
    code = await code_of(await talk.resident("5"), say)
    assert linking.read(code) == code.removeprefix("NOI-")


async def test_a_stranger_is_asked_for_consent_first(talk: Talk) -> None:
    assert await talk.person().says("liên kết") == ["subscribe.greeting"]


async def test_asking_for_an_address_is_not_asking_to_be_linked(talk: Talk) -> None:
    person = await talk.resident("5")
    for say in ("cho xin link", "cho xin link zalo"):
        assert "link.code" not in await person.says(say)


async def test_the_other_side_is_linked_and_both_are_told(talk: Talk, zalo: Zalo) -> None:
    here, there = await linked(talk, zalo)
    (only,) = await everybody(talk)
    assert only.status is PersonStatus.ACTIVE
    assert {c.person_id for c in await contacts(talk)} == {only.id}
    assert await preferred(talk) == ["z-ly"], "written to where the code was typed"
    said = (await zalo.heard())[-1]
    assert "Zalo (bot Loa Số) và Telegram" in said.text
    assert [b.label for row in said.buttons for b in row] == ["Telegram", "Zalo (bot Loa Số)"]
    assert "vừa được nối với Zalo" in here.last.text
    assert await there.says("cài đặt") == ["settings.overview"], "known there from now on, without a question"


@pytest.mark.parametrize("spelling", ["{0}", " {1} ", "noi {1}", "NỐI{1}", "noi - {2} {3}.", "mã {0}", "#{0}"])
async def test_the_code_may_be_typed_carelessly(talk: Talk, zalo: Zalo, spelling: str) -> None:
    code = await code_of(await talk.resident("5"))
    letters = code[4:]
    typed = spelling.format(code.lower(), code if spelling == " {1} " else letters.lower(), letters[:3], letters[3:])
    assert await zalo.person().says(typed) == ["link.done"]


async def test_it_works_in_the_other_direction(talk: Talk, zalo: Zalo) -> None:
    here = await talk.resident("5")
    there = await zalo.subscriber()
    await there.says("liên kết")
    code = CODE.search((await zalo.heard())[-1].text)
    assert code is not None
    assert await here.says(code[0]) == ["link.done"]
    assert len(await everybody(talk)) == 1


async def test_a_code_works_once(talk: Talk, zalo: Zalo) -> None:
    here = await talk.resident("5")
    code = await code_of(here)
    assert await zalo.person("z-1").says(code) == ["link.done"]
    assert await zalo.person("z-2").says(code) == ["link.wrong"]


async def test_a_code_is_good_for_a_quarter_of_an_hour(talk: Talk, zalo: Zalo) -> None:
    code = await code_of(await talk.resident("5"))
    talk.advance(minutes=15)
    assert await zalo.person().says(code) == ["link.wrong"]


async def test_a_new_code_replaces_the_old_one(talk: Talk, zalo: Zalo) -> None:
    here = await talk.resident("5")
    old, new = await code_of(here), await code_of(here)
    assert await zalo.person().says(old) == ["link.wrong"]
    assert await zalo.person().says(new) == ["link.done"]


async def test_nobody_may_guess(talk: Talk, zalo: Zalo) -> None:
    code = await code_of(await talk.resident("5"))
    there = zalo.person()
    for _ in range(5):
        assert await there.says("NOI-222222") == ["link.wrong"]
    assert await there.says(code) == ["link.too_many"], "not even the right one"
    assert await there.presses_data(f"link:join:{code[4:]}") == ["link.too_many"]
    assert await zalo.person("z-2").says("NOI-222222") == ["link.wrong"], "each for themselves"
    talk.advance(hours=1)
    assert await there.says("NOI-222222") == ["link.wrong"]


async def test_one_chat_cannot_be_linked_with_itself(talk: Talk) -> None:
    here = await talk.resident("5")
    assert await here.says(await code_of(here)) == ["link.own"]


async def test_two_chats_of_one_account_are_refused(talk: Talk) -> None:
    code = await code_of(await talk.resident("5"))
    assert await (await talk.resident("6")).says(code) == ["link.same_place"]
    assert len(await everybody(talk)) == 2


async def test_what_is_linked_is_not_linked_again(talk: Talk, zalo: Zalo) -> None:
    here, there = await linked(talk, zalo)
    assert await there.says(await code_of(here)) == ["link.already"]


@pytest.mark.parametrize("say", ["/link", "liên kết", "NOI-4F7K2M", "bỏ liên kết", "nhận qua Zalo"])
async def test_a_group_is_never_linked(talk: Talk, say: str) -> None:
    inside = (await talk.resident("5")).in_group("-7")
    assert await inside.says(say) == ["group.private_only"]
    assert await inside.presses_data("link:start") == ["common.old_button"]


async def test_whoever_holds_a_role_is_asked_before_it_is_shared(talk: Talk, zalo: Zalo) -> None:
    head = await talk.staff("7", RoleName.EDITOR, "18859")
    there = await zalo.subscriber()
    await there.says("liên kết")
    found = CODE.search((await zalo.heard())[-1].text)
    assert found is not None
    assert await head.says(found[0]) == ["link.sure"]
    assert await head.presses("Không phải") == ["link.not_joined"]
    assert len(await everybody(talk)) == 2
    await head.says(found[0])
    assert await head.presses("Phải, nối đi") == ["link.done"]
    (only,) = await everybody(talk)
    async with talk.database.read() as tx:
        assert [role for role, _ in await roles.of_person(tx, only.id)] == [RoleName.EDITOR]


async def test_stop_on_either_side_wins(talk: Talk, zalo: Zalo) -> None:
    here = await talk.resident("5")
    await here.says("dừng")
    there = await zalo.subscriber()
    assert await there.says(await code_of(here)) == ["link.done"]
    assert "TIẾP" in (await zalo.heard())[-1].text
    (only,) = await everybody(talk)
    assert only.status is PersonStatus.STOPPED
    assert await there.presses_data("resume") == ["optout.resumed"]


async def test_somebody_chooses_where_to_be_written_to(talk: Talk, zalo: Zalo) -> None:
    here, there = await linked(talk, zalo)
    assert await here.presses("Vẫn nhận ở đây") == ["link.preferred"]
    assert await preferred(talk) == ["5"]
    assert "qua Telegram" in here.last.text
    assert await there.says("nhận qua Zalo") == ["link.preferred"]
    assert await preferred(talk) == ["z-ly"]
    assert await here.says("nhan qua telegram") == ["link.preferred"]
    assert await preferred(talk) == ["5"]
    assert await here.says("đổi nơi nhận tin") == ["link.where"]
    assert await here.presses("Zalo (bot Loa Số)") == ["link.preferred"]
    assert await preferred(talk) == ["z-ly"]


async def test_where_there_are_no_buttons_a_number_chooses(talk: Talk, zalo: Zalo) -> None:
    without = {ZALO: replace(LIKE_TELEGRAM, buttons=0)}
    talk.inbox.capabilities = {**talk.inbox.capabilities, **without}
    talk.desk.capabilities.update(without)
    _, there = await linked(talk, zalo)
    assert "1. Telegram" in (await zalo.heard())[-1].text
    assert await there.says("1") == ["link.preferred"]
    assert await preferred(talk) == ["5"]
    talk.advance(minutes=1)
    await there.says("bỏ nối")
    assert await there.says("1") == ["link.unlinked"]


async def test_without_a_link_there_is_nothing_to_choose(talk: Talk) -> None:
    person = await talk.resident("5")
    assert await person.says("nhận qua Zalo") == ["link.not_linked"]
    assert await person.presses("🔗 Nối Zalo, Telegram") == ["link.code"]


async def test_a_forged_button_chooses_nobody_elses_address(talk: Talk, zalo: Zalo) -> None:
    here, _ = await linked(talk, zalo)
    stranger = await talk.resident("6")
    other = next(c.id for c in await contacts(talk) if c.external_id == "6")
    for data in (
        f"link:prefer:{other}",
        "link:prefer:x",
        "link:prefer:",
        "link:",
        "link",
        "link:join:xx",
        "link:unlink:x",
    ):
        assert await here.presses_data(data) in (["common.old_button", "menu.show"], ["menu.show"]), data
    mine = next(c.id for c in await contacts(talk) if c.external_id == "z-ly")
    await stranger.presses_data(f"link:prefer:{mine}")
    assert await preferred(talk) == ["z-ly"]


@pytest.mark.parametrize("say", ["bỏ liên kết", "bo lien ket", "bỏ nối", "/unlink", "hủy liên kết"])
async def test_unlinking_asks_first(talk: Talk, zalo: Zalo, say: str) -> None:
    _, there = await linked(talk, zalo)
    assert await there.says(say) == ["link.unlink_sure"]
    assert await there.presses_data("link:unlink:no") == ["link.kept"]
    assert len(await everybody(talk)) == 1
    await there.says(say)
    assert await there.presses_data("link:unlink:yes") == ["link.unlinked"]
    assert len(await everybody(talk)) == 2


async def test_who_was_unlinked_stands_alone_with_what_was_known(talk: Talk, zalo: Zalo) -> None:
    editor = await talk.staff("7", RoleName.EDITOR, "19138")
    there = zalo.person()
    await there.says(await code_of(editor))
    await there.says("bỏ nối")
    assert "Vai trò" in (await zalo.heard())[-1].text
    await there.presses_data("link:unlink:yes")
    assert "bỏ nối nơi này với Zalo" in editor.last.text
    one, other = await everybody(talk)
    for name in ("unit_id", "target_group", "language", "tip_hour", "consent_at", "tip_day", "tipped_on", "status"):
        assert getattr(one, name) == getattr(other, name), name
    async with talk.database.read() as tx:
        assert [role for role, _ in await roles.of_person(tx, one.id)] == [RoleName.EDITOR]
        assert await roles.of_person(tx, other.id) == []
    assert await preferred(talk) == []
    assert await there.says("cài đặt") == ["settings.overview"]


async def test_who_is_not_linked_has_nothing_to_unlink(talk: Talk) -> None:
    person = await talk.resident("5")
    assert await person.says("bỏ liên kết") == ["link.nothing_to_unlink"]
    assert await person.presses_data("link:unlink:yes") == ["link.nothing_to_unlink"]


async def test_what_was_parted_can_be_linked_again(talk: Talk, zalo: Zalo) -> None:
    here, there = await linked(talk, zalo)
    await there.presses_data("link:unlink:yes")
    assert await there.says(await code_of(here)) == ["link.done"]
    assert len(await everybody(talk)) == 1


async def test_they_are_counted_once(talk: Talk, zalo: Zalo) -> None:
    await linked(talk, zalo)
    async with talk.database.read() as tx:
        found = await reach(tx, EVERYBODY)
        assert (found.total, found.reachable) == (1, 1)
        assert await count(tx, [condition(EVERYBODY)]) == 1


async def test_erasing_on_one_side_erases_both(talk: Talk, zalo: Zalo) -> None:
    _, there = await linked(talk, zalo)
    await there.says("XÓA")
    assert await there.presses_data("erase:yes") == ["optout.erased"]
    assert await contacts(talk) == []
    assert await everybody(talk) == []
    async with talk.database.read() as tx:
        assert len((await tx.execute(sa.select(Tombstone))).all()) == 2


async def test_stopping_on_one_side_holds_for_both(talk: Talk, zalo: Zalo) -> None:
    here, there = await linked(talk, zalo)
    assert await there.says("DỪNG") == ["optout.done"]
    known = await talk.record("5")
    assert known is not None
    assert known.status is PersonStatus.STOPPED
    await broadcast(talk)
    await talk.deliver()
    assert [m for m in (*here.heard, *await zalo.heard()) if "họp thôn" in m.text] == []


async def test_a_run_reaches_them_once(talk: Talk, zalo: Zalo) -> None:
    await linked(talk, zalo)
    await broadcast(talk)
    await talk.deliver()
    assert len([m for m in (*talk.channel.sent, *zalo.channel.sent) if "họp thôn" in m.text]) == 1


async def test_a_run_that_waits_for_both_when_they_link_reaches_them_once(talk: Talk, zalo: Zalo) -> None:
    here, there = await talk.resident("5"), await zalo.subscriber()
    code = await code_of(here)
    await broadcast(talk)
    await rounds.begin_due(talk.database, talk.desk)
    assert await there.says(code) == ["link.done"]
    await talk.deliver()
    assert len([m for m in (*talk.channel.sent, *zalo.channel.sent) if "họp thôn" in m.text]) == 1


async def test_what_reached_one_side_does_not_reach_the_other(talk: Talk, zalo: Zalo) -> None:
    here, there = await talk.resident("5"), await zalo.subscriber()
    code = await code_of(here)
    await broadcast(talk)
    await rounds.begin_due(talk.database, talk.desk)
    traffic = Traffic(talk.database)
    claim = await traffic.exchange([], [], want(1, account=talk.account.id))
    assert claim is not None
    (row,) = claim.rows
    await traffic.exchange([sent(1, row.person_id, account=talk.account.id)], [claim.slice_id])
    assert await there.says(code) == ["link.done"]
    await talk.deliver()
    assert [m for m in (*talk.channel.sent, *zalo.channel.sent) if "họp thôn" in m.text] == []
    kept, real = await counted(talk.database)
    assert kept == real
    assert real == {(1, DeliveryState.SENT, None): 1, (1, DeliveryState.SKIPPED, Reason.LINKED): 1}


async def test_two_who_send_the_same_code_at_once_are_not_both_linked(talk: Talk, zalo: Zalo) -> None:
    code = await code_of(await talk.resident("5"))
    said = await asyncio.gather(zalo.person("z-1").says(code), zalo.person("z-2").says(code))
    assert sorted(said) == [["link.done"], ["link.wrong"]]
    assert len(await everybody(talk)) == 2


async def test_two_who_send_each_others_code_at_once_are_linked_once(talk: Talk, zalo: Zalo) -> None:
    here, there = await talk.resident("5"), await zalo.subscriber()
    ours = await code_of(here)
    await there.says("liên kết")
    theirs = CODE.search((await zalo.heard())[-1].text)
    assert theirs is not None
    said = await asyncio.gather(here.says(theirs[0]), there.says(ours))
    assert ["link.done"] in said
    assert len(await everybody(talk)) == 1


async def test_whoever_subscribed_on_both_sides_keeps_the_best_of_both(talk: Talk, zalo: Zalo) -> None:
    here, there = await talk.resident("5", unit="18859", group="resident"), await zalo.subscriber()
    async with talk.database.write() as tx:
        await curriculum.sync(tx, talk.desk.pack)
        one, other = (await tx.execute(sa.select(Person).order_by(Person.id))).scalars()
        one.tip_day, one.tipped_on = 3, date(2026, 11, 20)
        other.target_group, other.tip_day, other.tipped_on = TargetGroup.STUDENT, 2, date(2026, 11, 23)
        other.tips_seen, other.language = ["older"], "en"
    assert await there.says(await code_of(here)) == ["link.done"]
    (only,) = await everybody(talk)
    assert (only.target_group, only.tip_day, only.language) == (TargetGroup.RESIDENT, 3, "vi")
    assert only.tips_seen == ["older", *talk.desk.pack.curricula["student"][:2]]
    assert only.tipped_on == date(2026, 11, 23)


async def test_a_role_decides_who_stays_and_gaps_are_filled(talk: Talk, zalo: Zalo) -> None:
    await zalo.person().says("/start")
    async with talk.database.write() as tx:
        contact = await people.contact(tx, zalo.account.id, "z-ly")
        place = await units.by_code(tx, "18859")
        assert contact is not None
        assert place is not None
        await roles.grant(tx, contact.person_id, RoleName.HELPER, place.id, talk.now)
        wanted = contact.person_id
    here = await talk.resident("5", unit="19138", group="elderly", hour=17)
    await zalo.person().says(await code_of(here))
    assert await zalo.person().presses_data(f"link:join:{'2' * 6}") == ["link.wrong"]
    assert await zalo.person().says(await code_of(here)) == ["link.sure"]
    found = CODE.search(here.last.text)
    assert found is not None
    assert await zalo.person().presses_data(f"link:join:{found[0][4:]}") == ["link.done"]
    (only,) = await everybody(talk)
    assert (only.id, only.target_group, only.tip_hour, only.status) == (
        wanted,
        TargetGroup.ELDERLY,
        17,
        PersonStatus.ACTIVE,
    )
    assert only.unit_id is not None
    assert consent.has(only, talk.desk)


async def test_a_campaign_for_the_circle_of_somebody_still_finds_it(talk: Talk, zalo: Zalo) -> None:
    here, there = await talk.resident("5"), await zalo.subscriber()
    gone = next(c.person_id for c in await contacts(talk) if c.external_id == "z-ly")
    async with talk.database.write() as tx:
        parts = [Outbound(chat_id="", text="Chào cả nhà.")]
        audience = ((Term(Atom.CIRCLE, str(gone)),), (Term(Atom.GOING, str(gone)),))
        later = talk.now + timedelta(days=1)
        plan = Plan(kind=CampaignKind.BROADCAST, parts=parts, audience=audience, at=later)
        campaign, _ = await campaigns.create(tx, talk.desk, plan, talk.now)
    assert await there.says(await code_of(here)) == ["link.done"]
    (only,) = await everybody(talk)
    async with talk.database.read() as tx:
        found = await tx.get_one(type(campaign), campaign.id)
    assert found.audience == f"circle:{only.id},going:{gone}"


async def test_two_bots_of_one_platform_are_never_parted(talk: Talk, zalo: Zalo) -> None:
    here, _ = await linked(talk, zalo)
    async with talk.database.write() as tx:
        second = await accounts.ensure(tx, "telegram:4343", talk.now)
        contact = await people.contact(tx, talk.account.id, "5")
        assert contact is not None
        await people.join(tx, contact.person_id, second.id, "5")
    assert await here.presses_data("link:unlink:yes") == ["link.unlinked"]
    by_person = {c.external_id: c.person_id for c in await contacts(talk)}
    assert len({c.person_id for c in await contacts(talk) if c.external_id == "5"}) == 1
    assert by_person["5"] != by_person["z-ly"]
    assert await here.presses_data("link:unlink:yes") == ["link.nothing_to_unlink"]


SPACE = st.text(st.sampled_from(" -.–\t"), max_size=3)
LETTERS = st.text(st.sampled_from(referrals.LETTERS), min_size=linking.LENGTH, max_size=linking.LENGTH)


@given(LETTERS, SPACE, SPACE, st.booleans(), st.sampled_from(["NOI", "noi", "Nối", "nối", "NO\u0302\u0301I"]))
def test_a_code_is_read_however_it_is_typed(letters: str, one: str, two: str, small: bool, prefix: str) -> None:
    said = letters.lower() if small else letters
    wanted = letters if any(c.isdigit() for c in letters) else None
    assert linking.read(f"{prefix}{one}{said[:3]}{two}{said[3:]}") == wanted


@given(st.text(max_size=60))
def test_any_text_can_be_looked_at(text: str) -> None:
    found = linking.read(text)
    assert found is None or set(found) <= set(referrals.LETTERS)


@pytest.mark.parametrize(
    "text",
    ["noi chuyen", "nói chuyện", "nơi 4F7K2M", "NOI-4F7K2", "NOI-4F7K2MM", "NOI-4F7K20", "4F7K2M", "#4F7K2MA", ""],
)
def test_what_only_looks_like_a_code_is_none(text: str) -> None:
    assert linking.read(text) is None
