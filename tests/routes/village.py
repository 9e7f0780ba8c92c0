"""A village whose people are on Telegram, on Zalo, on both or on nothing: three local platforms and the whole product.

One clock, set by hand, drives the product and the platforms.
"""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot.app import App
from bot.core.clock import Clock
from bot.core.errors import Reason
from bot.core.events import Outbound
from bot.core.words import CampaignKind, DeliveryState, PersonStatus, RoleName
from bot.db import accounts, deliveries, people, roles, runs, units
from bot.db.audience import Reach
from bot.db.tables import Account, Contact, Delivery, Person
from bot.engine.local import LocalEngine, Post
from bot.outreach import audience, broadcasts, campaigns
from bot.outreach.desk import Desk, House
from bot.sandbox.telegram import Limits as TelegramLimits
from bot.sandbox.telegram import TelegramSandbox, Timing, User
from bot.sandbox.zalo_bot import Oddities, ZaloBotSandbox, ZaloBotUser
from bot.sandbox.zalo_oa import Limits as OaLimits
from bot.sandbox.zalo_oa import OaUser, ZaloOaSandbox
from bot.sandbox.zalo_oa import Timing as OaTiming
from bot.settings import Settings, secret_key
from messages import Phrasebook
from tests.db.crowd import counted
from tests.support.talk import MORNING, ZONE, content

TELEGRAM_TOKEN = "123456:AAaaBBbbCCccDDddEEeeFFff"
BOT_TOKEN = "12345689:abc-xyz_fAkE_000000000000000000"
APP = "360846524940903967"
TELEGRAM, BOT, OA = "telegram:123456", "zalo_bot:12345689", f"zalo_oa:{APP}"
AFTERNOON = MORNING + timedelta(hours=4, minutes=30)
PLACE = "18859"


@dataclass(slots=True)
class Hands:
    """The one clock."""

    now: datetime = AFTERNOON

    def __call__(self) -> datetime:
        return self.now

    def seconds(self) -> float:
        return self.now.timestamp()

    def pass_by(self, **time: float) -> None:
        self.now += timedelta(**time)


@dataclass(slots=True, eq=False)
class Villager:
    """One person with the phones that they have; `expected` is where a test wants to see them reached."""

    id: int
    telegram: User | None = None
    oa: OaUser | None = None
    bot: ZaloBotUser | None = None
    expected: str = ""


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one person's delivery by our own rows: `channel` is where it went, if it did."""

    state: DeliveryState
    reason: Reason | None
    channel: str = ""

    def __str__(self) -> str:
        return self.channel if self.state is DeliveryState.SENT else f"{self.state}:{self.reason}"


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@dataclass(slots=True)
class Platforms:
    """The three servers, and which of them the product is told of."""

    hands: Hands = field(default_factory=Hands)
    telegram: TelegramSandbox = field(init=False)
    bot: ZaloBotSandbox = field(init=False)
    oa: ZaloOaSandbox = field(init=False)

    def __post_init__(self) -> None:
        seconds = self.hands.seconds
        self.telegram = TelegramSandbox(TelegramLimits.none(), timing=Timing.fast(), clock=seconds)
        self.telegram.add_bot(TELEGRAM_TOKEN, username="loaso_bot", name="Loa Số")
        self.bot = ZaloBotSandbox(oddities=Oddities(duplicates=0), strict_webhooks=False, clock=seconds)
        self.bot.webhook_retry = 0.005
        self.bot.add_bot(BOT_TOKEN, "Bot Loa Số")
        self.oa = ZaloOaSandbox(
            app_id=APP, clock=seconds, timing=OaTiming.fast(), limits=OaLimits(per_minute=None), gmf_assets=("gmf100",)
        )

    async def start(self) -> None:
        await asyncio.gather(self.telegram.start(), self.bot.start(), self.oa.start())

    async def stop(self) -> None:
        await asyncio.gather(self.telegram.stop(), self.bot.stop(), self.oa.stop())


def desk(settings: Settings, clock: Clock) -> Desk:
    """As the product makes it, with content that is read once a test process."""
    pack, answerer = content()
    return Desk(
        clock=clock, book=Phrasebook(ZONE), pack=pack, answerer=answerer, secret_key=secret_key(settings), house=House()
    )


class Village:
    """The product in this process, and its people. `without` names channels that are switched off."""

    def __init__(
        self, database_url: str, platforms: Platforms, *, without: Sequence[str] = (), public: bool = True, **more: Any
    ) -> None:
        self.platforms, self.hands, self.without = platforms, platforms.hands, without
        port = free_port() if public else 0
        access, refresh = platforms.oa.issue_pair() if "zalo_oa" not in without else ("", "")
        given: dict[str, Any] = {
            "database_url": database_url,
            "secret_key": "kept by the tests of routes",
            "http_port": port,
            "public_url": f"http://127.0.0.1:{port}" if public else None,
            **({} if "telegram" in without else self._telegram()),
            **({} if "zalo_bot" in without else self._zalo_bot(public)),
            **({} if "zalo_oa" in without else self._zalo_oa(access, refresh)),
            **more,
        }
        self.app = self.make(Settings(_env_file=None, **given), clock=Clock(ZONE, self.hands))
        self.people: list[Villager] = []
        self.ids: dict[str, int] = {}
        self._channels: dict[int, str] = {}

    def make(self, settings: Settings, clock: Clock) -> App:
        return App(settings, desk=desk(settings, clock))

    def _telegram(self) -> dict[str, Any]:
        return {
            "telegram_token": TELEGRAM_TOKEN,
            "telegram_api_url": self.platforms.telegram.url,
            "telegram_rate": 0,
        }

    def _zalo_bot(self, public: bool) -> dict[str, Any]:
        mode = "webhook" if public else "polling"
        return {"zalo_bot_token": BOT_TOKEN, "zalo_bot_api_url": self.platforms.bot.url, "zalo_bot_mode": mode}

    def _zalo_oa(self, access: str, refresh: str) -> dict[str, Any]:
        oa = self.platforms.oa
        return {
            "zalo_oa_app_id": oa.app_id,
            "zalo_oa_app_secret": oa.app_secret,
            "zalo_oa_oa_secret": oa.oa_secret,
            "zalo_oa_access_token": access,
            "zalo_oa_refresh_token": refresh,
            "zalo_oa_api_url": oa.url,
            "zalo_oa_oauth_url": oa.url,
        }

    async def __aenter__(self) -> Village:
        await self.app.start()
        if "zalo_oa" not in self.without:
            assert await self.platforms.oa.set_webhook(f"{self.app.url}/webhook/zalo-oa")
        async with self.app.database.write() as tx:
            for key in (TELEGRAM, BOT, OA):
                self.ids[key.partition(":")[0]] = (await accounts.ensure(tx, key, self.hands.now)).id
            self._channels = {id: channel for channel, id in self.ids.items()}
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.app.stop()

    @property
    def engine(self) -> LocalEngine:
        assert isinstance(self.app.engine, LocalEngine)
        return self.app.engine

    def post(self, channel: str) -> Post:
        """What leaves through an account."""
        return self.engine.posts[self.ids[channel]]

    def unpark(self) -> None:
        """As if the time for which platforms asked had passed."""
        for post in self.engine.posts.values():
            post.line.pacer._halted_until = post.line.pacer._next = 0.0
            post.line._turn()

    @property
    def telegram_bot(self) -> Any:
        return next(iter(self.platforms.telegram.bots.values()))

    @property
    def zalo_bot(self) -> Any:
        return next(iter(self.platforms.bot.bots.values()))

    # People

    async def bring(
        self,
        *,
        telegram: bool = False,
        bot: bool = False,
        oa: timedelta | None = None,
        prefers: str = "",
        status: PersonStatus = PersonStatus.ACTIVE,
        count: int = 1,
        expected: str = "",
        here: bool = True,
    ) -> list[Villager]:
        """People who agreed. `oa`: how long ago they wrote to the Official Account; `here`: they live there."""
        found = []
        async with self.app.database.write() as tx:
            place = await units.by_code(tx, PLACE)
            assert place is not None
            for _ in range(count):
                person = Person(created_at=self.hands.now, status=status, tip_hour=7, tip_day=0)
                person.unit_id = place.id if here else None
                person.language, person.consent_at = "vi", self.hands.now
                person.consent_version, person.consent_via = self.app.desk.house.consent_version, "telegram"
                tx.add(person)
                await tx.flush()
                one = Villager(person.id, expected=expected)
                if telegram:
                    one.telegram = self.platforms.telegram.add_user(first_name="Lan")
                    one.telegram.chat(self.telegram_bot).started = True
                    await self._address(tx, one, "telegram", str(one.telegram.id), prefers, timedelta(days=30))
                if bot:
                    one.bot = self.platforms.bot.add_user("Minh")
                    self.zalo_bot.chats[one.bot.id] = one.bot.chat(self.zalo_bot)
                    self.zalo_bot.quota.admit(one.bot.id, group=False)
                    await self._address(tx, one, "zalo_bot", one.bot.id, prefers, timedelta(days=30))
                if oa is not None:
                    one.oa = self.platforms.oa.add_user("Bé")
                    one.oa.following = True
                    one.oa.last_interaction = (self.hands.now - oa).timestamp()
                    await self._address(tx, one, "zalo_oa", one.oa.id, prefers, oa)
                found.append(one)
        if isinstance(self.app.engine, LocalEngine):
            for post in self.engine.posts.values():
                post.sender.purse._looked = float("-inf")  # as a few seconds later
        self.people += found
        return found

    async def _address(self, tx: Any, one: Villager, channel: str, id: str, prefers: str, ago: timedelta) -> None:
        contact = await people.join(tx, one.id, self.ids[channel], id)
        contact.last_in_at, contact.preferred = self.hands.now - ago, channel == prefers
        await tx.flush()

    async def head(self, who: Villager, role: RoleName = RoleName.VILLAGE_HEAD) -> None:
        async with self.app.database.write() as tx:
            place = await units.by_code(tx, PLACE)
            assert place is not None
            await roles.grant(tx, who.id, role, place.id, self.hands.now)

    # Runs

    async def reach(self, to: str = "all") -> Reach:
        """What is shown before a run is sent."""
        async with self.app.database.read() as tx:
            return await broadcasts.reach(tx, self.app.desk, audience.parse(to, internal=True), self.hands.now)

    async def plan(self, text: str, to: str = "all", **options: Any) -> int:
        """A campaign as an operator would send it; returns the run's id."""
        now = self.hands.now
        parts = options.pop("parts", [Outbound(chat_id="", text=text)])
        kind = options.pop("kind", CampaignKind.BROADCAST)
        plan = campaigns.Plan(kind=kind, parts=parts, audience=audience.parse(to, internal=True), at=now, **options)
        async with self.app.database.write() as tx:
            _, run = await campaigns.create(tx, self.app.desk, plan, now)
        assert run is not None
        self.app.engine.wake()
        return run.id

    async def send(self, text: str, to: str = "all", **options: Any) -> int:
        """The same, until it is done."""
        run_id = await self.plan(text, to, **options)
        await self.done(run_id)
        return run_id

    async def status(self, run_id: int) -> dict[str, Any]:
        async with self.app.database.read() as tx:
            run = await runs.get(tx, run_id)
            assert run is not None
            return await campaigns.status(tx, run)

    async def done(self, run_id: int, seconds: float = 20) -> dict[str, Any]:
        found: dict[str, Any] = {}

        async def over() -> bool:
            nonlocal found
            at_rest = self._is_written_down()  # asked first: what follows from a refusal may let the run go on
            found = await self.status(run_id)
            return bool(found["state"] == "done") and at_rest

        try:
            await self.until(over, seconds)
        except TimeoutError:
            raise AssertionError(found) from None
        return found

    async def until(self, look: Callable[[], Awaitable[object]], seconds: float = 10) -> None:
        """Wait until it is true."""
        async with asyncio.timeout(seconds):
            while not await look():  # noqa: ASYNC110  # a database tells nobody
                await asyncio.sleep(0.02)

    async def quiet(self) -> None:
        """Until no answer waits and everything is written down."""

        async def rests() -> bool:
            await self.platforms.oa.settled()
            return self._is_written_down() and not any(p.replier.waiting for p in self.engine.posts.values())

        await self.until(rests)

    def _is_written_down(self) -> bool:
        if not isinstance(self.app.engine, LocalEngine):
            return True
        ledger = self.engine.ledger
        return not (ledger.outcomes or ledger.notes or ledger.left or ledger._noting.locked())

    # What became of it

    async def fates(self, run_id: int) -> dict[int, Fate]:
        """By person, as our own rows say."""
        async with self.app.database.read() as tx:
            query = (
                sa.select(Delivery.person_id, Delivery.state, Delivery.reason, Account.channel)
                .outerjoin(Contact, Contact.id == Delivery.contact_id)
                .outerjoin(Account, Account.id == Contact.account_id)
                .where(Delivery.run_id == run_id)
            )
            rows = (await tx.execute(query)).all()
        return {person: Fate(state, reason, channel or "") for person, state, reason, channel in rows}

    def seen(self, who: Villager, words: str) -> Counter[str]:
        """How often a person has read those words, by platform."""
        found: Counter[str] = Counter()
        if who.telegram is not None:
            said = who.telegram.chat(self.telegram_bot).bot_messages
            found["telegram"] = sum(words in m.text for m in said)
        if who.bot is not None:
            found["zalo_bot"] = sum(words in m.text for m in who.bot.chat(self.zalo_bot).bot_messages)
        if who.oa is not None:
            found["zalo_oa"] = sum(words in text for text in who.oa.texts)
        return +found

    def wire(self) -> Counter[str]:
        """Messages that each platform says it has delivered."""
        platforms = self.platforms
        return +Counter(
            telegram=platforms.telegram.sent(), zalo_bot=platforms.bot.sent(), zalo_oa=len(platforms.oa.journal.sent())
        )

    async def check(self, run_id: int, words: str) -> dict[int, str]:
        """The platforms and our rows agree about everybody, and our counts with our rows. Returns each person's end in
        short: the channel, or the state with its reason."""
        fates = await self.fates(run_id)
        for who in self.people:
            fate, seen = fates.get(who.id), self.seen(who, words)
            wanted = {fate.channel: 1} if fate is not None and fate.state is DeliveryState.SENT else {}
            assert dict(seen) == wanted, (who, fate, seen)
        await self.adds_up(run_id)
        return {person: str(fate) for person, fate in fates.items()}

    async def adds_up(self, run_id: int) -> None:
        """The counts say what the rows say, and add up to the whole."""
        kept, real = await counted(self.app.database)
        assert kept == real
        status = await self.status(run_id)
        assert sum(status[str(state)] for state in DeliveryState) == status["total"]

    async def let_wait(self, run_id: int) -> int:
        """What an operator can do for those whose message perhaps never arrived."""
        async with self.app.database.write() as tx:
            return await deliveries.requeue(tx, run_id, DeliveryState.UNKNOWN)
