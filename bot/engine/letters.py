"""What a run says, composed once a language and not once a person."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from bot.core.channel import Channel
from bot.core.events import Outbound
from bot.db import Database, items, runs
from bot.db.tables import Account, Campaign, Item
from bot.outreach import items as content
from bot.outreach.desk import Desk
from bot.outreach.framing import frame

_KEPT = 64


@dataclass(slots=True)
class Letter:
    """A run's messages. `origin` is the account whose file ids they hold."""

    campaign: Campaign
    item: Item
    origin: str | None
    variants: dict[str, tuple[Outbound, ...]] = field(default_factory=dict)


class Letters:
    """Letters of one account's runs, the most recently used few kept."""

    def __init__(self, database: Database, desk: Desk, channel: Channel) -> None:
        self.database = database
        self.desk = desk
        self.channel = channel
        self._kept: OrderedDict[int, Letter] = OrderedDict()

    async def of(self, run_id: int) -> Letter:
        if run_id in self._kept:
            self._kept.move_to_end(run_id)
            return self._kept[run_id]
        async with self.database.read() as tx:
            run = await runs.get(tx, run_id)
            assert run is not None  # noqa: S101  # it has just been claimed from
            campaign = await runs.campaign(tx, run.campaign_id)
            item = await items.get(tx, campaign.item_id)
            assert item is not None  # noqa: S101  # a foreign key says so
            account = await tx.get(Account, item.account_id) if item.account_id else None
        letter = Letter(campaign, item, account.key if account else None)
        self._kept[run_id] = letter
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return letter

    async def parts(self, letter: Letter, language: str) -> tuple[Outbound, ...]:
        """The messages in that language, ready but for the chat."""
        found = letter.variants.get(language)
        if found is None:
            async with self.database.read() as tx:
                framed = await frame(tx, self.desk, letter.campaign, letter.item, language, self.channel.account)
            found = content.compose(
                content.load(letter.item.parts),
                self.channel.capabilities,
                header=framed.header,
                footer=framed.footer,
                buttons=framed.buttons,
            )
            letter.variants[language] = found
        return found
