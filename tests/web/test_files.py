"""Published files over real HTTP: who knows the address gets them for a while, and nothing runs under our name."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import aiohttp
import pytest

from bot.db import Database, published
from bot.db.published import File
from bot.settings import Settings
from bot.web import files
from bot.web.metrics import Metrics
from bot.web.server import WebServer
from jobs import JobContext
from jobs.cleanup import cleanup
from tests.support.talk import MORNING, Talk

PICTURE = b"\xff\xd8\xff\xe0 a picture"
SCRIPT = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"


@asynccontextmanager
async def serving(find: files.Find) -> AsyncIterator[aiohttp.ClientSession]:
    async def well() -> dict[str, object]:
        return {"ok": True}

    server = WebServer(Settings(_env_file=None, http_port=0), [], well, Metrics())
    server.application.add_routes([files.route(find)])
    await server.start()
    try:
        async with aiohttp.ClientSession(server.url) as session:
            yield session
    finally:
        await server.stop()


def holding(mime: str, content: bytes = PICTURE) -> Callable[[], files.Find]:
    """A place with one file in it, whatever is asked."""

    async def find(_token: str) -> tuple[bytes, str]:
        return content, mime

    return lambda: find


async def test_a_file_is_found_for_a_while_and_then_no_more(database: Database) -> None:
    now = MORNING

    async def find(token: str) -> File | None:
        async with database.read() as tx:
            return await published.find(tx, token, now)

    async with database.write() as tx:
        words = [await published.put(tx, PICTURE, "image/jpeg", now) for _ in range(2)]
    assert words[0] != words[1]
    assert all(len(word) == 43 for word in words)
    path = files.path_of(words[0], "image/jpeg")
    assert path == f"/m/{words[0]}.jpg"
    async with serving(find) as session:
        for known in (path, f"/m/{words[0]}"):
            async with session.get(known) as answer:
                assert (answer.status, await answer.read()) == (200, PICTURE)
        async with session.head(path) as answer:
            assert (answer.status, answer.headers["Content-Length"]) == (200, str(len(PICTURE)))
            assert await answer.read() == b""
        now = MORNING + published.LIFE
        async with session.get(path) as answer:
            assert answer.status == 404


NAMES = [
    "x",
    "x" * 43,
    "x" * 43 + ".jpg",
    "x" * 5000,
    "../healthz",
    "..%2f..%2fetc%2fpasswd",
    "%00",
    "a" * 43 + "%0d%0a",
]


@pytest.mark.parametrize("name", NAMES)
async def test_who_guesses_finds_nothing(database: Database, name: str) -> None:
    async def find(token: str) -> File | None:
        async with database.read() as tx:
            return await published.find(tx, token, MORNING)

    async with database.write() as tx:
        await published.put(tx, PICTURE, "image/jpeg", MORNING)
    async with serving(find) as session, session.get(f"/m/{name}") as answer:
        assert answer.status == (200 if name == "../healthz" else 404)
        assert PICTURE not in await answer.read()


SHOWN = [
    "image/jpeg",
    "image/png",
    "image/gif",
    "image/webp",
    "audio/mpeg",
    "video/mp4",
    "IMAGE/JPEG",
    "image/png; q=1",
]
KEPT_SHUT = [
    ("text/html", "text/html"),
    ("text/html; charset=utf-8", "text/html"),
    ("image/svg+xml", "image/svg+xml"),
    ("image/SVG+xml", "image/svg+xml"),
    (" image/svg+xml;x=image/png", "image/svg+xml"),
    ("application/xhtml+xml", "application/xhtml+xml"),
    ("text/xml", "text/xml"),
    ("application/javascript", "application/javascript"),
    ("application/pdf", "application/pdf"),
    ("image/jpeg\r\nSet-Cookie: a=b", "application/octet-stream"),
    ("image/", "application/octet-stream"),
    ("", "application/octet-stream"),
    ("ảnh/đẹp", "application/octet-stream"),
]


@pytest.mark.parametrize("mime", SHOWN)
async def test_pictures_sounds_and_films_are_shown(mime: str) -> None:
    async with serving(holding(mime)()) as session, session.get("/m/" + "x" * 43) as answer:
        assert (answer.status, answer.content_type) == (200, mime.partition(";")[0].lower())
        assert answer.headers["Content-Disposition"] == "inline"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "private, max-age=3600"


@pytest.mark.parametrize(("mime", "told"), KEPT_SHUT)
async def test_what_could_run_is_never_shown(mime: str, told: str) -> None:
    async with serving(holding(mime, SCRIPT)()) as session, session.get("/m/" + "x" * 43) as answer:
        assert (answer.status, answer.content_type, await answer.read()) == (200, told, SCRIPT)
        assert answer.headers["Content-Disposition"] == "attachment"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        policy = answer.headers["Content-Security-Policy"].split("; ")
        assert {"sandbox", "default-src 'none'", "frame-ancestors 'none'"} <= set(policy)
        assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("mime", ["image/jpeg", "application/cwl+json", "application/manifest+json", "", "x/y\r\n"])
def test_every_address_that_is_given_out_is_one_that_is_answered(mime: str) -> None:
    assert files._NAME.fullmatch(files.path_of("x" * 43, mime).removeprefix(files.PREFIX))


async def test_only_asking_is_allowed() -> None:
    async with serving(holding("image/png")()) as session:
        for method in ("POST", "PUT", "DELETE"):
            async with session.request(method, "/m/" + "x" * 43) as answer:
                assert answer.status == 405


async def test_what_has_expired_is_dropped(talk: Talk) -> None:
    async with talk.database.write() as tx:
        old = await published.put(tx, PICTURE, "image/jpeg", talk.now - timedelta(days=3))
        young = await published.put(tx, PICTURE, "image/jpeg", talk.now)
    talk.advance(days=6)
    context = JobContext(talk.database, talk.desk, talk.engine.wake)
    await cleanup(context)
    async with talk.database.read() as tx:
        long_ago = talk.now - timedelta(days=9)
        assert await published.find(tx, old, long_ago) is None
        assert await published.find(tx, young, talk.now) == (PICTURE, "image/jpeg")
        assert await published.drop_expired(tx, talk.now) == 0
