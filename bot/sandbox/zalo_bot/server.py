"""The HTTP server: real sockets in front of the world, with faults where they were asked for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from urllib.parse import unquote

from aiohttp import web

from bot.sandbox.zalo_bot import wire
from bot.sandbox.zalo_bot.bots import ZaloBotAccount
from bot.sandbox.zalo_bot.errors import ApiError, Json, no_such_path, unauthorized
from bot.sandbox.zalo_bot.faults import Fault, Kind
from bot.sandbox.zalo_bot.journal import Entry
from bot.sandbox.zalo_bot.methods import METHODS, Call
from bot.sandbox.zalo_bot.oddities import Oddities
from bot.sandbox.zalo_bot.quota import Limits
from bot.sandbox.zalo_bot.world import World

NO_ANSWER = 0
"""The status in the journal of a call that was never carried out nor answered."""

_LOOK_AGAIN = 0.02


class ZaloBotSandbox(World):
    """A local Zalo Bot platform, with people in it.

    `limits` and `oddities` may be changed at any time. `strict_webhooks=False` allows `http://127.0.0.1`. `clock` gives
    seconds since 1970 for dates and months, `monotonic` seconds for the journal `log`. `seed` decides ids and
    everything left to chance. `keep_messages` of each chat and `keep_log` entries are remembered.

    Path: `/bot<token>/<method>`.
    """

    def __init__(
        self,
        limits: Limits | None = None,
        *,
        oddities: Oddities | None = None,
        strict_webhooks: bool = True,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        seed: int = 0,
        keep_messages: int = 1000,
        keep_log: int = 200_000,
    ) -> None:
        super().__init__(
            limits or Limits(),
            oddities or Oddities(),
            clock=clock,
            monotonic=monotonic,
            seed=seed,
            keep_messages=keep_messages,
            keep_log=keep_log,
        )
        self.strict_webhooks = strict_webhooks
        self._runner: web.AppRunner | None = None
        self._host, self._port = "127.0.0.1", 0

    @property
    def url(self) -> str:
        """Where the server listens, e.g. `http://127.0.0.1:8082`."""
        return f"http://{self._host}:{self._port}"

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen; port 0 takes a free one, and the same one again after `stop`."""
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port or self._port, reuse_address=True, backlog=1024).start()
        self._host, self._port = self._runner.addresses[0][:2]
        self.running = True
        for bot in self.bots.values():
            bot.webhook.wake()

    async def stop(self) -> None:
        """Stop listening: connections are refused, the world stays and can be started again."""
        self.running = False
        self.wake_polls()
        for bot in self.bots.values():
            bot.webhook.stop()
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        try:
            answer = await self._answer(request)
        except ApiError as error:
            answer = wire.refusal(error)
        if self.faults.down:
            _reset(request)
        return answer

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        place, _, method = request.match_info["tail"].partition("/")
        if request.method not in ("GET", "POST") or not place.startswith("bot"):
            raise no_such_path()
        call = Call(self, self._bot(place), unquote(method), await wire.read(request), lambda: self._gone(request))
        fault = self.faults.meeting(call.bot.id, call.method, call.params.get("chat_id", ""))
        if fault is not None:
            return await self._spoilt(request, call, fault)
        return await self._carry_out(call)

    def _bot(self, place: str) -> ZaloBotAccount:
        token = unquote(place.removeprefix("bot"))
        bot = self.bots.get(token.partition(":")[0])
        if bot is None or bot.token != token:
            raise unauthorized()
        return bot

    def _gone(self, request: web.Request) -> bool:
        return not self.running or self.faults.down or request.transport is None or request.transport.is_closing()

    async def _carry_out(self, call: Call, *, lost: bool = False) -> web.StreamResponse:
        """Do what was asked, and note it."""
        try:
            result = await _method(call)(call)
        except ApiError as error:
            self._note(call, lost, error)
            raise
        self._note(call, lost)
        return wire.answer(result, zero_code=self.chance(self.oddities.zero_code))

    def _note(self, call: Call, lost: bool, error: ApiError | None = None) -> None:
        status, words = (error.code, error.description) if error else (200, "")
        chat_id = call.params.get("chat_id")
        self.log.add(
            Entry(self.monotonic(), call.bot.id, call.method, chat_id, call.message_id, status, words, lost=lost)
        )

    async def _spoilt(self, request: web.Request, call: Call, fault: Fault) -> web.StreamResponse:
        """What a call that met a fault is answered, if anything."""
        if fault.kind is Kind.ERROR:
            error = ApiError(fault.code, fault.description)
            self._note(call, False, error)
            raise error
        if fault.kind is Kind.DELAY:
            return await self._late(call, fault)
        if fault.after:
            await self._do_anyway(call)
        else:
            self._note(call, True, ApiError(fault.code if fault.kind is Kind.GARBAGE else NO_ANSWER, fault.kind))
        if fault.kind is Kind.GARBAGE:
            return web.Response(body=fault.body, status=fault.code, content_type="text/html")
        if fault.kind is Kind.HANG:
            await self._hang(request)
        _reset(request)
        return web.Response()

    async def _late(self, call: Call, fault: Fault) -> web.StreamResponse:
        if not fault.after:
            await asyncio.sleep(fault.seconds)
            return await self._carry_out(call)
        answer = await self._carry_out(call)
        await asyncio.sleep(fault.seconds)
        return answer

    async def _do_anyway(self, call: Call) -> None:
        try:
            await self._carry_out(call, lost=True)
        except ApiError:
            return

    async def _hang(self, request: web.Request) -> None:
        """Until the client gives up or the server stops."""
        while not self._gone(request):  # noqa: ASYNC110 - a transport tells nobody that it closes
            await asyncio.sleep(_LOOK_AGAIN)


def _method(call: Call) -> Callable[[Call], Awaitable[Json | None]]:
    """Raises 401 for a token that was revoked, 400 for a method that there is not."""
    if call.bot.revoked:
        raise unauthorized()
    found = METHODS.get(call.method)
    if found is None:
        raise no_such_path()
    return found


def _reset(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
