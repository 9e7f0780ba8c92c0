"""A bot as the server knows it: who it is, what waits for it, what it has set."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.sandbox.telegram.chats import Chat, Message
from bot.sandbox.telegram.errors import ApiError, Json
from bot.sandbox.telegram.limits import Meter
from bot.sandbox.telegram.updates import Polls, UpdateQueue
from bot.sandbox.telegram.webhooks import WebhookSender

if TYPE_CHECKING:
    from bot.sandbox.telegram.world import World


@dataclass(slots=True)
class Profile:
    """Texts that a bot sets about itself, by language code ('' is the default)."""

    names: dict[str, str]
    descriptions: dict[str, str]
    short_descriptions: dict[str, str]
    commands: dict[tuple[str, str], list[Json]]
    menu_buttons: dict[int, Json]


class BotAccount:
    """One bot. `revoked` makes its token answer 401; `privacy` hides ordinary group messages from it."""

    def __init__(self, server: World, token: str, username: str, name: str, *, privacy: bool, inline: bool) -> None:
        self.server = server
        self.token = token
        self.id = int(token.partition(":")[0])
        self.username = username
        self.privacy = privacy
        self.inline = inline
        self.revoked = False
        self.paid_broadcast = False
        self.logged_out_until = 0.0
        self.meter = Meter(server.limits, server.monotonic)
        self.updates = UpdateQueue(server.clock, server.timing)
        self.polls = Polls(self.updates, server.timing, server.monotonic)
        self.webhook = WebhookSender(self)
        self.profile = Profile({"": name}, {}, {}, {}, {})
        self.chats: dict[int, Chat] = {}
        self.callbacks: OrderedDict[str, object] = OrderedDict()
        self.json: Json = {"id": self.id, "is_bot": True, "first_name": name, "username": username}
        self._message_id = 0

    def __repr__(self) -> str:
        return f"<BotAccount @{self.username}>"

    @property
    def name(self) -> str:
        return self.profile.names[""]

    def rename(self, name: str) -> None:
        """Change the name that new messages show."""
        self.profile.names[""] = name
        self.json = {**self.json, "first_name": name}

    def me(self) -> Json:
        """The answer of getMe."""
        return {
            **self.json,
            "can_join_groups": True,
            "can_read_all_group_messages": not self.privacy,
            "supports_inline_queries": self.inline,
            "can_connect_to_business": False,
            "has_main_web_app": False,
            "has_topics_enabled": False,
            "allows_users_to_create_topics": False,
        }

    def next_message_id(self) -> int:
        """Private chats of one bot share one row of message ids, as in life."""
        self._message_id += 1
        return self._message_id

    def receive(self, kind: str, content: Json, key: int) -> None:
        """Queue an update for this bot; `key` is the conversation."""
        update = self.updates.add(kind, content, key)
        if update is not None:
            self.server.judge_update(update.json)

    def receive_message(self, message: Message, kind: str = "message") -> None:
        """Queue a new or edited message."""
        if self.updates.wants(kind):
            self.receive(kind, message.json(self.id), message.chat.id)

    async def call(self, method: str, params: Json) -> Json:
        """Run a method as this bot without HTTP, e.g. one given in the answer to a webhook."""
        try:
            return {"ok": True, "result": await self.server.run(self, method, params, {})}
        except ApiError as error:
            return error.body()
