"""`loaso check`: everything that can be wrong with an installation, each with what to do."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import aiohttp

from bot import logs
from bot.commands import console
from bot.commands.edge import DONE, WRONG
from bot.core.clock import Clock
from bot.core.errors import LoaSoError, SettingsError
from bot.db import Database, units
from bot.db.migrate import migrate
from bot.db.trouble import explain
from bot.outreach import checks
from bot.outreach.checks import Finding, Mark, hint, right, wrong
from bot.settings import GOOD_SECRET, EngineKind, Settings, load, secret_key, unknown_names
from bot.speech import speech
from bot.speech.forms import Form, SpeechFailed
from bot.speech.options import Speaking

_PATIENCE = aiohttp.ClientTimeout(total=8)
_NEAR = aiohttp.ClientTimeout(total=2)


def check() -> int:
    logs.configure("ERROR")
    return asyncio.run(_check())


async def _check() -> int:
    code = DONE
    async for finding in _everything():
        console.line(logs.hide(str(finding)))
        if finding.mark is Mark.WRONG:
            code = WRONG
    return code


async def _everything() -> AsyncIterator[Finding]:
    for finding in checks.unknown(unknown_names()):
        yield finding
    try:
        settings = load()
    except SettingsError as error:
        for problem in error.problems:
            yield wrong("settings", problem)
        return
    for finding in _settings(settings):
        yield finding
    async for finding in _database(settings):
        yield finding
    clock = Clock(settings.zone)
    yield checks.local_time(clock, clock.now())
    yield checks.content(clock.today(clock.now()))
    async for finding in voice(settings):
        yield finding
    async for finding in _accounts(settings, clock):
        yield finding
    yield await _port(settings)


def _settings(settings: Settings) -> Iterator[Finding]:
    try:
        secret_key(settings)
    except (SettingsError, OSError) as error:
        yield wrong("secret key", str(error))
    else:
        yield right("settings", "read and valid")
        if settings.secret_key is not None and len(settings.secret_key.get_secret_value()) < GOOD_SECRET:
            yield hint("secret key", f"LOASO_SECRET_KEY is short: {GOOD_SECRET} random characters or more are safe")
    if not settings.admins:
        yield hint("settings", "LOASO_ADMINS is empty: nobody is told in chat when something stops")


async def _database(settings: Settings) -> AsyncIterator[Finding]:
    kind = "PostgreSQL" if settings.sqlite_path is None else str(settings.sqlite_path)
    try:
        database = Database(settings.database_url)
        try:
            await migrate(database)
            if settings.engine is EngineKind.CLUSTER:
                from bot.db import queue

                await queue.ensure(database)
            async with database.write() as tx:
                count = len(await units.ever(tx))
        finally:
            await database.close()
    except Exception as error:
        sentence = str(error) if isinstance(error, LoaSoError) else explain(error)
        yield wrong("database", f"{sentence or error} ({kind})")
        return
    yield right("database", f"{kind} answers, is up to date and can be written, {count} units")
    if settings.sqlite_path is not None:
        yield checks.disk(settings.sqlite_path.absolute().parent)


async def voice(settings: Settings) -> AsyncIterator[Finding]:
    """A word in the voice that is set, made as it is made for people."""
    if settings.speech is Speaking.OFF:
        return
    with TemporaryDirectory() as folder:
        speaker = speech.make(settings, Path(folder))
        assert speaker is not None  # noqa: S101  # it is not off
        if problem := speaker.problem():
            yield wrong("voice", problem)
            return
        try:
            for form in speaker.encoders:
                await speaker.make("Chào bà con.", "vi", form)
        except SpeechFailed as error:
            yield wrong("voice", f"{settings.speech} says nothing: {error}")
            return
        made = " and ".join(f"{form.upper()} by {encoder.name}" for form, encoder in speaker.encoders.items())
    yield right("voice", f"{settings.speech} speaks, {made}")
    if settings.zalo_bot_token is not None and Form.AAC not in speaker.encoders:
        yield hint("voice", "a Zalo Bot takes AAC alone, which ffmpeg makes: apt install ffmpeg")


async def _accounts(settings: Settings, clock: Clock) -> AsyncIterator[Finding]:
    if not (settings.telegram_token or settings.zalo_bot_token or settings.zalo_oa_app_id):
        yield hint(
            "telegram",
            "LOASO_TELEGRAM_TOKEN, LOASO_ZALO_BOT_TOKEN and LOASO_ZALO_OA_APP_ID are empty: the bot reaches nobody; "
            "try 'loaso demo'",
        )
        return
    database = Database(settings.database_url)
    try:
        async for finding in _channels(settings, clock, database):
            yield finding
    finally:
        await database.close()


async def _channels(settings: Settings, clock: Clock, database: Database) -> AsyncIterator[Finding]:
    from bot.channels.zalo_oa import to_confirm
    from bot.wiring import Wires, make_channels
    from messages import Phrasebook

    try:
        channels = make_channels(Wires(settings, clock, Phrasebook(settings.zone), database))
    except SettingsError as error:
        yield wrong("channels", str(error))
        return
    theirs = _their_clock(settings)
    yield checks.drift(clock.now(), await _their_time(theirs), _host(theirs))
    for channel in channels:
        try:
            yield checks.account(channel.account, await channel.check())
        finally:
            await channel.close()
    if settings.zalo_oa_app_id is not None:
        for fact in to_confirm():
            yield hint("confirm in Zalo's console", fact)


def _their_clock(settings: Settings) -> str:
    """The platform whose time ours is held against."""
    if settings.telegram_token:
        return settings.telegram_api_url
    return settings.zalo_bot_api_url if settings.zalo_bot_token is not None else settings.zalo_oa_api_url


async def _their_time(url: str) -> datetime | None:
    try:
        async with (
            aiohttp.ClientSession(timeout=_PATIENCE, trust_env=True) as session,
            session.get(url, allow_redirects=False) as answer,
        ):
            return parsedate_to_datetime(answer.headers["Date"])
    except (aiohttp.ClientError, TimeoutError, KeyError, ValueError):
        return None


def _host(url: str) -> str:
    return urlsplit(url).netloc


async def _port(settings: Settings) -> Finding:
    where = f"{settings.http_host}:{settings.http_port}"
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            settings.http_host, settings.http_port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        if await _is_ours(f"http://{where}/healthz"):
            return right("web", f"Loa Số is running on {where}")
        return wrong("web", f"{where} cannot be had ({error.strerror}): set LOASO_HTTP_HOST and LOASO_HTTP_PORT")
    return right("web", f"{where} is free")


async def _is_ours(url: str) -> bool:
    try:
        async with aiohttp.ClientSession(timeout=_NEAR) as session, session.get(url) as answer:
            return answer.status == 200 and answer.headers.get("Server") == "loaso"
    except (aiohttp.ClientError, TimeoutError):
        return False
