"""Fetching updates of a Zalo bot: one at a time, never confirmed, perhaps given again, and stored before the next."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable

import structlog

from bot.channels.telegram_json import Json
from bot.channels.telegram_poll import Backoff, Read, pause, until_stop
from bot.channels.zalo_bot_errors import WebhookIsSet
from bot.core.channel import Receive
from bot.core.errors import AccountStopped, SendError
from bot.core.events import Inbound

log = structlog.get_logger()

Fetch = Callable[[float], Awaitable[Json | None]]
"""One update, or `None` after so many seconds; raises `SendError`."""

REMEMBERED = 1000
HASTE = 5.0
"""After an update that is new the next poll may follow so many times sooner: people who all write at once are not kept
waiting, and five calls a second are still as few as a careful client makes (the platform names no limit)."""


class Seen:
    """The newest messages that were stored: the database knows them all, this only spares it the copies."""

    def __init__(self) -> None:
        self._ids: OrderedDict[str, None] = OrderedDict()

    def __contains__(self, message_id: str) -> bool:
        return message_id in self._ids

    def add(self, message_id: str) -> None:
        self._ids[message_id] = None
        if len(self._ids) > REMEMBERED:
            self._ids.popitem(last=False)


class Poller:
    """The loop of one account, until `stopping` is set. `floor` is how many seconds pass at least between two polls;
    `reclaim` removes a webhook that somebody has set."""

    def __init__(
        self,
        account: str,
        fetch: Fetch,
        read: Read,
        receive: Receive,
        reclaim: Callable[[], Awaitable[object]],
        *,
        seen: Seen,
        stopping: asyncio.Event,
        timeout: float,
        floor: float,
        longest_wait: float,
    ) -> None:
        self._fetch = fetch
        self._read = read
        self._receive = receive
        self._reclaim = reclaim
        self._seen = seen
        self._stopping = stopping
        self._timeout = timeout
        self._floor = floor
        self._longest_wait = longest_wait
        self._trouble = ""
        self._log = log.bind(account=account)

    async def run(self) -> None:
        """Fetch and hand over until told to stop."""
        backoff = Backoff(self._longest_wait)
        while not self._stopping.is_set():
            asked = time.monotonic()
            fresh = await self._once(backoff)
            floor = self._floor / HASTE if fresh else self._floor
            await pause(self._stopping, max(0.0, asked + floor - time.monotonic()))

    async def _once(self, backoff: Backoff) -> bool:
        """Whether something came that had not been seen."""
        try:
            update = await until_stop(self._stopping, self._fetch(self._timeout))
        except SendError as error:
            await self._disturbed(error, backoff)
            return False
        if self._stopping.is_set() and update is None:
            return False
        self._recovered(backoff)
        inbound = None if update is None else self._read(update)
        if inbound is None or inbound.external_id in self._seen:
            return False
        await self._store(inbound)
        return True

    async def _store(self, inbound: Inbound) -> None:
        """However long the storage takes to come back: nobody will give us this update again for certain."""
        backoff = Backoff(self._longest_wait)
        while not await self._stored(inbound):
            if not backoff.failures:
                self._log.error("update cannot be stored", update=inbound.external_id)
            if not await pause(self._stopping, backoff.next()):
                self._log.error("update was not stored before the stop", update=inbound.external_id)
                return
        if backoff.failures:
            self._log.info("updates can be stored again", failures=backoff.failures)
        self._seen.add(inbound.external_id)

    async def _stored(self, inbound: Inbound) -> bool:
        try:
            await self._receive(inbound)
        except Exception as error:  # by contract this means that the storage is down, whatever its exception
            self._log.debug("update not stored", update=inbound.external_id, error=type(error).__name__)
            return False
        return True

    async def _disturbed(self, error: SendError, backoff: Backoff) -> None:
        """Say what is wrong and wait; a webhook of somebody else's is removed first."""
        self._say(_trouble(error), error)
        if isinstance(error, WebhookIsSet):
            try:
                await until_stop(self._stopping, self._reclaim())
            except SendError as refusal:
                error = refusal
        await pause(self._stopping, backoff.next(error))

    def _say(self, trouble: str, error: SendError) -> None:
        """Once when it begins, again only when it has become something else."""
        if trouble != self._trouble:
            self._log.warning("polling is disturbed", trouble=trouble, error=type(error).__name__)
        self._trouble = trouble

    def _recovered(self, backoff: Backoff) -> None:
        if self._trouble:
            self._log.info("polling works again", failures=backoff.failures)
        self._trouble = ""
        backoff.reset()


def _trouble(error: SendError) -> str:
    if isinstance(error, AccountStopped):
        return "Zalo refuses the token"
    if isinstance(error, WebhookIsSet):
        return "somebody set a webhook for this token: it is removed"
    return "Zalo cannot be reached"
