"""Moving to the other kind of database and back: every row arrives as it was, or none does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot.core.errors import UserError
from bot.core.events import Outbound
from bot.core.words import CampaignKind, RoleName
from bot.db import Database, accounts, partitions, people, replies, rollup, transfer, units
from bot.db.migrate import migrate
from bot.db.tables import Delivery, Person, Reply, Run, Unit
from bot.db.tables_practice import Learner, Practice, PracticeRound
from bot.outreach import audience, campaigns
from tests.support.postgres import Postgres
from tests.support.talk import Talk


@pytest.fixture
async def other(request: pytest.FixtureRequest, database: Database, tmp_path: Path) -> AsyncIterator[Database]:
    """An empty database of the other kind."""
    if database.is_sqlite:
        server: Postgres = request.getfixturevalue("postgres")
        url = server.create(f"other{tmp_path.name[-30:]}{id(database)}")
    else:
        url = f"sqlite+aiosqlite:///{tmp_path}/other/loaso.db"
    found = Database(url)
    await migrate(found)
    yield found
    await found.close()


@pytest.fixture
async def life(talk: Talk) -> Talk:
    """A village with people who come, go, answer and are written to; also a unit that refers to a later one."""
    await talk.village("V1", "Thôn Một")
    await talk.village("V2", "Thôn Hai")
    for id in ("1001", "1002", "1003"):
        await talk.resident(id, unit="V1")
    head = await talk.staff("1009", RoleName.VILLAGE_HEAD, "V1")
    await talk.person("1002").blocks()
    await talk.person("1003").says("DỪNG")
    await head.says("/start")
    old = await _send(talk)
    await talk.deliver()
    talk.advance(days=200)
    await _send(talk)
    await talk.deliver()
    async with talk.database.write() as tx:
        await rollup.roll_up(tx, old, talk.now - timedelta(days=180), talk.now)
        merged = await units.by_code(tx, "V1")
        into = await units.by_code(tx, "V2")
        assert merged is not None
        assert into is not None
        merged.merged_into_id = into.id
        await replies.add(tx, talk.account.id, None, Outbound(chat_id="1", text="Chào bà con"), talk.now)
        tx.add(Practice(person_id=1, tip="otp_never", was_right=True, step=2, due_on=talk.now.date(), at=talk.now))
        tx.add(Learner(person_id=1, tip="otp_never", asked_on=talk.now.date(), streak=3, streak_on=talk.now.date()))
        tx.add(PracticeRound(hour=17, day=talk.now.date(), after=1, until=4))
    return talk


async def _send(talk: Talk) -> int:
    async with talk.database.write() as tx:
        plan = campaigns.Plan(
            kind=CampaignKind.BROADCAST,
            parts=[Outbound(chat_id="", text="Mai họp thôn")],
            audience=audience.parse("all"),
            at=talk.now,
            again=True,
        )
        _, run = await campaigns.create(tx, talk.desk, plan, talk.now)
        assert run is not None
        return run.id


async def everything(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables, as Python sees them."""
    async with database.read() as tx:
        found = {}
        for model in transfer.models():
            table = model.__table__
            query = sa.select(*table.columns).order_by(*table.primary_key)
            found[model.__tablename__] = [tuple(row) for row in (await tx.execute(query)).all()]
        return found


async def test_every_row_arrives_as_it_was(life: Talk, other: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "AT_ONCE", 7)
    told: list[int] = []
    expected = await everything(life.database)
    rows = await transfer.transfer(life.database, other, told.append)
    assert await everything(other) == expected
    assert rows == sum(told) == sum(map(len, expected.values())) == await transfer.count(life.database)
    filled = {name for name, found in expected.items() if found}
    assert {"person", "contact", "unit", "delivery", "tally", "rollup", "role", "reply", "run", "campaign"} <= filled


async def test_there_and_back_again(life: Talk, other: Database, sqlite_url: str, tmp_path: Path) -> None:
    expected = await everything(life.database)
    third = Database(f"sqlite+aiosqlite:///{tmp_path}/third/loaso.db")
    await migrate(third)
    await transfer.transfer(life.database, other, lambda _: None)
    await transfer.transfer(other, third, lambda _: None)
    assert await everything(third) == expected
    await third.close()


async def test_ids_go_on_where_they_were(life: Talk, other: Database) -> None:
    async with life.database.write() as tx:
        gone = await replies.add(tx, life.account.id, None, Outbound(chat_id="1", text="x"), life.now)
        await tx.flush()
        last = gone.id
        await tx.execute(sa.delete(Reply))
        latest = (await tx.execute(sa.select(sa.func.max(Person.id)))).scalar_one()
    await transfer.transfer(life.database, other, lambda _: None)
    async with other.write() as tx:
        account = await accounts.ensure(tx, life.channel.account, life.now)
        added = await replies.add(tx, account.id, None, Outbound(chat_id="1", text="x"), life.now)
        person, _ = await people.add(tx, account.id, "5555", life.now)
        await tx.flush()
        assert (added.id > last, person.id > latest) == (True, True)


async def test_the_product_goes_on_there(life: Talk, other: Database) -> None:
    await transfer.transfer(life.database, other, lambda _: None)
    moved = Talk(other)
    moved.now = life.now + timedelta(days=1)
    await moved.open()
    await _send(moved)
    await moved.deliver()
    assert [len(moved.person(id).heard) for id in ("1001", "1002", "1003", "1009")] == [1, 0, 0, 1]
    await partitions.turn(other, moved.now.date())
    async with other.read() as tx:
        mine = (
            sa.select(sa.func.count())
            .select_from(Delivery)
            .where(Delivery.run_id == sa.select(sa.func.max(Run.id)).scalar_subquery())
        )
        assert (await tx.execute(mine)).scalar_one() == 3
    await moved.close()


async def test_a_database_in_use_is_left_alone(life: Talk, other: Database) -> None:
    async with other.write() as tx:
        await accounts.ensure(tx, "telegram:1", life.now)
    before = await everything(other)
    with pytest.raises(UserError, match="in use"):
        await transfer.transfer(life.database, other, lambda _: None)
    assert await everything(other) == before


async def test_units_that_only_the_other_has_are_not_lost(life: Talk, other: Database) -> None:
    async with other.write() as tx:
        await tx.execute(sa.update(Unit).where(Unit.code == "18859").values(code="99999"))
    with pytest.raises(UserError, match="units of its own"):
        await transfer.transfer(life.database, other, lambda _: None)


async def test_what_breaks_off_leaves_nothing_and_can_be_done_again(life: Talk, other: Database) -> None:
    before = await everything(other)
    seen = 0

    def break_off(rows: int) -> None:
        nonlocal seen
        seen += rows
        if seen > 60:
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await transfer.transfer(life.database, other, break_off)
    assert await everything(other) == before
    await transfer.transfer(life.database, other, lambda _: None)
    assert await everything(other) == await everything(life.database)
