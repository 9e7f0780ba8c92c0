"""People with contacts and runs for them, without anything that sends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache

import sqlalchemy as sa

from bot.core.clock import Clock
from bot.core.errors import Reason
from bot.core.words import CampaignKind, CampaignState, DeliveryState, ItemKind, PersonStatus, RunState
from bot.db import Database, people, runs
from bot.db.audience import Atom, Term, condition
from bot.db.tables import Account, Campaign, Contact, Delivery, Item, Person, Run, Slice, Tally
from bot.db.traffic import Outcome, Traffic, Want
from bot.outreach.desk import Desk
from messages import Phrasebook
from tests.support.talk import ZONE, content

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
LEASE = NOW + timedelta(minutes=1)
Counted = dict[tuple[int, DeliveryState, Reason | None], int]


@cache
def desk() -> Desk:
    """A desk at which nobody asks anything."""
    pack, answerer = content()
    return Desk(clock=Clock(ZONE, lambda: NOW), book=Phrasebook(ZONE), pack=pack, answerer=answerer, secret_key=b"")


class Crowd:
    """Accounts 1 to `accounts`, and whoever is brought."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.traffic = Traffic(database)
        self._campaigns = 0

    async def open(self, *, accounts: int = 2) -> None:
        async with self.database.write() as tx:
            for number in range(1, accounts + 1):
                tx.add(Account(id=number, key=f"telegram:{number}", channel="telegram", created_at=NOW))

    async def empty(self) -> None:
        """Nobody and nothing is left of what was there."""
        async with self.database.write() as tx:
            for table in (Slice, Delivery, Tally, Run, Campaign, Item, Contact, Person, Account):
                await tx.execute(sa.delete(table))

    async def bring(self, count: int, *, on: tuple[int, ...] = (1,)) -> list[int]:
        """That many people with a contact on each of the accounts; returns their ids."""
        found = []
        async with self.database.write() as tx:
            for _ in range(count):
                person, contact = await people.add(tx, on[0], "", NOW)
                contact.external_id = f"{on[0]}{person.id:06}"
                person.status = PersonStatus.ACTIVE
                for account in on[1:]:
                    await people.join(tx, person.id, account, f"{account}{person.id:06}")
                found.append(person.id)
        return found

    async def plan(self, *, resend_unknown: bool = False, audience: str = "all") -> int:
        """A planned run; each has a campaign of its own."""
        self._campaigns += 1
        async with self.database.write() as tx:
            item = Item(kind=ItemKind.BROADCAST, parts=[], created_at=NOW)
            tx.add(item)
            await tx.flush()
            campaign = Campaign(
                kind=CampaignKind.BROADCAST,
                state=CampaignState.APPROVED,
                item_id=item.id,
                audience=audience,
                fingerprint=str(self._campaigns),
                created_at=NOW,
                resend_unknown=resend_unknown,
            )
            tx.add(campaign)
            await tx.flush()
            run = await runs.plan(tx, campaign.id, NOW)
            assert run is not None
            return run.id

    async def send(self, *, resend_unknown: bool = False) -> int:
        """A run that is being sent to everybody."""
        run_id = await self.plan(resend_unknown=resend_unknown)
        async with self.database.write() as tx:
            run = await tx.get_one(Run, run_id)
            await runs.materialise(tx, run, condition(((Term(Atom.ALL),),)), NOW)
            await runs.set_state(tx, run, RunState.SENDING, NOW)
        return run_id

    async def state(self, run_id: int, state: RunState) -> None:
        async with self.database.write() as tx:
            await runs.set_state(tx, await tx.get_one(Run, run_id), state, NOW)

    async def rows(self, run_id: int) -> list[Delivery]:
        async with self.database.read() as tx:
            query = sa.select(Delivery).where(Delivery.run_id == run_id).order_by(Delivery.person_id)
            return list((await tx.execute(query)).scalars())

    async def states(self, run_id: int) -> list[DeliveryState]:
        return [row.state for row in await self.rows(run_id)]

    async def slices(self) -> list[Slice]:
        async with self.database.read() as tx:
            return list((await tx.execute(sa.select(Slice).order_by(Slice.id))).scalars())


def want(
    run_id: int, *, account: int = 1, after: int = 0, limit: int = 50, owner: str = "me", ticket: int | None = None
) -> Want:
    return Want(run_id, account, after, limit, owner, LEASE, ticket)


def sent(run_id: int, person_id: int, *, account: int = 1) -> Outcome:
    return Outcome(run_id, person_id, account, DeliveryState.SENT, NOW, None, f"m{person_id}")


def back(run_id: int, person_id: int, *, account: int = 1) -> Outcome:
    return Outcome(run_id, person_id, account, DeliveryState.WAITING, NOW)


async def counted(database: Database) -> tuple[Counted, Counted]:
    """The deliveries of all runs as the tally has counted them, and as the rows say."""
    reasons = tuple(Reason)
    async with database.read() as tx:
        summed = sa.select(Tally.run_id, Tally.state, Tally.reason, sa.func.sum(Tally.n))
        kept = (await tx.execute(summed.group_by(Tally.run_id, Tally.state, Tally.reason))).all()
        groups = (Delivery.run_id, Delivery.state, Delivery.reason)
        found = (await tx.execute(sa.select(*groups, sa.func.count()).group_by(*groups))).all()
    real = {(run_id, state, reason): n for run_id, state, reason, n in found}
    return {(run, state, None if why < 0 else reasons[why]): int(n) for run, state, why, n in kept if n}, real
