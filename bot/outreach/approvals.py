"""Approvals: whose consent a proposal needs, asking them, and the first decision that counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum

from bot.core.channel import Capabilities
from bot.core.words import CampaignState, RoleName
from bot.db import Tx, audit, proposals, units
from bot.db.items import get as get_item
from bot.db.tables import Account, Campaign, Contact, Item, Person, Run
from bot.outreach import audience, broadcasts, campaigns, items, letterbox, mandates, notify, roles
from bot.outreach.desk import Desk
from bot.outreach.framing import frame
from bot.outreach.mandates import Mandate

DECIDERS = (RoleName.APPROVER, RoleName.ADMIN)
_MOST = 10
_SHOWN = 5


class Verdict(StrEnum):
    """What came of pressing a button under a proposal; the last word of a key in `messages`."""

    DONE = "done"
    OVER = "over"
    OWN = "own"
    NO_RIGHT = "no_right"
    AUTHOR_GONE = "author_gone"


async def deciders(tx: Tx, mandate: Mandate, author: Person) -> list[int]:
    """People who may decide about something for that unit, the nearest first; never the author."""
    return (await roles.approvers(tx, mandate.unit, but=author.id))[:_MOST]


async def ask(tx: Tx, desk: Desk, campaign: Campaign, among: Sequence[int], can: Capabilities, now: datetime) -> None:
    """Show each of them the proposal as residents would see it, with the question under it."""
    item = await _item(tx, campaign)
    for person_id in among:
        contact = await notify.contact_of(tx, person_id, prefer=item.account_id, desk=desk)
        if contact is not None:
            await show(tx, desk, campaign, contact, can, now)


async def waiting(tx: Tx, person: Person) -> list[Campaign]:
    """What that person may decide about now, the oldest first."""
    held = await roles.units_for(tx, person, DECIDERS)
    paths = list(dict.fromkeys(unit.path for _, unit in held))
    return await proposals.waiting(tx, paths, but=person.id, limit=_SHOWN)


async def _item(tx: Tx, campaign: Campaign) -> Item:
    item = await get_item(tx, campaign.item_id)
    assert item is not None  # noqa: S101  # a foreign key says so
    return item


async def show(tx: Tx, desk: Desk, campaign: Campaign, contact: Contact, can: Capabilities, now: datetime) -> None:
    """The proposal as residents would see it, with the question under it."""
    item = await _item(tx, campaign)
    account = await tx.get_one(Account, contact.account_id)
    framed = await frame(tx, desk, campaign, item, "vi", account.key)
    parts = items.load(item.parts)
    if contact.account_id != item.account_id:
        parts = tuple(replace(part, media=()) for part in parts)  # files are known to the author's account alone
    shown = [part for part in parts if part.text or part.media or part.location or part.card]
    composed = items.compose(shown, can, header=framed.header, footer=framed.footer) if shown else ()
    for message in items.addressed(composed, contact.external_id, group=False):
        await letterbox.put(tx, desk, contact.account_id, contact.id, message, now, language="vi")
    reach = await broadcasts.reach(tx, desk, audience.parse(campaign.audience, internal=True), now)
    await notify.notify(
        tx,
        desk,
        contact,
        "approval.ask",
        now,
        place=await broadcasts.place_of(tx, campaign),
        circle=campaign.audience.startswith("circle:"),
        total=reach.total,
        leaves=broadcasts.leaves_at(desk, campaign.wanted_at, now),
        files=any(part.media for part in items.load(item.parts)) and contact.account_id != item.account_id,
        buttons=[
            [("approval.button_yes", f"ap:yes:{campaign.id}")],
            [("approval.button_no", f"ap:no:{campaign.id}")],
        ],
    )


async def look(tx: Tx, person: Person, campaign_id: int) -> tuple[Verdict, Campaign | None]:
    """Whether that person may decide now; the proposal is locked until the transaction ends."""
    campaign = await proposals.lock(tx, campaign_id)
    if campaign is None or campaign.unit_id is None or campaign.state is not CampaignState.PROPOSED:
        return Verdict.OVER, campaign
    if campaign.author_id == person.id:
        return Verdict.OWN, campaign
    unit = await units.get(tx, campaign.unit_id)
    if unit is None or not await roles.may(tx, person, DECIDERS, unit):
        return Verdict.NO_RIGHT, campaign
    return Verdict.DONE, campaign


async def approve(
    tx: Tx, desk: Desk, person: Person, campaign_id: int, now: datetime
) -> tuple[Verdict, Campaign | None, Run | None]:
    """Let a proposal go out at the hour its author wanted, if that is still to come. It is refused when the author
    no longer holds the role in which it was written."""
    verdict, campaign = await look(tx, person, campaign_id)
    if verdict is not Verdict.DONE or campaign is None:
        return verdict, campaign, None
    if not await mandates.may_still(tx, campaign):
        await _settle(tx, campaign, CampaignState.REJECTED, person, now)
        return Verdict.AUTHOR_GONE, campaign, None
    await _settle(tx, campaign, CampaignState.APPROVED, person, now)
    run = await campaigns.fire(tx, desk, campaign, max(campaign.wanted_at or now, now + desk.house.undo))
    return verdict, campaign, run


async def reject(tx: Tx, person: Person, campaign_id: int, now: datetime) -> tuple[Verdict, Campaign | None]:
    verdict, campaign = await look(tx, person, campaign_id)
    if verdict is Verdict.DONE and campaign is not None:
        await _settle(tx, campaign, CampaignState.REJECTED, person, now)
    return verdict, campaign


async def _settle(tx: Tx, campaign: Campaign, state: CampaignState, person: Person, now: datetime) -> None:
    campaign.state, campaign.decided_by_id = state, person.id
    await tx.flush()
    await audit.note(tx, now, f"broadcast.{state}", f"campaign:{campaign.id}", actor_id=person.id)
