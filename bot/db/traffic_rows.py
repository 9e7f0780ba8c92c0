"""What goes into an exchange with the database and comes out of it: outcomes, wishes, claims."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from bot.core.errors import Reason
from bot.core.events import ChatKind
from bot.core.words import DeliveryState

LOOK = 5_000
"""So many deliveries are looked at for one claim, at most."""

FINAL = (DeliveryState.SENT, DeliveryState.FAILED)
"""What a sender that was taken for dead may still report."""


class Claimed(NamedTuple):
    """One delivery that this process alone may send."""

    run_id: int
    person_id: int
    contact_id: int
    external_id: str
    kind: ChatKind
    language: str
    listens: bool = False
    """Whether they want a voice beside the text."""


class Outcome(NamedTuple):
    """How a delivery ended, and through which account; `WAITING` gives it back."""

    run_id: int
    person_id: int
    account_id: int
    state: DeliveryState
    at: datetime
    reason: Reason | None = None
    message_id: str | None = None


class Way(NamedTuple):
    """An account as a way to people: it reaches those from whom it has heard since `since` (microseconds since 1970; 0:
    also those who never wrote). Of two ways to the same person the lower `rank` is taken, before that the one that they
    prefer."""

    account_id: int
    since: int
    rank: int


class Want(NamedTuple):
    """What to claim: up to `limit` deliveries of a run that the account can send, of people whose id is above `after`.
    `slice_id` names a slice without an owner that is to be filled instead of a new one. With a `way`, only people whom
    it reaches and for whom none of the `rivals` is the better way."""

    run_id: int
    account_id: int
    after: int
    limit: int
    owner: str
    lease_until: datetime
    slice_id: int | None = None
    way: Way | None = None
    rivals: tuple[Way, ...] = ()


class Claim(NamedTuple):
    """What was claimed. Everything up to person `reached` has been looked at, and 0 means everything there is: with
    no rows (and no slice, 0) but a `reached`, there may be more behind it."""

    slice_id: int
    rows: list[Claimed]
    reached: int
