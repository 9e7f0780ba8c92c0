"""The whole demo: the product behind the page, its address, its beginning and its end."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest

from bot.core.clock import utc_now
from bot.core.errors import UserError
from bot.db import Database, accounts
from bot.db.migrate import migrate
from bot.demo import Demo
from bot.sandbox.sample import Part
from bot.settings import load

HEAD, RESIDENT, TEACHER, NEWCOMERS = 7010, 7020, 7011, (7001, 7002, 7003, 7004)


async def test_the_product_was_told_of_the_town_as_an_operator_would(demo: Demo) -> None:
    head = await demo.know(HEAD)
    assert head["roles"] == [{"role": "village_head", "unit": "Thôn Hà Lời"}]
    assert (head["status"], head["unit"], head["tip_hour"]) == ("active", "Thôn Hà Lời", 7)
    assert (await demo.know(TEACHER))["invited"] == 4
    assert [await demo.know(one) for one in NEWCOMERS] == [{}] * len(NEWCOMERS)
    for person in demo.town.people.values():
        known = await demo.know(person.id)
        assert known.get("tip_hour") == person.tip_hour
        assert [role["role"] for role in known.get("roles", [])] == [r for r in [person.part.role] if r]
    assert {p.part for p in demo.town.people.values()} == set(Part)


async def test_the_page_and_health_are_on_one_address(demo: Demo) -> None:
    root = demo.url.removesuffix("demo/")
    async with aiohttp.ClientSession() as session:
        for path in ("healthz", "readyz"):
            async with session.get(root + path) as response:
                assert response.status == 200
                assert (await response.json())["status"] == "ok"
        for path in ("", "demo"):
            async with session.get(root + path) as response:
                assert str(response.url) == demo.url
                assert "Loa Số" in await response.text()


async def test_a_jump_to_their_hour_brings_people_their_tip(demo: Demo) -> None:
    resident = demo.town.people[RESIDENT]
    assert resident.tip_hour == 19
    chat = resident.user.chat(demo.town.bot)
    async with aiohttp.ClientSession() as session:
        await session.post(f"{demo.url}api/clock", json={"hour": "19:00"})
    tip = await chat.wait(lambda m: m.from_bot, timeout=20)
    assert demo.machine.clock.local(demo.machine.now()).hour == 19
    assert tip.date == int(demo.machine.now().timestamp())
    assert demo.worlds.telegram.count_429() == 0


async def test_it_ends_while_a_page_is_open(demo: Demo) -> None:
    async with aiohttp.ClientSession() as session, session.get(f"{demo.url}api/stream") as stream:
        await stream.content.readline()
        async with asyncio.timeout(10):
            await demo.stop()
            assert (await stream.content.read()).endswith(b"\n\n")


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which somebody listens."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


async def test_a_port_that_was_asked_for_and_is_taken_is_one_sentence(taken: int, tmp_path: Path) -> None:
    demo = Demo(load(http_port=taken), tmp_path, people=20)
    with pytest.raises(UserError, match="already listens"):
        await demo.start()
    assert not demo.worlds.telegram.running


async def test_the_usual_port_gives_way_to_the_next_one(
    taken: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LOASO_HTTP_PORT", raising=False)
    usual = load().model_copy(update={"http_port": taken})
    usual.model_fields_set.discard("http_port")  # as if it were the default
    demo = Demo(usual, tmp_path, people=20)
    await demo.start()
    try:
        assert taken < int(demo.url.split(":")[2].partition("/")[0]) < taken + 20
    finally:
        await demo.stop()


async def test_a_database_with_real_accounts_is_left_alone(tmp_path: Path, sqlite_url: str) -> None:
    database = Database(sqlite_url)
    await migrate(database)
    async with database.write() as tx:
        await accounts.ensure(tx, "telegram:123456", utc_now() - timedelta(days=1))
    await database.close()
    with pytest.raises(UserError, match="LOASO_DATABASE_URL"):
        await Demo(load(http_port=0, database_url=sqlite_url), tmp_path, people=20).start()


@pytest.mark.kill
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
async def test_the_command_says_its_address_and_leaves_nothing_behind(how: signal.Signals, tmp_path: Path) -> None:
    mine = {k: v for k, v in os.environ.items() if not k.startswith("LOASO_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "demo"),
        env=mine | {"LOASO_HTTP_PORT": "0", "TMPDIR": str(tmp_path)},
        cwd=Path(__file__).parents[2],
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            said = (await process.stdout.readline()).decode()
        address = next(word for word in said.split() if word.startswith("http://127.0.0.1:"))
        async with aiohttp.ClientSession() as session, session.get(f"{address}api/state") as response:
            assert len((await response.json())["people"]) == 304
        process.send_signal(how)
        async with asyncio.timeout(10):
            _, errors = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert (process.returncode, errors.decode()) == (0, "")
    assert list(tmp_path.iterdir()) == []
