"""How a handler is found for what a person said, and what it is given."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.core.channel import Capabilities
from bot.core.clock import Clock
from bot.core.errors import LoaSoError
from bot.core.events import Button, Buttons, ChatKind, Inbound, InboundKind, Location, Media, Outbound
from bot.db import Tx, conversations
from bot.db.tables import Account, Contact, Person
from bot.outreach import letterbox
from bot.outreach.desk import Desk
from bot.outreach.faq.engine import Verdict
from bot.outreach.voice import Aloud
from handlers.phrases import Phrases
from messages import Rich

ButtonSpec = Button | tuple[str, str] | tuple[str, str, dict[str, Any]]
"""A button as handlers write it: a ready `Button`, or (message key, data), or (message key, data, fields)."""


@dataclass(slots=True)
class Context:
    """Everything that a handler may use. Changes belong to the one transaction `tx` of this inbound event; what
    is said leaves after the commit."""

    tx: Tx
    desk: Desk
    inbound: Inbound
    account: Account
    capabilities: Capabilities
    contact: Contact
    person: Person
    now: datetime
    step: str | None = None
    data: dict[str, Any] = field(default_factory=dict)
    match: list[str] = field(default_factory=list)
    """The arguments of a pressed button (what follows its word, split at colons)."""
    offered: Sequence[tuple[str, str]] = ()
    """What stood to be chosen from when a number was typed that means none of it: labels and data."""
    advised: Verdict | None = None
    """What is made of the text, where somebody was asked before this event's transaction."""
    answered: bool = False
    erased: bool = False
    """The person was erased in this event: what is still said belongs to no contact."""
    said: list[tuple[str, str | None]] = field(default_factory=list)
    """Keys of what was said in this event, with the language: for tests and metrics."""
    aloud: list[Aloud] = field(default_factory=list)
    """What is to be read aloud, after the commit."""

    @property
    def clock(self) -> Clock:
        return self.desk.clock

    @property
    def text(self) -> str:
        return self.inbound.text

    async def reply(self, key: str, *, buttons: Sequence[Sequence[ButtonSpec]] = (), **options: Any) -> None:
        """Say the message under `key`. Options: `media`, `location`, `edit=True` (replace the message whose button
        was pressed, where the channel can), `preview`, `tag`; everything else fills the template."""
        media: tuple[Media, ...] = options.pop("media", ())
        location: Location | None = options.pop("location", None)
        edit: bool = options.pop("edit", False)
        preview: bool = options.pop("preview", False)
        tag: str | None = options.pop("tag", None)
        said = self.desk.book.say(self.person.language, key, **options)
        self.said.append((key, self.person.language))
        await self.send(
            said,
            buttons=self.buttons(buttons),
            media=media,
            location=location,
            edit=edit,
            preview=preview,
            tag=tag,
        )

    async def send(
        self,
        said: Rich,
        *,
        buttons: Buttons = (),
        media: tuple[Media, ...] = (),
        location: Location | None = None,
        edit: bool = False,
        preview: bool = False,
        tag: str | None = None,
    ) -> None:
        """Like `reply`, for a text that is already made (an item, an answer)."""
        pressed = self.inbound.message_id if self.inbound.kind is InboundKind.BUTTON else None
        message = Outbound(
            chat_id=self.inbound.chat_id,
            text=said.text,
            entities=said.entities,
            buttons=buttons,
            media=media,
            location=location,
            preview=preview,
            edit=pressed if edit and self.capabilities.edit else None,
            group=self.in_group,
            quote=self._quoted(),
        )
        await self.queue(message, tag=tag)

    def _quoted(self) -> str | None:
        """In a group, the first answer stands under what was asked."""
        asked = self.inbound.kind is InboundKind.MESSAGE and self.in_group
        return self.inbound.message_id if asked and len(self.said) <= 1 else None

    async def queue(self, message: Outbound, *, tag: str | None = None) -> None:
        """Queue one message to this chat as it is."""
        contact_id = None if self.erased else self.contact.id
        language = self.person.language
        await letterbox.put(
            self.tx, self.desk, self.account.id, contact_id, message, self.now, language=language, tag=tag
        )

    async def answer(self, key: str, *, alert: bool = False, **fields: Any) -> None:
        """Answer the pressed button with a short notice, or with a message where the channel has no such answers. The
        framework answers silently where a handler did not."""
        self.answered = True
        if self.inbound.answer_id is None:
            await self.reply(key, **fields)
            return
        self.said.append((key, self.person.language))
        text = self.desk.book.label(self.person.language, key, **fields)
        await self.queue(Outbound(chat_id=self.inbound.chat_id, answer=self.inbound.answer_id, text=text, alert=alert))

    def buttons(self, rows: Sequence[Sequence[ButtonSpec]]) -> Buttons:
        """Labels in the person's language."""
        return tuple(tuple(self._button(spec) for spec in row) for row in rows if row)

    def _button(self, spec: ButtonSpec) -> Button:
        if isinstance(spec, Button):
            return spec
        fields = spec[2] if len(spec) == 3 else {}
        return Button(self.desk.book.label(self.person.language, spec[0], **fields), data=spec[1])

    @property
    def in_group(self) -> bool:
        return self.inbound.chat_kind is ChatKind.GROUP

    async def expect(self, step: str, **data: Any) -> None:
        """From now on, what this contact writes goes to the handler of `step`, with `data`."""
        self.step, self.data = step, data
        await conversations.put(self.tx, self.contact.id, step, data, self.now)

    async def step_back(self) -> None:
        """Wait again for what was waited for before: the step `back` with `back_data`."""
        back, data = self.data.get("back"), self.data.get("back_data") or {}
        if back:
            await self.expect(str(back), **data)
        else:
            await self.forget()

    async def forget(self) -> None:
        """Wait for nothing."""
        self.step, self.data = None, {}
        await conversations.drop(self.tx, self.contact.id)


class NotMine(LoaSoError):
    """Raised by a handler that has said nothing yet: somebody after it should have the event."""


Handler = Callable[[Context], Awaitable[None]]
Test = Callable[[Context], bool]


@dataclass(slots=True)
class Router:
    """The handlers of one file, tried in the order in which they stand; `chats` keeps them to one kind of chat."""

    chats: ChatKind | None = None
    routes: list[tuple[Test, Handler]] = field(default_factory=list)

    def on_command(self, *names: str) -> Callable[[Handler], Handler]:
        """`/name`, with or without the bot's own name behind it."""
        wanted = frozenset(names)
        return self._add(lambda ctx: ctx.inbound.command in wanted and _is_message(ctx))

    def on_text(self, *phrases: str) -> Callable[[Handler], Handler]:
        """The whole message is one of `phrases`, however it is spelled (see `handlers.phrases`)."""
        known = Phrases(*phrases)

        def test(ctx: Context) -> bool:
            plain = _is_message(ctx) and not ctx.inbound.media and not ctx.inbound.forwarded
            return plain and ctx.inbound.text in known

        return self._add(test)

    def on_pattern(self, pattern: str) -> Callable[[Handler], Handler]:
        """The whole message looks like that, capitals or not; the groups are in `ctx.match`."""
        compiled = re.compile(pattern, re.IGNORECASE)

        def test(ctx: Context) -> bool:
            found = compiled.fullmatch(ctx.inbound.text.strip()) if _is_message(ctx) else None
            if found is not None:
                ctx.match = list(found.groups(""))
            return found is not None

        return self._add(test)

    def on_button(self, word: str) -> Callable[[Handler], Handler]:
        """A button whose data is `word` or begins with `word:`; the rest is in `ctx.match`."""

        def test(ctx: Context) -> bool:
            if ctx.inbound.kind is not InboundKind.BUTTON or not ctx.inbound.button:
                return False
            first, *ctx.match = ctx.inbound.button.split(":")
            return first == word

        return self._add(test)

    def on_step(self, step: str) -> Callable[[Handler], Handler]:
        """Any message while the bot waits for `step` (or for `step` and a dot and more)."""

        def test(ctx: Context) -> bool:
            waiting = ctx.step is not None and (ctx.step == step or ctx.step.startswith(step + "."))
            return waiting and _is_message(ctx)

        return self._add(test)

    def on_kind(self, *kinds: InboundKind) -> Callable[[Handler], Handler]:
        return self._add(lambda ctx: ctx.inbound.kind in kinds)

    def on_message(self) -> Callable[[Handler], Handler]:
        """Any message that nobody took before."""
        return self._add(_is_message)

    def on(self, test: Test) -> Callable[[Handler], Handler]:
        """Whatever `test` says."""
        return self._add(test)

    def _add(self, test: Test) -> Callable[[Handler], Handler]:
        def register(handler: Handler) -> Handler:
            self.routes.append((test, handler))
            return handler

        return register


def numbered(text: str, *, digits: int = 18) -> int | None:
    """The number in a button's data, which anybody can forge: `None` unless it is 1 to `digits` plain digits (18
    always fit into an id of the database)."""
    return int(text) if len(text) <= digits and text.isascii() and text.isdecimal() else None


def _is_message(ctx: Context) -> bool:
    """A message that is meant for the bot: in a group, people also talk to each other."""
    return ctx.inbound.kind is InboundKind.MESSAGE and ctx.inbound.addressed


async def dispatch(ctx: Context, routers: Sequence[Router]) -> bool:
    """Give the event to the first handler that wants it. Returns whether one did."""
    kind = ctx.inbound.chat_kind
    for router in (r for r in routers if r.chats in (None, kind)):
        for test, handler in router.routes:
            if not test(ctx):
                continue
            try:
                await handler(ctx)
            except NotMine:
                continue
            return True
    return False
