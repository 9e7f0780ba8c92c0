"""One delivery by the long way: several messages, files, second attempts. Returns what became of it or raises."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

import structlog

from bot.core.errors import ContactMoved, NotSent, SendError, SlowDown
from bot.core.events import ChatKind, Outbound, Sent
from bot.core.words import Lane
from bot.db.deliveries import Claimed
from bot.engine.courier import Courier
from bot.engine.ledger import Ledger
from bot.engine.letters import Letter, Letters, Variant
from bot.engine.line import Line
from bot.outreach.items import addressed, weight

log = structlog.get_logger(__name__)

_PAUSES = (0.5, 2.0, None)
"""Seconds before what surely did not arrive is tried again."""


class Broken(Exception):
    """A delivery ended with an error after `begun` of its messages had left."""

    def __init__(self, error: SendError, *, begun: bool) -> None:
        super().__init__(str(error))
        self.error = error
        self.begun = begun


@dataclass(frozen=True, slots=True)
class Attempts:
    """`opens_circuit` counts a failure of the platform and says whether sending stands still now."""

    courier: Courier
    ledger: Ledger
    line: Line
    letters: Letters
    opens_circuit: Callable[[], bool]

    async def deliver(
        self, variant: Variant, letter: Letter, row: Claimed, lane: Lane, failed: SendError | None = None
    ) -> str:
        """All messages to one person; their ids, joined by commas. `failed` is how a first attempt ended. The pace was
        waited for. Raises `Broken`."""
        numbers: list[str] = []
        for part in addressed(variant.parts, row.external_id, group=row.kind is ChatKind.GROUP):
            try:
                if numbers:
                    await self.line.wait(lane, part.chat_id, group=part.group, weight=weight(part))
                sent = await self._attempt(part, letter, row, lane, failed, patient=bool(numbers))
            except SendError as error:
                raise Broken(error, begun=bool(numbers)) from error
            failed = None
            numbers += sent.message_ids or ((sent.message_id,) if sent.message_id else ())
        self._remember_files(variant, letter)
        if variant.beside is not None:
            numbers += await self._beside(variant.beside, row, lane)
        return ",".join(numbers)

    async def _beside(self, voice: Outbound, row: Claimed, lane: Lane) -> list[str]:
        """A voice after the text has arrived. Whoever does not get it has missed nothing, so it is not tried twice."""
        group = row.kind is ChatKind.GROUP
        part = replace(self.courier.ready(voice) or voice, chat_id=row.external_id, group=group)
        await self.line.wait(lane, part.chat_id, group=group, weight=1)
        try:
            sent = await self.courier.send(part)
        except SendError as error:
            log.info("A voice did not arrive", contact=row.contact_id, error=type(error).__name__)
            if isinstance(error, SlowDown):
                self.line.slow_down(error.retry_after)
            return []
        return list(sent.message_ids or ((sent.message_id,) if sent.message_id else ()))

    async def _attempt(
        self, part: Outbound, letter: Letter, row: Claimed, lane: Lane, failed: SendError | None, *, patient: bool
    ) -> Sent:
        """Send one message. What surely did not arrive is tried again a little later; a moved group once. A second
        message to the same person (`patient`) also waits when the platform asks to."""
        moved = False
        for pause in _PAUSES:
            try:
                if failed is not None:
                    raise failed
                return await self.courier.send(part, origin=letter.origin)
            except ContactMoved as error:
                if moved or pause is None:
                    raise
                moved = True
                self.ledger.move_contact(row.contact_id, error.new_id)
                part = replace(part, chat_id=error.new_id)
            except NotSent:
                if pause is None or self.opens_circuit():
                    raise
                await asyncio.sleep(pause)
            except SlowDown as error:
                if pause is None or not patient:
                    raise
                self.line.slow_down(error.retry_after)
            failed = None
            await self.line.wait(lane, part.chat_id, group=part.group, weight=weight(part))
        raise AssertionError  # the last round returns or raises

    def _remember_files(self, variant: Variant, letter: Letter) -> None:
        """Once its files are known to the platform, a message goes to everybody else by the short way."""
        if variant.prepared is None and len(variant.parts) == 1 and variant.parts[0].media:
            ready = self.courier.ready(variant.parts[0], origin=letter.origin)
            if ready is not None:
                self.letters.prepare(variant, ready)
