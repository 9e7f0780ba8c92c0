"""Conversations: people who say things to the real inbox and read what comes back."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from bot.channels.memory import MemoryChannel
from bot.core import wire
from bot.core.clock import Clock
from bot.core.events import Button, ChatKind, Inbound, InboundKind, Membership, Outbound, Sent
from bot.core.words import RoleName
from bot.db import Database, accounts, people, question_notices, replies, roles, runs, units
from bot.db.tables import Person, Reply
from bot.engine.local import LocalEngine
from bot.inbox import Inbox
from bot.outreach.desk import Desk
from bot.outreach.faq.engine import Answerer
from handlers import ROUTERS
from messages import Phrasebook
from messages.content import packs

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
MORNING = datetime(2026, 11, 23, 9, 0, tzinfo=ZONE).astimezone(UTC)  # a Monday
ACCOUNT = "telegram:4242"


@cache
def content() -> tuple[packs.Pack, Answerer]:
    """The real pack, read once a test process."""
    pack = packs.load()
    return pack, Answerer(pack.faq, pack.facts, MORNING.astimezone(ZONE).date(), pack.hints)


@cache
def translations() -> dict[str, packs.Pack]:
    return packs.translations(content()[0])


@cache
def _book() -> Phrasebook:
    return Phrasebook(ZONE)


class Talk:
    """A whole product without a network: `now` stands still until a test moves it."""

    def __init__(self, database: Database, account: str = ACCOUNT) -> None:
        self.database = database
        self.now = MORNING
        pack, answerer = content()
        self.desk = Desk(
            clock=Clock(ZONE, lambda: self.now),
            book=_book(),
            pack=pack,
            answerer=answerer,
            secret_key=b"secret of the tests",
            translations=translations(),
        )
        self._pending: list[Reply] = []
        self._numbers = itertools.count(1)
        self.people: dict[str, Speaker] = {}
        self.equip(MemoryChannel(account))

    def equip(self, channel: MemoryChannel) -> None:
        """Speak through that channel."""
        self.channel = channel
        self.desk.links[channel.account] = channel.link
        self.desk.share_links[channel.account] = channel.share_link
        self.engine = LocalEngine(self.database, self.desk, [channel])
        self.inbox = Inbox(
            self.database, self.desk, ROUTERS, {channel.account: channel.capabilities}, self._pending.extend
        )

    async def open(self) -> None:
        async with self.database.write() as tx:
            self.account = await accounts.ensure(tx, self.channel.account, self.now)

    async def close(self) -> None:
        await self.engine.stop()

    def person(self, id: str = "1001", name: str = "Bà Lý", **fields: Any) -> Speaker:
        """Somebody with a phone, unknown to the bot until they say something."""
        return self.people.setdefault(id, Speaker(self, id, name, **fields))

    async def resident(self, id: str, *, unit: str = "18859", group: str = "resident", hour: int = 7) -> Speaker:
        """Somebody who has subscribed already."""
        from bot.core.words import PersonStatus, TargetGroup

        speaker = self.person(id)
        async with self.database.write() as tx:
            place = await units.by_code(tx, unit)
            assert place is not None, unit
            person, _ = await people.add(tx, self.account.id, id, self.now)
            person.status, person.unit_id = PersonStatus.ACTIVE, place.id
            person.target_group, person.tip_hour = TargetGroup(group), hour
            version = self.desk.house.consent_version
            person.consent_version, person.consent_at, person.consent_via = version, self.now, self.account.channel
        return speaker

    async def staff(self, id: str, role: RoleName, unit: str) -> Speaker:
        """Somebody who has subscribed and holds a role for a unit."""
        speaker = await self.resident(id, unit=unit)
        async with self.database.write() as tx:
            place = await units.by_code(tx, unit)
            contact = await people.contact(tx, self.account.id, id)
            assert place is not None
            assert contact is not None
            await roles.grant(tx, contact.person_id, role, place.id, self.now)
        return speaker

    async def village(self, code: str, name: str, parent: str = "18859") -> None:
        """A village below a commune."""
        from bot.core.words import UnitKind
        from bot.db.tables import Unit

        async with self.database.write() as tx:
            above = await units.by_code(tx, parent)
            assert above is not None
            path = f"{above.path}{code}/"
            tx.add(Unit(code=code, name=name, kind=UnitKind.VILLAGE, parent_id=above.id, path=path, aliases=[]))

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)

    async def inbound(self, **fields: Any) -> list[str]:
        """Hand in one event; returns the keys of what the bot said."""
        number = str(next(self._numbers))
        handled = await self.inbox.handle(
            Inbound(**{"account": self.channel.account, "external_id": number, "at": self.now, **fields})
        )
        await self.flush()
        return handled.keys

    async def flush(self) -> None:
        """Let queued replies leave, in order."""
        async with self.database.read() as tx:
            waiting = await replies.waiting(tx, [self.account.id])
        self._pending.clear()
        for row in waiting:
            sent = await self.send(wire.load(row.message))
            async with self.database.write() as tx:
                await replies.drop(tx, [row.id])
                what, _, number = (row.tag or "").partition(":")
                if what == "progress":
                    run = await runs.get(tx, int(number))
                    assert run is not None
                    run.progress_message_id = sent.message_id
                elif what == "question":
                    await question_notices.sent_as(tx, int(number), sent.message_id or "")

    async def send(self, message: Outbound) -> Sent:
        """One reply leaves, without a pace."""
        return await self.channel.send(message)

    def acquaint(self, chat: str, *, group: bool = False) -> None:
        """Let the platform know that this chat exists and may be written to, where a test has put it into the database
        by hand."""

    async def deliver(self) -> None:
        """Begin what is due and send everything that waits."""
        await self.engine.drain()
        await self.flush()

    async def record(self, id: str) -> Person | None:
        """What the database knows of somebody."""
        async with self.database.read() as tx:
            contact = await people.contact(tx, self.account.id, id)
            return await people.get(tx, contact.person_id) if contact else None

    async def said(self, speaker: Speaker, text: str, **fields: Any) -> list[str]:
        """Somebody writes."""
        command, payload = None, ""
        if text.startswith("/"):
            command, _, payload = text[1:].partition(" ")
        base = {"kind": InboundKind.MESSAGE, "text": text, "command": command, "payload": payload}
        number = str(next(self._numbers) + 10_000)
        return await self.inbound(**speaker.origin(), **{**base, "message_id": number, **fields})

    async def pressed(self, speaker: Speaker, label: str) -> list[str]:
        """Somebody presses the button with that label (or data) under the newest message that has it."""
        for number, message in reversed(list(enumerate(speaker.heard, 1))):
            for button in (b for row in message.buttons for b in row):
                if label in (button.label, button.data):
                    return await self.pressed_data(speaker, button.data or "", message.edit or str(number))
        raise speaker.no_button(label)

    async def pressed_data(self, speaker: Speaker, data: str, message_id: str) -> list[str]:
        """Somebody presses a button, whether or not it was ever shown."""
        answer = str(next(self._numbers))
        fields = {"kind": InboundKind.BUTTON, "button": data, "message_id": message_id, "answer_id": answer}
        return await self.inbound(**speaker.origin(), **fields)

    async def left(self, speaker: Speaker) -> list[str]:
        """Somebody blocks the bot, or removes it from the group."""
        return await self.inbound(**speaker.origin(), kind=InboundKind.MEMBERSHIP, membership=Membership.LEFT)

    async def joined(self, speaker: Speaker) -> list[str]:
        """Somebody unblocks the bot, or adds it to the group."""
        return await self.inbound(**speaker.origin(), kind=InboundKind.MEMBERSHIP, membership=Membership.JOINED)

    def noticed_by(self, speaker: Speaker) -> list[str]:
        """Texts of answered buttons."""
        return [m.text for m in self.channel.sent if m.chat_id == speaker.chat_id and m.answer is not None and m.text]


@dataclass
class Speaker:
    """One person (or group chat) and their phone."""

    talk: Talk
    id: str
    name: str
    language: str | None = "vi"
    chat: str | None = None
    fields: dict[str, Any] = field(default_factory=dict)

    @property
    def chat_id(self) -> str:
        return self.chat or self.id

    def origin(self) -> dict[str, Any]:
        """The fields of an event that say who and where."""
        kind = ChatKind.GROUP if self.chat else ChatKind.PRIVATE
        return {
            "chat_id": self.chat_id,
            "chat_kind": kind,
            "sender_id": self.id,
            "sender_name": self.name,
            "language": self.language,
            "chat_title": "Nhóm thôn" if self.chat else "",
            **self.fields,
        }

    def in_group(self, chat: str) -> Speaker:
        """The same person writing in a group."""
        return replace(self, chat=chat)

    async def says(self, text: str = "", **fields: Any) -> list[str]:
        """Write a message (`/command payload` is read as a command); returns the keys of the answers."""
        return await self.talk.said(self, text, **fields)

    async def presses(self, label: str) -> list[str]:
        """Press the button with that label (or data) under the newest message that has it, or type its number."""
        return await self.talk.pressed(self, label)

    async def presses_data(self, data: str, message_id: str = "1") -> list[str]:
        return await self.talk.pressed_data(self, data, message_id)

    async def blocks(self) -> list[str]:
        return await self.talk.left(self)

    async def unblocks(self) -> list[str]:
        return await self.talk.joined(self)

    @property
    def heard(self) -> list[Outbound]:
        """Messages that reached this chat, oldest first (answers to buttons are not messages)."""
        return [m for m in self.talk.channel.sent if m.chat_id == self.chat_id and m.answer is None]

    @property
    def last(self) -> Outbound:
        return self.heard[-1]

    @property
    def notices(self) -> list[str]:
        """Texts of answered buttons; where a platform has none, of the messages that say the same."""
        return self.talk.noticed_by(self)

    def buttons(self) -> list[Button]:
        """The buttons under the last message."""
        return [b for row in self.last.buttons for b in row]

    def no_button(self, label: str) -> AssertionError:
        shown = [[b.label for row in m.buttons for b in row] for m in self.heard[-3:]]
        return AssertionError(f"no button {label!r}; shown lately: {shown}")
