"""Who claims whom: of several ways to a person exactly the best that works, on both databases, as they are counted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import combinations
from random import Random

import pytest
import sqlalchemy as sa

from bot.core.errors import Reason
from bot.core.words import ContactState, DeliveryState, PersonStatus
from bot.db import Database, deliveries, runs
from bot.db.audience import Atom, Term, reach
from bot.db.deliveries import SPENT
from bot.db.tables import Account, Contact, Person
from bot.db.traffic import Outcome, Traffic, Way
from bot.db.types import to_micros
from tests.db.crowd import NOW, Crowd, counted, want

ALL = ((Term(Atom.ALL),),)
DAY = timedelta(days=1)
TELEGRAM, OA, BOT = Way(1, 0, 0), Way(2, to_micros(NOW - 7 * DAY), 1), Way(3, 1, 2)
CHANNELS = ("telegram", "zalo_oa", "zalo_bot")


@pytest.fixture
async def crowd(database: Database) -> Crowd:
    """Three accounts, and 120 people with any mixture of addresses on them."""
    found = Crowd(database)
    await found.open()
    chance = Random(7)
    async with database.write() as tx:
        await tx.execute(sa.delete(Account))
        for id, channel in enumerate(CHANNELS, 1):
            tx.add(Account(id=id, key=f"{channel}:{id}", channel=channel, created_at=NOW))
        for n in range(120):
            person = Person(created_at=NOW, status=PersonStatus.ACTIVE if chance.random() < 0.95 else PersonStatus.NEW)
            tx.add(person)
            await tx.flush()
            on = chance.sample((1, 2, 3), chance.randint(0, 3))
            prefers = chance.choice((0, *on))
            for account in on:
                heard = chance.choice((None, NOW - DAY, NOW - 6 * DAY, NOW - 8 * DAY))
                state = ContactState.OPEN if chance.random() < 0.9 else ContactState.CLOSED
                contact = Contact(account_id=account, person_id=person.id, external_id=f"{n}", state=state)
                contact.last_in_at, contact.preferred = heard, account == prefers
                tx.add(contact)
    return found


async def told(database: Database, ways: Sequence[Way]) -> dict[int, int | None]:
    """The account on which each active person is to be reached, worked out by hand; `None` where on none."""
    found: dict[int, int | None] = {}
    async with database.read() as tx:
        people = (await tx.execute(sa.select(Person.id).where(Person.status == PersonStatus.ACTIVE))).scalars()
        addresses = list((await tx.execute(sa.select(Contact).where(Contact.state == ContactState.OPEN))).scalars())
    by_account = {way.account_id: way for way in ways}
    for person_id in people:
        fit = [
            (not c.preferred, by_account[c.account_id].rank, c.account_id)
            for c in addresses
            if c.person_id == person_id and c.account_id in by_account and _reaches(by_account[c.account_id], c)
        ]
        found[person_id] = min(fit)[2] if fit else None
    return found


def _reaches(way: Way, contact: Contact) -> bool:
    if way.since == 0:
        return True
    return way.since < SPENT and contact.last_in_at is not None and to_micros(contact.last_in_at) >= way.since


async def claims(database: Database, run_id: int, ways: Sequence[Way], limit: int = 7) -> dict[int, int]:
    """Who is claimed by which account, when each of them walks the run in small slices."""
    traffic, found = Traffic(database), dict[int, int]()
    for way in ways:
        rivals, after = tuple(other for other in ways if other is not way), 0
        while True:
            wanted = want(run_id, account=way.account_id, after=after, limit=limit)
            claim = await traffic.exchange((), (), wanted._replace(way=way, rivals=rivals))
            assert claim is not None
            for row in claim.rows:
                assert row.person_id not in found
                found[row.person_id] = way.account_id
            if not claim.rows:
                break
            after = claim.rows[-1].person_id
    return found


SPENT_BOT, FULL, NO_PAID = BOT._replace(since=SPENT), BOT._replace(since=1), OA._replace(since=to_micros(NOW - 2 * DAY))
MIXTURES = [
    *(list(some) for size in (1, 2, 3) for some in combinations((TELEGRAM, OA, BOT), size)),
    [TELEGRAM, OA, SPENT_BOT],
    [OA, SPENT_BOT],
    [NO_PAID, FULL],
]


async def test_everybody_is_claimed_once_on_the_best_way_and_that_was_what_was_counted(crowd: Crowd) -> None:
    """The count before a run, its claims and what is skipped at its end say the same of everybody."""
    database = crowd.database
    for ways in MIXTURES:
        run_id = await crowd.send()
        expected = await told(database, ways)
        async with database.read() as tx:
            before = await reach(tx, ALL, ways)
        claimed = await claims(database, run_id, ways)
        assert claimed == {person: account for person, account in expected.items() if account is not None}, ways
        sums = dict.fromkeys(CHANNELS, 0)
        for account in claimed.values():
            sums[CHANNELS[account - 1]] += 1
        assert before.by_channel == {channel: n for channel, n in sums.items() if n}
        assert before.total == len(expected)
        await _ends(crowd, run_id, ways, before.kept, before.unreachable)
        kept, real = await counted(database)
        assert kept == real


async def _ends(crowd: Crowd, run_id: int, ways: Sequence[Way], kept: int, by_hand: int) -> None:
    """Nobody waits for a way that there is not; why says who gets it when they write."""
    async with crowd.database.write() as tx:
        await deliveries.skip_unreachable(tx, run_id, NOW, ways)
        run = await runs.get(tx, run_id)
        assert run is not None
        reasons = (await runs.counts(tx, run)).reasons
    assert sum(reasons.values()) == kept + by_hand
    later = sum(n for reason, n in reasons.items() if reason in (Reason.WINDOW_CLOSED, Reason.BUDGET_USED))
    assert later == kept
    states = await crowd.states(run_id)
    assert set(states) <= {DeliveryState.SENDING, DeliveryState.SKIPPED}


async def test_when_a_way_fails_its_people_wait_for_the_next_one(crowd: Crowd) -> None:
    """Telegram closes somebody's address while it sends: the next best account claims them, and nobody else."""
    database = crowd.database
    run_id = await crowd.send()
    expected = await told(database, [TELEGRAM, OA, BOT])
    left = await told(database, [OA, BOT])
    both = [person for person, account in expected.items() if account == 1 and left[person] is not None]
    traffic = Traffic(database)
    claim = await traffic.exchange((), (), want(run_id, limit=200)._replace(way=TELEGRAM, rivals=(OA, BOT)))
    assert claim is not None
    blocked = [row for row in claim.rows if row.person_id in both]
    ends = [Outcome(run_id, row.person_id, 1, DeliveryState.FAILED, NOW, Reason.BLOCKED) for row in blocked]
    await traffic.exchange(ends, ())
    async with database.write() as tx:
        for row in blocked:
            closed = {"state": ContactState.CLOSED, "closed_reason": Reason.BLOCKED, "closed_at": NOW}
            await tx.execute(sa.update(Contact).where(Contact.id == row.contact_id).values(**closed))
            await deliveries.reroute(tx, run_id, row.person_id, 1)
    claimed = await claims(database, run_id, [OA, BOT])
    assert {person: claimed[person] for person in both} == {person: left[person] for person in both}
    assert blocked
    kept, real = await counted(database)
    assert kept == real
