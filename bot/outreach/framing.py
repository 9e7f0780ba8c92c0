"""What stands around an item when it is sent: who sends it, where it is from, how to stop, what one can press."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from bot.core.events import Button, Buttons
from bot.core.words import CampaignKind
from bot.db import Tx
from bot.db.tables import Campaign, Item
from bot.outreach.desk import Desk
from messages import Rich


@dataclass(frozen=True, slots=True)
class Frame:
    """Put before the first words, after the last, and under them."""

    header: Rich | None = None
    footer: Rich | None = None
    buttons: Buttons = ()


async def frame(tx: Tx, desk: Desk, campaign: Campaign, item: Item, language: str, account: str) -> Frame:
    """The frame of a campaign's item in a language, for people who read it through `account`."""
    if campaign.kind is CampaignKind.TIP:
        return of_tip(desk, item, language)
    header = Rich(campaign.header) if campaign.header else None
    return Frame(header, desk.book.say(language, "common.stop_hint"))


def of_tip(desk: Desk, item: Item, language: str, *, pushed: bool = True) -> Frame:
    """Where a tip is from and what one can do with it. How to stop stands under what comes unasked."""
    tip = desk.pack.tips.get(item.key or "")
    name = tip.source_name if tip is not None else urlsplit(item.source or "").netloc
    footer = desk.book.say(
        language, "tip.footer", name=name, source=item.source, checked_on=item.checked_on, pushed=pushed
    )
    say = desk.book.label
    again = Button(say(language, "tip.again"), f"tip:again:{item.id}")
    simple = Button(say(language, "tip.simple_button"), f"tip:simple:{item.id}")
    forward = Button(say(language, "tip.forward"), f"fw:tip:{item.id}")
    return Frame(footer=footer, buttons=((again, simple), (forward,)))
