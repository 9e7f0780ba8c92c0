"""What an operator meets after months: reports of which only counts are left, copies of a divided database."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.core.words import CampaignKind, DeliveryState, ItemKind, RunState
from bot.db import Database, Tx, partitions, rollup
from bot.db.guard import SoleSender
from bot.db.tables import Campaign, Delivery, Item, Run
from bot.settings import Settings
from tests.cli.conftest import Loaso
from tests.support.postgres import Postgres

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
OLD = NOW - timedelta(days=200)
on_postgres = pytest.mark.parametrize("database_url", ["postgres"], indirect=True)


def with_database(url: str, work: Callable[[Database], Awaitable[None]]) -> None:
    async def run() -> None:
        database = Database(url)
        await work(database)
        await database.close()

    asyncio.run(run())


async def old_run(tx: Tx, people: int) -> int:
    """A run of long ago that reached everybody."""
    item = Item(kind=ItemKind.BROADCAST, parts=[], created_at=OLD)
    tx.add(item)
    await tx.flush()
    campaign = Campaign(kind=CampaignKind.BROADCAST, item_id=item.id, audience="all", fingerprint="x", created_at=OLD)
    tx.add(campaign)
    await tx.flush()
    run = Run(campaign_id=campaign.id, state=RunState.DONE, planned_at=OLD, finished_at=OLD, materialised_at=OLD)
    tx.add(run)
    await tx.flush()
    rows = [{"run_id": run.id, "person_id": n, "state": DeliveryState.SENT} for n in range(1, people + 1)]
    await tx.execute(sa.insert(Delivery), rows)
    return run.id


def test_the_report_of_an_old_run_is_its_counts_and_says_since_when(
    loaso: Loaso, environment: dict[str, str], tmp_path: Path
) -> None:
    url = environment["LOASO_DATABASE_URL"]

    async def begin(database: Database) -> None:
        async with database.write() as tx:
            await rollup.roll_up(tx, await old_run(tx, 3), NOW, NOW, 2)

    async def end(database: Database) -> None:
        async with database.write() as tx:
            await rollup.roll_up(tx, 1, NOW, NOW)

    with_database(url, begin)
    half = loaso("campaign", "report", "1", "--csv", "-")
    assert (half.code, half.out) == (1, "")
    assert half.err == "Run 1 is being reduced to its counts: ask again in some minutes.\n"
    with_database(url, end)
    whole = loaso("campaign", "report", "1", "--csv", tmp_path / "report.csv")
    said = "Since 23/11/2026 only the counts of run 1 are left: the report has them by unit and channel.\n"
    assert (whole.code, whole.err) == (0, said)
    assert (tmp_path / "report.csv").read_text("utf-8-sig").splitlines() == [
        "unit,channel,state,reason,count",
        ",,sent,,3",
    ]
    again = loaso("campaign", "retry-failed", "1")
    assert (again.code, "only its counts are left" in again.err) == (1, True)


@pytest.fixture
def other_url(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> str:
    """An empty database of the other kind."""
    if not database_url.startswith("sqlite"):
        return f"sqlite+aiosqlite:///{tmp_path}/other/loaso.db"
    server: Postgres = request.getfixturevalue("postgres")
    return server.create(f"copy{uuid.uuid4().hex}")


def test_everything_moves_to_the_other_kind_of_database(
    loaso: Loaso, other_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaso("roles", "grant", "telegram:77", "helper", "18859")
    monkeypatch.delenv("LOASO_SECRET_KEY")
    key = tmp_path / "secret.key" if other_url.startswith("postgres") else tmp_path / "var" / "secret.key"
    key.parent.mkdir(exist_ok=True)
    key.write_text("k" * 32)
    moved = loaso("copy-to", other_url)
    assert (moved.code, moved.out) == (0, "")
    assert " rows are in the other database. Set LOASO_DATABASE_URL to it, and LOASO_SECRET_KEY to what " in moved.err
    assert loaso("copy-to", other_url).err.startswith("The other database is in use (table ")
    monkeypatch.setenv("LOASO_DATABASE_URL", other_url)
    assert loaso("copy-to", other_url).err == "That is the database itself: name another one.\n"
    assert [held["who"] for held in loaso("roles", "list", "--json").json] == [["telegram:77"]]


def test_nothing_moves_while_somebody_sends(loaso: Loaso, environment: dict[str, str], other_url: str) -> None:
    url = environment["LOASO_DATABASE_URL"]

    async def held(database: Database) -> None:
        sole = SoleSender(database, Settings(database_url=url).sqlite_path)
        await sole.take()
        ended = await asyncio.to_thread(loaso, "copy-to", other_url)
        await sole.release()
        assert (ended.code, "stop every process first" in ended.err) == (1, True)

    with_database(url, held)
    assert loaso("copy-to", "mysql://x").err.startswith("LOASO_DATABASE_URL: write sqlite+aiosqlite:///PATH or ")


@pytest.fixture
def _tools(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    if not (postgres.binaries / "pg_dump").exists():
        pytest.skip("this PostgreSQL came without pg_dump")
    monkeypatch.setenv("PATH", str(postgres.binaries))


@on_postgres
@pytest.mark.usefixtures("_tools")
def test_a_copy_that_is_cut_off_changes_nothing(loaso: Loaso, environment: dict[str, str], tmp_path: Path) -> None:
    async def some(database: Database) -> None:
        async with database.write() as tx:
            await old_run(tx, 5_000)

    with_database(environment["LOASO_DATABASE_URL"], some)
    whole, half = tmp_path / "copy.dump", tmp_path / "half.dump"
    assert loaso("backup", whole).code == 0
    assert loaso("roles", "grant", "telegram:77", "helper", "18859").code == 0
    half.write_bytes(whole.read_bytes()[:-6_000])
    ended = loaso("restore", half)
    assert (ended.code, ended.err.startswith("pg_restore failed: ")) == (1, True), ended
    assert len(loaso("roles", "list", "--json").json) == 1
    assert loaso("restore", whole).code == 0
    assert loaso("roles", "list", "--json").json == []


@on_postgres
@pytest.mark.usefixtures("_tools")
def test_a_copy_is_put_back_over_other_partitions_than_it_holds(
    loaso: Loaso, environment: dict[str, str], tmp_path: Path
) -> None:
    url = environment["LOASO_DATABASE_URL"]
    copied: list[partitions.Partition] = []

    async def november(database: Database) -> None:
        async with database.write() as tx:
            await old_run(tx, 3)
        await partitions.turn(database, date(2026, 11, 1), margin=0)
        async with database.write() as tx:
            await old_run(tx, 3)
            copied.extend(await partitions.everything(tx))

    async def months_later(database: Database) -> None:
        await partitions.turn(database, date(2026, 12, 1), margin=0)
        async with database.write() as tx:
            await old_run(tx, 3)
            await tx.execute(sa.update(Run).where(Run.id == 1).values(rolled_up_at=NOW))
        assert await partitions.drop_rolled_up(database) == ["delivery_0000_00"]

    async def as_it_was(database: Database) -> None:
        async with database.read() as tx:
            assert await partitions.everything(tx) == copied
            assert (await tx.execute(sa.select(sa.func.count()).select_from(Delivery))).scalar_one() == 6

    with_database(url, november)
    assert loaso("backup", tmp_path / "copy.dump").code == 0
    with_database(url, months_later)
    restored = loaso("restore", tmp_path / "copy.dump")
    assert restored.code == 0, restored.err
    with_database(url, as_it_was)
