"""The HTTP server: real sockets in front of the world, with faults where they were asked for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from urllib.parse import unquote

from aiohttp import web

from bot.sandbox.telegram import wire
from bot.sandbox.telegram.bots import BotAccount
from bot.sandbox.telegram.calls import Call, Described
from bot.sandbox.telegram.errors import ApiError, not_found, unauthorized
from bot.sandbox.telegram.faults import Fault, Kind
from bot.sandbox.telegram.limits import Limits, Timing
from bot.sandbox.telegram.world import World


class TelegramSandbox(World):
    """A local Telegram Bot API server, with people in it.

    `limits` and `timing` are the platform's and may be changed at any time. `judge` holds every
    request and answer against aiogram's types: assert `violations` empty. `latency` seconds (or a function giving
    them) pass before each call is answered. `strict_webhooks=False` allows `http://127.0.0.1`.
    `anyone_reachable` makes up a person for every unknown positive chat id. `clock` gives seconds since 1970 for
    dates and expiry, `monotonic` seconds for rates and the journal. `keep_messages` of each chat and `keep_log`
    entries are remembered.

    Paths: `/bot<token>/<method>` and `/file/bot<token>/<path>`; `app` may be mounted below any prefix.
    """

    def __init__(
        self,
        limits: Limits | None = None,
        *,
        timing: Timing | None = None,
        judge: bool = False,
        latency: float | Callable[[], float] = 0.0,
        strict_webhooks: bool = True,
        anyone_reachable: bool = False,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        keep_messages: int = 1000,
        keep_log: int = 200_000,
    ) -> None:
        super().__init__(
            limits,
            timing=timing,
            judge=judge,
            strict_webhooks=strict_webhooks,
            anyone_reachable=anyone_reachable,
            clock=clock,
            monotonic=monotonic,
            keep_messages=keep_messages,
            keep_log=keep_log,
        )
        self.latency = latency
        self._app: web.Application | None = None
        self._runner: web.AppRunner | None = None
        self._stopping = asyncio.Event()
        self._host, self._port = "127.0.0.1", 0
        self.faults.on_outage = self._end_polls

    # Life

    @property
    def app(self) -> web.Application:
        """The application, for mounting into another server; `start` serves it alone."""
        if self._app is None:
            self._app = web.Application()
            self._app.router.add_route("*", "/{tail:.*}", self._handle)
            self._app.on_startup.append(self._begin)
            self._app.on_shutdown.append(self._end)
            self._app.on_cleanup.append(self._close)
        return self._app

    @property
    def url(self) -> str:
        """Where the server listens, e.g. `http://127.0.0.1:8081`."""
        return f"http://{self._host}:{self._port}"

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen; port 0 takes a free one, and the same one again after `stop`."""
        self._runner = web.AppRunner(self.app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port or self._port, reuse_address=True, backlog=1024)
        await site.start()
        self._host, self._port = self._runner.addresses[0][:2]

    async def stop(self) -> None:
        """Stop listening: connections are refused, the world stays and can be started again."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()
        self._app = None

    async def _begin(self, app: web.Application) -> None:
        self._stopping.clear()
        self.running = True
        for bot in self.bots.values():
            bot.webhook.resume()

    async def _end(self, app: web.Application) -> None:
        self.running = False
        self._stopping.set()
        self._end_polls()
        for bot in self.bots.values():
            bot.webhook.stop()

    def _end_polls(self) -> None:
        for bot in self.bots.values():
            bot.polls.restart()

    async def _close(self, app: web.Application) -> None:
        self.stream.end()
        if self._session is not None:
            await self._session.close()

    # Requests

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        try:
            answer = await self._answer(request)
        except ApiError as error:
            answer = wire.refusal(error)
        if self.faults.down and request.transport is not None:
            request.transport.abort()
        return answer

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if request.method not in ("GET", "POST"):
            raise ApiError(405, "Method Not Allowed")
        place, _, rest = request.match_info["tail"].partition("/")
        if place == "file":
            place, _, path = rest.partition("/")
            return self._download(self._bot(place), path)
        bot = self._bot(place)
        method = unquote(rest)
        params, uploads = await wire.read(request, self.limits.upload_bytes)
        call = Call(self, bot, method, params, uploads)
        if self.faults:
            faulty = await self._meet_fault(request, call)
            if faulty is not None:
                return faulty
        return await self._carry_out(call)

    def _bot(self, place: str) -> BotAccount:
        token = unquote(place.removeprefix("bot"))
        number = token.partition(":")[0]
        if not place.startswith("bot") or ":" not in token or not number.isdigit():
            raise not_found()
        bot = self.bots.get(int(number))
        if bot is None or bot.token != token:
            raise unauthorized("invalid token specified")
        if bot.revoked:
            raise unauthorized()
        if bot.logged_out_until > self.clock():
            raise ApiError(400, "Logged out")
        return bot

    def _download(self, bot: BotAccount, path: str) -> web.Response:
        stored = self.files.at(unquote(path))
        if stored is None:
            raise not_found()
        return web.Response(body=stored.content, content_type="application/octet-stream")

    async def _carry_out(self, call: Call) -> web.StreamResponse:
        try:
            result = await self.carry_out(call)
        finally:
            seconds = self.latency() if callable(self.latency) else self.latency
            if seconds > 0:
                await asyncio.sleep(seconds)
        if isinstance(result, Described):
            return wire.answer(result.result, result.description)
        return wire.answer(result)

    async def _meet_fault(self, request: web.Request, call: Call) -> web.StreamResponse | None:
        """The answer of a call that met a fault; `None` if it met none, or only a delay."""
        raw = call.text("chat_id")
        chat_id = int(raw) if raw.lstrip("-").isdigit() else None
        fault = self.faults.meeting(call.bot.id, call.method.lower(), chat_id)
        if fault is None:
            return None
        if fault.kind is Kind.ERROR:
            error = ApiError(fault.code, fault.description, fault.parameters)
            self.refused(call, error)
            return wire.refusal(error)
        if fault.kind is Kind.DELAY and not fault.after:
            await asyncio.sleep(fault.seconds)
            return None
        answer: web.StreamResponse = web.Response()
        if fault.kind is Kind.OUTAGE:
            return answer
        if fault.after or fault.kind is Kind.DROP_AFTER:
            answer = await self._do_anyway(call, lost=fault.kind is not Kind.DELAY)
        return await self._spoil(request, fault, answer)

    async def _do_anyway(self, call: Call, *, lost: bool) -> web.StreamResponse:
        try:
            return await self._carry_out(call)
        except ApiError as error:
            return wire.refusal(error)
        finally:
            for entry in call.entries:
                entry.lost = lost

    async def _spoil(self, request: web.Request, fault: Fault, answer: web.StreamResponse) -> web.StreamResponse:
        if fault.kind is Kind.GARBAGE:
            return web.Response(body=fault.body, status=fault.code, content_type="text/html")
        if fault.kind is Kind.DELAY:
            await asyncio.sleep(fault.seconds)
            return answer
        if fault.kind is Kind.HANG:
            await self._hang(request)
        if request.transport is not None:
            request.transport.abort()
        return answer

    async def _hang(self, request: web.Request) -> None:
        """Until the client gives up or the server stops."""
        while request.transport is not None and not request.transport.is_closing() and not self._stopping.is_set():
            try:
                async with asyncio.timeout(0.05):
                    await self._stopping.wait()
            except TimeoutError:
                continue
