"""The server: openapi.zalo.me, business.openapi.zalo.me and oauth.zaloapp.com under one address of this machine."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qsl

import aiohttp
import orjson
from aiohttp import web

from bot.sandbox.zalo_oa.calls import Call, Upload
from bot.sandbox.zalo_oa.errors import OaError
from bot.sandbox.zalo_oa.faults import Fault, Kind
from bot.sandbox.zalo_oa.journal import CallEntry
from bot.sandbox.zalo_oa.methods import methods
from bot.sandbox.zalo_oa.oauth import PERMISSION_PATH, TOKEN_PATH, OAuthError
from bot.sandbox.zalo_oa.world import World

_HTML = "<html><head><title>{0}</title></head><body><center><h1>{0}</h1></center><hr>nginx</body></html>"
_MAX_BODY = 16 * 1024 * 1024


class ZaloOaSandbox(World):
    """`start`, then `url`; `stop` when done. The journal and the people outlive a restart; the port stays the same."""

    url = ""
    _runner: web.AppRunner | None = None
    _port = 0

    async def start(self) -> None:
        """Listen on 127.0.0.1, on any free port the first time."""
        self._stopping = asyncio.Event()
        self._methods = methods(self)
        app = web.Application(client_max_size=_MAX_BODY)
        app.router.add_route("*", "/{tail:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{self._port}"
        self.webhook.open()

    async def stop(self) -> None:
        """Close every connection and drop events under way; later ones wait for the next start."""
        if self._runner is None:
            return
        self._stopping.set()
        runner, self._runner = self._runner, None
        await runner.cleanup()
        await self.webhook.close()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        form = request.content_type == "multipart/form-data"
        upload = await _upload(request) if form else None
        body = b"" if form else await request.read()
        entry = CallEntry(self.clock(), request.method, request.path)
        call = Call(request.query, body, entry, upload)
        fault = self.faults.meeting(request.path, body) if self.faults else None
        if fault is None:
            return self._answer(request, call)
        return await self._meet(fault, request, call)

    async def _meet(self, fault: Fault, request: web.Request, call: Call) -> web.StreamResponse:
        """The call under a fault. A client that leaves during a stall loses the answer, not the work."""
        answer: web.StreamResponse = web.Response()
        if fault.kind is Kind.ERROR:
            if request.path == TOKEN_PATH:
                return self._unauthorised(call, OAuthError(fault.code, fault.words))
            return self._refused(call, OaError(fault.code, fault.words))
        if fault.after:
            answer = self._answer(request, call)
        if fault.kind is Kind.STALL:
            stayed = await self._wait(request, fault)
            if fault.after:
                call.entry.lost = not stayed
                return answer
            if stayed:
                return self._answer(request, call)
        if fault.after:
            call.entry.lost = True
        else:
            self.journal.add(call.entry)
        if fault.kind is Kind.HTML:
            return _page(fault.code)
        if request.transport is not None:
            request.transport.abort()
        return answer

    async def _wait(self, request: web.Request, fault: Fault) -> bool:
        """Whether the client stayed to the end."""
        loop = asyncio.get_running_loop()
        until = loop.time() + (self.timing.stall if fault.seconds is None else fault.seconds)
        while (left := until - loop.time()) > 0:
            if request.transport is None or request.transport.is_closing() or self._stopping.is_set():
                return False
            try:
                async with asyncio.timeout(min(left, 0.02)):
                    await self._stopping.wait()
            except TimeoutError:
                continue
        return request.transport is not None and not request.transport.is_closing()

    def _answer(self, request: web.Request, call: Call) -> web.Response:
        if request.path == PERMISSION_PATH:
            return self._permission(call)
        if request.path == TOKEN_PATH:
            return self._token(request, call)
        try:
            data = self._carry_out(request, call)
        except OaError as error:
            return self._refused(call, error)
        call.entry.error = 0
        self.journal.add(call.entry)
        shown = {"error": 0, "message": "Success"} if data is None else {"data": data, "error": 0, "message": "Success"}
        return _json(shown, self.meter.headers())

    def _carry_out(self, request: web.Request, call: Call) -> object:
        if not self.meter.take():
            raise OaError(-32)
        business = request.path.startswith("/message/")
        if code := self.oauth.judge(request.headers.get("access_token", "")):
            raise OaError(-124 if business else code)
        method = self._methods.get((request.method, request.path))
        if method is None:
            raise OaError(-209)
        return method(call)

    def _refused(self, call: Call, error: OaError) -> web.Response:
        call.entry.error = error.code
        self.journal.add(call.entry)
        return _json(error.body(), self.meter.headers())

    def _permission(self, call: Call) -> web.Response:
        """The page on which an administrator consents: opening it is consenting."""
        try:
            place = self.oauth.consent(call.query)
        except OAuthError as error:
            return self._unauthorised(call, error)
        call.entry.error = 0
        self.journal.add(call.entry)
        return web.Response(status=302, headers={"Location": place})

    def _token(self, request: web.Request, call: Call) -> web.Response:
        form = dict(_pairs(call.body))
        try:
            kind = request.content_type if request.method == "POST" else ""
            found = self.oauth.exchange(kind, request.headers.get("secret_key", ""), form)
        except OAuthError as error:
            return self._unauthorised(call, error)
        call.entry.error = 0
        self.journal.add(call.entry)
        return _json(found, {})

    def _unauthorised(self, call: Call, error: OAuthError) -> web.Response:
        call.entry.error = error.code
        self.journal.add(call.entry)
        return _json(error.body(), {})


async def _upload(request: web.Request) -> Upload | None:
    """The field `file`, whatever else the form holds."""
    found = None
    async for part in await request.multipart():
        if isinstance(part, aiohttp.BodyPartReader):
            content = bytes(await part.read())
            if part.name == "file":
                found = Upload(part.filename or "", content)
    return found


def _pairs(body: bytes) -> list[tuple[str, str]]:
    return parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)


def _json(body: object, headers: dict[str, str]) -> web.Response:
    return web.Response(body=orjson.dumps(body), content_type="application/json", headers=headers)


def _page(status: int) -> web.Response:
    return web.Response(status=status, text=_HTML.format(f"{status} Bad Gateway"), content_type="text/html")
