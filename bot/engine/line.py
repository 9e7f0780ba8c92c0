"""The pacer at work: coroutines wait in line until their message may leave."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from time import monotonic

from bot.core.channel import ON_WIRE, Limits
from bot.core.words import Lane
from bot.outreach.pacing import Pacer, Ticket


class Line:
    """One account's line. The next message goes when the one before it is on the wire, or after a tenth of a second.

    Its clock is the system's own: an event loop's may be a millisecond coarse."""

    def __init__(self, limits: Limits) -> None:
        self.pacer = Pacer(limits)
        self._timer: asyncio.TimerHandle | None = None

    def open(self, lane: Lane) -> bool:
        """Whether a message may leave at once and without waiting: no limit of our own, nothing refused, nobody ahead.
        Each `True` stands for one message that leaves now."""
        return self.pacer.open(monotonic())

    async def wait(self, lane: Lane, chat: str, *, group: bool = False, weight: int = 1) -> Callable[[], None]:
        """Wait for the message's turn. Returns what is to be called when its first byte is handed to the network (the
        same that `ON_WIRE` holds from then on in this context)."""
        gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()

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
        if self.pacer.on_wire(ticket, monotonic()):
            self._turn()

    def slow_down(self, retry_after: float) -> None:
        """The platform refused a message and asked to wait so many seconds. To be called for each refusal: how many
        there were tells how many got through."""
        self.pacer.slow_down(monotonic(), retry_after)
        self._turn()

    def halted(self) -> bool:
        """Whether runs stand still because the platform asked for it."""
        return self.pacer.halted(monotonic())

    def _turn(self) -> None:
        self.close()
        wait = self.pacer.turn(monotonic())
        if wait is not None:
            self._timer = asyncio.get_running_loop().call_later(wait, self._turn)

    def close(self) -> None:
        """Stop the clock. Who still waits is not woken any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
