"""Private chats and groups: who may write there, who sees what, who comes and goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.sandbox.telegram import errors
from bot.sandbox.telegram.chats import Chat, Message, Settled
from bot.sandbox.telegram.errors import Json
from bot.sandbox.telegram.members import PRESENT, change

if TYPE_CHECKING:
    from bot.sandbox.telegram.bots import BotAccount
    from bot.sandbox.telegram.people import User
    from bot.sandbox.telegram.world import World


class PrivateChat(Chat):
    """One person and one bot. `user` is `None` for people made up during a load test."""

    def __init__(self, server: World, bot: BotAccount, id: int, user: User | None, keep: int) -> None:
        super().__init__(server, id, keep)
        self.bot = bot
        self.user = user
        self.started = user is None
        self.blocked = False
        self.refresh()

    def refresh(self) -> None:
        """Show the person's present name."""
        if self.user is None:
            self.json = {"id": self.id, "first_name": f"Person {self.id}", "type": "private"}
        else:
            names = ("id", "first_name", "last_name", "username")
            self.json = {k: self.user.json[k] for k in names if k in self.user.json} | {"type": "private"}

    def next_message_id(self, bot: BotAccount | None) -> int:
        return self.bot.next_message_id()

    def check_reach(self, bot: BotAccount) -> None:
        """Raise what the bot is told when it may not write here."""
        if self.user is not None and self.user.deactivated:
            raise errors.forbidden("user is deactivated")
        if self.blocked:
            raise errors.forbidden("bot was blocked by the user")
        if not self.started:
            raise errors.forbidden("bot can't initiate conversation with a user")

    def bots_that_see(self, message: Message) -> list[BotAccount]:
        return [self.bot]


class MigratedId(Settled, int):
    """The id of the new supergroup; awaiting it is optional."""


class Group(Chat):
    """A group or supergroup. `members` and `bots` map ids to creator, administrator, member, restricted, left or
    kicked. After `upgrade` this object passes everything on to `current`."""

    def __init__(self, server: World, id: int, title: str, *, supergroup: bool, keep: int) -> None:
        super().__init__(server, id, keep)
        self.title = title
        self.supergroup = supergroup
        self.members: dict[int, str] = {}
        self.bots: dict[int, str] = {}
        self.upgraded: Group | None = None
        self.gone = False
        self._message_id = 0
        self.json = {"id": id, "title": title, "type": self.type}

    @property
    def type(self) -> str:
        return "supergroup" if self.supergroup else "group"

    @property
    def current(self) -> Group:
        """This group, or the supergroup that it became."""
        return self.upgraded.current if self.upgraded else self

    def next_message_id(self, bot: BotAccount | None) -> int:
        self._message_id += 1
        return self._message_id

    def check_reach(self, bot: BotAccount) -> None:
        """Raise what the bot is told when it may not write here."""
        status = self.bots.get(bot.id)
        if status is None:
            raise errors.bad_request("chat not found")
        if self.upgraded is not None:
            raise errors.migrated(self.upgraded.id)
        if self.gone:
            raise errors.forbidden("the group chat was deleted")
        if status == "kicked":
            raise errors.forbidden(f"bot was kicked from the {self.type} chat")
        if status == "left":
            raise errors.forbidden(f"bot is not a member of the {self.type} chat")
        if status == "restricted":
            raise errors.bad_request("not enough rights to send text messages to the chat")

    def bots_that_see(self, message: Message) -> list[BotAccount]:
        """Bots that are here, as far as privacy mode lets them see."""
        present = [self.server.bots[id] for id, status in self.bots.items() if status in PRESENT]
        if message.from_bot:
            return []
        return [bot for bot in present if self._may_see(bot, message)]

    def _may_see(self, bot: BotAccount, message: Message) -> bool:
        if not bot.privacy or self.bots[bot.id] == "administrator" or message.is_service:
            return True
        if message.reply_to is not None and message.reply_to.sender["id"] == bot.id:
            return True
        text = message.text.lower()
        if f"@{bot.username.lower()}" in text:
            return True
        return text.startswith("/") and "@" not in text.split()[0]

    def write(
        self, user: User, text: str, *, entities: list[Json] | None = None, reply_to: Message | None = None
    ) -> Message:
        """A member writes. Bots in privacy mode see commands, replies to them and mentions of them only."""
        return user.write(self, text, entities=entities, reply_to=reply_to)

    def join(self, user: User) -> Message:
        """A person joins."""
        return self.current._change_user(user, "member")

    def leave(self, user: User) -> Message:
        """A person leaves."""
        return self.current._change_user(user, "left")

    def _change_user(self, user: User, new: str) -> Message:
        old = self.members.get(user.id, "left")
        self.members[user.id] = new
        self.server.groups_of_user.setdefault(user.id, set()).add(self.id)
        content: Json = {"new_chat_members": [user.json]} if new == "member" else {"left_chat_member": user.json}
        update = change(self.json, user.json, self.server.now(), user.json, old, new)
        for id, status in self.bots.items():
            if status == "administrator":
                self.server.bots[id].receive("chat_member", update, self.id)
        self.server.stream.publish("membership", None, self.id, update)
        return self.server.post(self, user.json, content)

    def add_bot(self, bot: BotAccount, *, by: User | None = None, admin: bool = False) -> Settled:
        """Somebody adds a bot, or makes it an administrator: it gets my_chat_member and a service message."""
        group = self.current
        was_here = group.bots.get(bot.id) in PRESENT
        group._change_bot(bot, by, "administrator" if admin else "member")
        if not was_here:
            group.server.post(group, group._someone(by), {"new_chat_members": [bot.json]})
        return Settled()

    def remove_bot(self, bot: BotAccount, *, by: User | None = None) -> Settled:
        """Somebody removes a bot: its calls are answered 403 `bot was kicked`."""
        group = self.current
        group._change_bot(bot, by, "kicked")
        group.server.post(group, group._someone(by), {"left_chat_member": bot.json})
        return Settled()

    def mute_bot(self, bot: BotAccount, *, by: User | None = None) -> Settled:
        """The bot stays and may not write: 400 `not enough rights`."""
        self.current._change_bot(bot, by, "restricted")
        return Settled()

    def bot_leaves(self, bot: BotAccount) -> None:
        """The bot leaves by itself."""
        self._change_bot(bot, None, "left", by_itself=True)

    def delete(self) -> Settled:
        """The group is deleted: calls are answered 403."""
        self.current.gone = True
        return Settled()

    def _someone(self, by: User | None) -> Json:
        if by is not None:
            return by.json
        first = next((id for id, status in self.members.items() if status in PRESENT), None)
        return self.server.users[first].json if first is not None else self.server.nobody

    def _change_bot(self, bot: BotAccount, by: User | None, new: str, *, by_itself: bool = False) -> None:
        old = self.bots.get(bot.id, "left")
        self.bots[bot.id] = new
        actor = bot.json if by_itself else self._someone(by)
        update = change(self.json, actor, self.server.now(), bot.json, old, new)
        bot.receive("my_chat_member", update, self.id)
        self.server.stream.publish("membership", bot.id, self.id, update)

    def upgrade(self) -> MigratedId:
        """The group becomes a supergroup with a new id: service messages in both, and calls with the old id get 400
        with `migrate_to_chat_id`. Returns the new id; `current` is the new group."""
        group = self.current
        new = self.server.add_group(title=group.title, supergroup=True)
        new.members, new.bots = dict(group.members), dict(group.bots)
        creator = group._someone(None)
        self.server.post(group, creator, {"migrate_to_chat_id": new.id})
        group.upgraded = new
        self.server.post(new, creator, {"migrate_from_chat_id": group.id})
        return MigratedId(new.id)
