"""The judge of a run: our rows held against the platform's own record, person by person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
import sqlalchemy.orm

from bot.core.errors import Reason
from bot.core.words import ContactState, DeliveryState
from bot.db.tables import Account, Contact, Delivery, Slice
from bot.sandbox.telegram import TelegramSandbox
from tests.support.program import Program

SETTLED = (DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.SKIPPED, DeliveryState.UNKNOWN)
_AFTER_A_CRASH = (Reason.INTERRUPTED, Reason.NO_ANSWER)
_SHOWN = 20

Letter = tuple[str, int]
"""One message on the platform: the account that sent it and its number."""


@dataclass(frozen=True, slots=True)
class Row:
    """One delivery: to which chat, by which account if that is known, how it ended, and as which messages."""

    chat: int
    account: str | None
    state: DeliveryState
    reason: Reason | None
    letters: tuple[Letter, ...]


@dataclass(slots=True)
class Verdict:
    """What became of a run. `lost` people have no row or one that is neither settled nor allowed to wait; `doubled`
    ones got more than one message unasked; `faults` are sentences about everything that is not as promised."""

    people: int
    states: Counter[DeliveryState]
    lost: int = 0
    doubled: int = 0
    arrived: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def sent(self) -> int:
        return self.states[DeliveryState.SENT]

    @property
    def unknown(self) -> int:
        return self.states[DeliveryState.UNKNOWN]

    @property
    def waiting(self) -> int:
        return self.states[DeliveryState.WAITING]

    def __str__(self) -> str:
        states = ", ".join(f"{n} {state}" for state, n in sorted(self.states.items()))
        more = "" if len(self.faults) <= _SHOWN else f"\nand {len(self.faults) - _SHOWN} more"
        return f"{self.people} people, {self.arrived} reached: {states}\n" + "\n".join(self.faults[:_SHOWN]) + more


class Judge:
    """Judges one run to these chats. Whatever arrives there from `since` on (seconds of the platform's clock) is taken
    for the run's. `remember` may be called as often as one likes meanwhile: what was settled then must be the same at
    the end."""

    def __init__(
        self, program: Program, telegram: TelegramSandbox, run_id: int, people: Collection[int], since: float = 0.0
    ) -> None:
        self.program = program
        self.telegram = telegram
        self.run_id = run_id
        self.people = frozenset(people)
        self.since = since
        self.again: set[int] = set()
        self._settled: dict[int, Row] = {}

    async def rows(self) -> list[Row]:
        """All deliveries of the run, as they stand in the database now."""
        of_person = sa.orm.aliased(Contact)
        chat = sa.select(sa.func.min(of_person.external_id)).where(of_person.person_id == Delivery.person_id)
        query = (
            sa.select(chat.scalar_subquery(), Delivery.state, Delivery.reason, Account.key, Delivery.message_id)
            .outerjoin(Contact, Contact.id == Delivery.contact_id)
            .outerjoin(Account, Account.id == Contact.account_id)
            .where(Delivery.run_id == self.run_id)
            .order_by(Delivery.person_id)
        )
        async with self.program.opened() as found, found.database.read() as tx:
            rows = (await tx.execute(query)).all()
        return [
            Row(int(chat), key, state, reason, tuple((key, int(number)) for number in (ids or "").split(",") if number))
            for chat, state, reason, key, ids in rows
        ]

    def arrived(self) -> dict[int, list[Letter]]:
        """The run's messages in each chat, by the platform's own record."""
        found: dict[int, list[Letter]] = {}
        for entry in self.telegram.log.delivered():
            if entry.at >= self.since and entry.chat_id in self.people and entry.message_id is not None:
                found.setdefault(entry.chat_id, []).append((f"telegram:{entry.bot_id}", entry.message_id))
        return found

    async def chats(self, state: DeliveryState) -> set[int]:
        """Whose delivery is in that state now."""
        return {row.chat for row in await self.rows() if row.state is state}

    async def chats_of(self, account: str) -> set[int]:
        """Who is written to by that account alone."""
        query = sa.select(Contact.external_id).join(Account, Account.id == Contact.account_id)
        async with self.program.opened() as found, found.database.read() as tx:
            ids = (await tx.execute(query.where(Account.key == account))).scalars()
            return {int(id) for id in ids} & self.people

    async def closed(self) -> set[str]:
        """Addresses that were closed, whatever the reason."""
        query = sa.select(Contact.external_id).where(Contact.state != ContactState.OPEN)
        async with self.program.opened() as found, found.database.read() as tx:
            return set((await tx.execute(query)).scalars())

    def came_more_than_once(self) -> set[int]:
        """Chats with several of its messages."""
        return {chat for chat, letters in self.arrived().items() if len(letters) > 1}

    def came_after(self, moment: float) -> int:
        """How many of its messages arrived after that moment of the platform's clock."""
        return sum(entry.at > moment and entry.chat_id in self.people for entry in self.telegram.log.delivered())

    async def remember(self) -> Counter[str]:
        """Note what is settled now; returns how many are unknown, by account."""
        rows = await self.rows()
        self._settled |= {row.chat: row for row in rows if row.state in SETTLED}
        return Counter(row.account or "" for row in rows if row.state is DeliveryState.UNKNOWN)

    def ask_again(self, chats: Collection[int]) -> None:
        """Somebody has asked that these are sent once more."""
        self.again |= set(chats)
        for chat in chats:
            self._settled.pop(chat, None)

    async def end_leases(self) -> None:
        """Whatever is claimed for the run was claimed for too short a time."""
        async with self.program.opened() as found, found.database.write() as tx:
            ended = found.now - timedelta(seconds=1)
            await tx.execute(sa.update(Slice).where(Slice.run_id == self.run_id).values(lease_until=ended))

    async def uphold(self, *, unknown: int = 0, doubled: int = 0, may_wait: bool = False) -> Verdict:
        """The verdict. Raises `AssertionError` that names every fault."""
        found = await self.verdict(unknown=unknown, doubled=doubled, may_wait=may_wait)
        if found.faults:
            raise AssertionError(str(found))
        return found

    async def verdict(self, *, unknown: int = 0, doubled: int = 0, may_wait: bool = False) -> Verdict:
        """Judge the run as it stands. At most `unknown` may be unknown and `doubled` may have it twice; with `may_wait`
        people may still wait."""
        rows, arrived, status = await self.rows(), self.arrived(), await self._shown()
        found = Verdict(len(self.people), Counter(row.state for row in rows))
        found.arrived = len(arrived)
        self._everybody_has_a_row(found, rows, may_wait=may_wait)
        self._counts_add_up(found, status)
        for row in rows:
            self._agrees(found, row, arrived.get(row.chat, []))
            if not _may_follow(self._settled.get(row.chat, row), row):
                found.faults.append(f"{row.chat} was settled as {self._settled[row.chat]} and is now {row}")
        twice = self.came_more_than_once() - self.again
        found.doubled = len(twice)
        if found.doubled > doubled:
            found.faults.append(f"{found.doubled} have it more than once, {doubled} may: {sorted(twice)[:_SHOWN]}")
        if found.unknown > unknown:
            found.faults.append(f"{found.unknown} are unknown, {unknown} may be")
        return found

    async def _shown(self) -> dict[str, Any]:
        """What an operator is shown."""
        return await self.program.json("campaign", "status", str(self.run_id), "--json")

    def _everybody_has_a_row(self, found: Verdict, rows: list[Row], *, may_wait: bool) -> None:
        final = (*SETTLED, DeliveryState.WAITING) if may_wait else SETTLED
        of_chat = Counter(row.chat for row in rows)
        settled = Counter(row.chat for row in rows if row.state in final)
        lost = [chat for chat in self.people if settled[chat] != 1 or of_chat[chat] != 1]
        found.lost = len(lost)
        found.faults += [f"{chat} has {of_chat[chat]} rows, {settled[chat]} of them settled" for chat in sorted(lost)]
        found.faults += [f"{chat} has a row and was never meant" for chat in sorted(of_chat.keys() - self.people)]

    def _counts_add_up(self, found: Verdict, status: dict[str, Any]) -> None:
        shown = {state: status[state] for state in DeliveryState}
        if shown != {state: found.states[state] for state in DeliveryState}:
            found.faults.append(f"the status says {shown}, the rows say {dict(found.states)}")
        if sum(shown.values()) != status["total"] or status["total"] != len(self.people):
            found.faults.append(f"{sum(shown.values())} of {status['total']} add up, {len(self.people)} were meant")

    def _agrees(self, found: Verdict, row: Row, letters: list[Letter]) -> None:
        """One row against the platform's record of that chat."""
        if row.state is DeliveryState.SENT:
            as_we_say = letters[-1:] == list(row.letters)
        elif row.state is DeliveryState.UNKNOWN:
            as_we_say = row.reason in _AFTER_A_CRASH
        else:
            as_we_say = not letters or row.chat in self.again
        if not as_we_say:
            found.faults.append(f"{row.chat} is {row}, the platform has {letters}")


def _may_follow(before: Row, after: Row) -> bool:
    """What was settled stays; but who was given up for dead may come back and tell what became of it."""
    came_back = before.reason is Reason.INTERRUPTED and after.state in (DeliveryState.SENT, DeliveryState.FAILED)
    return before == after or came_back
