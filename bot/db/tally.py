"""How many deliveries of a run are in which state and why, without counting them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from enum import StrEnum

import sqlalchemy as sa

from bot.core.errors import Reason
from bot.core.words import DeliveryState
from bot.db.session import Tx
from bot.db.sql import insert
from bot.db.tables import Tally
from bot.db.types import code

NO_REASON = -1
NOBODY = 0
"""The account of changes that no account made."""

Row = tuple[int, int, int, int, int]
"""Run, account, state, reason (as codes) and by how much the count changes."""


def _codes(words: type[StrEnum]) -> dict[StrEnum | None, int]:
    return {word: code(word) for word in words}


STATES = _codes(DeliveryState)
REASONS: dict[StrEnum | None, int] = {**_codes(Reason), None: NO_REASON}
_STATES, _REASONS = tuple(DeliveryState), tuple(Reason)


class Changes:
    """What one transaction does to the counts: gathered first, written once."""

    def __init__(self) -> None:
        self._by: defaultdict[tuple[int, int, int, int], int] = defaultdict(int)

    def add(self, run_id: int, account_id: int, state: DeliveryState, n: int, reason: Reason | None = None) -> None:
        """There are `n` more (or fewer) of these."""
        self._by[run_id, account_id, STATES[state], REASONS[reason]] += n

    def add_coded(self, run_id: int, account_id: int, state: int, reason: int, n: int) -> None:
        """The same in codes, for raw statements: a word costs more to look up than everything else here."""
        self._by[run_id, account_id, state, reason] += n

    def rows(self) -> list[Row]:
        """The net changes, in the order in which every transaction touches them: no two wait for each other."""
        return [(*key, n) for key, n in sorted(self._by.items()) if n]


async def apply(tx: Tx, changes: Changes) -> None:
    """Write the changes into the counts."""
    rows = changes.rows()
    if not rows:
        return
    columns = ("run_id", "account_id", "state", "reason", "n")
    found = [
        dict(zip(columns, (run, account, _STATES[state], reason, n), strict=True))
        for run, account, state, reason, n in rows
    ]
    statement = insert(tx, Tally).values(found)
    key = ["run_id", "account_id", "state", "reason"]
    await tx.execute(statement.on_conflict_do_update(index_elements=key, set_={"n": Tally.n + statement.excluded.n}))


async def read(tx: Tx, run_id: int) -> dict[tuple[DeliveryState, Reason | None], int]:
    """The deliveries of a run by state and reason; what there is none of is left out."""
    query = (
        sa.select(Tally.state, Tally.reason, sa.func.sum(Tally.n))
        .where(Tally.run_id == run_id)
        .group_by(Tally.state, Tally.reason)
    )
    counted = (await tx.execute(query)).all()
    return {(state, None if reason < 0 else _REASONS[reason]): int(n) for state, reason, n in counted if n}


async def waiting(tx: Tx, run_ids: Sequence[int]) -> dict[int, int]:
    """How many deliveries of each of these runs wait."""
    query = (
        sa.select(Tally.run_id, sa.func.sum(Tally.n))
        .where(Tally.run_id.in_(run_ids), Tally.state == DeliveryState.WAITING)
        .group_by(Tally.run_id)
    )
    counted = {run_id: int(n) for run_id, n in (await tx.execute(query)).all()} if run_ids else {}
    return {run_id: counted.get(run_id, 0) for run_id in run_ids}


async def total(tx: Tx, run_id: int) -> int:
    """How many deliveries a run has."""
    return int((await tx.execute(sa.select(sa.func.sum(Tally.n)).where(Tally.run_id == run_id))).scalar_one() or 0)


async def any_open(tx: Tx, run_id: int) -> bool:
    """Whether something of a run still waits or is being sent."""
    still = (DeliveryState.WAITING, DeliveryState.SENDING)
    query = sa.select(sa.func.sum(Tally.n)).where(Tally.run_id == run_id, Tally.state.in_(still))
    return bool((await tx.execute(query)).scalar_one())
