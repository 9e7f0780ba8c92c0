"""The daily question: who is asked what, once a day, some hours after their tip or on the day after it.

People are walked through by their ids, a few thousand at a time, each time in one short transaction: their deliveries
are made and it is written down how far the round has come, so whatever interrupts it, it goes on behind the last one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, time, timedelta

from bot.core.channel import Capabilities
from bot.core.errors import Reason
from bot.core.words import CampaignKind, RunState, TargetGroup
from bot.db import Database, Tx, accounts, gathering, lessons, runs, tip_runs
from bot.db import practice_rounds as rows
from bot.db.gathering import Stretch
from bot.db.practice_rounds import Waiting
from bot.db.runs import HELD
from bot.db.tables import Run
from bot.outreach import gathering as people
from bot.outreach import practice, spacing
from bot.outreach.desk import Desk
from bot.outreach.hours import EARLIEST, LATEST
from bot.outreach.short_turns import walk

HOURS = {11: (15, LATEST), 17: (EARLIEST, 14)}
"""When people are asked, by the hours of their tip: never together with it."""
VALID_FOR = timedelta(hours=3)
"""How long after its hour a question may still leave."""
CHUNK = 2_000
"""So many people are looked at in one transaction: about 80 ms when all of them are asked."""
NEW_RUNS = 10
"""So many runs are begun in one transaction; whoever needs another one waits for the next."""
FREE = timedelta(hours=48)
"""Where messages are counted, only who wrote so lately that this is not over when the question leaves is asked: nobody
pays for one, and no tip is lost for one. On an Official Account messages are free for as long."""

AUDIENCE = "practice"
DAY = timedelta(days=1)


async def plan_due(database: Database, desk: Desk, now: datetime, planned: Callable[[], None] = lambda: None) -> None:
    """Plan the questions whose hour has come. `planned` is told after each transaction. What is too late is left out:
    a day without a question is no loss."""
    await walk(database, Round(desk, now), planned)


class Round:
    """One look at everybody who is to be asked: `look` first, then `step` as long as it returns true."""

    def __init__(self, desk: Desk, now: datetime) -> None:
        self.desk = desk
        self.now = now
        self._hours: list[_Hour] = []

    async def look(self, tx: Tx) -> bool:
        """Find the hours of today that have begun and are not over. Returns whether there is anything to do."""
        today = self.desk.clock.today(self.now)
        for hour in HOURS:
            begin = self.desk.clock.at(today, time(hour))
            if begin <= self.now < begin + VALID_FOR and await rows.is_left(tx, hour, today):
                taught = await lessons.everything(tx)
                free = {account.key: account.id for account in await accounts.everyone(tx)}
                self._hours.append(_Hour(self.desk, hour, self.now, taught, _counted(self.desk, free, self.now)))
        return bool(self._hours) or await tip_runs.first_held(tx, CampaignKind.PRACTICE) is not None

    async def step(self, tx: Tx) -> bool:
        """Plan for a few thousand more, in this transaction. Returns whether there is more to do."""
        while self._hours:
            if await self._hours[0].go_on(tx):
                return True
            del self._hours[0]
        for run in await tip_runs.held(tx, CampaignKind.PRACTICE):
            run.gather_after = run.gather_until = None
            if run.state in runs.ENDED:
                await people.end_waiting(tx, run, self.now)
        return False


def _counted(desk: Desk, ids: Mapping[str, int], now: datetime) -> dict[int, datetime]:
    """The accounts whose messages are counted, each with the moment since which somebody must have written."""
    counted = {key: can for key, can in desk.capabilities.items() if key in ids and _counts(can)}
    free = {key: can.window.free if can.window is not None else FREE for key, can in counted.items()}
    return {ids[key]: now + VALID_FOR - free[key] for key in counted}


def _counts(can: Capabilities) -> bool:
    return can.window is not None or can.limits.per_month is not None


class _Hour:
    """The round of one hour of today, and the runs that were found or begun for it so far."""

    def __init__(
        self,
        desk: Desk,
        hour: int,
        now: datetime,
        taught: Mapping[TargetGroup, Sequence[str]],
        heard_since: Mapping[int, datetime],
    ) -> None:
        self.desk = desk
        self.hour = hour
        self.now = now
        self.today = desk.clock.today(now)
        self.begin = desk.clock.at(self.today, time(hour))
        self._taught = taught
        self._places = {group: {tip: day for day, tip in enumerate(tips)} for group, tips in taught.items()}
        self._heard_since = heard_since
        self._runs: dict[str, int] = {}
        self._askable: dict[str, bool] = {}

    async def go_on(self, tx: Tx) -> bool:
        """Ask the next few thousand. False when everybody has been walked past."""
        row = await rows.locked(tx, self.hour, self.today)
        if row.after >= row.until:
            return False
        among = await gathering.stretch(tx, Stretch(row.after, row.until), CHUNK)
        row.after = await self._ask(tx, among)
        await tx.flush()
        return True

    async def _ask(self, tx: Tx, among: Stretch) -> int:
        """Give everybody of the stretch their question. Returns up to whom."""
        found = await rows.waiting(tx, among, HOURS[self.hour], self._heard_since)
        meant = await self._choose(tx, among, [one for one in found if self._is_turn(one)])
        until = await self._begin(tx, meant, among.until)
        takers = await self._open(tx, {tip for _, tip in meant})
        given = [(one, tip, takers[tip]) for one, tip in meant if one.person_id <= until and takers.get(tip)]
        shares: defaultdict[tuple[int, Reason | None], list[int]] = defaultdict(list)
        for one, _, run in given:
            shares[run.id, None].append(one.person_id)
        gained = await tip_runs.give(tx, shares)
        for run in takers.values():
            run.total += gained[run.id]
        if given:
            passed = ((one.person_id, tip, run.id, one.ignored + one.passed_by) for one, tip, run in given)
            await rows.asked(tx, self.today, passed)
        return until

    def _is_turn(self, one: Waiting) -> bool:
        ignored = one.ignored + one.passed_by
        return spacing.is_turn(wanted=one.wanted, asked_on=one.asked_on, ignored=ignored, today=self.today)

    async def _choose(self, tx: Tx, among: Stretch, found: Sequence[Waiting]) -> list[tuple[Waiting, str]]:
        """What each of them is asked: what is due again, else the tip of the day before. What was passed by yesterday
        waits for another day."""
        due = await rows.due(tx, among, self.today)
        again = {one.person_id: next(self._may_ask(due.get(one.person_id, ()), one), None) for one in found}
        fresh = [(one, tip) for one in found if again[one.person_id] is None for tip in self._new(one)]
        known = await rows.answered(tx, [(one.person_id, tip) for one, tip in fresh])
        new: dict[int, str] = {}
        for one, tip in fresh:
            if (one.person_id, tip) not in known:
                new.setdefault(one.person_id, tip)
        meant = ((one, again[one.person_id] or new.get(one.person_id)) for one in found)
        return [(one, tip) for one, tip in meant if tip is not None]

    def _may_ask(self, tips: Sequence[str], one: Waiting) -> Iterator[str]:
        yesterday = one.is_open and one.asked_on == self.today - DAY
        for tip in tips:
            if tip not in self._askable:
                self._askable[tip] = practice.question(self.desk, tip, self.now) is not None
            if self._askable[tip] and not (yesterday and tip == one.tip):
                yield tip

    def _new(self, one: Waiting) -> Iterator[str]:
        """The tip of the day before, after the end of a curriculum also its last one; only what lies behind the tip
        that they were asked about last."""
        tips, places = self._taught[one.group], self._places[one.group]
        if one.tipped_on is None or one.tipped_on < self.today - DAY:
            return iter(())
        before = one.day - (one.tipped_on == self.today)
        days = {before - 1, len(tips) - 1} if one.day >= len(tips) else {before - 1}
        latest = places.get(one.tip or "", -1)
        return self._may_ask([tips[day] for day in sorted(days) if latest < day < len(tips)], one)

    async def _begin(self, tx: Tx, meant: Sequence[tuple[Waiting, str]], until: int) -> int:
        """Begin the runs that are still missing, a few. Returns up to whom there is one for everybody."""
        begun = 0
        for one, tip in meant:
            if tip in self._runs:
                continue
            if begun == NEW_RUNS:
                return one.person_id - 1
            self._runs[tip] = await self._plan(tx, tip)
            begun += 1
        return until

    async def _plan(self, tx: Tx, key: str) -> int:
        """The run of that hour and question: the one that there is, or a new one."""
        tip = practice.question(self.desk, key, self.now)
        assert tip is not None  # noqa: S101  # see `_may_ask`
        item = await practice.item_of(tx, self.desk, tip, self.now)
        campaign = await tip_runs.campaign(tx, item.id, AUDIENCE, self.now, kind=CampaignKind.PRACTICE)
        run = await runs.plan(tx, campaign.id, self.begin, valid_until=self.begin + VALID_FOR)
        return await tip_runs.of_moment(tx, campaign.id, self.begin) if run is None else run.id

    async def _open(self, tx: Tx, tips: set[str]) -> dict[str, Run]:
        """The runs of those questions, locked and held open; not those that were cancelled."""
        ids = {tip: self._runs[tip] for tip in tips if tip in self._runs}
        found = await tip_runs.locked(tx, list(ids.values()))
        return {tip: found[id] for tip, id in ids.items() if await self._hold(tx, found[id])}

    async def _hold(self, tx: Tx, run: Run) -> bool:
        if run.state not in (RunState.PLANNED, RunState.SENDING, RunState.DONE):
            return False
        if run.state is RunState.PLANNED:
            run.materialised_at = self.now
        run.finished_at = None
        run.gather_after, run.gather_until = 0, HELD
        await runs.set_state(tx, run, RunState.SENDING, self.now)
        return True
