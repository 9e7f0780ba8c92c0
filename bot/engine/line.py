"""The pacer at work: coroutines wait in line until their message may leave."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from bot.core.channel import ON_WIRE, Limits
from bot.core.words import Lane
from bot.outreach.pacing import Pacer, Ticket


class Line:
    """One account's line. `wait` returns when the message may leave at once; the next one goes when this one is on the
    wire (see `ON_WIRE`), or after a quarter of a second."""

    def __init__(self, limits: Limits) -> None:
        self.pacer = Pacer(limits)
        self._timer: asyncio.TimerHandle | None = None

    def open(self, lane: Lane) -> bool:
        """Whether a message may leave at once and without waiting: no limit of our own and nothing refused. Each
        `True` stands for one message that leaves now."""
        return self.pacer.open(asyncio.get_running_loop().time())

    async def wait(self, lane: Lane, chat: str, *, group: bool = False, weight: int = 1) -> Callable[[], None]:
        """Wait for the message's turn. Returns what is to be called when its first byte is handed to the network (the
        same that `ON_WIRE` holds from then on in this context)."""
        loop = asyncio.get_running_loop()
        gone: asyncio.Future[None] = loop.create_future()

        def go() -> None:
            if not gone.done():
                gone.set_result(None)

        ticket = Ticket(lane, chat, group, go, weight)
        self.pacer.ask(ticket)
        self._turn()
        try:
            await gone
        except asyncio.CancelledError:
            ticket.cancelled = True
            self._on_wire(ticket)
            raise
        tell = partial(self._on_wire, ticket)
        ON_WIRE.set(tell)
        return tell

    def _on_wire(self, ticket: Ticket) -> None:
        """The message is on its way: from now on counts its distance to the next."""
        if self.pacer.on_wire(ticket, asyncio.get_running_loop().time()):
            self._turn()

    def slow_down(self, retry_after: float) -> None:
        self.pacer.slow_down(asyncio.get_running_loop().time(), retry_after)
        self._turn()

    def halted(self) -> bool:
        return self.pacer.halted(asyncio.get_running_loop().time())

    def _turn(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        loop = asyncio.get_running_loop()
        wait = self.pacer.turn(loop.time())
        if wait is not None:
            self._timer = loop.call_later(wait, self._turn)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
