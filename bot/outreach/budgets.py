"""The month's budgets: what accounts with limits have left, what a run will use, and refusing what cannot fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.core.channel import Capabilities
from bot.core.errors import UserError
from bot.core.events import ChatKind, Outbound
from bot.core.words import AccountState, RunState
from bot.db import Tx, accounts, runs
from bot.db import budgets as rows
from bot.db.audience import Expression, Reach, reach
from bot.db.budgets import MESSAGES, PAID
from bot.db.traffic_rows import Way
from bot.db.types import to_micros
from bot.outreach import audience, items, routes
from bot.outreach.desk import Desk
from bot.outreach.fitting import fit
from bot.outreach.routes import State
from messages import Rich

FOR_REPLIES = 0.05
"""Part of a month's messages that runs leave to answers."""


NOT_URGENT = 0.8
"""Part of the month's paid messages that may go to what is not urgent."""


class DoesNotFit(UserError):
    """A run would use more messages than an account may still send in this month."""

    def __init__(self, account: str, needed: int, left: int) -> None:
        super().__init__(
            f"{account} may send {left} more messages in this month and this run needs {needed}: "
            "choose a smaller audience, wait for the next month, or send it with --urgent as far as it goes"
        )
        self.account, self.needed, self.left = account, needed, left


@dataclass(frozen=True, slots=True)
class Standing:
    """What an account has used of what it may in this month; `None` where there is no limit."""

    account: str
    messages: int | None = None
    messages_used: int = 0
    people: int | None = None
    people_known: int = 0
    paid: int | None = None
    paid_used: int = 0
    windows: tuple[int, int, int] | None = None
    """How many people may be written to for nothing, for money, and not at all before they write, where that was
    counted: it reads everybody."""

    @property
    def left_for_runs(self) -> int | None:
        """Messages that runs may still use."""
        if self.messages is None:
            return None
        return max(0, for_runs(self.messages) - self.messages_used)

    @property
    def left_to_pay(self) -> int:
        """Paid messages that may still go to what is not urgent."""
        return 0 if self.paid is None else max(0, int(self.paid * NOT_URGENT) - self.paid_used)

    @property
    def is_short(self) -> bool:
        """Whether not everybody who costs something could be paid for."""
        return self.windows is not None and 0 < self.left_to_pay < self.windows[1]


def for_runs(limit: int) -> int:
    """Of a month's messages, those that are not kept for answers."""
    return limit - int(limit * FOR_REPLIES)


def month(desk: Desk, now: datetime) -> str:
    return desk.clock.local(now).strftime("%Y-%m")


async def standing(tx: Tx, desk: Desk, account_id: int, account: str, can: Capabilities, now: datetime) -> Standing:
    """How an account stands in the month of `now`."""
    limits, window, of = can.limits, can.window, month(desk, now)
    return Standing(
        account=account,
        messages=limits.per_month,
        messages_used=await rows.used(tx, account_id, MESSAGES, of) if limits.per_month is not None else 0,
        people=limits.people,
        people_known=await rows.chats(tx, account_id, ChatKind.PRIVATE) if limits.people is not None else 0,
        paid=window.paid_per_month if window is not None else None,
        paid_used=await rows.used(tx, account_id, PAID, of) if window is not None else 0,
    )


def state_of(found: Standing) -> State:
    """The same as the way to people looks at it."""
    return State(
        spent=found.left_for_runs == 0,
        pays=found.paid is not None and found.paid_used < int(found.paid * NOT_URGENT),
        pays_urgent=found.paid is not None and found.paid_used < found.paid,
        full=found.people is not None and found.people_known > found.people,
    )


async def standings(tx: Tx, desk: Desk, now: datetime) -> dict[int, Standing]:
    """Of every account that works here, by its number, with its windows counted."""
    known = {account.key: account.id for account in await accounts.everyone(tx)}
    ours = {key: can for key, can in desk.capabilities.items() if key in known}
    return {
        known[key]: replace(
            await standing(tx, desk, known[key], key, can, now), windows=await _windows(tx, known[key], can, now)
        )
        for key, can in ours.items()
    }


async def _windows(tx: Tx, account_id: int, can: Capabilities, now: datetime) -> tuple[int, int, int] | None:
    window = can.window
    return None if window is None else await rows.windows(tx, account_id, now - window.free, now - window.closes)


async def ways(tx: Tx, desk: Desk, now: datetime) -> list[Way] | None:
    """The ways to people that a run would have at that moment; `None` where nobody knows what the channels can do."""
    if not desk.capabilities:
        return None
    found = await standings(tx, desk, now)
    states = {account.id: account.state for account in await accounts.everyone(tx)}
    return [
        _way(id, one, desk.capabilities, now) for id, one in found.items() if states.get(id) is not AccountState.STOPPED
    ]


def _way(account_id: int, found: Standing, can: Mapping[str, Capabilities], now: datetime) -> Way:
    return routes.way(account_id, found.account, can[found.account], state_of(found), now)


async def expected(tx: Tx, desk: Desk, who: Expression, at: datetime) -> Reach:
    """Whom a run that leaves at that moment would reach. Where more people would cost something than may be paid for,
    the rest is kept until they write."""
    found = await ways(tx, desk, at)
    whole = await reach(tx, who, found)
    for account_id, one in (await standings(tx, desk, at)).items():
        window = desk.capabilities[one.account].window
        if found is None or window is None or not one.is_short:
            continue
        free = to_micros(at - window.free)
        only_free = [way._replace(since=max(way.since, free)) if way.account_id == account_id else way for way in found]
        whole = _without(whole, await reach(tx, who, only_free), routes.channel_of(one.account), one.left_to_pay)
    return whole


def _without(whole: Reach, free: Reach, channel: str, payable: int) -> Reach:
    """The same with no more than `payable` of those who cost something on a channel. `free` is without all of them."""
    over = whole.by_channel.get(channel, 0) - free.by_channel.get(channel, 0) - payable
    if over <= 0:
        return whole
    left = {**whole.by_channel, channel: whole.by_channel[channel] - over}
    return replace(whole, by_channel={name: n for name, n in left.items() if n}, kept=whole.kept + over)


def pieces(desk: Desk, parts: Sequence[Outbound], can: Capabilities, header: str = "") -> int:
    """As how many messages one person gets those parts: what is too long for the channel is parted."""
    footer = desk.book.say("vi", "common.stop_hint")
    framed = items.compose(parts, can, header=Rich(header) if header else None, footer=footer) if parts else ()
    hint = desk.book.label("vi", "common.answer_with_number")
    return max(1, sum(len(fit(part, can, hint).messages) for part in framed))


async def check_fit(
    tx: Tx, desk: Desk, who: Expression, parts: Sequence[Outbound], now: datetime, *, header: str = ""
) -> None:
    """Raises `DoesNotFit` when an account with a limit would have to send more than it may."""
    found = await standings(tx, desk, now)
    limited = {id: one for id, one in found.items() if one.left_for_runs is not None}
    if not limited:
        return
    by_channel = (await reach(tx, who, await ways(tx, desk, now))).by_channel
    for one in limited.values():
        each = pieces(desk, parts, desk.capabilities[one.account], header)
        needed = by_channel.get(routes.channel_of(one.account), 0) * each
        left = one.left_for_runs or 0
        if needed > left:
            raise DoesNotFit(one.account, needed, left)


async def planned(tx: Tx, desk: Desk, now: datetime) -> dict[str, int]:
    """To how many people the runs that are planned will go, by channel."""
    used: dict[str, int] = {}
    found = await ways(tx, desk, now)
    for run in await runs.in_state(tx, (RunState.PLANNED,)):
        campaign = await runs.campaign(tx, run.campaign_id)
        expected = await reach(tx, audience.parse(campaign.audience, internal=True), found)
        for channel, count in expected.by_channel.items():
            used[channel] = used.get(channel, 0) + count
    return used
