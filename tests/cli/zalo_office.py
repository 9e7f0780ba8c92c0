"""An office with an Official Account: a local Zalo, the settings for it, and commands that run beside it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest

from bot.core.grants import Grant
from bot.db import Database
from bot.db.grants import DatabaseGrants
from bot.sandbox.zalo_oa import Limits, Timing, ZaloOaSandbox
from tests.cli.conftest import Ended, Loaso

NOON = datetime(2026, 11, 20, 5, tzinfo=UTC).timestamp()
"""Of a Friday in Việt Nam, by Zalo's clock."""


def zone_where_it_is(hour: int) -> str:
    """A time zone in which it is that hour now, so that no test depends on when it runs."""
    east = (hour - datetime.now(UTC).hour + 11) % 24 - 11
    return f"Etc/GMT{-east:+d}"


@dataclass(slots=True)
class Office:
    """`key` is that of the account. Calling it runs a command, while Zalo goes on in this thread."""

    zalo: ZaloOaSandbox
    loaso: Loaso
    url: str
    patch: pytest.MonkeyPatch
    folder: Path

    @property
    def key(self) -> str:
        return f"zalo_oa:{self.zalo.app_id}"

    async def __call__(self, *arguments: str | Path) -> Ended:
        ended = await asyncio.to_thread(self.loaso, *arguments)
        kept = await self.kept()
        secrets = [self.zalo.app_secret, self.zalo.oa_secret, "secret of the tests"]
        secrets += [kept.access_token, kept.refresh_token] if kept else []
        assert not [secret for secret in secrets if secret in ended.out + ended.err]
        return ended

    async def refused(self, *arguments: str | Path) -> str:
        """The one sentence with which a command ends."""
        ended = await self(*arguments)
        assert (ended.code, ended.out, ended.err.count("\n")) == (1, "", 1), ended
        return ended.err

    def set(self, **settings: str) -> None:
        for name, value in settings.items():
            self.patch.setenv(f"LOASO_{name.upper()}", value)

    async def consent(self) -> None:
        """As an administrator did long ago."""
        access, refresh = self.zalo.issue_pair()
        self.set(zalo_oa_access_token=access, zalo_oa_refresh_token=refresh)

    async def kept(self) -> Grant | None:
        """What the database holds."""
        database = Database(self.url)
        found = await DatabaseGrants(database, self.key).read()
        await database.close()
        return found

    async def sent_back(self, address: str) -> str:
        """To where Zalo sends an administrator who opens that address."""
        async with aiohttp.ClientSession() as browser, browser.get(address, allow_redirects=False) as answer:
            return answer.headers["Location"]


@pytest.fixture(name="office")
async def an_office(
    loaso: Loaso, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> AsyncIterator[Office]:
    """By day, with an address of our own; nobody has consented yet."""
    zalo = ZaloOaSandbox(clock=lambda: NOON, timing=Timing.fast(), limits=Limits(per_minute=None))
    await zalo.start()
    office = Office(zalo, loaso, environment["LOASO_DATABASE_URL"], monkeypatch, tmp_path)
    office.set(
        zalo_oa_app_id=zalo.app_id,
        zalo_oa_app_secret=zalo.app_secret,
        zalo_oa_oa_secret=zalo.oa_secret,
        zalo_oa_api_url=zalo.url,
        zalo_oa_oauth_url=zalo.url,
        public_url="http://127.0.0.1",
        timezone=zone_where_it_is(12),
        http_port="0",
    )
    yield office
    await zalo.stop()
