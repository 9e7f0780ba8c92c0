"""Faults on demand: errors, lost requests, lost answers, delays, silence, rubbish, outages, revoked tokens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypedDict, Unpack

if TYPE_CHECKING:
    from bot.sandbox.zalo_bot.bots import ZaloBotAccount


class Kind(StrEnum):
    """What a fault does to the calls that it meets."""

    ERROR = "error"
    DROP = "drop"
    DELAY = "delay"
    HANG = "hang"
    GARBAGE = "garbage"
    OUTAGE = "outage"


class Where(TypedDict, total=False):
    """Which calls meet a fault: how many (`count`; `None`: until lifted) after `skip` others, of which `method`, to
    which `chat_id` and by which `bot`."""

    count: int | None
    skip: int
    method: str | tuple[str, ...]
    chat_id: str | tuple[str, ...]
    bot: ZaloBotAccount


@dataclass(eq=False, slots=True, kw_only=True)
class Fault:
    """One fault in force, also a context manager that lifts itself. `left` calls will still meet it (`None`: until
    lifted); `hits` already did. `after`: the work is done all the same."""

    kind: Kind
    left: int | None = None
    skip: int = 0
    methods: frozenset[str] = frozenset()
    chats: frozenset[str] = frozenset()
    bot_id: str | None = None
    code: int = 500
    description: str = ""
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

    def meets(self, bot_id: str, method: str, chat_id: str) -> bool:
        """Whether this call matches, counting it if so."""
        if self.left == 0 or not self._covers(bot_id, method, chat_id):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        self.hits += 1
        if self.left is not None:
            self.left -= 1
        return True

    def _covers(self, bot_id: str, method: str, chat_id: str) -> bool:
        return (
            self.bot_id in (None, bot_id)
            and (not self.methods or method in self.methods)
            and (not self.chats or chat_id in self.chats)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.lift()


class Faults:
    """Every fault takes the filters of `Where`."""

    def __init__(self) -> None:
        self._active: list[Fault] = []
        self.on_outage: Callable[[], None] | None = None

    def error(self, code: int, description: str, **where: Unpack[Where]) -> Fault:
        """Answer with this error and do nothing."""
        fault = self._add(Kind.ERROR, where)
        fault.code, fault.description = code, description
        return fault

    def drop_before(self, **where: Unpack[Where]) -> Fault:
        """Reset the connection before doing anything: the request was read, nothing was delivered."""
        return self._add(Kind.DROP, where)

    def drop_after(self, **where: Unpack[Where]) -> Fault:
        """Do it, then reset the connection without an answer: the message was delivered and nobody knows."""
        return self._add(Kind.DROP, where, after=True)

    def delay(self, seconds: float, *, after: bool = False, **where: Unpack[Where]) -> Fault:
        """Wait before doing it, or with `after` between doing it and answering."""
        fault = self._add(Kind.DELAY, where, after=after)
        fault.seconds = seconds
        return fault

    def hang(self, *, after: bool = False, **where: Unpack[Where]) -> Fault:
        """Never answer."""
        return self._add(Kind.HANG, where, after=after)

    def garbage(
        self,
        body: bytes = b"<html><h1>502 Bad Gateway</h1></html>",
        status: int = 502,
        *,
        after: bool = False,
        **where: Unpack[Where],
    ) -> Fault:
        """Answer something that is no answer of the Bot API."""
        fault = self._add(Kind.GARBAGE, where, after=after)
        fault.body, fault.code = body, status
        return fault

    def outage(self, **where: Unpack[Where]) -> Fault:
        """Every connection is reset unanswered, waiting polls too."""
        fault = self._add(Kind.OUTAGE, where)
        if self.on_outage is not None:
            self.on_outage()
        return fault

    def revoke_token(self, bot: ZaloBotAccount) -> Fault:
        """The token is answered 401; lifting restores it."""
        bot.revoked = True
        bot.updates.wake()

        def restore() -> None:
            bot.revoked = False

        fault = Fault(kind=Kind.ERROR, left=0, _undo=restore)
        self._active.append(fault)
        return fault

    @property
    def down(self) -> bool:
        """Whether there is an outage."""
        return any(fault.kind is Kind.OUTAGE and fault.left != 0 for fault in self._active)

    def clear(self) -> None:
        """Lift everything."""
        for fault in self._active:
            fault.lift()
        self._active.clear()

    def meeting(self, bot_id: str, method: str, chat_id: str) -> Fault | None:
        """The first fault that this call meets."""
        return next((f for f in self._active if f.meets(bot_id, method, chat_id)), None)

    def _add(self, kind: Kind, where: Where, *, after: bool = False) -> Fault:
        bot = where.get("bot")
        fault = Fault(
            kind=kind,
            left=where.get("count"),
            skip=where.get("skip", 0),
            methods=_names(where.get("method", ())),
            chats=_names(where.get("chat_id", ())),
            bot_id=bot.id if bot else None,
            after=after,
        )
        self._active.append(fault)
        return fault


def _names(one_or_more: str | tuple[str, ...]) -> frozenset[str]:
    return frozenset((one_or_more,) if isinstance(one_or_more, str) else one_or_more)
