"""The platform without its front door: bots, people, groups, the clock, and what is left to chance."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import aiohttp

from bot.sandbox.zalo_bot.bots import ZaloBotAccount
from bot.sandbox.zalo_bot.chats import Chat, Message
from bot.sandbox.zalo_bot.faults import Faults
from bot.sandbox.zalo_bot.journal import Journal, Measured
from bot.sandbox.zalo_bot.oddities import Oddities
from bot.sandbox.zalo_bot.people import ZaloBotGroup, ZaloBotUser
from bot.sandbox.zalo_bot.quota import Limits


class World(Measured):
    """Everything that the server serves. `on_change` is told of every chat in which something happens."""

    def __init__(
        self,
        limits: Limits,
        oddities: Oddities,
        *,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
        seed: int,
        keep_messages: int,
        keep_log: int,
    ) -> None:
        self.limits = limits
        self.oddities = oddities
        self.clock = clock
        self.monotonic = monotonic
        self.keep_messages = keep_messages
        self.log = Journal(keep_log)
        self.faults = Faults()
        self.faults.on_outage = self.wake_polls
        self.bots: dict[str, ZaloBotAccount] = {}
        self.users: dict[str, ZaloBotUser] = {}
        self.groups: dict[str, ZaloBotGroup] = {}
        self.on_change: list[Callable[[Chat], None]] = []
        self.running = False
        self.webhook_tries = 5
        self.webhook_retry = 1.0
        self.webhook_timeout = 10.0
        self._ids, self._luck = random.Random(f"ids {seed}"), random.Random(f"luck {seed}")
        self._session: aiohttp.ClientSession | None = None

    def add_bot(self, token: str, name: str = "Bot Loa Số") -> ZaloBotAccount:
        """The token's form is `<digits>:<secret>`. Real names must begin with "Bot"."""
        bot = ZaloBotAccount(self, token, name)
        self.bots[bot.id] = bot
        return bot

    def add_user(self, name: str) -> ZaloBotUser:
        user = ZaloBotUser(self, self.new_id(), name)
        self.users[user.id] = user
        return user

    def add_group(self, title: str, members: Sequence[ZaloBotUser] = ()) -> ZaloBotGroup:
        group = ZaloBotGroup(self, f"zgr-{self.new_id()}", title, members)
        self.groups[group.id] = group
        return group

    def wake_polls(self) -> None:
        """Let every poll see what has changed."""
        for bot in self.bots.values():
            bot.updates.wake()

    def new_id(self) -> str:
        """20 hexadecimal digits."""
        return f"{self._ids.getrandbits(80):020x}"

    def message(self, sender_id: str, sender: str, **content: Any) -> Message:
        """A message of now with a fresh id, not yet in any chat."""
        return Message(id=self.new_id(), at=self.clock(), sender_id=sender_id, sender=sender, **content)

    def chance(self, share: float) -> bool:
        """Whether it happens this time; the same sequence for the same seed."""
        return self._luck.random() < share

    @property
    def session(self) -> aiohttp.ClientSession:
        """For webhooks; opened when first needed."""
        if self._session is None:
            self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        return self._session
