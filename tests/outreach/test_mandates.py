"""Mandates: whether an author may still do what they planned."""

from __future__ import annotations

import pytest

from bot.core.words import CampaignKind, ItemKind, RoleName
from bot.db import Tx, items, people, roles, units
from bot.db.tables import Campaign, Person, Unit
from bot.outreach import mandates
from tests.support.talk import Talk

VILLAGE = "18859001"


async def head(talk: Talk) -> None:
    await talk.village(VILLAGE, "Thôn Đông")
    await talk.staff("7", RoleName.VILLAGE_HEAD, VILLAGE)


async def who(tx: Tx, talk: Talk) -> Person:
    contact = await people.contact(tx, talk.account.id, "7")
    assert contact is not None
    person = await people.get(tx, contact.person_id)
    assert person is not None
    return person


async def place(tx: Tx, code: str) -> Unit:
    found = await units.by_code(tx, code)
    assert found is not None
    return found


async def planned(tx: Tx, talk: Talk, *, role: RoleName | None = RoleName.VILLAGE_HEAD) -> Campaign:
    """What the head of the village, or with no role an operator, has planned for it."""
    item = await items.add(tx, ItemKind.BROADCAST, [], talk.now)
    campaign = Campaign(
        kind=CampaignKind.BROADCAST,
        item_id=item.id,
        audience=f"unit:{VILLAGE}",
        fingerprint="x",
        author_id=(await who(tx, talk)).id if role is not None else None,
        author_role=role,
        unit_id=(await place(tx, VILLAGE)).id if role is not None else None,
        created_at=talk.now,
    )
    tx.add(campaign)
    await tx.flush()
    return campaign


async def test_who_holds_the_role_may_still(talk: Talk) -> None:
    await head(talk)
    async with talk.database.write() as tx:
        assert await mandates.may_still(tx, await planned(tx, talk))
        assert await mandates.may_still(tx, await planned(tx, talk, role=None)), "an operator's needs no role"


async def test_a_role_that_was_taken_away_ends_what_was_planned_in_it(talk: Talk) -> None:
    await head(talk)
    async with talk.database.write() as tx:
        campaign, person, village = await planned(tx, talk), await who(tx, talk), await place(tx, VILLAGE)
        await roles.grant(tx, person.id, RoleName.INFLUENCER, village.id, talk.now)
        await roles.revoke(tx, person.id, RoleName.VILLAGE_HEAD, village.id)
        assert not await mandates.may_still(tx, campaign), "another role is not the one in whose name it goes out"
        assert await mandates.may_still(tx, await planned(tx, talk, role=RoleName.INFLUENCER))


@pytest.mark.parametrize(("code", "may"), [("18859", True), ("44", True), ("18859002", False)])
async def test_the_role_may_be_for_a_unit_above_and_not_next_door(talk: Talk, code: str, may: bool) -> None:
    await head(talk)
    await talk.village("18859002", "Thôn Tây")
    async with talk.database.write() as tx:
        campaign, person = await planned(tx, talk), await who(tx, talk)
        await roles.revoke(tx, person.id, RoleName.VILLAGE_HEAD, (await place(tx, VILLAGE)).id)
        await roles.grant(tx, person.id, RoleName.VILLAGE_HEAD, (await place(tx, code)).id, talk.now)
        assert await mandates.may_still(tx, campaign) is may


async def test_what_an_erased_author_had_planned_does_not_go_out(talk: Talk) -> None:
    await head(talk)
    async with talk.database.write() as tx:
        number = (await planned(tx, talk)).id
    assert await talk.person("7").presses_data("erase:yes") == ["optout.erased"]
    async with talk.database.read() as tx:
        campaign = await tx.get_one(Campaign, number)
        assert campaign.author_id is None
        assert not await mandates.may_still(tx, campaign)
