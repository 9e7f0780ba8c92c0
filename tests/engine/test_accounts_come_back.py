"""An account that lost its consent works again without a restart, as soon as an administrator has consented."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest
import sqlalchemy as sa

from bot.app import App
from bot.channels.zalo_oa import ZaloOaChannel
from bot.core.clock import Clock
from bot.core.words import AccountState, RoleName
from bot.db import Database, accounts, people, roles, units
from bot.db.tables import Audit
from bot.engine.local import LocalEngine
from bot.sandbox.zalo_oa import Limits, OaUser, Timing, ZaloOaSandbox
from bot.settings import Settings, secret_key
from bot.wiring import grants_of
from tests.support.program import Program

ADMIN = "388613280878800001"


class Running:
    """The product, which looks after its tokens every few milliseconds, and the settings for commands beside it."""

    def __init__(self, zalo: ZaloOaSandbox, database_url: str, folder: Path) -> None:
        self.zalo = zalo
        given: dict[str, Any] = {
            "database_url": database_url,
            "http_port": 0,
            "secret_key": "kept by the tests",
            "public_url": "http://127.0.0.1",
            "admins": f"zalo_oa:{ADMIN}",
            "zalo_oa_app_id": zalo.app_id,
            "zalo_oa_app_secret": zalo.app_secret,
            "zalo_oa_oa_secret": zalo.oa_secret,
            "zalo_oa_api_url": zalo.url,
            "zalo_oa_oauth_url": zalo.url,
        }
        self.command = Program(folder, **given)
        self.settings = Settings(_env_file=None, **given)
        self.database = Database(database_url)
        self.channel = ZaloOaChannel(
            zalo.app_id,
            zalo.app_secret,
            zalo.oa_secret,
            api_url=zalo.url,
            oauth_url=zalo.url,
            store=grants_of(self.settings, self.database, Clock(self.settings.zone)),
            seed=None,
            secret_key=secret_key(self.settings),
            public_url=self.settings.public_url,
            look_seconds=0.02,
            on_lost=lambda problem: self.app.told(self.channel.account, problem),
            on_found=lambda _: self.app.told(self.channel.account, ""),
        )
        self.app = App(self.settings, channels=[self.channel])

    async def start(self) -> None:
        await self.app.start()
        assert self.channel.webhook is not None
        assert await self.zalo.set_webhook(self.app.url + self.channel.webhook.path)

    async def stop(self) -> None:
        await self.app.stop()
        await self.database.close()

    async def state(self) -> AccountState:
        async with self.database.read() as tx:
            return (await accounts.ensure_known(tx, self.channel.account)).state

    async def until(self, state: AccountState) -> None:
        """Wait until the account is said to be so."""
        async with asyncio.timeout(10):
            while await self.state() is not state:  # noqa: ASYNC110 - it is written by others
                await asyncio.sleep(0.01)

    async def ready(self) -> int:
        """What a load balancer is told."""
        async with aiohttp.ClientSession() as asking, asking.get(self.app.url + "/readyz") as answer:
            return answer.status

    async def sent_back(self) -> str:
        """To where Zalo sends an administrator who consents."""
        async with (
            aiohttp.ClientSession() as browser,
            browser.get(self.channel.consent_address(), allow_redirects=False) as answer,
        ):
            return answer.headers["Location"]

    async def stops(self) -> int:
        """How often the admins were to be told that it stopped."""
        async with self.database.read() as tx:
            query = sa.select(sa.func.count()).select_from(Audit).where(Audit.action == "account.stopped")
            return (await tx.execute(query)).scalar_one()


async def answered(user: OaUser, text: str) -> None:
    """Somebody writes, and gets an answer."""
    before = len(user.received)
    user.write(text)
    await heard(user, before)


async def heard(user: OaUser, before: int) -> None:
    """Wait until there is more than that."""
    async with asyncio.timeout(10):
        while len(user.received) <= before:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)


async def by_command(running: Running) -> None:
    """In another process."""
    _, said = await running.command.loaso("zalo", "connect", await running.sent_back())
    assert "is connected" in said


async def by_web(running: Running) -> None:
    """By the way back from Zalo, which a forger tries first."""
    back = urlsplit(await running.sent_back())
    callback = running.app.url + back.path
    async with aiohttp.ClientSession() as browser:
        async with browser.get(callback, params={**dict(parse_qsl(back.query)), "state": "forged"}) as answer:
            assert answer.status == 400
        assert await running.state() is AccountState.STOPPED
        async with browser.get(f"{callback}?{back.query}") as answer:
            assert answer.status == 200


Way = Callable[[Running], Awaitable[None]]


@pytest.fixture
async def running(database_url: str, tmp_path: Path) -> AsyncIterator[Running]:
    zalo = ZaloOaSandbox(timing=Timing.fast(), limits=Limits(per_minute=None))
    await zalo.start()
    found = Running(zalo, database_url, tmp_path)
    await found.start()
    yield found
    await found.stop()
    await zalo.stop()


@pytest.mark.parametrize(
    ("database_url", "ways"),
    [("sqlite", (by_web, by_command)), ("postgres", (by_web, by_web))],
    indirect=["database_url"],
)
async def test_whoever_consents_wakes_the_account_up_from_wherever_they_do(running: Running, ways: list[Way]) -> None:
    zalo, lan = running.zalo, running.zalo.add_user("Lan")
    assert (await running.state(), await running.ready()) == (AccountState.STOPPED, 503)
    assert await admins(running) == [ADMIN]  # before they have written
    lan.follow()
    lan.write("menu")  # is heard, and answered as soon as that can be
    await zalo.settled()
    assert not lan.received

    await ways[0](running)
    await heard(lan, 0)
    await running.until(AccountState.ACTIVE)
    assert await running.ready() == 200
    await answered(lan, "menu")

    zalo.oauth.revoke()
    before = len(lan.received)
    lan.write("menu")
    await running.until(AccountState.STOPPED)
    assert isinstance(running.app.engine, LocalEngine)
    await running.app.engine.ledger.write()
    assert await running.ready() == 503
    assert await running.stops() == 2  # before anybody had consented, and now
    await running.app.told(running.channel.account, "as was said already")
    assert await running.stops() == 2
    assert len(lan.received) == before

    await ways[1](running)
    await heard(lan, before)
    await running.until(AccountState.ACTIVE)
    await answered(lan, "menu")

    address = await running.app.publish(b"a picture", "image/jpeg")
    path = address.removeprefix("http://127.0.0.1")
    async with aiohttp.ClientSession() as zalos, zalos.get(running.app.url + path) as answer:
        assert (answer.status, await answer.read()) == (200, b"a picture")


async def admins(running: Running) -> list[str]:
    """Who is told, by their address on the account."""
    async with running.database.read() as tx:
        account = await accounts.ensure_known(tx, running.channel.account)
        people_ids = await roles.holders(tx, (RoleName.ADMIN,), await units.root(tx))
        found = [contact for id in people_ids for contact in await people.contacts(tx, id)]
    assert {contact.account_id for contact in found} == {account.id}
    return [contact.external_id for contact in found]
