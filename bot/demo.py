"""`loaso demo`: the whole product and an invented town to try it on, in one process, with no network or account."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog
from aiohttp import web
from pydantic import SecretStr

from bot import logs
from bot.app import App
from bot.core.clock import utc_now
from bot.core.errors import UserError
from bot.db import Database
from bot.db.migrate import migrate
from bot.demo_import import TownImport, known, only_ours
from bot.outreach.desk import Desk, House
from bot.sandbox.page import PREFIX, Page, TimeMachine
from bot.sandbox.sample import BOT_TOKEN, PEOPLE, ZALO_BOT_TOKEN, Worlds, settle
from bot.sandbox.telegram.errors import Json
from bot.settings import EngineKind, Mode, Settings
from bot.speech import speech
from bot.speech.options import Speaking, SpeechOptions
from bot.web.server import WebServer
from jobs import JOBS, JobContext

log = structlog.get_logger(__name__)

PATIENCE = 9.5
_PORTS_TRIED = 20
_OA_HOOK = "/webhook/zalo-oa"
_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared with, not listened on


def _mount(server: WebServer, page: Page) -> None:
    """Put the page on the product's own web server, beside whatever else is there."""
    application = server.application
    for path in ("/", PREFIX.rstrip("/")):
        application.router.add_get(path, _to_page)
    application.add_subapp(PREFIX, page.app())


async def _to_page(_request: web.Request) -> web.Response:
    raise web.HTTPFound(PREFIX)


class Demo:
    """The sandboxes, the town, the product and the page. `folder` takes the database unless the settings name one;
    `source` is the real time."""

    def __init__(
        self, settings: Settings, folder: Path, *, people: int = PEOPLE, source: Callable[[], datetime] = utc_now
    ) -> None:
        self.machine = TimeMachine(settings.zone, House().tip_hours, source=source)
        self.worlds = Worlds.by(self.machine.seconds)
        self.town = settle(self.worlds, people=people)
        self.page = Page(self.town, self.machine, know=self.know)
        self.folder = folder
        self._wanted = settings
        self._hurried: set[asyncio.Task[None]] = set()
        self.app: App | None = None

    @property
    def url(self) -> str:
        """The page."""
        return f"{self._app.url}{PREFIX}"

    @property
    def _app(self) -> App:
        if self.app is None:
            raise RuntimeError("the demo has not started")
        return self.app

    async def start(self) -> None:
        """Raises `UserError` for a port or a database that cannot be had."""
        await self.worlds.start()
        try:
            settings = self._settings()
            app = App(settings, clock=self.machine.clock)
            await self._move_in(settings, app.desk)
            _mount(app.web, self.page)
            self.page.site.root = settings.public_url or ""
            await app.start()
        except BaseException:
            await self.worlds.stop()
            raise
        self.app = app
        if not await self.worlds.zalo_oa.set_webhook(f"{app.url}{_OA_HOOK}"):
            log.error("The Official Account of the demo cannot reach the product", url=app.url)
        self.machine.jumped.append(self._hurry)

    def _settings(self) -> Settings:
        wanted, worlds, oa = self._wanted, self.worlds, self.worlds.zalo_oa
        access, refresh = oa.issue_pair()
        port = _port(wanted)
        changes = {
            "telegram_token": (SecretStr(BOT_TOKEN),),
            "telegram_api_url": worlds.telegram.url,
            "telegram_mode": Mode.POLLING,
            "zalo_bot_token": SecretStr(ZALO_BOT_TOKEN),
            "zalo_bot_api_url": worlds.zalo_bot.url,
            "zalo_bot_mode": Mode.POLLING,
            "zalo_oa_app_id": oa.app_id,
            "zalo_oa_app_secret": SecretStr(oa.app_secret),
            "zalo_oa_oa_secret": SecretStr(oa.oa_secret),
            "zalo_oa_access_token": SecretStr(access),
            "zalo_oa_refresh_token": SecretStr(refresh),
            "zalo_oa_api_url": oa.url,
            "zalo_oa_oauth_url": oa.url,
            "public_url": _address(wanted.http_host, port),
            "http_port": port,
            "engine": EngineKind.LOCAL,
            "secret_key": SecretStr(secrets.token_urlsafe(32)),
            "admins": (),
            "speech": wanted.speech if "speech" in wanted.model_fields_set else _voice(),
        }
        if "database_url" not in wanted.model_fields_set:
            changes["database_url"] = f"sqlite+aiosqlite:///{self.folder / 'loaso.db'}"
        return wanted.model_copy(update=changes)

    async def _move_in(self, settings: Settings, desk: Desk) -> None:
        """Tell the product of the town as an operator would: villages, people, roles."""
        database = Database(settings.database_url)
        try:
            await migrate(database)
            async with database.read() as tx:
                await only_ours(tx)
            await TownImport(database, settings, desk, self.town, self.folder).run()
        finally:
            await database.close()

    def _hurry(self) -> None:
        """After a jump, what is due is looked for at once instead of at the next tick."""
        task = asyncio.create_task(self._work())
        self._hurried.add(task)
        task.add_done_callback(self._hurried.discard)

    async def _work(self) -> None:
        app = self._app
        context = JobContext(app.database, app.desk, app.engine.wake)
        for job in JOBS:
            try:
                await job.work(context)
            except Exception:
                log.exception("A job broke after a jump of the clock", job=job.name)
        app.engine.wake()

    async def stop(self) -> None:
        """The page first, so that nobody asks any more; then the product; then the sandboxes."""
        if self._hurried:
            await asyncio.wait(self._hurried)  # a job that is broken off may leave the database locked
        await self.page.feed.stop()
        app, self.app = self.app, None
        if app is not None:
            await app.stop()
        await self.worlds.stop()

    async def know(self, id: int) -> Json:
        """What the product has written down about a person, by their number on the page."""
        app = self._app
        async with app.database.read() as tx:
            return await known(tx, self.town.people[id], app.desk.capabilities, self.machine.now())


def _voice() -> Speaking:
    """The town listens where this machine can speak."""
    options = SpeechOptions(speech=Speaking.ESPEAK)
    made = speech.make(options, Path())
    return Speaking.ESPEAK if made is not None and not made.problem() else Speaking.OFF


def _port(wanted: Settings) -> int:
    """The port that was asked for, else one that is free: pictures need to know their address beforehand."""
    if "http_port" in wanted.model_fields_set and wanted.http_port:
        return wanted.http_port
    return _free_port(wanted.http_host, wanted.http_port) if wanted.http_port else _any_port(wanted.http_host)


def _address(host: str, port: int) -> str:
    """How this machine reaches itself there."""
    host = _ANY.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _any_port(host: str) -> int:
    with socket.socket(_family(host)) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def _free_port(host: str, first: int) -> int:
    """`first`, or the next one that nobody listens on. Raises `UserError` when none of the next 20 is free."""
    for port in range(first, min(first + _PORTS_TRIED, 65536)):
        if _is_free(host, port):
            return port
    raise UserError(f"Ports {first} to {first + _PORTS_TRIED - 1} are all taken: set LOASO_HTTP_PORT to a free one")


def _is_free(host: str, port: int) -> bool:
    with socket.socket(_family(host)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen()
        except OSError:
            return False
        return True


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


@contextmanager
def _until_told() -> Iterator[asyncio.Event]:
    """An event that SIGTERM and Ctrl-C set."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, told.set)
    try:
        yield told
    finally:
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(name)


async def run_demo(settings: Settings) -> None:
    """Run until SIGTERM or Ctrl-C. Everything is made anew at each start and removed at the end."""
    if "log_level" not in settings.model_fields_set:
        logs.configure("WARNING", settings.log_format)
    with TemporaryDirectory(prefix="loaso-demo-") as folder, _until_told() as told:
        demo = Demo(settings, Path(folder))
        await demo.start()
        try:
            _say(demo)
            await told.wait()
        finally:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(demo.stop(), PATIENCE)


def _say(demo: Demo) -> None:
    villages = sum(place.name != place.commune for place in demo.town.places.values())
    sys.stdout.write(
        f"Loa Số demo: open {demo.url} in a browser.\n"
        f"{villages} villages and {len(demo.town.people)} people on Telegram and Zalo, all invented; nothing leaves "
        "this machine. Ctrl-C ends it.\n"
    )
    sys.stdout.flush()
