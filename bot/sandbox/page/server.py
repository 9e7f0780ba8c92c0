"""The page's web application: its files, its JSON endpoints, its stream. May be mounted below any prefix."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

import orjson
from aiohttp import BodyPartReader, web

from bot.sandbox.page import telegram, view
from bot.sandbox.page.errands import Errands
from bot.sandbox.page.feed import Feed
from bot.sandbox.page.lines import SAMPLES, Lines, Platform, Site, Wrong
from bot.sandbox.page.telegram import TelegramPlatform
from bot.sandbox.page.timemachine import TimeMachine
from bot.sandbox.page.zalo_bot import BotPlatform
from bot.sandbox.page.zalo_oa import OaPlatform
from bot.sandbox.sample import Town
from bot.sandbox.telegram import Attachment
from bot.sandbox.telegram.errors import Json

STATIC = Path(__file__).parent / "static"
MAX_BODY = 10 * telegram.MAX_FILE
_POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; object-src 'none'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
_SHOWN = ("image/png", "image/jpeg", "image/gif", "image/webp", "audio/", "video/")
Know = Callable[[int], Awaitable[Json]]
"""What the product knows of a person, by their number on the page, for those who wonder."""


async def _nothing(_id: int) -> Json:
    return {}


class Page:
    """Everything that the browser asks for. `know` tells what the product has stored of a person."""

    def __init__(self, town: Town, machine: TimeMachine, *, know: Know = _nothing) -> None:
        self.town = town
        self.machine = machine
        self.know = know
        self.site = Site()
        platforms: list[Platform] = [TelegramPlatform(town), OaPlatform(town, self.site), BotPlatform(town, self.site)]
        self.lines = Lines(town, platforms)
        self.feed = Feed(platforms, machine)
        self.errands = Errands(town, self.lines, machine)

    def app(self) -> web.Application:
        """A fresh application; it listens to the world from its start-up to its shut-down."""
        app = web.Application(middlewares=[_careful])
        app.add_routes(
            [
                web.get("/", _index),
                web.get("/api/state", self._state),
                web.get("/api/stream", self._stream),
                web.get("/api/file/{path:.+}", self._file),
                web.get("/api/chat/{person}/{place}", self._chat),
                web.post("/api/chat/{person}/{place}/files", self._files),
                web.post("/api/chat/{person}/{place}/{errand}", self._errand),
                web.post("/api/clock", self._clock),
                web.static("/static", STATIC),
                web.static("/samples", SAMPLES),
            ]
        )
        app.on_startup.append(self._begin)
        app.on_shutdown.append(self._end)
        return app

    async def _begin(self, _app: web.Application) -> None:
        self.feed.start()

    async def _end(self, _app: web.Application) -> None:
        await self.feed.stop()

    # Looking

    async def _state(self, _request: web.Request) -> web.Response:
        town = self.town
        return _json(
            {
                "platforms": {channel: platform.about() for channel, platform in self.lines.platforms.items()},
                "people": [view.person(town, self.lines, who) for who in town.people.values()],
                "groups": [{"id": g.id, "title": g.title, "members": len(g.members)} for g in town.groups],
                "samples": sorted(p.name for p in SAMPLES.iterdir()),
                "rates": list(self.feed.rates),
                "recent": list(self.feed.recent),
                "pulse": self.feed.pulse(),
            }
        )

    async def _chat(self, request: web.Request) -> web.Response:
        who = self.errands.person(request.match_info["person"])
        line = self.errands.line(who, request.match_info["place"])
        return _json(line.shown() | {"can": sorted(line.errands), "known": await self.know(who.id)})

    async def _file(self, request: web.Request) -> web.Response:
        path = request.match_info["path"]
        found = next((f for p in self.lines.platforms.values() if (f := p.file(path)) is not None), None)
        if found is None:
            raise web.HTTPNotFound
        headers = {"Content-Security-Policy": "sandbox; default-src 'none'"}
        if not found.mime.startswith(_SHOWN):
            headers["Content-Disposition"] = "attachment"
        return _ranged(request, found.content, found.mime, headers)

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
        await response.prepare(request)
        with contextlib.suppress(ConnectionResetError):
            await response.write(b"retry: 1000\n\n")
            async for frame in self.feed.read():
                await response.write(frame)
        return response

    # Doing

    async def _errand(self, request: web.Request) -> web.Response:
        return await self._run(request, request.match_info["errand"], await _asked(request))

    async def _files(self, request: web.Request) -> web.Response:
        return await self._run(request, "files", {"files": await _read_files(request)})

    async def _run(self, request: web.Request, errand: str, asked: Json) -> web.Response:
        who = self.errands.person(request.match_info["person"])
        line = self.errands.line(who, request.match_info["place"])
        return _json(await self.errands.run(line, errand, asked))

    async def _clock(self, request: web.Request) -> web.Response:
        return _json(self.errands.jump(await _asked(request)))


async def _index(_request: web.Request) -> web.FileResponse:
    return web.FileResponse(STATIC / "index.html", headers={"Content-Security-Policy": _POLICY})


@web.middleware
async def _careful(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Only this page may act; what cannot be done is one sentence."""
    if request.method == "POST" and not _is_ours(request):
        raise web.HTTPForbidden(text="another site may not act here")
    try:
        response = await handler(request)
    except Wrong as why:
        return _json({"error": str(why)}, status=400)
    if not response.prepared:
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
    return response


def _is_ours(request: web.Request) -> bool:
    origin = request.headers.get("Origin")
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return False
    return origin is None or urlsplit(origin).netloc == request.host


async def _asked(request: web.Request) -> Json:
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(text="send application/json")
    try:
        asked = orjson.loads(await request.read() or b"{}")
    except orjson.JSONDecodeError:
        raise web.HTTPBadRequest(text="this is no JSON") from None
    if not isinstance(asked, dict):
        raise web.HTTPBadRequest(text="send an object")
    return asked


async def _read_files(request: web.Request) -> list[Attachment]:
    if not request.content_type.startswith("multipart/"):
        raise web.HTTPUnsupportedMediaType(text="send multipart/form-data")
    kind = caption = ""
    found: list[tuple[str, str, bytes]] = []
    async for part in await request.clone(client_max_size=MAX_BODY).multipart():  # whatever the outer app allows
        if not isinstance(part, BodyPartReader):
            continue
        content = bytes(await part.read(decode=False))
        if part.name == "kind":
            kind = content.decode("utf-8", "replace")
        elif part.name == "caption":
            caption = content.decode("utf-8", "replace")
        elif part.filename:
            found.append((part.filename, part.headers.get("Content-Type", ""), content))
    captions = [caption, *[""] * len(found)]
    return [telegram.attachment(*one, kind, words) for one, words in zip(found, captions, strict=False)]


def _ranged(request: web.Request, content: bytes, mime: str, headers: dict[str, str]) -> web.Response:
    """The content, or the part of it that a player asks for."""
    headers |= {"Content-Type": mime, "Accept-Ranges": "bytes"}
    try:
        part = request.http_range
    except ValueError:
        raise web.HTTPRequestRangeNotSatisfiable from None
    begin, end, _ = part.indices(len(content))
    if "Range" not in request.headers or begin >= end:
        return web.Response(body=content, headers=headers)
    headers["Content-Range"] = f"bytes {begin}-{end - 1}/{len(content)}"
    return web.Response(status=206, body=content[begin:end], headers=headers)


def _json(data: Json, *, status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(data), status=status, content_type="application/json")
