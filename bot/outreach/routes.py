"""Which way to a person: the channel that they prefer, else the best one that works and may write to them now.

Telegram costs nothing and has no window, so it goes first; then an account that may write only for a while after people
wrote; then one with few messages a month. Nobody is written to on two of them: the way is chosen in the statement that
claims a delivery (see `bot.db.traffic`), so two senders never disagree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.core.channel import Capabilities
from bot.db.deliveries import SPENT
from bot.db.traffic_rows import Way
from bot.db.types import to_micros

ORDER = ("telegram", "zalo_oa", "zalo_bot")
_MARGIN = timedelta(seconds=20)
"""A window is taken for closed so long before it closes: a message needs time to leave."""
NEVER = SPENT
"""As `since`: an account that may write to nobody now."""
HEARD = 1
"""As `since`: everybody from whom it has ever heard."""


@dataclass(frozen=True, slots=True)
class State:
    """How an account stands: `spent` once its messages of the month are used up, `pays` while it may still write to
    those for whom that costs something (`pays_urgent`: if it is urgent), `full` when more people are known than it may
    write to."""

    spent: bool = False
    pays: bool = True
    pays_urgent: bool = True
    full: bool = False


def channel_of(account: str) -> str:
    return account.partition(":")[0]


def rank(account: str) -> int:
    """The place of an account's channel; unknown ones come last."""
    channel = channel_of(account)
    return ORDER.index(channel) if channel in ORDER else len(ORDER)


def since(can: Capabilities, state: State, now: datetime, *, urgent: bool = False) -> int:
    """From whom an account must have heard to write to them, in microseconds since 1970."""
    if state.spent:
        return NEVER
    if can.window is not None:
        pays = state.pays_urgent if urgent else state.pays
        open_for = can.window.closes - _MARGIN if pays else can.window.free - _MARGIN
        return to_micros(now - open_for)
    return HEARD if state.full else 0


def way(account_id: int, account: str, can: Capabilities, state: State, now: datetime, *, urgent: bool = False) -> Way:
    return Way(account_id, since(can, state, now, urgent=urgent), rank(account))


def may_write(can: Capabilities | None, heard_at: datetime | None, now: datetime) -> bool:
    """Whether somebody may be written to now who was heard then; where it costs something, too."""
    if can is None or can.window is None:
        return True
    return heard_at is not None and heard_at > now - can.window.closes + _MARGIN


def rivals(mine: Way, others: Sequence[Way], working: Mapping[int, bool]) -> tuple[Way, ...]:
    """The ways that may be better than `mine` for somebody: of other channels, and working."""
    return tuple(w for w in others if w.rank != mine.rank and working.get(w.account_id, False))


def is_plain(mine: Way, rivals: Sequence[Way]) -> bool:
    """Whether nothing needs to be compared: everybody may be written to, and only here."""
    return not rivals and mine.since == 0
