"""What an account may still spend in this month: counted before anything leaves, so that it is never overrun."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import structlog

from bot.core.channel import Channel
from bot.db import Database, Tx, budgets, people
from bot.db.budgets import MESSAGES, PAID
from bot.db.traffic_rows import Claimed
from bot.engine.ledger import Ledger
from bot.outreach import alarms
from bot.outreach.budgets import NOT_URGENT, for_runs, month, standing, state_of
from bot.outreach.desk import Desk
from bot.outreach.routes import State

log = structlog.get_logger(__name__)

WARN_AT = 0.8
_LOOK = 5.0
"""Seconds between two looks at what is left."""
_IN_A_ROW = 3
"""So many refusals in a row mean the account and not a person."""


class Purse:
    """One account's. Without limits it costs nothing to ask."""

    def __init__(self, channel: Channel, account_id: int, database: Database, desk: Desk, ledger: Ledger) -> None:
        self._can = can = channel.capabilities
        self.account = channel.account
        self.account_id = account_id
        self.database = database
        self.desk = desk
        self.ledger = ledger
        self.per_month = can.limits.per_month
        self.people = can.limits.people
        self.window = can.window
        self.state = State()
        self._looked = float("-inf")
        self._month = ""
        self._refused = 0
        self._paid: set[tuple[int, int]] = set()

    @property
    def counts(self) -> bool:
        """Whether messages of this account are counted at all."""
        return self.per_month is not None or self.window is not None

    def month(self) -> str:
        return month(self.desk, self.desk.clock.now())

    async def look(self) -> None:
        """See how the account stands, every few seconds and when a month begins."""
        if not self.counts and self.people is None:
            return
        now = asyncio.get_running_loop().time()
        if now < self._looked + _LOOK and self._month == self.month():
            return
        self._looked, self._month = now, self.month()
        await self._look()

    async def _look(self) -> None:
        now, this = self.desk.clock.now(), self.month()
        async with self.database.read() as tx:
            found = await standing(tx, self.desk, self.account_id, self.account, self._can, now)
        self.state = state_of(found)
        used, paid, known = found.messages_used, found.paid_used, found.people_known
        if self.people is not None and known >= WARN_AT * self.people:
            await self._warn("people", this, known, self.people)
        if self.per_month is not None and used >= WARN_AT * self.per_month:
            await self._warn(MESSAGES, this, used, self.per_month)
        if self.window is not None and 0 < WARN_AT * self.window.paid_per_month <= paid:
            await self._warn(PAID, this, paid, self.window.paid_per_month)

    async def take(self, wanted: int, *, reply: bool = False) -> int:
        """Reserve up to so many messages; returns how many there are."""
        if self.per_month is None or wanted <= 0:
            return wanted
        limit = self.per_month if reply else for_runs(self.per_month)
        async with self.database.write() as tx:
            got = await budgets.reserve(tx, self.account_id, MESSAGES, self.month(), wanted, limit)
        if got < wanted:
            self._looked = float("-inf")
            await self.look()
        return got

    def give_back(self, count: int) -> None:
        """So many were reserved and did not leave."""
        if self.per_month is None or count <= 0:
            return
        month = self.month()
        self.ledger.note(lambda tx: budgets.give_back(tx, self.account_id, MESSAGES, month, count))

    async def pay(self, rows: Sequence[Claimed], now: datetime, *, urgent: bool, each: int = 1) -> set[int]:
        """Reserve what these deliveries of `each` messages cost. Returns the people for whom nothing is left. A fifth
        is left to what is urgent: tips would have used it all up before the flood. Who was paid for and waits again is
        not paid for twice."""
        unpaid = [row for row in rows if (row.run_id, row.person_id) not in self._paid]
        if self.window is None or not unpaid:
            return set()
        async with self.database.write() as tx:
            cost = await people.heard_before(tx, [row.contact_id for row in unpaid], now - self.window.free)
            if not cost:
                return set()
            limit = self.window.paid_per_month
            allowed = limit if urgent else int(limit * NOT_URGENT)
            got = await budgets.reserve(tx, self.account_id, PAID, self.month(), len(cost) * each, allowed)
        paid = set(sorted(cost)[: got // each])
        self._paid |= {(row.run_id, row.person_id) for row in unpaid if row.contact_id in paid}
        if len(paid) < len(cost):
            self._looked = float("-inf")
            await self.look()
        return {row.person_id for row in unpaid if row.contact_id in set(cost) - paid}

    def ended(self, row: Claimed) -> None:
        """A delivery does not wait again: what was paid for it is spent."""
        if self._paid:
            self._paid.discard((row.run_id, row.person_id))

    def arrived(self) -> None:
        """A message was taken."""
        self._refused = 0

    def refused(self) -> bool:
        """The platform says that nothing is left. Returns whether that is true of everybody: where messages are counted
        once may be about a person that the platform does not count among ours."""
        self._refused += 1
        if self.per_month is None:
            return self._pays_no_more()
        if self._refused < _IN_A_ROW:
            return False
        if not self.state.spent:
            log.error("The platform takes no more messages of this account in this month", account=self.account)
        self.state = replace(self.state, spent=True)
        self._fill(MESSAGES, self.per_month)
        return True

    def _pays_no_more(self) -> bool:
        """What costs something is not taken any more in this month."""
        if self.window is None:
            return False
        if self.state.pays_urgent:
            log.error("The platform takes no more paid messages of this account in this month", account=self.account)
        self.state = replace(self.state, pays=False, pays_urgent=False)
        self._fill(PAID, self.window.paid_per_month)
        return True

    def _fill(self, kind: str, limit: int) -> None:
        month = self.month()
        self.ledger.note(lambda tx: budgets.fill(tx, self.account_id, kind, month, limit))

    async def _warn(self, what: str, month: str, used: int, limit: int) -> None:
        """Once a month, to the operators."""
        async with self.database.write() as tx:
            await self._warn_once(tx, what, month, used, limit)

    async def _warn_once(self, tx: Tx, what: str, month: str, used: int, limit: int) -> None:
        if await budgets.warn_once(tx, self.account_id, what, month):
            log.warning("A budget is nearly used up", account=self.account, what=what, used=used, limit=limit)
            await alarms.nearly_used_up(tx, self.desk, self.account, what, used, limit)
