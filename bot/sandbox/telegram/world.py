"""The world behind the server: bots, people, groups, messages, and what follows when something is said."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

import aiohttp

from bot.sandbox.telegram.bots import BotAccount
from bot.sandbox.telegram.calls import Call
from bot.sandbox.telegram.chats import Chat, Message
from bot.sandbox.telegram.errors import ApiError, Json, bad_request, forbidden, not_found
from bot.sandbox.telegram.faults import Faults
from bot.sandbox.telegram.files import FileStore, StoredFile, Upload
from bot.sandbox.telegram.journal import Entry, Journal, Measured
from bot.sandbox.telegram.judge import Judge
from bot.sandbox.telegram.limits import Limits, Timing
from bot.sandbox.telegram.live import Stream, Subscription
from bot.sandbox.telegram.methods import METHODS
from bot.sandbox.telegram.people import User
from bot.sandbox.telegram.places import Group, PrivateChat
from bot.sandbox.telegram.pressing import CallbackResult, InlineQuestion

_QUESTIONS_KEPT = 10_000
_MADE_UP_KEEP = 3


class World(Measured):
    """State and rules without HTTP. See `TelegramSandbox` for the parameters."""

    def __init__(
        self,
        limits: Limits | None = None,
        *,
        timing: Timing | None = None,
        judge: bool = False,
        strict_webhooks: bool = True,
        anyone_reachable: bool = False,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        keep_messages: int = 1000,
        keep_log: int = 200_000,
    ) -> None:
        self._limits = limits or Limits()
        self.timing = timing or Timing()
        self.strict_webhooks = strict_webhooks
        self.anyone_reachable = anyone_reachable
        self.clock = clock
        self.monotonic = monotonic
        self.keep_messages = keep_messages
        self.bots: dict[int, BotAccount] = {}
        self.users: dict[int, User] = {}
        self.groups: dict[int, Group] = {}
        self.groups_of_user: dict[int, set[int]] = {}
        self.files = FileStore()
        self.faults = Faults()
        self.log = Journal(keep_log)
        self.stream = Stream()
        self.violations: list[str] = []
        self.nobody: Json = {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}
        self.running = False
        self._judge = Judge(self.violations) if judge else None
        self._ids = count(int(time.time() * 1000) << 16)
        self._group_ids = count(1_000_000_001)
        self._user_ids = count(5_000_000_001)
        self._session: aiohttp.ClientSession | None = None

    @property
    def limits(self) -> Limits:
        """What the platform allows; setting it changes it for all bots."""
        return self._limits

    @limits.setter
    def limits(self, limits: Limits) -> None:
        self._limits = limits
        for bot in self.bots.values():
            bot.meter.limits = limits

    # People and places

    def add_bot(
        self, token: str, *, username: str = "", name: str = "", privacy: bool = True, inline: bool = False
    ) -> BotAccount:
        """A bot with that token (`number:secret`). `privacy` is the ordinary privacy mode in groups."""
        number = token.partition(":")[0]
        if not number.isdigit() or ":" not in token:
            raise ValueError("a token is a number, a colon and a secret")
        username = username or f"bot{number}_bot"
        bot = BotAccount(self, token, username, name or username, privacy=privacy, inline=inline)
        self.bots[bot.id] = bot
        return bot

    def add_user(
        self,
        id: int | None = None,
        first_name: str = "Người dùng",
        *,
        last_name: str | None = None,
        username: str | None = None,
        language_code: str | None = "vi",
        phone_number: str | None = None,
    ) -> User:
        """A person. They are nobody to a bot until they start it."""
        id = id if id is not None else next(self._user_ids)
        if id <= 0:
            raise ValueError("a person's id is positive")
        user = User(
            self,
            id,
            first_name,
            last_name=last_name,
            username=username,
            language_code=language_code,
            phone_number=phone_number,
        )
        self.users[id] = user
        return user

    def add_group(
        self, id: int | None = None, title: str = "Nhóm", *, supergroup: bool = False, members: Sequence[User] = ()
    ) -> Group:
        """A group; the first member is its creator."""
        if id is None:
            number = next(self._group_ids)
            id = -1_000_000_000_000 - number if supergroup else -number
        if id >= 0:
            raise ValueError("a group's id is negative")
        group = Group(self, id, title, supergroup=supergroup, keep=self.keep_messages)
        for user in members:
            group.members[user.id] = "member" if group.members else "creator"
            self.groups_of_user.setdefault(user.id, set()).add(id)
        self.groups[id] = group
        return group

    def private_chat(self, bot: BotAccount, user: User) -> PrivateChat:
        """The chat of a person with a bot, made when it is first asked for."""
        chat = bot.chats.get(user.id)
        if isinstance(chat, PrivateChat) and chat.user is user:
            return chat
        fresh = PrivateChat(self, bot, user.id, user, self.keep_messages)
        bot.chats[user.id] = fresh
        return fresh

    def find_chat(self, bot: BotAccount, chat_id: int, *, reach: bool = True) -> Chat:
        """The chat as a bot may name it. Raises what the bot is told when it cannot."""
        chat = bot.chats.get(chat_id) or self.groups.get(chat_id)
        if chat is None:
            chat = self._new_chat(bot, chat_id)
        if reach:
            chat.check_reach(bot)
        return chat

    def _new_chat(self, bot: BotAccount, chat_id: int) -> Chat:
        if chat_id in self.bots:
            raise forbidden("bots can't send messages to bots")
        if chat_id in self.users:
            return self.private_chat(bot, self.users[chat_id])
        if not self.anyone_reachable or chat_id <= 0:
            raise bad_request("chat not found")
        made_up = PrivateChat(self, bot, chat_id, None, _MADE_UP_KEEP)
        bot.chats[chat_id] = made_up
        return made_up

    def is_admin(self, chat: Chat, bot: BotAccount) -> bool:
        """Whether a bot may manage a chat."""
        return isinstance(chat, Group) and chat.bots.get(bot.id) in ("administrator", "creator")

    # What is said

    def now(self) -> int:
        """Seconds since 1970 by the sandbox's clock."""
        return int(self.clock())

    def fresh_id(self) -> str:
        """An id that was never given before."""
        return str(next(self._ids))

    def post(
        self,
        chat: Chat,
        sender: Json,
        content: Json,
        file: StoredFile | None = None,
        reply_to: Message | None = None,
    ) -> Message:
        """Put a message into a chat and tell the bots that see it."""
        bot = self.bots.get(sender["id"]) if sender["is_bot"] else None
        message = Message(chat, chat.next_message_id(bot), sender, self.now(), content, file, reply_to)
        chat.add(message)
        self.announce("message", message)
        if not sender["is_bot"]:
            for reader in chat.bots_that_see(message):
                reader.receive_message(message)
        return message

    def announce(self, kind: str, message: Message) -> None:
        """Tell the page and whoever waits in the chat that a message is new or changed."""
        if kind != "message":
            message.chat.changed()
        if self.stream.watched:
            chat = message.chat
            bot_id = chat.bot.id if isinstance(chat, PrivateChat) else None
            shown = message.json(bot_id or 0) | {"kind": message.kind, "reply_markup": message.reply_markup}
            if message.file is not None:
                shown["file_path"] = message.file.path
            if message.reactions:
                shown["reactions"] = [r for found in message.reactions.values() for r in found]
            self.stream.publish(kind, bot_id, chat.id, shown)

    def delete(self, message: Message) -> None:
        """Delete a message for everybody."""
        message.deleted = True
        self.announce("deleted", message)

    def origin(self, message: Message) -> Json:
        """Where a forwarded message comes from."""
        known: Json | None = message.content.get("forward_origin")
        return known or {"type": "user", "sender_user": message.sender, "date": message.date}

    def remember_question(self, bot: BotAccount, question: CallbackResult | InlineQuestion) -> None:
        """Keep what a person asked until the bot answers."""
        bot.callbacks[question.id] = question
        while len(bot.callbacks) > _QUESTIONS_KEPT:
            bot.callbacks.popitem(last=False)

    def subscribe(self, size: int = 1000) -> Subscription:
        """A live stream of world events: an async iterator, to be closed."""
        return self.stream.subscribe(size)

    def add_url(self, url: str, content: bytes) -> None:
        """Make an address that bots may send a file from; every other one cannot be fetched."""
        self.files.urls[url] = content

    # Calls

    async def run(self, bot: BotAccount, method: str, params: dict[str, object], uploads: dict[str, Upload]) -> Any:
        """Carry out one method. Raises `ApiError`."""
        return await self.carry_out(Call(self, bot, method, params, uploads))

    async def carry_out(self, call: Call) -> Any:
        """Carry out a call, judged if there is a judge; refusals go into the journal. Raises `ApiError`."""
        known = METHODS.get(call.method.lower())
        try:
            if known is None:
                raise not_found("method not found")
            call.method = known[0]
            if self._judge is not None:
                self._judge.check_request(call.method, call.params, frozenset(call.uploads))
            result = known[1](call)
            if asyncio.iscoroutine(result):
                result = await result
        except ApiError as error:
            self.refused(call, error)
            raise
        if self._judge is not None:
            self._judge.check_result(call.method, getattr(result, "result", result))
        return result

    def refused(self, call: Call, error: ApiError) -> None:
        """Note a refusal in the journal."""
        raw = call.text("chat_id")
        chat_id = int(raw) if raw.lstrip("-").isdigit() else None
        at = self.monotonic()
        self.log.add(Entry(at, call.bot.id, call.method, chat_id, None, error.code, error.description))

    def judge_update(self, update: Json) -> None:
        """Have the judge look at an update, if there is one."""
        if self._judge is not None:
            self._judge.check_update(update)

    @property
    def session(self) -> aiohttp.ClientSession:
        """The client that delivers to webhooks."""
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession()
        return self._session
