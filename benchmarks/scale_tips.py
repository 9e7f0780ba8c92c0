"""A day's tips for a whole province, planned by `loaso run` while people ask it something."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

import sqlalchemy as sa

from benchmarks.cost import Wrong
from benchmarks.province import GROUPS, Line, Province, waited, zone
from benchmarks.replies import BOT, updates
from benchmarks.waits import Writer, share
from bot.core.words import CampaignKind
from bot.db import Database, lessons
from bot.db.lessons import Slot
from bot.db.tables import Campaign, Run

ASKERS = 200
"""So many have no hour for tips, and ask something while those of the others are planned."""


def plan_tips(province: Province) -> Iterator[Line]:
    """Everybody's tip is due in one of several hours that have just begun, while some ask something."""
    slots = _due()
    asking = _want_tips(province, [slot.hour for slot in slots])
    province.api.reset()
    asked: dict[int, float] = {}
    with Writer(province.file) as writer, province.loaso(telegram_rate=30).running() as process:
        left = iter(asking)
        while province.runner.run(_are_due(province.database, slots)):
            if (chat := next(left, None)) is not None:
                asked[chat] = time.time()
                province.api.feed(BOT, updates([chat]))
            time.sleep(0.1)
        seconds = time.time() - province.runner.run(_tips_began(province.database))
        cpu = process.cpu
        time.sleep(2)  # the last answers
    goal = 30 * max(province.people / 1_000_000, 0.1)
    told = f"{seconds:.1f} s, {len(slots)} hours, {len(GROUPS)} groups (with the start, {cpu:.1f} s of CPU)"
    yield Line(f"tips for {province.people - ASKERS:,} planned", f"< {goal:.0f} s", told, seconds < goal)
    yield waited(writer)
    waits = _answered(province, asked)
    late = share(waits, 0.99)
    told = f"{len(waits)} answers: half in {share(waits, 0.5):.2f} s, 99 % in {late:.2f} s, longest {max(waits):.2f} s"
    yield Line("… a person's answer meanwhile", "99 % < 0.5 s", told, late < 0.5)


def _due() -> list[Slot]:
    """Hours of today whose tips may still leave."""
    now = datetime.now(timezone(timedelta(hours=zone()[1])))
    earliest = now.hour - (2 if now.minute < 50 else 1)
    return [Slot(now.date(), hour) for hour in range(earliest, now.hour + 1)]


def _want_tips(province: Province, hours: list[int]) -> list[int]:
    """Give everybody one of the hours, but some none. Returns the chats of those."""
    connection = sqlite3.connect(province.file)
    hour = "CASE id % ? " + " ".join(f"WHEN {place} THEN {at}" for place, at in enumerate(hours)) + " END"
    with connection:
        connection.execute(f"UPDATE person SET tip_day = 0, tipped_on = '2000-01-01', tip_hour = {hour}", (len(hours),))
        connection.execute("UPDATE person SET tip_hour = NULL WHERE id <= ?", (ASKERS,))
    rows = connection.execute("SELECT external_id FROM contact WHERE person_id <= ?", (ASKERS,)).fetchall()
    connection.close()
    return [int(chat) for (chat,) in rows]


async def _are_due(database: Database, slots: list[Slot]) -> bool:
    """Whether somebody still waits to be planned, or a run is still held open."""
    held = sa.select(sa.exists().where(Run.gather_after.is_not(None)))
    async with database.read() as tx:
        return any([await lessons.any_due(tx, slot) for slot in slots]) or bool((await tx.execute(held)).scalar_one())


async def _tips_began(database: Database) -> float:
    """When the first of their runs was, in seconds since 1970."""
    query = sa.select(sa.func.min(Run.started_at)).join(Campaign).where(Campaign.kind == CampaignKind.TIP)
    async with database.read() as tx:
        began = (await tx.execute(query)).scalar_one()
    assert began is not None
    return began.timestamp()


def _answered(province: Province, asked: dict[int, float]) -> list[float]:
    """Seconds from each question to its answer. Raises `Wrong` if somebody got none."""
    log = province.api.log()
    answers = dict(zip(reversed(log.chats), reversed(log.times), strict=True))
    if missing := asked.keys() - answers.keys():
        raise Wrong(f"{len(missing)} of {len(asked)} got no answer")
    return [answers[chat] - at for chat, at in asked.items()]
