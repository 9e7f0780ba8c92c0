"""Our whole path: a real campaign for people in a real database, until its run is done and every result is kept; and
a reply's whole path, until it has left and its row is gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from benchmarks import replies
from benchmarks.addresses import token
from benchmarks.answers import TEXT
from benchmarks.cost import Cost, Watch, Wrong
from benchmarks.serving import Control
from bot.app import App, spare_collecting
from bot.core.clock import Clock, utc_now
from bot.core.events import Outbound
from bot.core.words import CampaignKind, RunState
from bot.db import runs
from bot.db.tables import Reply
from bot.outreach import audience, campaigns
from bot.settings import Settings

MEASURED, WARM_UP = "18859", "18871"
"""The units of the people who count and of those who only warm up."""

_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
_DAYTIME = datetime(2026, 11, 23, 13, 30, tzinfo=_ZONE)
_EVERY = 0.25
_NOTHING = nullcontext()


@dataclass(frozen=True, slots=True)
class Sent:
    """A run that is done. Seconds are from the command to the database's word that it is finished."""

    run_id: int
    seconds: float
    status: dict[str, Any]


def settings(url: str, database_url: str, accounts: int = 1) -> Settings:
    """As an operator would have them, without a limit on the pace."""
    return Settings(
        _env_file=None,
        database_url=database_url,
        telegram_token=",".join(map(token, range(accounts))),
        telegram_api_url=url,
        telegram_rate=0,
        secret_key="kept by the benchmarks",
        http_port=0,
    )


@asynccontextmanager
async def running(url: str, database_url: str, accounts: int = 1) -> AsyncIterator[App]:
    """The whole product, at half past one in the afternoon: nobody is asleep, no tip is due."""
    ahead = _DAYTIME - utc_now()
    app = App(settings(url, database_url, accounts), clock=Clock(_ZONE, lambda: datetime.now(UTC) + ahead))
    await app.start()
    spare_collecting()
    try:
        yield app
    finally:
        await app.stop()


async def send(app: App, unit: str) -> Sent:
    """What `loaso campaign send --to unit:CODE` plans, until the run is done. Raises `Wrong` if it ends otherwise."""
    now = app.desk.clock.now()
    plan = campaigns.Plan(
        kind=CampaignKind.BROADCAST,
        parts=[Outbound(chat_id="", text=TEXT)],
        audience=audience.parse(f"unit:{unit}"),
        at=now - timedelta(seconds=1),
    )
    async with app.database.write() as tx:
        _, run = await campaigns.create(tx, app.desk, plan, now)
    assert run is not None
    app.engine.wake()
    return await _until_done(app, run.id, now)


async def _until_done(app: App, run_id: int, begun: datetime) -> Sent:
    while True:
        await asyncio.sleep(_EVERY)
        async with app.database.read() as tx:
            run = await runs.get(tx, run_id)
            assert run is not None
            if run.state is RunState.DONE:
                assert run.finished_at is not None
                seconds = (run.finished_at - begun).total_seconds()
                return Sent(run_id, seconds, await campaigns.status(tx, run))
            if run.state is not RunState.SENDING and run.state is not RunState.PLANNED:
                raise Wrong(f"the run is {run.state}: {run.problem}")


async def whole_path(
    url: str,
    database_url: str,
    chats: Sequence[int],
    postmaster: int | None = None,
    around: AbstractContextManager[object] = _NOTHING,
) -> Cost:
    """Warm up, send to everybody in `MEASURED` within `around`, compare what arrived with what is written down."""
    server = Control(url)
    async with running(url, database_url) as app:
        await send(app, WARM_UP)
        server.reset()
        watch = Watch(postmaster)
        with around:
            sent = await send(app, MEASURED)
        cost = watch.read(len(chats), sent.seconds)
    check(sent.status, chats, server.log().chats)
    return cost


async def reply_path(
    url: str,
    database_url: str,
    chats: Sequence[int],
    warm_up: Sequence[int],
    postmaster: int | None = None,
    around: AbstractContextManager[object] = _NOTHING,
) -> Cost:
    """An update is fetched, stored and handled, and the menu leaves: for everybody once."""
    server = Control(url)
    async with running(url, database_url) as app:

        async def waiting() -> bool:
            async with app.database.read() as tx:
                return bool((await tx.execute(sa.select(sa.exists().select_from(Reply)))).scalar_one())

        await replies.answered(server, warm_up, waiting=waiting)
        with around:
            return await replies.answered(server, chats, postmaster, waiting)


def check(status: dict[str, Any], expected: Sequence[int], arrived: Sequence[int]) -> None:
    """Raises `Wrong` unless everybody was written to once and the database knows it."""
    if (status["total"], status["sent"]) != (len(expected), len(expected)):
        raise Wrong(f"{len(expected):,} people, but the database says {status}")
    if sorted(arrived) != list(expected):
        different = len(set(arrived)), len(arrived)
        raise Wrong(f"{len(expected):,} people, but %d chats got %d messages" % different)
