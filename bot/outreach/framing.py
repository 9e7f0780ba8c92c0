"""What stands around an item when it is sent: who sends it, where it is from, how to stop, what one can press."""

from __future__ import annotations

from dataclasses import dataclass

from bot.core.events import Buttons
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
    header = Rich(campaign.header) if campaign.header else None
    return Frame(header, desk.book.say(language, "common.stop_hint"))
