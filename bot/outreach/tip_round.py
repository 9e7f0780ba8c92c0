"""The daily tip: who gets which one when, each once, at the hour that they chose, never in quiet hours.

People are taken a few thousand at a time, each time in one short transaction: their deliveries are made and they are
moved on together, so whatever interrupts a round, the next one finds exactly those who are left.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime, time, timedelta

from bot.core.errors import Reason
from bot.core.words import RunState, TargetGroup
from bot.db import Database, Tx, audit, lessons, runs, tip_runs
from bot.db.lessons import Slot, Standing
from bot.db.runs import HELD
from bot.db.sql import one_at_a_time
from bot.db.tables import Run
from bot.outreach import curriculum, gathering
from bot.outreach.desk import Desk
from bot.outreach.hours import EARLIEST, LATEST
from bot.outreach.short_turns import walk
from messages.content.packs import Tip

VALID_FOR = timedelta(hours=3)
"""How long after its hour a tip may still leave."""
CHUNK = 5_000
"""So many people are looked at in one transaction: about 80 ms."""
NEW_RUNS = 10
"""So many runs are begun in one transaction; whoever needs another one waits for the next."""
_LOOK_BACK = timedelta(days=7)

Lesson = tuple[TargetGroup, int]
"""A day, counted from 0, of a group's curriculum."""
_Shares = defaultdict[tuple[int, Reason | None], list[int]]


async def plan_due(database: Database, desk: Desk, now: datetime, planned: Callable[[], None] = lambda: None) -> None:
    """Plan the tips whose hour has come: one run for each group, day of its curriculum and hour. `planned` is told
    after each transaction. Hours that passed unnoticed for too long are written down as missed, once; those people go
    on the day after."""
    await walk(database, Round(desk, now), planned)


class Round:
    """One look at everything that is due: `look` first, then `step` as long as it returns true."""

    def __init__(self, desk: Desk, now: datetime) -> None:
        self.desk = desk
        self.now = now
        self._hours: list[_Hour] = []

    async def look(self, tx: Tx) -> bool:
        """Find the hours at which somebody is due. Returns whether there is anything to do."""
        taught = await lessons.everything(tx)
        held = await tip_runs.first_held(tx)
        done = await tip_runs.latest_moment(tx) if held is None else held - timedelta(seconds=1)
        for slot in _slots(self.desk, done, self.now):
            if await lessons.any_due(tx, slot):
                self._hours.append(_Hour(self.desk, slot, taught, self.now))
        return bool(self._hours) or held is not None

    async def step(self, tx: Tx) -> bool:
        """Plan for a few thousand more, in this transaction. Returns whether there is more to do."""
        while self._hours:
            hour = self._hours[0]
            if due := await lessons.take_due(tx, hour.slot, hour.begin, CHUNK):
                await hour.serve(tx, due)
                return True
            del self._hours[0]
        await self._let_go(tx)
        return False

    async def _let_go(self, tx: Tx) -> None:
        """Nobody is added any more. What has begun is sent to its end; what was missed is written down."""
        missed: Counter[datetime] = Counter()
        for run in await tip_runs.held(tx):
            run.gather_after = run.gather_until = None
            if run.state is RunState.MISSED:
                missed[run.planned_at] += run.total
            elif run.state in runs.ENDED:
                await gathering.end_waiting(tx, run, self.now)
        for moment, people in sorted(missed.items()):
            local = self.desk.clock.local(moment)
            await audit.note(tx, self.now, "tips.missed", f"{local:%Y-%m-%d} {local.hour}:00", people=people)


class _Hour:
    """One hour of one day, and the runs that were found or begun for it so far."""

    def __init__(self, desk: Desk, slot: Slot, taught: dict[TargetGroup, list[str]], now: datetime) -> None:
        self.desk = desk
        self.slot = slot
        self.now = now
        self.begin = _begin(desk, slot)
        self.until = min(self.begin + VALID_FOR, desk.clock.end_of_day(self.begin))
        self.late = now > self.until
        self._taught = taught
        self._runs: dict[Lesson, int] = {}
        self._items: dict[str, int] = {}

    async def serve(self, tx: Tx, due: Mapping[Standing, Sequence[int]]) -> None:
        """Give everybody the next tip of their curriculum that may be said today, and move them on."""
        meant = {standing: self._lesson(standing) for standing in due}
        takers = await self._open(
            tx, {lesson for standing, lesson in meant.items() if self._is_meant(standing, lesson)}
        )
        shares: _Shares = defaultdict(list)
        days: defaultdict[int, list[int]] = defaultdict(list)
        for standing, people in due.items():
            lesson = meant[standing]
            day = lesson[1]
            if not self._is_meant(standing, lesson):
                days[day] += people
            elif lesson in takers:  # the others wait for the transaction that begins their run
                days[day + self._share(takers[lesson], standing, people, shares)] += people
        gained = await tip_runs.give(tx, shares)
        for run in filter(None, takers.values()):
            run.total += gained[run.id]
        await lessons.move_on(tx, days, self.slot.day)

    def _lesson(self, standing: Standing) -> Lesson:
        """Past tips that may no longer be said, and past those that somebody had before they changed their group."""
        group, day, seen, *_ = standing
        return group, curriculum.next_day(self.desk, self._taught[group], day, self.slot.day, seen)

    def _tip(self, lesson: Lesson) -> Tip | None:
        group, day = lesson
        tips = self._taught[group]
        return self.desk.pack.tips.get(tips[day]) if day < len(tips) else None

    def _is_meant(self, standing: Standing, lesson: Lesson) -> bool:
        """Whether there is a tip for them, or was one: who came after the hour has missed nothing."""
        return (standing.in_time or not self.late) and self._tip(lesson) is not None

    def _share(self, run: Run | None, standing: Standing, people: Sequence[int], shares: _Shares) -> int:
        """Note what they get. Returns by how many days their curriculum advances."""
        if run is None:
            return 0
        if run.state is RunState.MISSED:
            run.total += len(people)
            return 0
        if self.late:
            shares[run.id, Reason.EXPIRED] += people
            return 0
        shares[run.id, None if standing.can_reach else Reason.NO_ROUTE] += people
        return 1

    async def _open(self, tx: Tx, wanted: Collection[Lesson]) -> dict[Lesson, Run | None]:
        """The runs of those lessons, locked and held open, as far as they have begun or may begin now; `None` for one
        that takes nobody."""
        new = sorted(lesson for lesson in wanted if lesson not in self._runs)[:NEW_RUNS]
        if new:
            await one_at_a_time(tx, "tips")
        for lesson in new:
            self._runs[lesson] = await self._plan(tx, lesson)
        ids = {lesson: self._runs[lesson] for lesson in wanted if lesson in self._runs}
        found = await tip_runs.locked(tx, list(ids.values()))
        return {lesson: await self._hold(tx, found[id]) for lesson, id in ids.items()}

    async def _plan(self, tx: Tx, lesson: Lesson) -> int:
        """The run of that hour and lesson: the one that there is, or a new one."""
        tip = self._tip(lesson)
        assert tip is not None  # noqa: S101  # nobody is meant otherwise
        if tip.id not in self._items:
            self._items[tip.id] = (await curriculum.item_of(tx, self.desk, tip, self.now)).id
        group, day = lesson
        campaign = await tip_runs.campaign(tx, self._items[tip.id], f"tips:{group}:{day}:{self.slot.hour}", self.now)
        run = await runs.plan(tx, campaign.id, self.begin, valid_until=self.until)
        return await tip_runs.of_moment(tx, campaign.id, self.begin) if run is None else run.id

    async def _hold(self, tx: Tx, run: Run) -> Run | None:
        """Keep a run open for more people, unless it was cancelled or is being ended."""
        if run.state is RunState.CANCELLED or (run.gather_after is not None and run.gather_until is None):
            return None
        if run.state is RunState.PLANNED:
            run.materialised_at = None if self.late else self.now
            await runs.set_state(tx, run, RunState.MISSED if self.late else RunState.SENDING, self.now)
        elif run.state is RunState.DONE and not self.late:
            run.finished_at = None
            await runs.set_state(tx, run, RunState.SENDING, self.now)
        run.gather_after, run.gather_until = 0, HELD
        return run


def _slots(desk: Desk, latest: datetime | None, now: datetime) -> Iterator[Slot]:
    """Every hour from the latest one that was planned (a week ago at most) until now; all of today's."""
    today = desk.clock.today(now)
    first = today if latest is None else min(desk.clock.today(max(latest, now - _LOOK_BACK)), today)
    day = first
    while day <= today:
        for hour in range(EARLIEST, LATEST + 1):
            slot = Slot(day, hour)
            if _begin(desk, slot) <= now and (day == today or latest is None or _begin(desk, slot) > latest):
                yield slot
        day += timedelta(days=1)


def _begin(desk: Desk, slot: Slot) -> datetime:
    return desk.clock.at(slot.day, time(slot.hour))
