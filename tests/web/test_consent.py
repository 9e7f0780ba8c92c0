"""Where Zalo sends an administrator back: one sentence says how it went, and forged addresses change nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest

from bot.app import App
from bot.channels.zalo_oa import ZaloOaChannel
from bot.channels.zalo_oa_consent import make_state
from bot.core.clock import utc_now
from bot.core.grants import Grant
from bot.sandbox.zalo_oa import TOKEN_PATH, Limits, Timing, ZaloOaSandbox
from bot.settings import Settings
from bot.wiring import grants_of

KEY = "kept by the tests"


@dataclass(frozen=True)
class Front:
    """The platform, our program, and somebody's browser before it."""

    zalo: ZaloOaSandbox
    app: App
    browser: aiohttp.ClientSession

    @property
    def address(self) -> str:
        """What an administrator opens."""
        (channel,) = self.app.channels
        assert isinstance(channel, ZaloOaChannel)
        return channel.consent_address()

    async def sent_back(self) -> dict[str, str]:
        """What Zalo adds to the address to which it sends whoever consents."""
        async with self.browser.get(self.address, allow_redirects=False) as answer:
            assert answer.headers["Location"].startswith(self.zalo.redirect_uri)
            return {name: value[0] for name, value in parse_qs(urlsplit(answer.headers["Location"]).query).items()}

    async def come_back(self, query: dict[str, str], method: str = "GET") -> tuple[int, str]:
        """The status and what is shown."""
        async with self.browser.request(method, self.app.url + "/zalo/callback", params=query) as answer:
            assert answer.content_type == "text/plain"
            assert answer.headers["Cache-Control"] == "no-store"
            return answer.status, await answer.text()

    async def kept(self) -> Grant | None:
        return await grants_of(self.app.settings, self.app.database, self.app.desk.clock).read()


@asynccontextmanager
async def official(database_url: str) -> AsyncIterator[Front]:
    zalo = ZaloOaSandbox(timing=Timing.fast(), limits=Limits(per_minute=None))
    await zalo.start()
    oa = {"zalo_oa_app_id": zalo.app_id, "zalo_oa_app_secret": zalo.app_secret, "zalo_oa_oa_secret": zalo.oa_secret}
    urls = {"zalo_oa_api_url": zalo.url, "zalo_oa_oauth_url": zalo.url, "public_url": "http://127.0.0.1"}
    options: dict[str, Any] = {"database_url": database_url, "http_port": 0, "secret_key": KEY, **oa, **urls}
    app = App(Settings(_env_file=None, **options))
    await app.start()
    try:
        async with aiohttp.ClientSession() as browser:
            yield Front(zalo, app, browser)
    finally:
        await app.stop()
        await zalo.stop()


@pytest.fixture
async def front(database_url: str) -> AsyncIterator[Front]:
    async with official(database_url) as found:
        yield found


async def test_an_administrator_consents_and_a_code_serves_once(front: Front) -> None:
    assert await front.kept() is None
    query = await front.sent_back()
    assert set(query) == {"code", "oa_id", "state"}
    assert (await front.come_back(query, "HEAD"))[0] == 405  # a preview of the address uses up nothing
    assert await front.come_back(query) == (200, "Đã nối với Zalo. Cửa sổ này đóng được rồi.\n")
    kept = await front.kept()
    assert kept is not None
    assert front.zalo.oauth.judge(kept.access_token) == 0
    status, said = await front.come_back(query)
    assert (status, said.count("\n")) == (400, 1)
    assert said.startswith("Chưa nối được với Zalo: ")
    assert query["code"] not in said
    assert await front.kept() == kept


async def test_what_is_forged_declined_or_too_old_changes_nothing(sqlite_url: str) -> None:
    async with official(sqlite_url) as front:
        query = await front.sent_back()
        await forge(front, query)
        front.zalo.oauth.refuse_consent = True
        declined = await front.sent_back()
        assert "code" not in declined
        assert (await front.come_back(declined))[0] == 400
        assert await front.kept() is None
        front.zalo.faults.html(502, path=TOKEN_PATH)
        status, said = await front.come_back(query)
        assert (status, "502" in said) == (400, True)
        assert (await front.come_back(query))[0] == 200  # none of this used up the code


async def forge(front: Front, query: dict[str, str]) -> None:
    now = utc_now()
    old = make_state(KEY.encode(), now - timedelta(minutes=31))
    early = make_state(KEY.encode(), now + timedelta(minutes=5))
    others = make_state(b"another key", now)
    shown = query["state"][:-1] + ("A" if query["state"][-1] != "A" else "B")
    for state in ("", "x", "..", "ạ.b.c", old, early, others, shown):
        status, said = await front.come_back({**query, "state": state})
        assert (status, "loaso zalo connect" in said) == (400, True), state
    without = {name: value for name, value in query.items() if name != "state"}
    assert (await front.come_back(without))[0] == 400
    for code in ("", "guessed", "<script>alert(1)</script>", "x" * 4000):
        assert (await front.come_back({**query, "code": code}))[0] == 400, code
