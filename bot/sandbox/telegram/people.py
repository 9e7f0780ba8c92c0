"""People: what a person does in Telegram, as methods that tests and a chat page call."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from bot.sandbox.telegram import entities as marks
from bot.sandbox.telegram.chats import Chat, Message, Settled
from bot.sandbox.telegram.errors import Json
from bot.sandbox.telegram.files import StoredFile
from bot.sandbox.telegram.keyboards import buttons
from bot.sandbox.telegram.members import PRESENT, change
from bot.sandbox.telegram.places import Group, PrivateChat
from bot.sandbox.telegram.pressing import CallbackResult, InlineQuestion
from bot.sandbox.telegram.sending import SendsMedia

if TYPE_CHECKING:
    from bot.sandbox.telegram.bots import BotAccount
    from bot.sandbox.telegram.world import World

_PAYLOAD = re.compile(r"[A-Za-z0-9_-]{1,64}")


class User(SendsMedia):
    """One person. Where a method takes `where`, it is a bot (their private chat) or a group. Everything happens at
    once; what is returned may be awaited or not."""

    def __init__(
        self,
        server: World,
        id: int,
        first_name: str,
        *,
        last_name: str | None = None,
        username: str | None = None,
        language_code: str | None = "vi",
        phone_number: str | None = None,
    ) -> None:
        self.server = server
        self.id = id
        self.phone_number = phone_number or f"+84900{id % 1_000_000:06d}"
        self.deactivated = False
        self.json: Json = {"id": id, "is_bot": False, "first_name": first_name}
        optional = {"last_name": last_name, "username": username, "language_code": language_code}
        self.json |= {k: v for k, v in optional.items() if v}

    def __repr__(self) -> str:
        return f"<User {self.id} {self.first_name}>"

    @property
    def first_name(self) -> str:
        return str(self.json["first_name"])

    def chat(self, bot: BotAccount) -> PrivateChat:
        """The private chat with a bot."""
        return self.server.private_chat(bot, self)

    def write(
        self,
        where: BotAccount | Group,
        text: str,
        *,
        entities: Sequence[Json] | None = None,
        reply_to: Message | None = None,
    ) -> Message:
        """Write a text. Commands, links and mentions get their entities; `entities` adds formatting."""
        found = marks.finish(text, list(entities or ()))
        content: Json = {"text": found.text}
        if found.entities:
            content["entities"] = found.entities
        return self._post(where, content, reply_to=reply_to)

    def start(self, bot: BotAccount, payload: str = "") -> Message:
        """Press START, or open `t.me/bot?start=payload`: unblocks the bot where it was blocked. Raises `ValueError`
        for a payload that Telegram would not carry."""
        if payload and not _PAYLOAD.fullmatch(payload):
            raise ValueError(f"a payload is 1 to 64 of A-Z a-z 0-9 _ -, not {payload!r}")
        self.unblock(bot)
        return self.write(bot, f"/start {payload}".rstrip())

    def forward(self, where: BotAccount | Group, message: Message) -> Message:
        """Forward a message from anywhere."""
        content = {k: v for k, v in message.content.items() if k not in ("reply_markup", "media_group_id")}
        content["forward_origin"] = self.server.origin(message)
        return self._post(where, content, message.file)

    def edit(self, message: Message, text: str) -> Message:
        """Change the text of an own message."""
        found = marks.finish(text, [])
        message.content = {**message.content, "text": found.text, "entities": found.entities}
        message.edit_date = self.server.now()
        self.server.announce("edited", message)
        for bot in message.chat.bots_that_see(message):
            bot.receive_message(message, "edited_message")
        return message

    def press(self, bot: BotAccount, message: Message | int, which: str) -> CallbackResult:
        """Press the button with that label or data. Raises `LookupError` naming the buttons that there are."""
        if isinstance(message, int):
            found = self.chat(bot).message(message)
            if found is None:
                raise LookupError(f"no message {message} in this chat")
            message = found
        if message.deleted:
            raise LookupError("this message was deleted")
        button = _button(message, which)
        if "inline_keyboard" not in (message.reply_markup or {}):
            return CallbackResult("", self.server.clock(), message=self._reply_button(message.chat, bot, button))
        if "callback_data" not in button:
            return CallbackResult("", self.server.clock(), url=str(button.get("url", "")))
        data, chat = button["callback_data"], message.chat
        result = CallbackResult(self.server.fresh_id(), self.server.clock(), data=data, chat_id=chat.id)
        self.server.remember_question(bot, result)
        update = {
            "id": result.id,
            "from": self.json,
            "message": message.json(bot.id),
            "chat_instance": str(hash((message.chat.id, bot.id)) & (2**62 - 1)),
            "data": result.data,
        }
        bot.receive("callback_query", update, message.chat.id)
        return result

    def _reply_button(self, chat: Chat, bot: BotAccount, button: Json) -> Message:
        where = chat if isinstance(chat, Group) else bot
        if button.get("request_contact"):
            return self.send_contact(where)
        if button.get("request_location"):
            return self.send_location(where)
        return self.write(where, button["text"])

    def ask_inline(self, bot: BotAccount, query: str, offset: str = "") -> InlineQuestion:
        """Type `@bot query` in some chat. The bot must be added with `inline=True`."""
        if not bot.inline:
            raise ValueError(f"@{bot.username} has no inline mode")
        asked = InlineQuestion(self.server.fresh_id(), self.server.clock())
        self.server.remember_question(bot, asked)
        update = {"id": asked.id, "from": self.json, "query": query, "offset": offset, "chat_type": "sender"}
        bot.receive("inline_query", update, self.id)
        return asked

    def vote(self, bot: BotAccount, message: Message, options: Iterable[int]) -> Settled:
        """Vote in a poll that a bot sent: it gets poll_answer where votes are not anonymous."""
        chosen = list(options)
        poll = message.content["poll"]
        for index in chosen:
            poll["options"][index]["voter_count"] += 1
        poll["total_voter_count"] += 1
        ids = [poll["options"][i]["persistent_id"] for i in chosen]
        if not poll["is_anonymous"]:
            answer = {"poll_id": poll["id"], "user": self.json, "option_ids": chosen, "option_persistent_ids": ids}
            bot.receive("poll_answer", answer, self.id)
        bot.receive("poll", dict(poll), message.chat.id)
        return Settled()

    def react(self, bot: BotAccount, message: Message, emoji: str | None) -> Settled:
        """React to a message (`None` takes it back): bots see it only if they ask for message_reaction."""
        new = [{"type": "emoji", "emoji": emoji}] if emoji else []
        old = (message.reactions or {}).get(self.id, [])
        message.reactions = {**(message.reactions or {}), self.id: new}
        update = {
            "chat": message.chat.json,
            "message_id": message.id,
            "user": self.json,
            "date": self.server.now(),
            "old_reaction": old,
            "new_reaction": new,
        }
        bot.receive("message_reaction", update, message.chat.id)
        return Settled()

    def block(self, bot: BotAccount) -> Settled:
        """Stop and block the bot: its calls get 403, it gets my_chat_member `kicked`."""
        return self._set_blocked(bot, True)

    def unblock(self, bot: BotAccount) -> Settled:
        """Take it back: my_chat_member `member`."""
        return self._set_blocked(bot, False)

    def _set_blocked(self, bot: BotAccount, blocked: bool) -> Settled:
        chat = self.chat(bot)
        if chat.blocked != blocked:
            chat.blocked = blocked
            old, new = ("member", "kicked") if blocked else ("kicked", "member")
            update = change(chat.json, self.json, self.server.now(), bot.json, old, new)
            bot.receive("my_chat_member", update, self.id)
            self.server.stream.publish("membership", bot.id, self.id, update)
        return Settled()

    def deactivate(self) -> Settled:
        """Delete the account: every bot gets 403 `user is deactivated`, and no update."""
        self.deactivated = True
        return Settled()

    def _place(self, where: BotAccount | Group) -> Chat:
        if self.deactivated:
            raise RuntimeError(f"{self} is deactivated")
        if isinstance(where, Group):
            group = where.current
            if group.members.get(self.id) not in PRESENT:
                raise RuntimeError(f"{self} is not a member of {group.title!r}")
            return group
        chat = self.chat(where)
        if chat.blocked:
            raise RuntimeError(f"{self} has blocked the bot: unblock or start it first")
        chat.started = True
        return chat

    def _post(
        self,
        where: BotAccount | Group,
        content: Json,
        file: StoredFile | None = None,
        reply_to: Message | None = None,
    ) -> Message:
        return self.server.post(self._place(where), self.json, content, file, reply_to)


def _button(message: Message, which: str) -> Json:
    there = buttons(message.reply_markup)
    for button in there:
        if which in (button["text"], button.get("callback_data")):
            return button
    labels = [(b["text"], b.get("callback_data")) for b in there]
    raise LookupError(f"no button {which!r}; there are {labels}")
