"""One person on two bots of a platform: one record, one consent, one message a run."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
import sqlalchemy as sa

from bot.channels.memory import LIKE_TELEGRAM, MemoryChannel
from bot.core.errors import Reason
from bot.core.events import Outbound
from bot.core.words import CampaignKind, ContactState, PersonStatus, RoleName
from bot.db import accounts, people, roles, units
from bot.db.audience import Atom, Term
from bot.db.tables import Contact, Person, Tombstone
from bot.engine.local import LocalEngine
from bot.outreach import campaigns, roles_admin
from bot.outreach.campaigns import Plan
from bot.outreach.notify import contact_of
from bot.settings import Address
from tests.support.talk import ACCOUNT, Speaker, Talk

OTHER = "telegram:4343"
KEYS = {"telegram": (ACCOUNT,)}


@pytest.fixture
async def other(talk: Talk) -> MemoryChannel:
    """A second bot of the same platform, with the same inbox and engine."""
    channel = MemoryChannel(OTHER)
    async with talk.database.write() as tx:
        await accounts.ensure(tx, OTHER, talk.now)
    capabilities = {ACCOUNT: LIKE_TELEGRAM, OTHER: LIKE_TELEGRAM}
    talk.inbox.capabilities = capabilities
    talk.engine = LocalEngine(talk.database, talk.desk, [talk.channel, channel])
    return channel


def on(speaker: Speaker, account: str = OTHER) -> Speaker:
    """The same person, writing to that bot."""
    return replace(speaker, fields={"account": account})


async def contacts(talk: Talk, id: str) -> list[Contact]:
    async with talk.database.read() as tx:
        return list(
            (await tx.execute(sa.select(Contact).where(Contact.external_id == id).order_by(Contact.id))).scalars()
        )


async def subscriber(talk: Talk, id: str = "5") -> Speaker:
    """A resident who has written to both bots."""
    person = await talk.resident(id)
    await person.says("/menu")
    await on(person).says("/menu")
    return person


async def test_the_other_bot_knows_them(talk: Talk, other: MemoryChannel) -> None:
    person = await talk.resident("5")
    await person.says("/menu")
    assert await on(person).says("/start") == ["menu.show"], "no greeting and no question for consent"
    first, second = await contacts(talk, "5")
    assert (first.person_id, first.state, second.state) == (second.person_id, ContactState.OPEN, ContactState.OPEN)


async def test_whoever_writes_to_both_at_once_is_met_once(talk: Talk, other: MemoryChannel) -> None:
    person = talk.person("5")
    await asyncio.gather(person.says("chào"), on(person).says("chào"))
    first, second = await contacts(talk, "5")
    assert first.person_id == second.person_id


async def test_a_run_reaches_them_once(talk: Talk, other: MemoryChannel) -> None:
    await subscriber(talk)
    async with talk.database.write() as tx:
        parts = [Outbound(chat_id="", text="Tối nay họp thôn.")]
        plan = Plan(kind=CampaignKind.BROADCAST, parts=parts, audience=((Term(Atom.ALL),),), at=talk.now)
        await campaigns.create(tx, talk.desk, plan, talk.now)
    await talk.deliver()
    said = [m.text for m in (*talk.channel.sent, *other.sent) if "họp thôn" in m.text]
    assert len(said) == 1


async def test_stop_on_one_holds_for_both(talk: Talk, other: MemoryChannel) -> None:
    person = await subscriber(talk)
    assert await on(person).says("DỪNG") == ["optout.done"]
    known = await talk.record("5")
    assert known is not None
    assert known.status is PersonStatus.STOPPED


async def test_erasing_on_one_erases_both(talk: Talk, other: MemoryChannel) -> None:
    person = await subscriber(talk)
    await on(person).says("XÓA")
    assert await on(person).presses_data("erase:yes") == ["optout.erased"]
    assert await contacts(talk, "5") == []
    assert await person.blocks() == []
    assert await on(person).blocks() == []
    assert await contacts(talk, "5") == []
    async with talk.database.read() as tx:
        assert len((await tx.execute(sa.select(Tombstone))).all()) == 1
        assert (await tx.execute(sa.select(Person))).first() is None


async def test_groups_of_two_bots_stay_two(talk: Talk, other: MemoryChannel) -> None:
    inside = talk.person("5").in_group("-7")
    await inside.unblocks()
    await on(inside).unblocks()
    first, second = await contacts(talk, "-7")
    assert first.person_id != second.person_id
    assert first.added_by_id == second.added_by_id, "whoever added both is one person"


async def admin(talk: Talk, id: str) -> None:
    """Somebody whom the settings make an admin before they have written: on the first bot, as a guess."""
    async with talk.database.write() as tx:
        await roles_admin.ensure_admins(tx, [Address("telegram", id)], talk.now, KEYS)


async def test_an_admin_is_recognised_on_whichever_bot_they_choose(talk: Talk, other: MemoryChannel) -> None:
    await admin(talk, "77")
    await on(talk.person("77")).says("/start")
    guess, real = await contacts(talk, "77")
    assert guess.person_id == real.person_id
    assert (guess.state, guess.closed_reason) == (ContactState.CLOSED, Reason.NEVER_STARTED)
    async with talk.database.read() as tx:
        assert [role for role, _ in await roles.of_person(tx, real.person_id)] == [RoleName.ADMIN]
        assert await roles.holders(tx, [RoleName.ADMIN], await units.root(tx)) == [real.person_id]
        told = await contact_of(tx, real.person_id, prefer=guess.account_id)
    assert told is not None
    assert told.id == real.id, "the bot to which they never spoke may not write to them"


async def test_a_role_given_again_goes_to_the_same_person(talk: Talk, other: MemoryChannel) -> None:
    await on(talk.person("77")).says("/start")
    await admin(talk, "77")
    (only,) = await contacts(talk, "77")
    async with talk.database.read() as tx:
        assert await roles.holders(tx, [RoleName.ADMIN], await units.root(tx)) == [only.person_id]
        found = await people.find(tx, "telegram", "77")
    assert found is not None
    assert found.id == only.id


async def test_a_guess_that_was_right_after_all_opens_again(talk: Talk, other: MemoryChannel) -> None:
    await admin(talk, "77")
    await on(talk.person("77")).says("/start")
    await talk.person("77").says("/start")
    assert [c.state for c in await contacts(talk, "77")] == [ContactState.OPEN, ContactState.OPEN]
