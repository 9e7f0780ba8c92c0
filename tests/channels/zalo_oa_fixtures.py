"""A local Zalo, an Official Account on it, the channel under test, and the web between them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from bot.channels.zalo_oa import ZaloOaChannel
from bot.core.channel import Webhook
from bot.core.grants import Grant, GrantStore, MemoryGrants
from bot.sandbox.zalo_oa import Limits, OaUser, Timing, ZaloOaSandbox

NOON = datetime(2026, 11, 20, 5, tzinfo=UTC)
"""Of a Friday in Việt Nam."""

KEY = b"secret"


@dataclass(slots=True)
class Hands:
    """A clock that is set by hand, for us and for Zalo."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def seconds(self) -> float:
        return self.now.timestamp()

    def pass_by(self, **time: float) -> None:
        self.now += timedelta(**time)


class Front:
    """Our side of the web: mounts what a channel offers, as `bot.web` does. `statuses` are the answers given, `files`
    what lies on the web, by path."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.files: dict[str, bytes] = {}
        self.root = ""
        self.hook: Webhook | None = None

    async def handle(self, request: web.Request) -> web.Response:
        assert self.hook is not None
        assert request.path == self.hook.path
        headers = {name.lower(): value for name, value in request.headers.items()}
        answer = await self.hook.accept(headers, await request.read())
        self.statuses.append(answer.status)
        return web.Response(status=answer.status, text=answer.body)

    async def serve(self, request: web.Request) -> web.Response:
        content = self.files.get(request.path)
        return web.Response(status=404) if content is None else web.Response(body=content)


@dataclass(slots=True)
class Oa:
    """The platform, the clock and where tokens are kept. `connect` makes channels, closed at the end."""

    zalo: ZaloOaSandbox
    hands: Hands
    store: GrantStore
    front: Front
    channels: list[ZaloOaChannel] = field(default_factory=list)

    def pair(self) -> Grant:
        """A fresh pair, as the API Explorer shows it: it kills the one before."""
        access, refresh = self.zalo.issue_pair()
        life = timedelta(seconds=self.zalo.limits.access_life)
        now = self.hands.now
        return Grant(access_token=access, refresh_token=refresh, obtained_at=now, expires_at=now + life)

    async def grant(self) -> Grant:
        """The pair that the program has from now on."""
        found = self.pair()
        await self.store.replace(found)
        return found

    def connect(self, **more: Any) -> ZaloOaChannel:
        """A channel with short waits, not started."""
        options: dict[str, Any] = {
            "api_url": self.zalo.url,
            "oauth_url": self.zalo.url,
            "store": self.store,
            "seed": None,
            "secret_key": KEY,
            "public_url": "http://127.0.0.1",
            "clock": self.hands,
            "read_seconds": 0.4,
            "look_seconds": 0.01,
            **more,
        }
        channel = ZaloOaChannel(self.zalo.app_id, self.zalo.app_secret, self.zalo.oa_secret, **options)
        self.channels.append(channel)
        return channel

    async def hook(self, channel: ZaloOaChannel) -> None:
        """Save the channel's webhook in the console."""
        self.front.hook = channel.webhook
        assert channel.webhook is not None
        assert await self.zalo.set_webhook(self.front.root + channel.webhook.path)

    def follower(self, name: str = "Lan") -> OaUser:
        """Somebody who may be written to."""
        user = self.zalo.add_user(name)
        user.follow()
        return user


@asynccontextmanager
async def official_account(
    store: GrantStore | None = None, change: Callable[[Limits], None] = lambda _limits: None
) -> AsyncIterator[Oa]:
    """Everything running; no token is granted yet."""
    hands, front, limits = Hands(), Front(), Limits(per_minute=None)
    change(limits)
    zalo = ZaloOaSandbox(clock=hands.seconds, timing=Timing.fast(), limits=limits)
    await zalo.start()
    app = web.Application()
    app.router.add_post("/{tail:.*}", front.handle)
    app.router.add_get("/{tail:.*}", front.serve)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    front.root = f"http://127.0.0.1:{runner.addresses[0][1]}"
    oa = Oa(zalo, hands, store or MemoryGrants(), front)
    try:
        yield oa
    finally:
        for channel in oa.channels:
            await channel.close()
        await zalo.stop()
        await runner.cleanup()
