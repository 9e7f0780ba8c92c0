"""The state of the platform: one app, one Official Account, the people, and what the month has used up."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from bot.sandbox.zalo_oa.account import Account
from bot.sandbox.zalo_oa.articles import Articles
from bot.sandbox.zalo_oa.broadcasts import Broadcasts
from bot.sandbox.zalo_oa.directory import Directory
from bot.sandbox.zalo_oa.errors import OaError
from bot.sandbox.zalo_oa.events import Shapes
from bot.sandbox.zalo_oa.faults import Faults
from bot.sandbox.zalo_oa.groups import Groups
from bot.sandbox.zalo_oa.journal import Journal
from bot.sandbox.zalo_oa.limits import Limits, Meter, Timing
from bot.sandbox.zalo_oa.names import Names
from bot.sandbox.zalo_oa.oauth import OAuth
from bot.sandbox.zalo_oa.people import OaUser, Profile
from bot.sandbox.zalo_oa.sending import Sending
from bot.sandbox.zalo_oa.templates import Templates
from bot.sandbox.zalo_oa.uploads import Uploads
from bot.sandbox.zalo_oa.webhook import WebhookSender

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")

Watcher = Callable[[str, OaUser | None], None]


class World:
    """Everything but HTTP. `clock` gives unix seconds and judges windows, nights, months and the age of tokens and
    uploads; `monotonic` judges the calls per minute; `gmf_assets` are the group packages, gmf10 to gmf1000. What is
    public may be changed at any time."""

    def __init__(
        self,
        *,
        app_id: str = "360846524940903967",
        app_secret: str = "app-secret",  # noqa: S107
        oa_secret: str = "oa-secret",  # noqa: S107
        oa_id: str = "388613280878808645",
        oa_name: str = "Loa Số",
        redirect_uri: str = "http://127.0.0.1/zalo/callback",
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        timing: Timing | None = None,
        limits: Limits | None = None,
        seed: int = 1,
        paid_package: bool = True,
        verified: bool = True,
        with_quota: bool = True,
        gmf_assets: Sequence[str] = ("gmf100",),
    ) -> None:
        self.app_id, self.app_secret = app_id, app_secret
        self.oa_id, self.oa_name, self.oa_secret = oa_id, oa_name, oa_secret
        self.redirect_uri = redirect_uri
        self.clock = clock
        self.timing = timing or Timing.real()
        self.limits = limits or Limits()
        self.paid_package, self.verified, self.with_quota = paid_package, verified, with_quota
        self.names = Names(seed)
        self.meter = Meter(self.limits, monotonic)
        self.journal = Journal()
        self.faults = Faults()
        self.shapes = Shapes(self)
        self.oauth = OAuth(self)
        self.webhook = WebhookSender(self, seed)
        self.users: dict[str, OaUser] = {}
        self.reactions: dict[str, list[str]] = {}
        self.uploads = Uploads(self)
        self.sending = Sending(self)
        self.articles = Articles(self)
        self.broadcasts = Broadcasts(self)
        self.templates = Templates(self)
        self.directory = Directory(self)
        self.account = Account(self)
        self.groups = Groups(self)
        for product in gmf_assets:
            self.groups.add_asset(product)
        self.on_change: list[Watcher] = []
        self._used: Counter[tuple[str, str]] = Counter()

    # People

    def add_user(self, name: str, profile: Profile | None = None) -> OaUser:
        """Somebody with Zalo who has not met the OA yet."""
        user = OaUser(self, name, profile or Profile())
        self.users[user.id] = user
        return user

    def agent_replies(self, user: OaUser, text: str, admin_id: str = "1234567890123456789") -> str:
        """A human answers in OA Manager. Returns the id of the message."""
        return self.sending.agent(user, text, admin_id).id

    def changed(self, what: str, user: OaUser | None = None) -> None:
        """Tell whoever watches, e.g. a page that shows chats."""
        for watcher in self.on_change:
            watcher(what, user)

    # Tokens and webhook, as the console offers them

    def issue_pair(self) -> tuple[str, str]:
        """A valid access and refresh token without any consent."""
        return self.oauth.issue_pair()

    async def set_webhook(self, url: str) -> bool:
        """Save the webhook's address: `False` where the unsigned `{}` was not answered with 200."""
        return await self.webhook.set(url)

    async def settled(self) -> None:
        """Until no event is under way."""
        await self.webhook.settled()

    # Time and quotas

    def milliseconds(self) -> str:
        """Now, as the platform writes it: a string."""
        return str(round(self.clock() * 1000))

    def local(self) -> datetime:
        """Now in Asia/Ho_Chi_Minh."""
        return datetime.fromtimestamp(self.clock(), UTC).astimezone(ZONE)

    def used(self, what: str) -> int:
        """How much of a monthly quota is gone in this month."""
        return self._used[f"{self.local():%Y-%m}", what]

    def use(self, what: str, quota: int, code: int = -211) -> None:
        """Take one of a monthly quota. Raises -211 (or that code) when it is gone."""
        if self.used(what) >= quota:
            raise OaError(code)
        self._used[f"{self.local():%Y-%m}", what] += 1

    def require_package(self) -> None:
        """Raises -224 without a paid package, -221 for an OA that is not verified."""
        if not self.paid_package:
            raise OaError(-224)
        if not self.verified:
            raise OaError(-221)
