"""The counts beside the rows never lie: whatever is done to deliveries, they say what the rows say."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any, TypeVar

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from bot.core.errors import Reason
from bot.core.words import DeliveryState, RunState
from bot.db import Database, deliveries, people, runs
from bot.db.tables import Contact, Run
from bot.db.traffic import Claim, Outcome, Way
from bot.outreach import campaigns, gathering
from tests.db.crowd import LEASE, NOW, Crowd, counted, desk, want

T = TypeVar("T")
OWNERS = ("first", "second")
ACCOUNTS = st.sampled_from((1, 2))
ENDS = st.sampled_from(
    (
        (DeliveryState.SENT, None),
        (DeliveryState.FAILED, Reason.BLOCKED),
        (DeliveryState.FAILED, Reason.GAVE_UP),
        (DeliveryState.UNKNOWN, Reason.NO_ANSWER),
        (DeliveryState.WAITING, None),
    )
)
ANY = st.integers(0, 1_000_000)
WAYS = (None, (Way(1, 0, 0),), (Way(2, 0, 0),), (Way(1, 1, 0), Way(2, 2**62, 1)))


class Office(RuleBasedStateMachine):
    """Everything that changes a delivery, on one database, until something does not add up."""

    runner: asyncio.Runner
    database: Database
    crowd: Crowd

    def __init__(self) -> None:
        super().__init__()
        self.desk = desk()
        self.people: list[int] = []
        self.runs: list[int] = []
        self.claims: dict[str, list[tuple[int, Claim]]] = {owner: [] for owner in OWNERS}
        self.past: list[tuple[int, int, int]] = []

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def one(self, among: list[T], number: int) -> T:
        return among[number % len(among)]

    @initialize(count=st.integers(1, 12), both=st.booleans())
    def people_are_there(self, count: int, both: bool) -> None:
        self.do(self.crowd.empty())
        self.do(self.crowd.open())
        self.people = self.do(self.crowd.bring(count, on=(1, 2) if both else (1,)))

    @rule(count=st.integers(1, 3), account=ACCOUNTS)
    def people_come(self, count: int, account: int) -> None:
        self.people += self.do(self.crowd.bring(count, on=(account,)))

    @rule(resend=st.booleans())
    def a_run_begins(self, resend: bool) -> None:
        async def begin() -> int:
            run_id = await self.crowd.plan(resend_unknown=resend)
            async with self.database.write() as tx:
                await campaigns.begin(tx, self.desk, await campaigns.find(tx, run_id), NOW)
            return run_id

        self.runs.append(self.do(begin()))

    @precondition(lambda self: self.runs)
    @rule(number=ANY, late=st.booleans())
    def more_are_gathered(self, number: int, late: bool) -> None:
        self.do(self._change(number, gathering.gather, late=late))

    @precondition(lambda self: self.runs)
    @rule(number=ANY, account=ACCOUNTS, owner=st.sampled_from(OWNERS), limit=st.integers(1, 5), after=st.integers(0, 8))
    def some_are_claimed(self, number: int, account: int, owner: str, limit: int, after: int) -> None:
        run_id = self.one(self.runs, number)
        wish = want(run_id, account=account, owner=owner, limit=limit, after=after)
        claim = self.do(self.crowd.traffic.exchange([], [], wish))
        if claim is not None and claim.rows:
            self.claims[owner].append((account, claim))
            self.past += [(run_id, row.person_id, account) for row in claim.rows]

    @precondition(lambda self: any(self.claims.values()))
    @rule(number=ANY, ends=st.lists(ENDS, min_size=5, max_size=5), few=st.integers(1, 5), close=st.booleans())
    def some_are_settled(
        self, number: int, ends: list[tuple[DeliveryState, Reason | None]], few: int, close: bool
    ) -> None:
        owner = self.one([owner for owner in OWNERS if self.claims[owner]], number)
        account, claim = self.one(self.claims[owner], number)
        rows = zip(claim.rows[:few], ends, strict=False)
        found = [Outcome(r.run_id, r.person_id, account, state, NOW, why, "m") for r, (state, why) in rows]
        self.do(self.crowd.traffic.exchange(found, [claim.slice_id] if close else []))
        if close:
            self.claims[owner].remove((account, claim))

    @precondition(lambda self: self.past)
    @rule(number=ANY, end=ENDS)
    def something_is_settled_late_or_again(self, number: int, end: tuple[DeliveryState, Reason | None]) -> None:
        run_id, person_id, account = self.one(self.past, number)
        late = Outcome(run_id, person_id, account, end[0], NOW, end[1], "late")
        self.do(self.crowd.traffic.exchange([late, late], []))

    @rule(everything=st.booleans())
    def the_dead_are_recovered(self, everything: bool) -> None:
        async def recover() -> None:
            async with self.database.write() as tx:
                await deliveries.recover(tx, LEASE + timedelta(seconds=1), all_owners=everything)

        self.do(recover())

    @rule(owner=st.sampled_from(OWNERS), lost=st.booleans())
    def a_sender_gives_back(self, owner: str, lost: bool) -> None:
        async def give_back() -> None:
            async with self.database.write() as tx:
                if lost:
                    known = {claim.slice_id for _, claim in self.claims[owner][1:]}
                    await deliveries.orphans(tx, owner, known)
                else:
                    await deliveries.release(tx, owner)

        self.do(give_back())

    @precondition(lambda self: self.runs)
    @rule(number=ANY, state=st.sampled_from((DeliveryState.FAILED, DeliveryState.UNKNOWN)))
    def some_are_repeated(self, number: int, state: DeliveryState) -> None:
        async def requeue() -> None:
            async with self.database.write() as tx:
                await deliveries.requeue(tx, self.one(self.runs, number), state)

        self.do(requeue())

    @precondition(lambda self: self.runs)
    @rule(number=ANY, what=st.sampled_from((campaigns.pause, campaigns.resume, campaigns.cancel, campaigns.expire)))
    def a_run_is_paused_resumed_or_ended(self, number: int, what: Any) -> None:
        async def change() -> None:
            async with self.database.write() as tx:
                run = await campaigns.find(tx, self.one(self.runs, number))
                await what(tx, run, NOW)

        try:
            self.do(change())
        except campaigns.WrongState:
            return

    @precondition(lambda self: self.runs)
    @rule(number=ANY, ways=st.sampled_from(WAYS))
    def a_run_is_looked_at(self, number: int, ways: tuple[Way, ...] | None) -> None:
        async def look() -> None:
            async with self.database.write() as tx:
                run = await campaigns.find(tx, self.one(self.runs, number))
                if run.state is RunState.SENDING and await campaigns.finish_if_done(tx, run, NOW, ways):
                    assert not (await runs.counts(tx, run)).open

        self.do(look())

    @precondition(lambda self: self.people)
    @rule(number=ANY, what=st.sampled_from(("stop", "erase", "block")))
    def somebody_goes(self, number: int, what: str) -> None:
        async def go(person_id: int) -> None:
            async with self.database.write() as tx:
                if what == "erase":
                    await people.erase(tx, person_id, [], NOW)
                elif what == "stop":
                    await deliveries.drop_person(tx, person_id, NOW)
                else:
                    mine = sa.select(Contact.id).where(Contact.person_id == person_id)
                    for contact_id in (await tx.execute(mine)).scalars().all():
                        await people.close(tx, contact_id, Reason.BLOCKED, NOW)

        person_id = self.one(self.people, number)
        self.do(go(person_id))
        if what == "erase":
            self.people.remove(person_id)

    async def _change(self, number: int, what: Any, *, late: bool) -> None:
        async with self.database.write() as tx:
            run = await campaigns.find(tx, self.one(self.runs, number))
            await what(tx, self.desk, run, NOW + timedelta(days=9) if late else NOW)

    @invariant()
    def the_counts_say_what_the_rows_say(self) -> None:
        kept, real = self.do(counted(self.database))
        assert kept == real

    @precondition(lambda self: self.runs)
    @invariant()
    def the_status_adds_up(self) -> None:
        async def look() -> dict[str, Any]:
            async with self.database.read() as tx:
                return await campaigns.status(tx, await tx.get_one(Run, self.one(self.runs, len(self.past))))

        said = self.do(look())
        states = [said[state] for state in DeliveryState]
        assert sum(states) == said["total"]
        assert min(states) >= 0


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "FIRST", 2)
    monkeypatch.setattr(gathering, "CHUNK", 4)
    monkeypatch.setattr(gathering, "STRETCHES", 2)
    monkeypatch.setattr(deliveries, "SWEEP", 3)


@pytest.mark.usefixtures("small_steps")
def test_the_counts_never_lie(database_url: str) -> None:
    database = Database(database_url)
    with asyncio.Runner() as runner:
        here = {"runner": runner, "database": database, "crowd": Crowd(database)}
        slow = (HealthCheck.too_slow, HealthCheck.data_too_large)
        steps = settings(max_examples=10, stateful_step_count=30, deadline=None, suppress_health_check=slow)
        run_state_machine_as_test(type("OfficeHere", (Office,), here), settings=steps)
        runner.run(database.close())
