"""What happens with one inbound event: stored once, handled in one transaction, answered after the commit."""

from __future__ import annotations

import asyncio
import re
import time
import traceback
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import structlog

from bot.core.channel import Capabilities
from bot.core.events import ChatKind, Inbound, InboundKind, Outbound
from bot.core.meter import Meter, NullMeter
from bot.db import Database, Tx, accounts, conversations, replies
from bot.db import inbound as seen
from bot.db.session import is_passing
from bot.db.sql import one_at_a_time
from bot.db.tables import Account, Contact, Person, Reply
from bot.outreach import catchup, choices, letterbox, people
from bot.outreach.desk import Desk
from bot.outreach.faq import advice
from bot.outreach.faq.advice import Adviser
from bot.outreach.faq.engine import Verdict
from bot.outreach.questions import answering
from bot.outreach.voice import Aloud
from handlers.routing import Context, Router, dispatch

log = structlog.get_logger(__name__)

_BY_NUMBER = re.compile(answering.BY_NUMBER, re.IGNORECASE)


@dataclass(slots=True)
class Handled:
    """What an event led to: the keys of what was said, the queued messages, and what is still to be read aloud."""

    fresh: bool = True
    keys: list[str] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)
    aloud: list[Aloud] = field(default_factory=list)


class KeyedLock:
    """One at a time for each key, side by side for different keys; forgets keys nobody waits for."""

    def __init__(self) -> None:
        self._locks: dict[str, asyncio.Lock] = {}
        self._users: defaultdict[str, int] = defaultdict(int)

    @asynccontextmanager
    async def __call__(self, key: str) -> AsyncIterator[None]:
        lock = self._locks.setdefault(key, asyncio.Lock())
        self._users[key] += 1
        try:
            async with lock:
                yield
        finally:
            self._users[key] -= 1
            if not self._users[key]:
                del self._users[key], self._locks[key]


class Inbox:
    """Takes inbound events of all channels. `leave` is told of queued replies after each commit, `read_aloud` of what
    somebody waits to hear. `owner` is this process's name where there are several."""

    def __init__(
        self,
        database: Database,
        desk: Desk,
        routers: Sequence[Router],
        capabilities: Mapping[str, Capabilities],
        leave: Callable[[list[Reply]], None],
        *,
        meter: Meter | None = None,
        owner: str | None = None,
        read_aloud: Callable[[list[Aloud]], None] = lambda _: None,
        adviser: Adviser | None = None,
    ) -> None:
        self.database = database
        self.desk = desk
        self.routers = routers
        self.capabilities = capabilities
        desk.capabilities.update(capabilities)
        self.leave = leave
        self.read_aloud = read_aloud
        self.meter: Meter = meter or NullMeter()
        self.owner = owner
        self.adviser = adviser
        self._turn = KeyedLock()
        self._keeps = any(can.window is not None or can.limits.per_month is not None for can in capabilities.values())

    async def receive(self, inbound: Inbound) -> None:
        """The channels' `Receive`. Raises only when the event could not be stored."""
        await self.handle(inbound)

    async def handle(self, inbound: Inbound) -> Handled:
        """Handle an event once, however often it comes. Order within a chat is the order of the calls; accounts of one
        channel take turns, so that whoever writes to two of them at once is met once."""
        begun = time.perf_counter()
        channel = inbound.account.partition(":")[0]
        async with self._turn(f"{channel} {inbound.chat_id}"):
            try:
                handled = await self._attend(inbound)
            except Exception as error:
                if not is_passing(error):
                    raise
                await asyncio.sleep(0.2)
                handled = await self._attend(inbound)
        if handled.replies:
            self.leave(handled.replies)
        if handled.aloud:
            self.read_aloud(handled.aloud)
        self.meter.inbound(inbound.account, inbound.kind, time.perf_counter() - begun)
        return handled

    async def _attend(self, inbound: Inbound) -> Handled:
        return await self._store(inbound, await self._advice(inbound))

    async def _advice(self, inbound: Inbound) -> Verdict | None:
        """What the adviser makes of a question, before the transaction of the event: nothing waits on a network with
        rows in its hands. What the bot itself has asked for is nobody else's business."""
        if self.adviser is None or inbound.kind is not InboundKind.MESSAGE or not inbound.addressed or inbound.command:
            return None
        if _may_answer_somebody(inbound):
            return None
        verdict = self.desk.answerer.ask(inbound.text)
        if not advice.wanted(verdict, inbound.text):
            return None
        async with self.database.read() as tx:
            step = await conversations.step_of(tx, inbound.account, inbound.chat_id)
        if step is not None and not step.startswith("faq."):
            return None
        return await advice.ask(self.adviser, verdict, inbound.text, self.desk.pack.faq)

    async def _store(self, inbound: Inbound, advised: Verdict | None = None) -> Handled:
        now = self.desk.clock.now()
        async with self.database.write() as tx:
            if self.owner is not None:
                replies.take_on(tx, self.owner)
                await one_at_a_time(tx, f"chat {inbound.account.partition(':')[0]} {inbound.chat_id}")
            account = await accounts.ensure(tx, inbound.account, now)
            if not await seen.is_new(tx, account.id, inbound.external_id, now):
                return Handled(fresh=False)
            handled = await self._answer(tx, account, inbound, advised)
            handled.replies = list(replies.queued(tx))
        return handled

    async def _answer(self, tx: Tx, account: Account, inbound: Inbound, advised: Verdict | None) -> Handled:
        """Run the handler within a savepoint: what breaks in it is undone, told to the person, and not retried."""
        handled = Handled()
        met = await people.arrive(tx, self.desk, account, inbound, self.desk.clock.now())
        if met is None:
            return handled
        person, contact = met
        queued_before = len(replies.queued(tx))
        ids = (person.id, contact.id, person.language)
        try:
            async with tx.begin_nested():
                ctx = await self._context(tx, account, inbound, person, contact)
                ctx.advised = advised
                await dispatch(ctx, self.routers)
                await _always_answer(ctx)
                await self._catch_up(ctx)
            handled.keys, handled.aloud = [key for key, _ in ctx.said], ctx.aloud
        except Exception as error:
            if is_passing(error):
                raise
            log.error(  # noqa: TRY400  # an exception's own words may repeat what the person wrote
                "A handler broke",
                account=account.key,
                contact=ids[1],
                kind=str(inbound.kind),
                error=type(error).__name__,
                traceback="".join(traceback.format_tb(error.__traceback__)),
            )
            del replies.queued(tx)[queued_before:]
            await self._apologise(tx, account, inbound, ids)
            handled.keys = ["common.broken"]
        return handled

    async def _context(self, tx: Tx, account: Account, inbound: Inbound, person: Person, contact: Contact) -> Context:
        waiting = await conversations.get(tx, contact.id)
        can = self.capabilities[account.key]
        inbound, offered = await choices.resolve(tx, self.desk, account, person, contact, inbound, can)
        return Context(
            tx=tx,
            desk=self.desk,
            inbound=inbound,
            account=account,
            capabilities=can,
            offered=offered,
            contact=contact,
            person=person,
            now=self.desk.clock.now(),
            step=waiting.step if waiting else None,
            data=dict(waiting.data) if waiting else {},
        )

    async def _catch_up(self, ctx: Context) -> None:
        """What could not be sent to somebody until they wrote, wherever they do: who was out of reach on one channel
        may come back on another."""
        if ctx.erased or ctx.inbound.kind not in (InboundKind.MESSAGE, InboundKind.BUTTON):
            return
        await answering.bring(ctx.tx, ctx.desk, ctx.person, ctx.contact, ctx.now)
        if self._keeps:
            await catchup.bring(ctx.tx, ctx.desk, ctx.account, ctx.person, ctx.contact, ctx.now)

    async def _apologise(self, tx: Tx, account: Account, inbound: Inbound, ids: tuple[int, int, str]) -> None:
        _, contact_id, language = ids
        if inbound.chat_kind is ChatKind.GROUP or inbound.kind not in (InboundKind.MESSAGE, InboundKind.BUTTON):
            return
        now = self.desk.clock.now()
        sorry = self.desk.book.say(language, "common.broken")
        if inbound.answer_id:
            nothing = Outbound(chat_id=inbound.chat_id, answer=inbound.answer_id)
            await replies.add(tx, account.id, contact_id, nothing, now)
        message = Outbound(chat_id=inbound.chat_id, text=sorry.text, entities=sorry.entities)
        await letterbox.put(tx, self.desk, account.id, contact_id, message, now, language=language)


def _may_answer_somebody(inbound: Inbound) -> bool:
    """Whether a message looks like the answer of those who are asked: by replying to a notice, or by its number."""
    replies = inbound.chat_kind is ChatKind.PRIVATE and inbound.replies_to is not None
    return replies or _BY_NUMBER.fullmatch(inbound.text.strip()) is not None


async def _always_answer(ctx: Context) -> None:
    """A pressed button spins until it is answered, so it always is."""
    if ctx.inbound.kind is InboundKind.BUTTON and not ctx.answered and ctx.inbound.answer_id:
        await ctx.queue(Outbound(chat_id=ctx.inbound.chat_id, answer=ctx.inbound.answer_id))
