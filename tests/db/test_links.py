"""Making two people one: nothing of either is lost, nobody is reached twice, and the counts stay right."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from bot.core.errors import Reason
from bot.core.events import ChatKind
from bot.core.words import (
    CampaignKind,
    ContactState,
    DeliveryState,
    ItemKind,
    PersonStatus,
    RelayKind,
    RoleName,
    RunState,
    UnitKind,
)
from bot.db import Database, deliveries, events, invites, links, people, roles, runs, tally
from bot.db.audience import Atom, Term, condition
from bot.db.gathering import Stretch, gather
from bot.db.tables import (
    Base,
    Campaign,
    Contact,
    Delivery,
    Event,
    Invite,
    Item,
    Person,
    Referral,
    Relay,
    Role,
    Rsvp,
    Run,
    Unit,
)
from bot.db.tally import NOBODY, Changes
from tests.db.crowd import NOW, Crowd, back, counted, sent, want

TODAY = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)
ALL = condition(((Term(Atom.ALL),),))
WAITING, SENDING, SENT, FAILED, SKIPPED, UNKNOWN = DeliveryState


@pytest.fixture
async def crowd(database: Database) -> Crowd:
    found = Crowd(database)
    await found.open()
    return found


async def pair(crowd: Crowd) -> tuple[int, int]:
    """Somebody on the first account, and somebody on the second."""
    (old,), (new,) = await crowd.bring(1), await crowd.bring(1, on=(2,))
    return old, new


async def merge(crowd: Crowd, old: int, new: int) -> None:
    async with crowd.database.write() as tx:
        ours = [(await people.contacts(tx, id))[0].id for id in (old, new)]
        whose = await links.lock(tx, ours)
        await links.merge(tx, whose[ours[0]], whose[ours[1]], NOW, TODAY)


async def put(crowd: Crowd, run_id: int, person_id: int, state: DeliveryState, reason: Reason | None = None) -> None:
    """Bring a delivery into a state, counted as it should be."""
    async with crowd.database.write() as tx:
        row = await tx.get_one(Delivery, (run_id, person_id))
        changes = Changes()
        changes.add(run_id, NOBODY, row.state, -1, row.reason)
        changes.add(run_id, NOBODY, state, 1, reason)
        row.state, row.reason, row.message_id = state, reason, "m1"
        await tally.apply(tx, changes)


async def remove(crowd: Crowd, run_id: int, person_id: int) -> None:
    async with crowd.database.write() as tx:
        await tx.execute(sa.delete(Delivery).where(Delivery.run_id == run_id, Delivery.person_id == person_id))
        changes = Changes()
        changes.add(run_id, NOBODY, WAITING, -1)
        await tally.apply(tx, changes)


async def found(crowd: Crowd, run_id: int) -> dict[int, tuple[DeliveryState, Reason | None]]:
    kept, real = await counted(crowd.database)
    assert kept == real, "the counts say what the rows say"
    return {row.person_id: (row.state, row.reason) for row in await crowd.rows(run_id)}


def test_everything_that_hangs_on_a_person_is_thought_of() -> None:
    hangs = {
        column
        for table in Base.metadata.tables.values()
        for column in table.columns
        if any(key.column.table.name == "person" for key in column.foreign_keys)
    }
    thought_of = {column.class_.__table__.c[column.key] for column in (*links.FOLLOW, *links.ONCE)}
    assert hangs == thought_of


@pytest.mark.parametrize(
    ("old", "new", "becomes"),
    [
        (WAITING, None, (None, (WAITING, None))),
        (WAITING, WAITING, ((SKIPPED, Reason.LINKED), (WAITING, None))),
        (WAITING, SENT, ((SKIPPED, Reason.LINKED), (SENT, None))),
        (WAITING, SENDING, ((SKIPPED, Reason.LINKED), (SENDING, None))),
        (SENT, WAITING, ((SENT, None), (SKIPPED, Reason.LINKED))),
        (SENDING, WAITING, ((SENDING, None), (SKIPPED, Reason.LINKED))),
        (UNKNOWN, WAITING, ((UNKNOWN, None), (SKIPPED, Reason.LINKED))),
        (FAILED, WAITING, ((FAILED, None), (WAITING, None))),
        (SKIPPED, WAITING, ((SKIPPED, None), (WAITING, None))),
        (SENT, None, ((SENT, None), None)),
        (SENT, SENT, ((SENT, None), (SENT, None))),
    ],
)
@pytest.mark.parametrize("state", [RunState.SENDING, RunState.PAUSED])
async def test_what_becomes_of_their_deliveries(
    crowd: Crowd,
    old: DeliveryState,
    new: DeliveryState | None,
    becomes: tuple[tuple[DeliveryState, Reason | None] | None, ...],
    state: RunState,
) -> None:
    loser, survivor = await pair(crowd)
    run_id = await crowd.send()
    await crowd.state(run_id, state)
    await put(crowd, run_id, loser, old)
    if new is None:
        await remove(crowd, run_id, survivor)
    else:
        await put(crowd, run_id, survivor, new)
    await merge(crowd, loser, survivor)
    rows = await found(crowd, run_id)
    assert (rows.get(loser), rows.get(survivor)) == becomes
    of_loser = [row for row in await crowd.rows(run_id) if row.person_id == loser]
    assert all((row.contact_id, row.message_id) == (None, None) for row in of_loser), "a number, nothing else"


async def test_whoever_is_still_to_be_gathered_is_kept_out_of_what_reached_them(crowd: Crowd) -> None:
    loser, survivor = await pair(crowd)
    run_id = await crowd.plan()
    async with crowd.database.write() as tx:
        run = await tx.get_one(Run, run_id)
        await gather(tx, run_id, ALL, Stretch(0, loser))
        run.materialised_at, run.gather_after, run.gather_until = NOW, loser, survivor
        await runs.set_state(tx, run, RunState.SENDING, NOW)
    await put(crowd, run_id, loser, SENT)
    await merge(crowd, loser, survivor)
    async with crowd.database.write() as tx:
        await gather(tx, run_id, ALL, Stretch(loser, survivor))
    assert await found(crowd, run_id) == {loser: (SENT, None), survivor: (SKIPPED, Reason.LINKED)}


async def test_what_waits_for_them_is_not_gathered_again(crowd: Crowd) -> None:
    loser, survivor = await pair(crowd)
    run_id = await crowd.plan()
    async with crowd.database.write() as tx:
        run = await tx.get_one(Run, run_id)
        await gather(tx, run_id, ALL, Stretch(0, loser))
        run.materialised_at, run.gather_after, run.gather_until = NOW, loser, survivor
        await runs.set_state(tx, run, RunState.SENDING, NOW)
    await merge(crowd, loser, survivor)
    async with crowd.database.write() as tx:
        await gather(tx, run_id, ALL, Stretch(loser, survivor))
    assert await found(crowd, run_id) == {survivor: (WAITING, None)}


@pytest.mark.parametrize(
    ("old", "new", "becomes"),
    [
        (WAITING, WAITING, (SKIPPED, WAITING)),
        (SENT, WAITING, (SENT, SKIPPED)),
        (WAITING, SENT, (SKIPPED, SENT)),
    ],
)
async def test_no_second_tip_comes_on_the_same_day(
    crowd: Crowd, old: DeliveryState, new: DeliveryState, becomes: tuple[DeliveryState, DeliveryState]
) -> None:
    loser, survivor = await pair(crowd)
    one, other = await crowd.send(), await crowd.send()
    async with crowd.database.write() as tx:
        await tx.execute(sa.update(Campaign).values(kind=CampaignKind.TIP))
    await remove(crowd, one, survivor)
    await remove(crowd, other, loser)
    await put(crowd, one, loser, old)
    await put(crowd, other, survivor, new)
    await merge(crowd, loser, survivor)
    rows = (await found(crowd, one))[loser][0], (await found(crowd, other))[survivor][0]
    assert rows == becomes


async def test_a_tip_that_waits_goes_over_to_whoever_had_none_today(crowd: Crowd) -> None:
    loser, survivor = await pair(crowd)
    run_id = await crowd.send()
    async with crowd.database.write() as tx:
        await tx.execute(sa.update(Campaign).values(kind=CampaignKind.TIP))
    await remove(crowd, run_id, survivor)
    await merge(crowd, loser, survivor)
    assert await found(crowd, run_id) == {survivor: (WAITING, None)}


async def test_what_was_being_sent_when_they_linked_still_ends(crowd: Crowd) -> None:
    loser, survivor = await pair(crowd)
    run_id = await crowd.send()
    claim = await crowd.traffic.exchange([], [], want(run_id))
    assert claim is not None
    await merge(crowd, loser, survivor)
    assert (await found(crowd, run_id))[survivor] == (SKIPPED, Reason.LINKED)
    async with crowd.database.write() as tx:
        assert await deliveries.recover(tx, NOW, all_owners=True) == 1
    assert (await found(crowd, run_id))[loser] == (UNKNOWN, Reason.INTERRUPTED)
    await crowd.traffic.exchange([sent(run_id, loser)], [])
    assert (await found(crowd, run_id))[loser] == (SENT, None)


async def test_what_was_being_sent_when_they_parted_still_ends(crowd: Crowd) -> None:
    (person_id,) = await crowd.bring(1, on=(1, 2))
    run_id = await crowd.send()
    assert await crowd.traffic.exchange([], [], want(run_id)) is not None
    async with crowd.database.write() as tx:
        first = (await people.contacts(tx, person_id))[0]
        await links.split(tx, [first.id], Person(status=PersonStatus.ACTIVE, language="vi", tip_day=0, created_at=NOW))
    async with crowd.database.write() as tx:
        assert await deliveries.recover(tx, NOW, all_owners=True) == 1
    assert await found(crowd, run_id) == {person_id: (UNKNOWN, Reason.INTERRUPTED)}


@pytest.mark.alone  # crowded, one in fifty fails: of two copies under way one arrives, one comes back and goes again
async def test_whoever_links_while_a_run_is_sent_is_not_reached_again(crowd: Crowd) -> None:
    """Claims on both accounts, what comes back, and links, side by side."""
    olds, news = await crowd.bring(12), await crowd.bring(12, on=(2,))
    run_id = await crowd.send()
    linked: set[int] = set()
    reached: dict[bool, list[int]] = {True: [], False: []}

    async def sends(account: int) -> None:
        for turn in range(30):
            before = frozenset(linked)
            claim = await crowd.traffic.exchange([], [], want(run_id, account=account, limit=1, owner=str(account)))
            if claim is None or not claim.rows:
                continue
            (row,) = claim.rows
            fails = turn % 5 == 4
            if not fails:
                reached[row.contact_id in before].append(row.contact_id)
            end = (
                back(run_id, row.person_id, account=account) if fails else sent(run_id, row.person_id, account=account)
            )
            await crowd.traffic.exchange([end], [claim.slice_id])

    async def join() -> None:
        for n, (old, new) in enumerate(zip(reversed(olds), reversed(news), strict=True)):
            async with crowd.database.read() as tx:
                ours = {contact.id for id in (old, new) for contact in await people.contacts(tx, id)}
            await merge(crowd, *((old, new) if n % 2 else (new, old)))
            linked.update(ours)

    await asyncio.gather(sends(1), sends(2), join())
    async with crowd.database.read() as tx:
        whose = {contact.id: contact.person_id for contact in (await tx.execute(sa.select(Contact))).scalars()}
    earlier, later = ([whose[contact_id] for contact_id in reached[after]] for after in (False, True))
    assert len(set(whose.values())) == 12
    assert earlier
    assert len(later) == len(set(later))
    assert not set(earlier) & set(later), "whoever had it before gets it no more"
    await found(crowd, run_id)


async def test_all_that_they_had_belongs_to_one(crowd: Crowd) -> None:
    loser, survivor = await pair(crowd)
    (friend,) = await crowd.bring(1)
    earlier, later = NOW - timedelta(days=2), NOW - timedelta(days=1)
    async with crowd.database.write() as tx:
        place = Unit(code="t1", name="Thôn", kind=UnitKind.VILLAGE, path="/t1/", aliases=[])
        other = Unit(code="t2", name="Thôn", kind=UnitKind.VILLAGE, path="/t2/", aliases=[])
        item = Item(kind=ItemKind.EVENT, parts=[], author_id=loser, created_at=NOW)
        tx.add_all([place, other, item])
        await tx.flush()
        for person_id, unit in ((loser, place), (survivor, place), (loser, other)):
            await roles.grant(tx, person_id, RoleName.HELPER, unit.id, NOW)
        made = [
            await events.add(
                tx,
                NOW,
                item_id=item.id,
                unit_id=place.id,
                title="",
                place="",
                description="",
                starts_at=NOW,
                author_id=loser,
            )
            for _ in range(3)
        ]
        for event, whose, going, at in (
            (made[0], loser, True, later),
            (made[0], survivor, False, earlier),
            (made[1], loser, True, earlier),
            (made[1], survivor, False, later),
            (made[2], loser, True, earlier),
        ):
            await events.answer(tx, event.id, whose, going, at)
        tx.add(
            Campaign(
                kind=CampaignKind.EVENT,
                item_id=item.id,
                audience="all",
                fingerprint="",
                author_id=loser,
                decided_by_id=loser,
                created_at=NOW,
            )
        )
        tx.add(Relay(person_id=loser, item_id=item.id, kind=RelayKind.LINK, at=NOW))
        await invites.add(tx, "ABC2345", loser, None, NOW)
        await invites.credit(tx, friend, loser, "ABC2345", NOW)
        await invites.credit(tx, survivor, loser, "ABC2345", NOW)
        await invites.credit(tx, loser, friend, "XYZ2345", earlier)
        group = Contact(account_id=1, external_id="-7", person_id=friend, kind=ChatKind.GROUP, state=ContactState.OPEN)
        group.added_by_id = loser
        tx.add(group)
    await merge(crowd, loser, survivor)
    async with crowd.database.read() as tx:
        assert await people.get(tx, loser) is None
        assert len(await people.contacts(tx, survivor)) == 2
        assert [unit.code for _, unit in await roles.of_person(tx, survivor)] == ["t1", "t2"]
        assert [await events.answer_of(tx, event.id, survivor) for event in made] == [True, False, True]
        credits = (await tx.execute(sa.select(Referral.person_id, Referral.by_id).order_by(Referral.person_id))).all()
        assert sorted(map(tuple, credits)) == sorted([(survivor, friend), (friend, survivor)])
        for column in (Item.author_id, Event.author_id, Campaign.author_id, Campaign.decided_by_id, Relay.person_id):
            assert set((await tx.execute(sa.select(column))).scalars()) == {survivor}, column
        assert set((await tx.execute(sa.select(Invite.person_id))).scalars()) == {survivor}
        assert (await people.groups_of(tx, survivor))[0].external_id == "-7"
        assert (await tx.execute(sa.select(sa.func.count()).select_from(Rsvp))).scalar_one() == 3
        assert (await tx.execute(sa.select(sa.func.count()).select_from(Role))).scalar_one() == 2


@pytest.mark.parametrize("earlier", ["loser", "survivor"])
async def test_whoever_brought_them_first_keeps_the_credit(crowd: Crowd, earlier: str) -> None:
    loser, survivor = await pair(crowd)
    one, other = await crowd.bring(2)
    before = NOW - timedelta(days=1)
    async with crowd.database.write() as tx:
        await invites.credit(tx, loser, one, "A", before if earlier == "loser" else NOW)
        await invites.credit(tx, survivor, other, "B", before if earlier == "survivor" else NOW)
    await merge(crowd, loser, survivor)
    async with crowd.database.read() as tx:
        rows = (await tx.execute(sa.select(Referral.person_id, Referral.by_id))).all()
    assert [tuple(row) for row in rows] == [(survivor, one if earlier == "loser" else other)]


async def test_a_code_that_is_taken_is_not_given_twice(crowd: Crowd) -> None:
    await pair(crowd)
    later = NOW + timedelta(minutes=15)
    async with crowd.database.write() as tx:
        assert await links.put(tx, 1, "ABC234", later)
        assert not await links.put(tx, 2, "ABC234", later)
        owner = await links.issuer(tx, "ABC234", NOW)
        assert owner is not None
        assert owner.id == 1
        assert await links.issuer(tx, "ABC234", later) is None
        await links.note_wrong(tx, 2, later)
        await links.note_wrong(tx, 2, later)
        assert (await links.wrong_tries(tx, 2, NOW), await links.wrong_tries(tx, 1, NOW)) == (2, 0)
        assert await links.put(tx, 2, "DEF234", later)
        assert await links.wrong_tries(tx, 2, NOW) == 2, "a new code forgets no wrong try"
        await links.drop_expired(tx, later)
        assert await links.wrong_tries(tx, 2, NOW) == 0
