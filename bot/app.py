"""Tying the knot: the only file that sees every folder, and the order in which things start and stop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot.assistant import Assistant
from bot.channels.zalo_oa import ZaloOaChannel
from bot.channels.zalo_oa_consent import check_state
from bot.core.channel import Channel
from bot.core.clock import Clock, utc_now
from bot.core.errors import AccountStopped, SendError
from bot.core.words import AccountState
from bot.db import Database, accounts, published
from bot.db.guard import SoleSender
from bot.db.migrate import migrate
from bot.engine import Engine
from bot.engine.local import LocalEngine
from bot.inbox import Inbox
from bot.outreach import alarms, curriculum
from bot.outreach.desk import Desk, House
from bot.outreach.faq.engine import answerer_of
from bot.outreach.roles_admin import ensure_admins
from bot.reader import Reader
from bot.settings import Settings, secret_key
from bot.web import consent, files
from bot.web.metrics import Metrics
from bot.web.server import WebServer
from bot.wiring import Wires, make_channels, make_speech
from handlers import ROUTERS
from jobs import JOBS, Job, JobContext
from jobs.scheduler import Scheduler
from messages import Phrasebook
from messages.content import packs

log = structlog.get_logger(__name__)

_RECEIVE_PATIENCE = 3.0
"""Seconds that what is coming in gets to be handled when the program stops; the platform keeps the rest for us."""


def make_desk(settings: Settings, clock: Clock | None = None, house: House | None = None) -> Desk:
    """What the rules look at, without database or network: enough for commands that only ask."""
    clock = clock or Clock(settings.zone, utc_now)
    pack = packs.load()
    return Desk(
        clock=clock,
        book=Phrasebook(settings.zone),
        pack=pack,
        answerer=answerer_of(pack, clock.today(clock.now())),
        secret_key=secret_key(settings),
        translations=packs.translations(pack),
        house=house or _house(settings),
    )


def _house(settings: Settings) -> House:
    mute, answer_within = timedelta(minutes=settings.zalo_oa_mute_minutes), timedelta(hours=settings.answer_hours)
    return House(mute=mute, answer_within=answer_within)


def make_assistant(settings: Settings) -> Assistant | None:
    """Off unless somebody names one."""
    if settings.assistant_url is None or settings.assistant_model is None:
        return None
    key = settings.assistant_key.get_secret_value() if settings.assistant_key else None
    return Assistant(settings.assistant_url, settings.assistant_model, key, timeout=settings.assistant_timeout)


class App:
    """The whole product in one process. `start` returns when it works; `stop` finishes what is in flight. With a `desk`
    it looks at that one, whatever `clock` and `house` are."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock | None = None,
        house: House | None = None,
        desk: Desk | None = None,
        channels: Sequence[Channel] | None = None,
        send: bool = True,
    ) -> None:
        self.settings = settings
        self.desk = desk or make_desk(settings, clock, house)
        self.database = Database(settings.database_url)
        publish = self.publish if settings.public_url else None
        wires = Wires(settings, self.desk.clock, self.desk.book, self.database, publish, self.told)
        self.channels = list(make_channels(wires) if channels is None else channels)
        self.desk.publish = publish
        self.metrics = Metrics()
        self.sole = SoleSender(self.database, settings.sqlite_path)
        self.send = send
        self.engine = self.make_engine()
        self.desk.speech = self.desk.speech or make_speech(settings)
        self.assistant = make_assistant(settings)
        self.reader = Reader(self.database, self.desk, self.engine.leave, owner=self.engine.name)
        self.inbox = Inbox(
            self.database,
            self.desk,
            ROUTERS,
            {c.account: c.capabilities for c in self.channels},
            self.engine.leave,
            meter=self.metrics,
            owner=self.engine.name,
            read_aloud=self.reader.take,
            adviser=self.assistant,
        )
        hooks = [c.webhook for c in self.channels if c.webhook is not None]
        self.web = WebServer(settings, hooks, self.health, self.metrics)
        self.web.application.add_routes([files.route(self.find_file), consent.route(self.take_consent)])
        keep = timedelta(days=settings.keep_deliveries_days)
        labellers = {c.account: c.labels for c in self.channels if isinstance(c, ZaloOaChannel)}
        context = JobContext(self.database, self.desk, self.engine.wake, self.metrics, keep, labellers)
        self.chores = Scheduler([job for job in JOBS if job.everywhere], context)
        self.scheduler = Scheduler([self.on_duty(job) for job in JOBS if not job.everywhere], context)
        for channel in self.channels:
            self.desk.links[channel.account] = channel.link
            self.desk.share_links[channel.account] = channel.share_link

    async def publish(self, content: bytes, mime: str) -> str:
        """Put a file where a platform can fetch it. Returns its address."""
        async with self.database.write() as tx:
            token = await published.put(tx, content, mime, self.desk.clock.now())
        return f"{self.settings.public_url}{files.path_of(token, mime)}"

    async def find_file(self, token: str) -> tuple[bytes, str] | None:
        """For the web: a file that was put there and has not expired."""
        async with self.database.read() as tx:
            return await published.find(tx, token, self.desk.clock.now())

    async def take_consent(self, code: str, state: str) -> str:
        """For the web: somebody comes back from Zalo. Returns what is wrong, or nothing."""
        ours = [channel for channel in self.channels if isinstance(channel, ZaloOaChannel)]
        if not ours or not code:
            return "không có tài khoản Zalo OA hoặc thiếu mã"
        if not check_state(self.desk.secret_key, state, self.desk.clock.now()):
            return "đường dẫn đã quá nửa giờ, mời mở lại từ 'loaso zalo connect'"
        try:
            await ours[0].consented(code)
        except SendError as error:
            return f"Zalo không nhận mã này ({error.detail})"
        await self.told(ours[0].account, "")
        return ""

    async def told(self, account: str, problem: str) -> None:
        """An account stopped while it worked, or works again."""
        async with self.database.write() as tx:
            found = await accounts.ensure(tx, account, self.desk.clock.now())
            if problem:
                await alarms.account_stopped(tx, self.desk, found.id, problem)
            else:
                await accounts.set_state(tx, found.id, AccountState.ACTIVE)
        if problem:
            self.engine.halt(account)
        else:
            self.engine.revive(account)

    def make_engine(self) -> Engine:
        """Who sends."""
        sole = self.sole if self.send else None
        return LocalEngine(self.database, self.desk, self.channels, meter=self.metrics, sends=self.send, sole=sole)

    def on_duty(self, job: Job) -> Job:
        """A job as it is done by whoever holds the clock."""
        return job

    @property
    def url(self) -> str:
        """Where our own web server listens."""
        return self.web.url

    async def start(self) -> None:
        """Database, then what sends, then what receives, then the clock: nothing arrives that could not be answered."""
        await migrate(self.database)
        await self.enter()
        try:
            await self._prepare(self.desk.clock.now())
            await self.engine.start()
            self.chores.start()
            await self.open()
        except BaseException:
            await self.stop()
            raise
        log.info("Loa Số works", accounts=[c.account for c in self.channels], sends=self.send, url=self.url)

    async def enter(self) -> None:
        """Make sure that this process may work on the database. Raises `UserError` if it may not."""
        if self.send:
            await self.sole.take()

    async def open(self) -> None:
        """Receive, and let the clock tick."""
        await self.web.start()
        for channel in self.channels:
            await self.start_channel(channel)
        if self.send:
            self.scheduler.start()

    async def leave(self) -> None:
        """Give up what `enter` took."""
        await self.sole.release()

    async def _prepare(self, now: datetime) -> None:
        async with self.database.write() as tx:
            known = [await accounts.ensure(tx, c.account, now) for c in self.channels]
            for channel in {a.channel for a in known}:
                moved = await accounts.adopt(tx, channel, [a for a in known if a.channel == channel])
                if moved:
                    log.info("Imported contacts were given an account", channel=channel, contacts=moved)
            await ensure_admins(tx, self.settings.admins, now)
            await curriculum.sync(tx, self.desk.pack)

    async def start_channel(self, channel: Channel) -> None:
        """An account that its platform refuses stops alone."""
        try:
            await channel.start(self.inbox.receive)
        except AccountStopped as error:
            log.error("An account is refused by its platform", account=channel.account, detail=error.detail)  # noqa: TRY400
            async with self.database.write() as tx:
                account = await accounts.ensure(tx, channel.account, self.desk.clock.now())
                await alarms.account_stopped(tx, self.desk, account.id, error.detail)
            self.engine.halt(channel.account)

    async def stop(self) -> None:
        """In the opposite order: nothing new comes in, what is in flight leaves, everything is written down."""
        self.engine.quiesce()
        receiving = asyncio.gather(*(c.stop() for c in self.channels), return_exceptions=True)
        clocks = (self.scheduler.stop(), self.chores.stop())
        await asyncio.gather(*clocks, asyncio.wait((receiving,), timeout=_RECEIVE_PATIENCE))
        await self.reader.stop()
        await self.engine.stop()
        receiving.cancel()
        await self.web.stop()
        if self.assistant is not None:
            await self.assistant.close()
        await asyncio.gather(*(c.close() for c in self.channels), return_exceptions=True)
        await self.leave()
        await self.database.close()

    async def health(self) -> dict[str, Any]:
        """For `/readyz`: whether the database answers and each account works."""
        problems = dict(self.engine.health())
        try:
            async with self.database.read() as tx:
                stopped = [a for a in await accounts.everyone(tx) if a.state is AccountState.STOPPED]
        except Exception as error:  # whatever it is, we are not ready
            return {"ok": False, "database": type(error).__name__, "accounts": problems}
        ours = {c.account for c in self.channels}
        problems |= {a.key: a.problem or "stopped" for a in stopped if a.key in ours}
        return {"ok": not problems, "database": "ok", "accounts": {c: problems.get(c, "ok") for c in sorted(ours)}}


def spare_collecting() -> None:
    """What is there after the start stays to the end, half a million objects: the garbage collector need not look at
    them again, which is about a tenth of what a message costs."""
    gc.collect()
    gc.freeze()


async def serve(app: App) -> None:
    """Run until SIGTERM or SIGINT. A second signal does not wait any longer."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    me = asyncio.current_task()

    def asked() -> None:
        if stopping.is_set() and me is not None:
            me.cancel()
        stopping.set()

    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, asked)
    await app.start()
    spare_collecting()
    try:
        await stopping.wait()
        log.info("Stopping: what is on its way is finished first")
    finally:
        with contextlib.suppress(TimeoutError, asyncio.CancelledError):
            await asyncio.wait_for(app.stop(), 9.5)
