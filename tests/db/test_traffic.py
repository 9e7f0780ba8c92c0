"""An exchange with the database: settled, closed and claimed at once, nothing twice, nothing lost."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.core.errors import Reason
from bot.core.words import ContactState, DeliveryState, PersonStatus, RunState
from bot.db import Database, deliveries, people, tally, traffic_postgres, traffic_sqlite
from bot.db.tables import Contact, Person, Slice
from bot.db.traffic import Claim, Outcome, Traffic
from tests.db.crowd import LEASE, NOW, Crowd, back, sent, want


@pytest.fixture
async def crowd(database: Database) -> Crowd:
    found = Crowd(database)
    await found.open()
    return found


async def _claim(crowd: Crowd, run_id: int, **wishes: object) -> Claim:
    found = await crowd.traffic.exchange([], [], want(run_id, **wishes))  # type: ignore[arg-type]  # passed on as it is
    assert found is not None
    return found


async def test_claim_send_and_settle_leave_every_row_with_its_end(crowd: Crowd) -> None:
    ids = await crowd.bring(5)
    run_id = await crowd.send()
    first = await _claim(crowd, run_id, limit=3)
    assert [row.person_id for row in first.rows] == ids[:3]
    assert (first.rows[0].external_id, first.rows[0].language) == (f"1{ids[0]:06}", "vi")
    assert first.reached == ids[2]
    ends = [sent(run_id, person) for person in ids[:3]]
    second = await crowd.traffic.exchange(ends, [first.slice_id], want(run_id, after=first.reached))
    assert second is not None
    assert [row.person_id for row in second.rows] == ids[3:]
    assert second.reached == 0
    assert [s.id for s in await crowd.slices()] == [second.slice_id]
    assert await crowd.traffic.exchange([sent(run_id, p) for p in ids[3:]], [second.slice_id]) is None
    rows = await crowd.rows(run_id)
    assert [(row.state, row.message_id, row.at, row.reason) for row in rows] == [
        (DeliveryState.SENT, f"m{person}", NOW, None) for person in ids
    ]
    assert all(row.contact_id for row in rows)


async def test_the_slice_says_who_sends_what_and_until_when(crowd: Crowd) -> None:
    ids = await crowd.bring(3)
    run_id = await crowd.send()
    claim = await _claim(crowd, run_id, owner="worker 7")
    (found,) = await crowd.slices()
    assert (found.id, found.run_id, found.account_id) == (claim.slice_id, run_id, 1)
    assert (found.owner, found.first, found.last, found.lease_until) == ("worker 7", ids[0], ids[-1], LEASE)


@pytest.mark.parametrize("state", [s for s in RunState if s is not RunState.SENDING])
async def test_nothing_is_claimed_of_a_run_that_is_not_being_sent(crowd: Crowd, state: RunState) -> None:
    await crowd.bring(2)
    run_id = await crowd.send()
    await crowd.state(run_id, state)
    assert await crowd.traffic.exchange([], [], want(run_id)) is None
    assert await crowd.states(run_id) == [DeliveryState.WAITING] * 2
    assert await crowd.slices() == []


async def test_who_said_stop_or_has_closed_the_chat_is_not_claimed(crowd: Crowd) -> None:
    stopped, closed, there = await crowd.bring(3)
    run_id = await crowd.send()
    async with crowd.database.write() as tx:
        (await tx.get_one(Person, stopped)).status = PersonStatus.STOPPED
        await tx.execute(sa.update(Contact).where(Contact.person_id == closed).values(state=ContactState.CLOSED))
    claim = await _claim(crowd, run_id)
    assert [row.person_id for row in claim.rows] == [there]
    assert claim.reached == 0


async def test_several_contacts_on_one_account_are_one_person(crowd: Crowd) -> None:
    (person,) = await crowd.bring(1)
    async with crowd.database.write() as tx:
        await people.join(tx, person, 1, "another")
    run_id = await crowd.send()
    claim = await _claim(crowd, run_id)
    assert [row.external_id for row in claim.rows] == [f"1{person:06}"]


async def test_a_person_on_two_accounts_is_claimed_by_one(crowd: Crowd) -> None:
    ids = await crowd.bring(40, on=(1, 2))
    run_id = await crowd.send()
    other = Traffic(crowd.database)
    claims: list[Claim | None] = []
    for _ in range(10):
        claims += await asyncio.gather(
            crowd.traffic.exchange([], [], want(run_id, limit=5)),
            other.exchange([], [], want(run_id, account=2, limit=5)),
        )
    taken = [row.person_id for claim in claims if claim for row in claim.rows]
    assert sorted(taken) == ids
    assert await crowd.states(run_id) == [DeliveryState.SENDING] * 40


async def test_settling_again_changes_nothing(crowd: Crowd) -> None:
    (person,) = await crowd.bring(1)
    run_id = await crowd.send()
    await _claim(crowd, run_id)
    await crowd.traffic.exchange([sent(run_id, person)], [])
    failed = Outcome(run_id, person, 1, DeliveryState.FAILED, NOW, Reason.BLOCKED)
    for late in (failed, sent(run_id, person), back(run_id, person)):
        await crowd.traffic.exchange([late], [])
    (row,) = await crowd.rows(run_id)
    assert (row.state, row.message_id) == (DeliveryState.SENT, f"m{person}")


async def test_one_that_comes_late_leaves_the_others_of_its_slice_alone(crowd: Crowd) -> None:
    ids = await crowd.bring(5)
    run_id = await crowd.send()
    claim = await _claim(crowd, run_id)
    await crowd.traffic.exchange([sent(run_id, ids[2])], [])
    failed = [Outcome(run_id, person, 1, DeliveryState.FAILED, NOW, Reason.BLOCKED) for person in ids[:4]]
    await crowd.traffic.exchange([*failed, failed[0], sent(run_id, ids[4])], [claim.slice_id])
    gone, there = DeliveryState.FAILED, DeliveryState.SENT
    assert await crowd.states(run_id) == [gone, gone, there, gone, there]
    async with crowd.database.read() as tx:
        assert await tally.read(tx, run_id) == {(gone, Reason.BLOCKED): 3, (there, None): 2}


async def test_what_gathered_while_the_database_was_away_is_settled_at_once(crowd: Crowd) -> None:
    ids = await crowd.bring(1203)
    run_id = await crowd.send()
    claims = [await _claim(crowd, run_id, after=after, limit=401) for after in (0, ids[400], ids[801])]
    ends = [sent(run_id, person) for person in ids]
    await crowd.traffic.exchange([*ends, *ends * 5], [claim.slice_id for claim in claims])
    assert await crowd.states(run_id) == [DeliveryState.SENT] * 1203
    async with crowd.database.read() as tx:
        assert await tally.read(tx, run_id) == {(DeliveryState.SENT, None): 1203}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_statistics_of_a_small_table_are_forgotten(crowd: Crowd) -> None:
    """With them SQLite would read every delivery that there is for each slice."""
    ids = await crowd.bring(3)
    run_id = await crowd.send()
    async with crowd.database.write() as tx:
        await tx.execute(sa.text("ANALYZE"))
    claim = await _claim(crowd, run_id)
    await crowd.traffic.exchange([sent(run_id, person) for person in ids], [claim.slice_id])
    assert await crowd.states(run_id) == [DeliveryState.SENT] * 3
    async with crowd.database.read() as tx:
        known = set((await tx.execute(sa.text("SELECT tbl FROM sqlite_stat1"))).scalars())
    assert "delivery" not in known
    assert "person" in known


async def test_what_was_never_claimed_is_not_settled(crowd: Crowd) -> None:
    (person,) = await crowd.bring(1)
    run_id = await crowd.send()
    await crowd.traffic.exchange([sent(run_id, person), sent(run_id, 999_999), sent(999, person)], [])
    assert await crowd.states(run_id) == [DeliveryState.WAITING]


async def test_a_sender_that_was_only_stopped_for_a_while_is_believed(crowd: Crowd) -> None:
    ids = await crowd.bring(4)
    run_id = await crowd.send()
    await _claim(crowd, run_id)
    async with crowd.database.write() as tx:
        assert await deliveries.recover(tx, NOW, all_owners=True) == 4
    late = [
        sent(run_id, ids[0]),
        Outcome(run_id, ids[1], 1, DeliveryState.FAILED, NOW, Reason.BLOCKED),
        back(run_id, ids[2]),
        Outcome(run_id, ids[3], 1, DeliveryState.UNKNOWN, NOW, Reason.NO_ANSWER),
    ]
    await crowd.traffic.exchange(late, [])
    unknown = (DeliveryState.UNKNOWN, Reason.INTERRUPTED)
    assert [(row.state, row.reason) for row in await crowd.rows(run_id)] == [
        (DeliveryState.SENT, None),
        (DeliveryState.FAILED, Reason.BLOCKED),
        unknown,
        unknown,
    ]


async def test_an_unknown_end_of_the_sender_itself_is_not_corrected(crowd: Crowd) -> None:
    (person,) = await crowd.bring(1)
    run_id = await crowd.send()
    await _claim(crowd, run_id)
    await crowd.traffic.exchange([Outcome(run_id, person, 1, DeliveryState.UNKNOWN, NOW, Reason.NO_ANSWER)], [])
    await crowd.traffic.exchange([sent(run_id, person)], [])
    assert await crowd.states(run_id) == [DeliveryState.UNKNOWN]


async def test_what_comes_back_waits_again_unless_its_run_was_cancelled(crowd: Crowd) -> None:
    (person,) = await crowd.bring(1)
    kept, cancelled = await crowd.send(), await crowd.send()
    for run_id in (kept, cancelled):
        await _claim(crowd, run_id)
    await crowd.state(cancelled, RunState.CANCELLED)
    await crowd.traffic.exchange([back(kept, person), back(cancelled, person)], [])
    assert await crowd.states(kept) == [DeliveryState.WAITING]
    (row,) = await crowd.rows(cancelled)
    assert (row.state, row.reason, row.at) == (DeliveryState.SKIPPED, Reason.CANCELLED, NOW)


async def test_what_another_account_is_sending_does_not_come_back(crowd: Crowd) -> None:
    """Said once more because the answer was lost, when the person has long been claimed anew."""
    (person,) = await crowd.bring(1, on=(1, 2))
    run_id = await crowd.send()
    await _claim(crowd, run_id)
    await crowd.traffic.exchange([back(run_id, person)], [])
    await _claim(crowd, run_id, account=2)
    await crowd.traffic.exchange([back(run_id, person)], [])
    assert await crowd.states(run_id) == [DeliveryState.SENDING]
    await crowd.traffic.exchange([back(run_id, person, account=2)], [])
    assert await crowd.states(run_id) == [DeliveryState.WAITING]


async def test_an_erased_person_leaves_no_message_id(crowd: Crowd) -> None:
    gone, there = await crowd.bring(2)
    run_id = await crowd.send()
    await _claim(crowd, run_id)
    async with crowd.database.write() as tx:
        await people.erase(tx, gone, [], NOW)
    await crowd.traffic.exchange([sent(run_id, gone), sent(run_id, there)], [])
    assert [(row.state, row.message_id) for row in await crowd.rows(run_id)] == [
        (DeliveryState.SENT, None),
        (DeliveryState.SENT, f"m{there}"),
    ]


async def test_outcomes_of_several_runs_and_accounts_are_settled_together(crowd: Crowd) -> None:
    (one,), (two,) = await crowd.bring(1), await crowd.bring(1, on=(2,))
    first, second = await crowd.send(), await crowd.send()
    for run_id in (first, second):
        for account in (1, 2):
            await _claim(crowd, run_id, account=account)
    ends = [sent(run_id, person, account=a) for run_id in (second, first) for person, a in ((two, 2), (one, 1))]
    await crowd.traffic.exchange(ends, [s.id for s in await crowd.slices()])
    assert await crowd.states(first) == await crowd.states(second) == [DeliveryState.SENT] * 2
    assert await crowd.slices() == []


async def test_one_claim_looks_at_so_many_rows_and_says_how_far_it_came(
    crowd: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An account without contacts in a large run does not read all of it at once."""
    for module in (traffic_sqlite, traffic_postgres):
        monkeypatch.setattr(module, "LOOK", 4)
    strangers = await crowd.bring(6, on=(2,))
    (mine,) = await crowd.bring(1)
    run_id = await crowd.send()
    first = await _claim(crowd, run_id)
    assert first == Claim(0, [], strangers[3])
    second = await _claim(crowd, run_id, after=first.reached)
    assert [row.person_id for row in second.rows] == [mine]
    assert second.reached == 0
    assert await _claim(crowd, run_id) == Claim(0, [], strangers[3])


async def test_a_ticket_is_filled_once(crowd: Crowd) -> None:
    ids = await crowd.bring(4)
    run_id = await crowd.send()
    async with crowd.database.write() as tx:
        ticket = Slice(run_id=run_id, account_id=1, owner="", first=0, last=0, lease_until=NOW)
        tx.add(ticket)
    claim = await _claim(crowd, run_id, limit=2, ticket=ticket.id)
    assert claim.slice_id == ticket.id
    assert [(s.id, s.owner, s.first, s.last) for s in await crowd.slices()] == [(ticket.id, "me", ids[0], ids[1])]
    assert await crowd.traffic.exchange([], [], want(run_id, ticket=ticket.id, owner="you")) is None
    assert await crowd.traffic.exchange([], [], want(run_id, ticket=ticket.id + 1)) is None
    assert len([s for s in await crowd.states(run_id) if s is DeliveryState.SENDING]) == 2


async def test_a_ticket_waits_with_its_run_and_goes_with_its_last_row(crowd: Crowd) -> None:
    await crowd.bring(2)
    run_id = await crowd.send()
    async with crowd.database.write() as tx:
        ticket = Slice(run_id=run_id, account_id=1, owner="", first=0, last=0, lease_until=NOW)
        tx.add(ticket)
    await crowd.state(run_id, RunState.PAUSED)
    assert await crowd.traffic.exchange([], [], want(run_id, ticket=ticket.id)) is None
    assert [s.owner for s in await crowd.slices()] == [""]
    await crowd.state(run_id, RunState.SENDING)
    await _claim(crowd, run_id)
    assert await _claim(crowd, run_id, ticket=ticket.id) == Claim(0, [], 0)
    assert [s.owner for s in await crowd.slices()] == ["me"]


async def test_many_exchanges_at_once_lose_and_double_nothing(crowd: Crowd) -> None:
    ids = await crowd.bring(30) + await crowd.bring(30, on=(2,)) + await crowd.bring(30, on=(1, 2))
    run_id = await crowd.send()
    claimed: list[int] = []

    async def work(account: int) -> None:
        ends: list[Outcome] = []
        closed: list[int] = []
        after = 0
        while True:
            claim = await crowd.traffic.exchange(ends, closed, want(run_id, account=account, after=after, limit=7))
            assert claim is not None
            claimed.extend(row.person_id for row in claim.rows)
            ends = [sent(run_id, row.person_id, account=account) for row in claim.rows]
            closed, after = [claim.slice_id], claim.reached
            if not claim.rows:
                break

    await asyncio.gather(work(1), work(2))
    assert sorted(claimed) == sorted(ids)
    assert await crowd.states(run_id) == [DeliveryState.SENT] * 90
    assert await crowd.slices() == []


async def test_an_exchange_fails_as_a_whole(crowd: Crowd) -> None:
    (person,) = await crowd.bring(1)
    run_id = await crowd.send()
    async with crowd.database.write() as tx:
        await tx.execute(sa.text("ALTER TABLE tally RENAME TO hidden"))
    with pytest.raises(Exception, match="tally"):
        await crowd.traffic.exchange([], [], want(run_id))
    assert await crowd.slices() == []
    assert await crowd.states(run_id) == [DeliveryState.WAITING]
    async with crowd.database.write() as tx:
        await tx.execute(sa.text("ALTER TABLE hidden RENAME TO tally"))
    assert [row.person_id for row in (await _claim(crowd, run_id)).rows] == [person]


async def test_what_was_claimed_without_our_hearing_of_it_waits_again(crowd: Crowd) -> None:
    ids = await crowd.bring(6)
    run_id = await crowd.send()
    known = await _claim(crowd, run_id, limit=4)
    await _claim(crowd, run_id, after=ids[3])
    await _claim(crowd, run_id, owner="somebody else")
    async with crowd.database.write() as tx:
        assert await deliveries.orphans(tx, "me", {known.slice_id}) == 2
        assert await deliveries.orphans(tx, "me", {known.slice_id}) == 0
    states = await crowd.states(run_id)
    assert states == [DeliveryState.SENDING] * 4 + [DeliveryState.WAITING] * 2


async def test_an_orphan_among_people_who_are_being_sent_to_waits_for_them(crowd: Crowd) -> None:
    ids = await crowd.bring(3)
    run_id = await crowd.send()
    known = await _claim(crowd, run_id)
    await crowd.traffic.exchange([back(run_id, ids[1])], [])
    lost = await _claim(crowd, run_id)
    assert [row.person_id for row in lost.rows] == [ids[1]]
    async with crowd.database.write() as tx:
        assert await deliveries.orphans(tx, "me", {known.slice_id}) == 0
    await crowd.traffic.exchange([sent(run_id, ids[0]), sent(run_id, ids[2])], [known.slice_id])
    async with crowd.database.write() as tx:
        assert await deliveries.orphans(tx, "me", set()) == 1
    assert await crowd.states(run_id) == [DeliveryState.SENT, DeliveryState.WAITING, DeliveryState.SENT]


async def test_what_is_given_back_to_a_cancelled_run_is_skipped(crowd: Crowd) -> None:
    await crowd.bring(2)
    run_id = await crowd.send()
    await _claim(crowd, run_id)
    await crowd.state(run_id, RunState.CANCELLED)
    async with crowd.database.write() as tx:
        assert await deliveries.release(tx, "me") == 2
    assert [(row.state, row.reason, row.at) for row in await crowd.rows(run_id)] == [
        (DeliveryState.SKIPPED, Reason.CANCELLED, NOW)
    ] * 2


async def test_a_ticket_is_not_taken_for_a_dead_sender(crowd: Crowd) -> None:
    await crowd.bring(2)
    run_id = await crowd.send()
    async with crowd.database.write() as tx:
        tx.add(Slice(run_id=run_id, account_id=1, owner="", first=0, last=0, lease_until=NOW))
    later = LEASE + timedelta(seconds=1)
    async with crowd.database.write() as tx:
        assert await deliveries.recover(tx, later) == 0
    assert len(await crowd.slices()) == 1
    async with crowd.database.write() as tx:
        assert await deliveries.recover(tx, later, all_owners=True) == 0
    assert await crowd.slices() == []
