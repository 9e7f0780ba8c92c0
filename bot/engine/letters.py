"""What a run says, composed once a language and not once a person."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from bot.core.channel import Channel, Prepared
from bot.core.events import Outbound
from bot.db import Database, items, runs
from bot.db.tables import Account, Campaign, Item
from bot.outreach import curriculum, voice
from bot.outreach import items as content
from bot.outreach.desk import Desk
from bot.outreach.fitting import fit
from bot.outreach.framing import frame

_KEPT = 64


@dataclass(slots=True)
class Variant:
    """A run's messages in one language, ready but for the chat. `prepared` is the one message of a variant that needs
    nothing else: no upload, no second message. `weight` counts the first message as the platform does. `beside` is a
    voice for those who listen: good to have, never missed."""

    parts: tuple[Outbound, ...]
    weight: int
    beside: Outbound | None = None
    prepared: Prepared | None = None


@dataclass(slots=True)
class Letter:
    """A run's messages. `origin` is the account whose file ids they hold."""

    campaign: Campaign
    item: Item
    origin: str | None
    variants: dict[tuple[str, bool], Variant] = field(default_factory=dict)
    """By language, and whether they listen."""


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

    async def variant(self, letter: Letter, language: str, *, listens: bool = False) -> Variant:
        """The messages in that language; with a voice if there is one."""
        found = letter.variants.get((language, listens))
        if found is None:
            found = await self._composed(letter, language, listens=listens)
            letter.variants[language, listens] = found
        return found

    async def _composed(self, letter: Letter, language: str, *, listens: bool) -> Variant:
        async with self.database.read() as tx:
            framed = await frame(tx, self.desk, letter.campaign, letter.item, language, self.channel.account)
        parts = content.compose(
            curriculum.said_in(self.desk, letter.item, language),
            self.channel.capabilities,
            header=framed.header,
            footer=framed.footer,
            buttons=framed.buttons,
        )
        parts = self._fitted(parts, language)
        beside = self._voice(letter.item, language) if listens else None
        variant = Variant(parts, content.weight(parts[0]), beside)
        if letter.origin is None or letter.origin == self.channel.account:
            self.prepare(variant, parts[0])
        return variant

    def _fitted(self, parts: tuple[Outbound, ...], language: str) -> tuple[Outbound, ...]:
        """In the form that the channel can carry."""
        hint = self.desk.book.label(language, "common.answer_with_number")
        return tuple(one for part in parts for one in fit(part, self.channel.capabilities, hint).messages)

    def _voice(self, item: Item, language: str) -> Outbound | None:
        """The voice of a tip, where no message is counted or paid for."""
        can = self.channel.capabilities
        costs = can.limits.per_month is not None or can.window is not None
        return None if costs else voice.ready_tip(self.desk, item, language, can)

    def prepare(self, variant: Variant, message: Outbound) -> None:
        """Make the only message of a variant ready for everybody. `message` holds file ids of this account."""
        if len(variant.parts) == 1 and variant.beside is None and all(m.file_id is not None for m in message.media):
            variant.prepared = self.channel.prepare(message)
