"""Between the product and a sandbox: our side of the web, and a channel that notes what it sends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from aiohttp import web

from bot.core.channel import Capabilities, Channel, Health, Prepared, Receive, Webhook
from bot.core.events import Media, Outbound, Sent


class Front:
    """A web server with the webhook that a channel offers, with the files that the product publishes, and below
    `people` with any file that somebody could have sent."""

    def __init__(self) -> None:
        self.root = ""
        self.hook: Webhook | None = None
        self.files: list[bytes] = []
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/{tail:.*}", self._take)
        app.router.add_get("/{tail:.*}", self._give)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.root = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    @property
    def people(self) -> str:
        return f"{self.root}/of-people/"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def publish(self, content: bytes, mime: str) -> str:
        self.files.append(content)
        ending = {"audio/aac": ".aac", "text/calendar": ".ics"}.get(mime, "")
        return f"{self.root}/{len(self.files) - 1}{ending}"

    def content(self, url: str) -> bytes | None:
        """What lies at an address of ours."""
        number = url.removeprefix(f"{self.root}/").partition(".")[0]
        return self.files[int(number)] if url.startswith(self.root) and number.isdecimal() else None

    async def _take(self, request: web.Request) -> web.Response:
        assert self.hook is not None
        assert request.path == self.hook.path
        headers = {name.lower(): value for name, value in request.headers.items()}
        answer = await self.hook.accept(headers, await request.read())
        return web.Response(status=answer.status, text=answer.body)

    async def _give(self, request: web.Request) -> web.Response:
        content = self.content(str(request.url))
        if str(request.url).startswith(self.people):
            content = b"content of " + request.path.encode()
        return web.Response(status=404) if content is None else web.Response(body=content)


class WiredChannel:
    """A real channel without its pace: nothing waits in a test. `fail` may raise a `SendError` for a message, as the
    platform would; `sent` is what people got, filled by whoever looks."""

    def __init__(self, real: Channel) -> None:
        self.real = real
        self.sent: list[Outbound] = []
        self.fail: Callable[[Outbound], None] = lambda _message: None
        found = real.capabilities
        limits = replace(found.limits, per_second=None, per_chat_second=None, per_group_minute=None)
        self._capabilities = replace(found, limits=limits)

    @property
    def account(self) -> str:
        return self.real.account

    @property
    def capabilities(self) -> Capabilities:
        return self._capabilities

    @property
    def webhook(self) -> Webhook | None:
        return self.real.webhook

    async def start(self, receive: Receive) -> None:
        await self.real.start(receive)

    async def stop(self) -> None:
        await self.real.stop()

    async def close(self) -> None:
        await self.real.close()

    async def send(self, message: Outbound) -> Sent:
        self.fail(message)
        return await self.real.send(message)

    def prepare(self, message: Outbound) -> Prepared | None:
        return self.real.prepare(message)

    async def fetch(self, media: Media) -> bytes:
        return await self.real.fetch(media)

    async def check(self) -> Health:
        return await self.real.check()

    def link(self, payload: str) -> str | None:
        return self.real.link(payload)

    def share_link(self, payload: str, text: str) -> str | None:
        return self.real.share_link(payload, text)
