"""Who holds the clock, and who receives for which account: elected among all processes of a cluster."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog

from bot.core.errors import UserError
from bot.db import Database
from bot.db.election import Seats

log = structlog.get_logger(__name__)

EVERY = 0.5
"""Seconds between two words to the server: how soon a free seat is taken, and how soon a lost one is noticed."""
_FRESH = 5.0
"""Seconds for which a seat is certain after the server's last word. After ten the server gives it to another."""

Act = Callable[[], Awaitable[None]]


@dataclass(slots=True, eq=False)
class _Seat:
    name: str
    won: Act
    lost: Act
    held: bool = False
    changed: asyncio.Event = field(default_factory=asyncio.Event)


class Election:
    """Tries for each seat until it is ours, and tells when it was won and lost. A seat whose holder died is taken
    within a second; one whose holder stands still, within eleven."""

    def __init__(self, database: Database) -> None:
        self._session = Seats(database)
        self._seats: dict[int, _Seat] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._heard = 0.0
        self._said = ""

    def stand(self, seat: int, name: str, won: Act, lost: Act) -> None:
        """Be a candidate. `won` and `lost` are called in turn, never side by side."""
        self._seats[seat] = _Seat(name, won, lost)

    def holds(self, seat: int) -> bool:
        """Whether the seat is certainly ours at this moment."""
        found = self._seats.get(seat)
        return found is not None and found.held and asyncio.get_running_loop().time() - self._heard < _FRESH

    async def open(self) -> None:
        """Register this process as one of the cluster's, before it does anything. Raises `UserError` while the engine
        of one process sends on this database."""
        await self._session.open()

    async def start(self) -> None:
        """Begin to be a candidate."""
        self._tasks = [asyncio.create_task(self._keep_asking(), name="election")]
        self._tasks += [asyncio.create_task(self._follow(s), name=f"seat {s.name}") for s in self._seats.values()]

    async def retire(self) -> None:
        """Be told nothing more. The seats stay ours for a few seconds, to end in order what they are for."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    async def stop(self) -> None:
        """Leave every seat."""
        await self.retire()
        for seat in self._seats.values():
            seat.held = False
        await self._session.close()

    async def _keep_asking(self) -> None:
        while True:
            asked = asyncio.get_running_loop().time()
            try:
                taken = await self._session.take([key for key, seat in self._seats.items() if not seat.held])
                self._heard = asked
                self._hold(taken)
                await asyncio.sleep(EVERY)
            except ConnectionError:
                self._lose()
                await asyncio.sleep(EVERY)
                await self._open_again()

    async def _open_again(self) -> None:
        try:
            await self._session.open()
            self._said = ""
        except ConnectionError:
            return
        except UserError as error:
            if str(error) != self._said:
                log.error("This process cannot be a candidate", why=str(error))  # noqa: TRY400  # the sentence says it
            self._said = str(error)

    def _hold(self, taken: list[int]) -> None:
        for key in taken:
            seat = self._seats[key]
            log.info("A seat was won", seat=seat.name)
            seat.held = True
            seat.changed.set()

    def _lose(self) -> None:
        for seat in self._seats.values():
            if seat.held:
                log.warning("A seat was lost", seat=seat.name)
                seat.held = False
                seat.changed.set()

    async def _follow(self, seat: _Seat) -> None:
        """Tell of changes, one after another: what came and went meanwhile is not told."""
        told = False
        while True:
            await seat.changed.wait()
            seat.changed.clear()
            if seat.held is told:
                continue
            told = seat.held
            try:
                await (seat.won if told else seat.lost)()
            except Exception:
                log.exception("A seat could not be taken or left in order", seat=seat.name, held=told)
