"""A run's people, gathered little by little: nobody twice, nobody lost, and the counts add up all the while."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot.core.errors import Reason
from bot.core.words import CampaignKind, ContactState, DeliveryState, PersonStatus, RunState
from bot.db import Database, deliveries, people, runs, tally
from bot.db import gathering as rows
from bot.db.audience import Atom, Term, condition
from bot.db.gathering import Stretch
from bot.db.tables import Campaign, Contact, Person, Run
from bot.outreach import campaigns, gathering
from tests.db.crowd import NOW, Crowd, counted, desk, sent, want

EVERYBODY = condition(((Term(Atom.ALL),),))
LATE = NOW + timedelta(days=9)


@pytest.fixture
async def crowd(database: Database) -> Crowd:
    found = Crowd(database)
    await found.open()
    return found


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "FIRST", 3)
    monkeypatch.setattr(gathering, "CHUNK", 4)


async def _begin(crowd: Crowd, *, audience: str = "all", total: int = 0) -> int:
    run_id = await crowd.plan(audience=audience)
    async with crowd.database.write() as tx:
        run = await campaigns.find(tx, run_id)
        run.total = total
        await campaigns.begin(tx, desk(), run, NOW)
    return run_id


async def _gather(crowd: Crowd, run_id: int) -> bool:
    async with crowd.database.write() as tx:
        return await campaigns.gather(tx, desk(), await campaigns.find(tx, run_id), NOW)


async def _gather_all(crowd: Crowd, run_id: int) -> int:
    """Returns in how many transactions."""
    for goes in range(1, 100):
        if not await _gather(crowd, run_id):
            return goes
    raise AssertionError("it never ends")


async def _status(crowd: Crowd, run_id: int) -> dict[str, Any]:
    async with crowd.database.read() as tx:
        return await campaigns.status(tx, await tx.get_one(Run, run_id))


async def _change(crowd: Crowd, run_id: int, what: Any, now: Any = NOW) -> None:
    async with crowd.database.write() as tx:
        await what(tx, await campaigns.find(tx, run_id), now)


async def test_the_first_few_can_be_sent_while_the_others_are_gathered(crowd: Crowd) -> None:
    ids = await crowd.bring(12)
    run_id = await _begin(crowd, total=12)
    assert [row.person_id for row in await crowd.rows(run_id)] == ids[:3]
    first = await crowd.traffic.exchange([], [], want(run_id))
    assert first is not None
    assert len(first.rows) == 3
    said = await _status(crowd, run_id)
    assert (said["state"], said["total"], said["waiting"], said["sending"]) == ("sending", 12, 9, 3)
    assert await _gather_all(crowd, run_id) == 3
    assert [row.person_id for row in await crowd.rows(run_id)] == ids
    then = await crowd.traffic.exchange([], [], want(run_id, after=ids[2]))
    assert then is not None
    assert [row.person_id for row in then.rows] == ids[3:]


async def test_who_comes_after_the_beginning_is_not_meant(crowd: Crowd) -> None:
    ids = await crowd.bring(5)
    run_id = await _begin(crowd)
    await crowd.bring(3)
    await _gather_all(crowd, run_id)
    assert [row.person_id for row in await crowd.rows(run_id)] == ids
    assert (await _status(crowd, run_id))["total"] == 5


async def test_it_goes_on_where_it_stopped(crowd: Crowd) -> None:
    """A process that dies between two transactions, or in the middle of one."""
    ids = await crowd.bring(10)
    run_id = await _begin(crowd)
    with pytest.raises(RuntimeError):
        async with crowd.database.write() as tx:
            await campaigns.gather(tx, desk(), await campaigns.find(tx, run_id), NOW)
            raise RuntimeError
    assert len(await crowd.rows(run_id)) == 3
    await _gather(crowd, run_id)
    another = Crowd(crowd.database)
    await _gather_all(another, run_id)
    assert [row.person_id for row in await crowd.rows(run_id)] == ids
    kept, real = await counted(crowd.database)
    assert kept == real


async def test_a_few_people_among_many_are_found_in_few_goes(crowd: Crowd) -> None:
    ids = await crowd.bring(45)
    run_id = await _begin(crowd, audience=f"person:{ids[-1]}")
    assert await crowd.rows(run_id) == []
    assert await _gather_all(crowd, run_id) == 1
    assert [row.person_id for row in await crowd.rows(run_id)] == [ids[-1]]


async def test_a_run_is_not_done_while_its_people_are_gathered(crowd: Crowd) -> None:
    await crowd.bring(6)
    run_id = await _begin(crowd)
    ends = [sent(run_id, row.person_id) for row in await crowd.rows(run_id)]
    await crowd.traffic.exchange([], [], want(run_id))
    await crowd.traffic.exchange(ends, [])
    async with crowd.database.write() as tx:
        assert [run.id for run in await runs.gathering(tx)] == [run_id]
        assert not await campaigns.finish_if_done(tx, await campaigns.find(tx, run_id), NOW)
    await _gather_all(crowd, run_id)
    claim = await crowd.traffic.exchange([], [], want(run_id))
    assert claim is not None
    await crowd.traffic.exchange([sent(run_id, row.person_id) for row in claim.rows], [claim.slice_id])
    async with crowd.database.write() as tx:
        assert await runs.gathering(tx) == []
        assert await campaigns.finish_if_done(tx, await campaigns.find(tx, run_id), NOW)
    said = await _status(crowd, run_id)
    assert (said["state"], said["total"], said["sent"]) == ("done", 6, 6)


async def test_a_paused_run_goes_on_gathering(crowd: Crowd) -> None:
    await crowd.bring(9)
    run_id = await _begin(crowd)
    await _change(crowd, run_id, campaigns.pause)
    await _gather_all(crowd, run_id)
    said = await _status(crowd, run_id)
    assert (said["state"], said["total"], said["waiting"]) == ("paused", 9, 9)


async def test_a_cancelled_run_says_at_once_what_becomes_of_everybody(crowd: Crowd) -> None:
    ids = await crowd.bring(20)
    run_id = await _begin(crowd, total=20)
    await crowd.traffic.exchange([], [], want(run_id, limit=1))
    await crowd.traffic.exchange([sent(run_id, ids[0])], [])
    await _change(crowd, run_id, campaigns.cancel)
    expected = {"total": 20, "waiting": 0, "sending": 0, "sent": 1, "skipped": 19, "reasons": {"cancelled": 19}}
    assert (await _status(crowd, run_id)).items() >= expected.items()
    assert await _gather_all(crowd, run_id) > 2
    assert (await _status(crowd, run_id)).items() >= expected.items()
    assert [row.person_id for row in await crowd.rows(run_id)] == ids
    assert (await crowd.states(run_id))[1:] == [DeliveryState.SKIPPED] * 19
    assert await crowd.traffic.exchange([], [], want(run_id)) is None


async def test_a_large_run_is_ended_little_by_little(crowd: Crowd) -> None:
    await crowd.bring(15)
    run_id = await crowd.send()
    await _change(crowd, run_id, campaigns.cancel)
    assert (await crowd.states(run_id)).count(DeliveryState.WAITING) == 11
    assert (await _status(crowd, run_id))["skipped"] == 15
    assert await _gather_all(crowd, run_id) == 3
    assert await crowd.states(run_id) == [DeliveryState.SKIPPED] * 15


async def test_what_is_too_late_is_ended_with_those_who_follow(crowd: Crowd) -> None:
    await crowd.bring(15)
    run_id = await _begin(crowd)
    async with crowd.database.write() as tx:
        (await campaigns.find(tx, run_id)).valid_until = NOW + timedelta(hours=1)
    for _ in range(20):
        async with crowd.database.write() as tx:
            run = await campaigns.find(tx, run_id)
            await campaigns.expire(tx, run, LATE)
            await campaigns.gather(tx, desk(), run, LATE)
            if await campaigns.finish_if_done(tx, run, LATE):
                break
    said = await _status(crowd, run_id)
    assert (said["state"], said["skipped"], said["reasons"]) == ("done", 15, {"expired": 15})


async def test_who_cannot_be_reached_or_had_their_share_is_skipped(
    crowd: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = await crowd.bring(8)
    for _ in range(desk().house.broadcasts_per_person_day):
        earlier = await _begin(crowd, audience=f"person:{ids[6]}")
        await _gather_all(crowd, earlier)
    async with crowd.database.write() as tx:
        await tx.execute(sa.update(Contact).where(Contact.person_id == ids[5]).values(state=ContactState.CLOSED))
        (await tx.get_one(Person, ids[7])).status = PersonStatus.STOPPED
    run_id = await _begin(crowd)
    await _gather_all(crowd, run_id)
    found = [(row.person_id, row.state, row.reason) for row in await crowd.rows(run_id)]
    waiting = [(person, DeliveryState.WAITING, None) for person in ids[:5]]
    no_route = (ids[5], DeliveryState.SKIPPED, Reason.NO_ROUTE)
    assert found == [*waiting, no_route, (ids[6], DeliveryState.SKIPPED, Reason.CAPPED)]


async def test_an_alert_reaches_who_has_had_their_share(crowd: Crowd) -> None:
    (person,) = await crowd.bring(1)
    for _ in range(desk().house.broadcasts_per_person_week + 1):
        run_id = await crowd.plan()
        async with crowd.database.write() as tx:
            run = await campaigns.find(tx, run_id)
            campaign = await tx.get_one(Campaign, run.campaign_id)
            campaign.kind, campaign.urgent = CampaignKind.ALERT, True
            await tx.flush()
            await campaigns.begin(tx, desk(), run, NOW)
    assert [(row.person_id, row.state) for row in await crowd.rows(run_id)] == [(person, DeliveryState.WAITING)]


async def test_a_run_for_nobody_is_done_at_once(crowd: Crowd) -> None:
    run_id = await _begin(crowd)
    async with crowd.database.write() as tx:
        assert await campaigns.finish_if_done(tx, await campaigns.find(tx, run_id), NOW)
    assert (await _status(crowd, run_id))["total"] == 0


async def test_the_estimate_never_shows_fewer_than_there_are(crowd: Crowd) -> None:
    await crowd.bring(9)
    run_id = await _begin(crowd, total=1)
    await _gather(crowd, run_id)
    said = await _status(crowd, run_id)
    assert (said["total"], said["waiting"]) == (7, 7)


async def test_somebody_erased_meanwhile_is_not_missed(crowd: Crowd) -> None:
    ids = await crowd.bring(8)
    run_id = await _begin(crowd)
    async with crowd.database.write() as tx:
        await people.erase(tx, ids[1], [], NOW)
        await people.erase(tx, ids[6], [], NOW)
    await _gather_all(crowd, run_id)
    assert [row.person_id for row in await crowd.rows(run_id)] == [i for i in ids if i != ids[6]]
    assert (await _status(crowd, run_id)).items() >= {"total": 7, "waiting": 6, "skipped": 1}.items()


async def test_stretches_give_everybody_one_delivery(crowd: Crowd) -> None:
    ids = await crowd.bring(7)
    run_id = await crowd.plan()
    async with crowd.database.write() as tx:
        made = [
            await rows.gather(tx, run_id, EVERYBODY, Stretch(0, ids[3])),
            await rows.gather(tx, run_id, EVERYBODY, Stretch(0, ids[3])),
            await rows.gather(tx, run_id, EVERYBODY, Stretch(ids[3], ids[6])),
        ]
        assert await tally.total(tx, run_id) == 7
    assert made == [4, 0, 3]


async def test_only_the_first_who_wait_are_looked_at_when_a_run_ends(
    crowd: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "SWEEP", 2)
    await crowd.bring(5)
    run_id = await crowd.send()
    async with crowd.database.write() as tx:
        await tx.execute(sa.update(Contact).values(state=ContactState.CLOSED, closed_reason=Reason.BLOCKED))
    for done in (False, False, True):
        async with crowd.database.write() as tx:
            assert await campaigns.finish_if_done(tx, await campaigns.find(tx, run_id), NOW) is done
    assert (await _status(crowd, run_id))["reasons"] == {"blocked": 5}
    assert (await _status(crowd, run_id))["state"] == RunState.DONE
