"""Faults on demand: errors, lost requests, lost answers, delays, silence, rubbish, outages, revoked tokens."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from types import TracebackType
from typing import TYPE_CHECKING, Self

from bot.sandbox.telegram.errors import Json

if TYPE_CHECKING:
    from bot.sandbox.telegram.bots import BotAccount


class Kind(StrEnum):
    """What a fault does to the calls that it meets."""

    ERROR = "error"
    DROP_BEFORE = "drop_before"
    DROP_AFTER = "drop_after"
    DELAY = "delay"
    HANG = "hang"
    GARBAGE = "garbage"
    OUTAGE = "outage"


@dataclass(eq=False, slots=True, kw_only=True)
class Fault:
    """One fault in force. `left` calls will still meet it (`None`: until lifted); `hits` already did."""

    kind: Kind
    left: int | None = None
    methods: frozenset[str] = frozenset()
    chats: frozenset[int] = frozenset()
    bot_id: int | None = None
    skip: int = 0
    until: float | None = None
    code: int = 500
    description: str = ""
    parameters: Json | None = None
    seconds: float = 0.0
    body: bytes = b""
    after: bool = False
    hits: int = 0
    _undo: Callable[[], None] | None = field(default=None, repr=False)

    def lift(self) -> None:
        """End this fault now."""
        self.left = 0
        if self._undo is not None:
            self._undo()
            self._undo = None

    @property
    def over(self) -> bool:
        return self.left == 0 or (self.until is not None and time.monotonic() >= self.until)

    def meets(self, bot_id: int, method: str, chat_id: int | None) -> bool:
        """Whether this call matches, counting it if so."""
        if self.over or (self.methods and method not in self.methods) or self.bot_id not in (None, bot_id):
            return False
        if self.chats and chat_id not in self.chats:
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        self.hits += 1
        if self.left is not None:
            self.left -= 1
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.lift()


Names = str | tuple[str, ...] | None
Chats = int | tuple[int, ...] | None


class Faults:
    """Every fault takes the same filters: `count` (how many calls meet it; `None`: until lifted), `skip` (how many
    matching calls pass first), `method`, `chat_id` (one or several of each) and `bot`. A fault is also a context
    manager that lifts itself."""

    def __init__(self) -> None:
        self._active: list[Fault] = []
        self._undo: list[Fault] = []
        self.on_outage: Callable[[], None] | None = None

    def __bool__(self) -> bool:
        return bool(self._active)

    def error(
        self,
        code: int,
        description: str,
        parameters: Json | None = None,
        *,
        count: int | None = None,
        skip: int = 0,
        method: Names = None,
        chat_id: Chats = None,
        bot: BotAccount | None = None,
    ) -> Fault:
        """Answer with this error and do nothing."""
        fault = _fault(Kind.ERROR, count, skip, method, chat_id, bot)
        fault.code, fault.description, fault.parameters = code, description, parameters
        return self._add(fault)

    def flood(
        self, retry_after: int, *, count: int | None = None, chat_id: Chats = None, bot: BotAccount | None = None
    ) -> Fault:
        """Answer 429 with `retry_after` seconds."""
        words = f"Too Many Requests: retry after {retry_after}"
        return self.error(429, words, {"retry_after": retry_after}, count=count, chat_id=chat_id, bot=bot)

    def drop_before(
        self,
        *,
        count: int | None = None,
        skip: int = 0,
        method: Names = None,
        chat_id: Chats = None,
        bot: BotAccount | None = None,
    ) -> Fault:
        """Close the socket before doing anything: the request was read, nothing was delivered."""
        return self._add(_fault(Kind.DROP_BEFORE, count, skip, method, chat_id, bot))

    def drop_after(
        self,
        *,
        count: int | None = None,
        skip: int = 0,
        method: Names = None,
        chat_id: Chats = None,
        bot: BotAccount | None = None,
    ) -> Fault:
        """Do it, then close the socket without an answer: the message was delivered and nobody knows."""
        return self._add(_fault(Kind.DROP_AFTER, count, skip, method, chat_id, bot))

    def delay(
        self,
        seconds: float,
        *,
        after: bool = False,
        count: int | None = None,
        skip: int = 0,
        method: Names = None,
        chat_id: Chats = None,
        bot: BotAccount | None = None,
    ) -> Fault:
        """Wait before doing it, or with `after` between doing it and answering."""
        fault = _fault(Kind.DELAY, count, skip, method, chat_id, bot)
        fault.seconds, fault.after = seconds, after
        return self._add(fault)

    def hang(
        self,
        *,
        after: bool = False,
        count: int | None = None,
        skip: int = 0,
        method: Names = None,
        chat_id: Chats = None,
        bot: BotAccount | None = None,
    ) -> Fault:
        """Never answer; with `after`, the work is done all the same."""
        fault = _fault(Kind.HANG, count, skip, method, chat_id, bot)
        fault.after = after
        return self._add(fault)

    def garbage(
        self,
        body: bytes = b"<html><h1>502 Bad Gateway</h1></html>",
        status: int = 502,
        *,
        after: bool = False,
        count: int | None = None,
        skip: int = 0,
        method: Names = None,
        chat_id: Chats = None,
        bot: BotAccount | None = None,
    ) -> Fault:
        """Answer something that is no Bot API answer; with `after`, the work is done all the same."""
        fault = _fault(Kind.GARBAGE, count, skip, method, chat_id, bot)
        fault.body, fault.code, fault.after = body, status, after
        return self._add(fault)

    def outage(self, seconds: float | None = None) -> Fault:
        """Every connection is closed unanswered, pending polls too, for that long or until lifted. (`server.stop()`
        makes new connections be refused instead.)"""
        fault = self._add(Fault(kind=Kind.OUTAGE))
        if seconds is not None:
            fault.until = time.monotonic() + seconds
        if self.on_outage is not None:
            self.on_outage()
        return fault

    @property
    def down(self) -> bool:
        """Whether there is an outage."""
        return any(fault.kind is Kind.OUTAGE and not fault.over for fault in self._active)

    def revoke_token(self, bot: BotAccount) -> Fault:
        """The token is answered 401 `Unauthorized`; lifting restores it."""
        bot.revoked = True

        def restore() -> None:
            bot.revoked = False

        return self._remember(restore)

    def stricter(self, bot: BotAccount, **limits: float | None) -> Fault:
        """Lower some `Limits` of one bot, e.g. `per_second=25`; lifting restores them."""
        before = bot.meter.limits
        bot.meter.tighten(**limits)

        def restore() -> None:
            bot.meter.limits = before

        return self._remember(restore)

    def clear(self) -> None:
        """Lift everything."""
        for fault in [*self._active, *self._undo]:
            fault.lift()
        self._active.clear()
        self._undo.clear()

    def meeting(self, bot_id: int, method: str, chat_id: int | None) -> Fault | None:
        """The first fault that this call meets. `method` in lower case."""
        found = next((f for f in self._active if f.meets(bot_id, method, chat_id)), None)
        self._active = [f for f in self._active if not f.over]
        return found

    def _add(self, fault: Fault) -> Fault:
        self._active.append(fault)
        return fault

    def _remember(self, undo: Callable[[], None]) -> Fault:
        fault = Fault(kind=Kind.ERROR, left=0, _undo=undo)
        self._undo.append(fault)
        return fault


def _fault(kind: Kind, count: int | None, skip: int, method: Names, chats: Chats, bot: BotAccount | None) -> Fault:
    names = (method,) if isinstance(method, str) else method or ()
    ids = (chats,) if isinstance(chats, int) else chats or ()
    return Fault(
        kind=kind,
        left=count,
        skip=skip,
        methods=frozenset(name.lower() for name in names),
        chats=frozenset(ids),
        bot_id=bot.id if bot else None,
    )
