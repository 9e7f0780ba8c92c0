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
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog
from aiohttp import web
from pydantic import SecretStr

from bot import logs
from bot.app import App
from bot.core.clock import utc_now
from bot.core.errors import UserError
from bot.core.events import ChatKind
from bot.db import Database, Tx, accounts, invites, people, roles, units
from bot.db.migrate import migrate
from bot.db.tables import Account, Person
from bot.outreach import people_import, posts, referrals, roles_admin, unit_import
from bot.outreach.desk import House
from bot.sandbox.page import Page, TimeMachine
from bot.sandbox.sample import BOT_TOKEN, PEOPLE, Character, Part, Town, settle
from bot.sandbox.telegram import TelegramSandbox, Timing
from bot.sandbox.telegram.errors import Json
from bot.settings import Address, EngineKind, Mode, Settings
from bot.web.server import WebServer
from jobs import JOBS, JobContext

log = structlog.get_logger(__name__)

PREFIX = "/demo/"
PATIENCE = 9.5
_PORTS_TRIED = 20
_SUBSCRIBED_FOR = timedelta(days=21)
_BROUGHT = 4


def _mount(server: WebServer, page: Page) -> None:
    """Put the page on the product's own web server, beside whatever else is there."""
    application = server.application
    for path in ("/", PREFIX.rstrip("/")):
        application.router.add_get(path, _to_page)
    application.add_subapp(PREFIX, page.app())


async def _to_page(_request: web.Request) -> web.Response:
    raise web.HTTPFound(PREFIX)


class Demo:
    """The sandbox, the town, the product and the page. `folder` takes the database unless the settings name one;
    `source` is the real time."""

    def __init__(
        self, settings: Settings, folder: Path, *, people: int = PEOPLE, source: Callable[[], datetime] = utc_now
    ) -> None:
        self.machine = TimeMachine(settings.zone, House().tip_hours, source=source)
        self.world = TelegramSandbox(timing=Timing.fast(), clock=self.machine.seconds)
        self.town = settle(self.world, people=people)
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
        await self.world.start()
        try:
            settings = self._settings()
            await self._move_in(settings)
            app = App(settings, clock=self.machine.clock)
            _mount(app.web, self.page)
            await app.start()
        except BaseException:
            await self.world.stop()
            raise
        self.app = app
        self.machine.jumped.append(self._hurry)

    def _settings(self) -> Settings:
        wanted = self._wanted
        changes = {
            "telegram_token": (SecretStr(BOT_TOKEN),),
            "telegram_api_url": self.world.url,
            "telegram_mode": Mode.POLLING,
            "engine": EngineKind.LOCAL,
            "secret_key": SecretStr(secrets.token_urlsafe(32)),
            "admins": (),
        }
        if "database_url" not in wanted.model_fields_set:
            changes["database_url"] = f"sqlite+aiosqlite:///{self.folder / 'loaso.db'}"
        if "http_port" not in wanted.model_fields_set:
            changes["http_port"] = _free_port(wanted.http_host, wanted.http_port)
        return wanted.model_copy(update=changes)

    async def _move_in(self, settings: Settings) -> None:
        """Tell the product of the town as an operator would: villages, people, roles."""
        database = Database(settings.database_url)
        try:
            await migrate(database)
            async with database.read() as tx:
                await _only_ours(tx)
            await _Import(database, settings, self.town, self.machine, self.folder).run()
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
        """The page first, so that nobody asks any more; then the product; then the sandbox."""
        for task in self._hurried:
            task.cancel()
        await asyncio.gather(*self._hurried, return_exceptions=True)
        await self.page.feed.stop()
        app, self.app = self.app, None
        if app is not None:
            await app.stop()
        await self.world.stop()

    async def know(self, id: int) -> Json:
        """What the product has written down about a person."""
        app = self._app
        async with app.database.read() as tx:
            contact = await people.find(tx, "telegram", str(id))
            if contact is None or contact.kind is not ChatKind.PRIVATE:
                return {}
            person = await people.get(tx, contact.person_id)
            return await _written(tx, person) if person is not None else {}


async def _written(tx: Tx, person: Person) -> Json:
    unit = await units.get(tx, person.unit_id) if person.unit_id is not None else None
    return {
        "status": person.status,
        "unit": unit.name if unit is not None else None,
        "group": person.target_group,
        "tip_hour": person.tip_hour,
        "consent_at": person.consent_at.timestamp() if person.consent_at is not None else None,
        "roles": [{"role": role, "unit": of.name} for role, of in await roles.of_person(tx, person.id)],
        "invited": await referrals.brought(tx, person.id),
    }


async def _only_ours(tx: Tx) -> None:
    """A database that really serves people is no place for a demo."""
    ours = f"telegram:{BOT_TOKEN.partition(':')[0]}"
    found: list[Account] = await accounts.everyone(tx)
    if any(account.key != ours for account in found) or (not found and await people.count(tx)):
        raise UserError(
            "LOASO_DATABASE_URL names a database that holds real accounts or people, and the demo would mix invented "
            "ones into it: unset LOASO_DATABASE_URL, or name an empty database"
        )


class _Import:
    """The town, brought in by the same rules as `loaso units import`, `loaso people import`, `loaso roles grant`."""

    def __init__(self, database: Database, settings: Settings, town: Town, machine: TimeMachine, folder: Path) -> None:
        self.database = database
        self.settings = settings
        self.town = town
        self.folder = folder
        self.now = machine.now()
        self.today = machine.clock.today(self.now)
        self.keys = posts.configured(settings)

    async def run(self) -> None:
        async with self.database.write() as tx:
            wishes = unit_import.read(self.town.villages_file, _refuse)
            await unit_import.bring_in(tx, wishes, _refuse, self.now, self.today)
        for hour in {person.tip_hour for person in self.town.people.values() if person.tip_hour is not None}:
            await self._people(hour)
        async with self.database.write() as tx:
            await self._roles(tx)
            await self._brought(tx)

    async def _people(self, hour: int) -> None:
        """One file for each hour at which people want their tip."""
        path = self.folder / "people.csv"
        mine = {id: person for id, person in self.town.people.items() if person.tip_hour == hour}
        replace(self.town, people=mine).write_people(path, self.now - _SUBSCRIBED_FOR)
        secret = self.settings.secret_key
        await people_import.Import(
            self.database,
            self.now,
            self.settings.zone,
            self.keys,
            lambda: secret.get_secret_value().encode() if secret else b"",
            _refuse,
            tip_hour=hour,
        ).run(path)

    async def _roles(self, tx: Tx) -> None:
        for person in self.town.people.values():
            if person.part.role is not None:
                unit = await roles_admin.read_unit(tx, person.unit)
                await roles_admin.grant(tx, _address(person), person.part.role, unit, self.now, self.keys)

    async def _brought(self, tx: Tx) -> None:
        """Some neighbours came through the influencer's link."""
        teacher = next(p for p in self.town.people.values() if p.part is Part.INFLUENCER)
        by = await self._person(tx, teacher)
        home = await units.get(tx, by.unit_id) if by.unit_id is not None else None
        code = await referrals.code_for(tx, by, home, self.now)
        near = [p for p in self.town.people.values() if p.unit == teacher.unit and p.part is Part.RESIDENT]
        for neighbour in near[-_BROUGHT:]:
            came = await self._person(tx, neighbour)
            await invites.credit(tx, came.id, by.id, code, self.now)

    async def _person(self, tx: Tx, character: Character) -> Person:
        contact = await people.find(tx, "telegram", str(character.user.id))
        person = await people.get(tx, contact.person_id) if contact is not None else None
        if person is None:
            raise RuntimeError(f"{character.user} was not imported")
        return person


def _address(person: Character) -> Address:
    return Address("telegram", str(person.user.id))


def _refuse(line: int, why: str) -> None:
    raise RuntimeError(f"sample data, line {line}: {why}")


def _free_port(host: str, first: int) -> int:
    """`first`, or the next one that nobody listens on. Raises `UserError` when none of the next 20 is free."""
    for port in range(first, min(first + _PORTS_TRIED, 65536)):
        if _is_free(host, port):
            return port
    raise UserError(f"Ports {first} to {first + _PORTS_TRIED - 1} are all taken: set LOASO_HTTP_PORT to a free one")


def _is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen()
        except OSError:
            return False
        return True


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
        f"{villages} villages and {len(demo.town.people)} people, all invented; nothing leaves this machine. "
        "Ctrl-C ends it.\n"
    )
    sys.stdout.flush()
