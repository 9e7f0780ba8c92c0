"""What dividing the deliveries costs the sender, what the turn of a month and the roll-up cost everybody:
`python -m benchmarks.partitions`. PostgreSQL alone; `docs/decisions/0014` has the figures."""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter

import sqlalchemy as sa

from benchmarks.seed import seed
from bot.core.clock import utc_now
from bot.core.words import CampaignKind, DeliveryState, ItemKind, RunState
from bot.db import Database, Tx, partitions, rollup
from bot.db.tables import Campaign, Item, Run
from bot.db.traffic import Outcome, Traffic, Want
from tests.support.postgres import Postgres

OLD_RUNS = 8
LAYOUTS = (
    ("one table", False, 100),
    ("one table, filled to 35 %", False, 35),
    ("nine partitions", True, 100),
    ("nine partitions, filled to 35 %", True, 35),
)
_AT_ONCE = 150
_ONE_TABLE = (
    "CREATE TABLE plain (LIKE delivery) WITH (fillfactor = {filled})",
    "DROP TABLE delivery",
    "ALTER TABLE plain RENAME TO delivery",
    "ALTER TABLE delivery ADD CONSTRAINT delivery_pkey PRIMARY KEY (run_id, person_id)",
)


async def _do(tx: Tx, statement: str) -> None:
    await tx.execute(sa.text(statement))


async def _runs(tx: Tx, old: int) -> None:
    """So many runs that are over, and one that is being sent."""
    now = utc_now()
    item = Item(kind=ItemKind.BROADCAST, parts=[], created_at=now)
    tx.add(item)
    await tx.flush()
    campaign = Campaign(kind=CampaignKind.BROADCAST, item_id=item.id, audience="all", fingerprint="x", created_at=now)
    tx.add(campaign)
    await tx.flush()
    for number in range(old + 1):
        state, ended = (RunState.DONE, now) if number < old else (RunState.SENDING, None)
        planned = now + timedelta(seconds=number)
        tx.add(Run(campaign_id=campaign.id, state=state, planned_at=planned, materialised_at=now, finished_at=ended))
    await tx.flush()


async def _lay_out(tx: Tx, divided: bool, filled: int) -> None:
    if not divided:
        for statement in _ONE_TABLE:
            await _do(tx, statement.format(filled=filled))
        return
    await _do(tx, "DROP TABLE delivery_0000_00")
    for number in range(1, OLD_RUNS + 2):
        first = "MINVALUE" if number == 1 else str(number)
        end = "MAXVALUE" if number > OLD_RUNS else str(number + 1)
        bounds = f"FOR VALUES FROM ({first}) TO ({end}) WITH (fillfactor = {filled})"
        await _do(tx, f"CREATE TABLE delivery_2026_{number:02} PARTITION OF delivery {bounds}")


async def _fill(tx: Tx, first: int, last: int, state: int, more: str = "NULL, NULL, NULL") -> None:
    rows = f"SELECT r, id, {state}, {more} FROM generate_series({first}, {last}) r, person ORDER BY r, id"
    await _do(tx, f"INSERT INTO delivery (run_id, person_id, state, contact_id, message_id, at) {rows}")


async def _analyze(database: Database) -> None:
    async with database.write() as tx:
        await _do(tx, "ANALYZE")


async def layout(server: Postgres, database: Database, people: int, divided: bool, filled: int) -> tuple[float, float]:
    """The database's CPU and the room for a delivery of a new run beside eight old ones: µs and bytes."""
    async with database.write() as tx:
        await _runs(tx, OLD_RUNS)
        await _lay_out(tx, divided, filled)
        await _fill(tx, 1, OLD_RUNS, 2, "id, '12345678', now()")
    await _analyze(database)
    run_id = OLD_RUNS + 1
    async with database.write() as tx:
        before = await _room(tx)
        await _fill(tx, run_id, run_id, 0)
    begun = _cpu(server.process.pid)
    await _send(Traffic(database), run_id)
    used = _cpu(server.process.pid) - begun
    async with database.read() as tx:
        return used / people * 1e6, (await _room(tx) - before) / people


async def _room(tx: Tx) -> int:
    query = "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relname ~ '^delivery' AND relkind = 'r'"
    return int((await tx.execute(sa.text(query))).scalar_one())


async def _send(traffic: Traffic, run_id: int) -> None:
    """Claim and settle everybody as the sender does."""
    outcomes: list[Outcome] = []
    after, closed = 0, list[int]()
    while True:
        now = utc_now()
        want = Want(run_id, 1, after, _AT_ONCE, "benchmark", now + timedelta(minutes=1))
        claim = await traffic.exchange(outcomes, closed, want)
        if claim is None or not claim.rows:
            return
        after, closed = claim.reached, [claim.slice_id]
        sent = DeliveryState.SENT
        outcomes = [Outcome(run_id, row.person_id, 1, sent, now, None, "12345678") for row in claim.rows]


def _cpu(postmaster: int) -> float:
    """CPU seconds that a server's processes have used, the ended ones too."""
    ticks = 0
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(") ")[2].split()
        except OSError:
            continue
        if int(status.parent.name) == postmaster:
            ticks += sum(map(int, fields[11:15]))
        elif int(fields[1]) == postmaster:
            ticks += sum(map(int, fields[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


async def turn(database: Database, people: int) -> tuple[float, float]:
    """How long a month's turn holds others off, as we do it and without the check: milliseconds."""
    async with database.write() as tx:
        await _runs(tx, OLD_RUNS)
        await _fill(tx, 1, OLD_RUNS, 2, "id, '12345678', now()")
    async with database.write() as tx:
        current = (await partitions.everything(tx))[-1]
        end = await partitions.announce(tx, current, 0)
    async with database.write() as tx:
        await _do(tx, f"ALTER TABLE {current.name} VALIDATE CONSTRAINT {current.name}_ends")
    closed = partitions.Partition(current.name, None, end)
    begun = perf_counter()
    async with database.write() as tx:
        await partitions.close(tx, closed, partitions.Partition(partitions.named(date(2026, 12, 1)), end, None))
    quick, begun = perf_counter() - begun, perf_counter()
    async with database.write() as tx:
        await _do(tx, f"ALTER TABLE delivery DETACH PARTITION {closed.name}")
        await _do(tx, f"ALTER TABLE delivery ATTACH PARTITION {closed.name} FOR VALUES {closed.bounds}")
    return quick * 1e3, (perf_counter() - begun) * 1e3


async def roll_up(database: Database) -> tuple[float, float]:
    """A transaction of the roll-up, median and longest: milliseconds."""
    async with database.write() as tx:
        await _runs(tx, 1)
        await _do(tx, "UPDATE person SET unit_id = 2 + id % 41")
        await _do(
            tx,
            "INSERT INTO delivery (run_id, person_id, state, contact_id) SELECT 1, id, 2, id FROM person ORDER BY id",
        )
    if not database.is_sqlite:
        await _analyze(database)
    times, more, now = [], True, utc_now() + timedelta(days=1)
    while more:
        begun = perf_counter()
        async with database.write() as tx:
            more = await rollup.roll_up(tx, 1, now, now)
        times.append((perf_counter() - begun) * 1e3)
    return median(times), max(times)


@contextmanager
def _server() -> Iterator[Postgres]:
    server = Postgres()
    try:
        yield server
    finally:
        server.stop()


async def _layouts(server: Postgres, people: int, runs: int) -> dict[str, list[tuple[float, float]]]:
    """Each layout in its turn, so often."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name, *_ in LAYOUTS}
    for _ in range(runs):
        for name, divided, filled in LAYOUTS:
            database = await _opened(server.create("layout"), people)
            found[name].append(await layout(server, database, people, divided, filled))
            await database.close()
            server.drop("layout")
    return found


async def _main(people: int, runs: int, folder: Path) -> None:
    with _server() as server:
        for name, found in (await _layouts(server, people, runs)).items():
            cpu, room = (median(figures) for figures in zip(*found, strict=True))
            print(f"{name}: {cpu:.1f} µs and {room:.0f} bytes a delivery claimed and settled")
        database = await _opened(server.create("turn"), people)
        quick, slow = await turn(database, people)
        print(f"turn of a month, {OLD_RUNS * people:,} deliveries: {quick:.0f} ms, without the check {slow:.0f} ms")
        await database.close()
        for url in (server.create("rollup"), f"sqlite+aiosqlite:///{folder}/rollup.db"):
            database = await _opened(url, people)
            middle, longest = await roll_up(database)
            kind = "SQLite" if database.is_sqlite else "PostgreSQL"
            print(f"roll-up on {kind}, {rollup.CHUNK:,} deliveries at once: {middle:.0f} ms, at most {longest:.0f} ms")
            await database.close()


async def _opened(url: str, people: int) -> Database:
    await seed(url, people, 1)
    return Database(url)


if __name__ == "__main__":
    import tempfile

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_main(asked.people, asked.runs, Path(folder)))
