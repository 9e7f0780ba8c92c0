"""A process that is killed while it renews a token leaves a token that works, or an alarm; run as a program, it renews.

As a program: `python -m tests.kill.test_token_rotation DATABASE ZALO STEP`, which says each step that it has reached
and stands still at STEP.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.channels.zalo_http import ZaloHttp
from bot.channels.zalo_oa_api import OaApi
from bot.channels.zalo_oa_tokens import TURN_SECONDS, TokenKeeper
from bot.core.clock import utc_now
from bot.core.errors import AccountStopped
from bot.core.grants import Grant
from bot.db import Database
from bot.db.grants import DatabaseGrants
from bot.sandbox.zalo_oa import TOKEN_PATH, Timing, ZaloOaSandbox

pytestmark = [pytest.mark.kill, pytest.mark.timeout(60)]

ROOT = Path(__file__).resolve().parents[2]
APP, SECRET, ACCOUNT = "360846524940903967", "app-secret", "zalo_oa:360846524940903967"
GETOA = "/v2.0/oa/getoa"


class Stopping(DatabaseGrants):
    """Says what was done, and stands still at one step."""

    step = ""

    async def take_turn(self, owner: str, seconds: float) -> bool:
        taken = await super().take_turn(owner, seconds)
        if taken:
            await self.reach("turn")
        return taken

    async def replace(self, grant: Grant, *, instead_of: Grant | None = None) -> None:
        await self.reach("received")
        await super().replace(grant, instead_of=instead_of)
        await self.reach("stored")

    async def reach(self, step: str) -> None:
        sys.stdout.write(f"{step}\n")
        sys.stdout.flush()
        if step == self.step:
            await asyncio.Event().wait()


async def renew(database: Database, zalo: str, step: str) -> None:
    """Renew the token, and use it for one call."""
    store = Stopping(database, ACCOUNT)
    store.step = step
    http = ZaloHttp()
    keeper = TokenKeeper(http, zalo, APP, SECRET, store, utc_now)
    await OaApi(http, zalo, keeper, utc_now).get(GETOA)
    await store.reach("used")


@pytest.fixture
async def zalo() -> AsyncIterator[ZaloOaSandbox]:
    found = ZaloOaSandbox(app_id=APP, app_secret=SECRET, timing=Timing.fast())
    await found.start()
    yield found
    await found.stop()


@pytest.fixture
async def old(zalo: ZaloOaSandbox, database: Database) -> Grant:
    """A pair in the database that it is time to renew."""
    return await consent(database, zalo, age=timedelta(hours=20))


async def consent(database: Database, zalo: ZaloOaSandbox, age: timedelta = timedelta(0)) -> Grant:
    """A pair of that age, as a human gets it."""
    access, refresh = zalo.issue_pair()
    begun = utc_now() - age
    ends = begun + timedelta(hours=25)
    grant = Grant(access_token=access, refresh_token=refresh, obtained_at=begun, expires_at=ends)
    await DatabaseGrants(database, ACCOUNT).replace(grant)
    return grant


async def start(database: Database, zalo: ZaloOaSandbox, step: str) -> asyncio.subprocess.Process:
    arguments = ("-m", "tests.kill.test_token_rotation", database.url, zalo.url, step)
    return await asyncio.create_subprocess_exec(sys.executable, *arguments, stdout=asyncio.subprocess.PIPE, cwd=ROOT)


async def until(process: asyncio.subprocess.Process, step: str) -> list[str]:
    """What it has said, up to that step. Raises `TimeoutError`."""
    said: list[str] = []
    assert process.stdout is not None
    async with asyncio.timeout(30):
        while step not in said:
            line = await process.stdout.readline()
            assert line, "it has ended"
            said.append(line.decode().strip())
    return said


async def kill(process: asyncio.subprocess.Process) -> None:
    process.kill()
    await process.wait()


def later() -> datetime:
    """When the turn of whoever was killed has run out."""
    return utc_now() + timedelta(seconds=TURN_SECONDS + 1)


async def go_on(database: Database, zalo: ZaloOaSandbox) -> bool:
    """What the next process does: whether it could make a call; `False` when it raised the alarm."""
    http = ZaloHttp(read_seconds=5)
    store = DatabaseGrants(database, ACCOUNT, clock=later)
    keeper = TokenKeeper(http, zalo.url, APP, SECRET, store, later)
    try:
        await OaApi(http, zalo.url, keeper, later).get(GETOA)
    except AccountStopped:
        assert "loaso zalo connect" in (await store.lost() or "")
        return False
    finally:
        await http.close()
    stored = await store.read()
    assert stored is not None
    assert zalo.oauth.judge(stored.access_token) == 0
    assert await store.lost() is None
    return True


@pytest.mark.parametrize(
    ("step", "works", "issued"), [("turn", True, 2), ("received", False, 2), ("stored", True, 2), ("used", True, 2)]
)
async def test_killed_at_a_step_of_its_own(
    step: str, works: bool, issued: int, database: Database, zalo: ZaloOaSandbox, old: Grant
) -> None:
    process = await start(database, zalo, step)
    await until(process, step)
    assert zalo.journal.count(GETOA) == (1 if step == "used" else 0)  # nothing is used before it is stored
    assert zalo.journal.count(GETOA, -216) == zalo.journal.count(GETOA, -220) == 0
    await kill(process)
    assert await go_on(database, zalo) is works
    assert zalo.oauth.issued == issued
    assert zalo.journal.count(TOKEN_PATH, -14014) == (0 if works else 1)
    if not works:
        await consent(database, zalo)
        assert await go_on(database, zalo)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("carried_out", [True, False], ids=["carried out", "not carried out"])
async def test_killed_while_zalo_answers(
    carried_out: bool, database: Database, zalo: ZaloOaSandbox, old: Grant
) -> None:
    fault = zalo.faults.stall(20, after=carried_out, path=TOKEN_PATH)
    process = await start(database, zalo, "never")
    await until(process, "turn")
    async with asyncio.timeout(10):
        while not fault.hits:  # noqa: ASYNC110  # the platform tells nobody
            await asyncio.sleep(0.005)
    await kill(process)
    assert zalo.journal.count(GETOA) == 0
    assert await go_on(database, zalo) is not carried_out
    assert zalo.oauth.issued == 2
    assert zalo.journal.count(TOKEN_PATH, -14014) == (1 if carried_out else 0)


if __name__ == "__main__":
    asyncio.run(renew(Database(sys.argv[1]), sys.argv[2], sys.argv[3]))
