"""Fetching updates: confirmed only once every one of them is stored, in order within a chat, chats side by side."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

import structlog
from telegram.error import Conflict, TelegramError

from bot.channels.telegram_errors import translate
from bot.core.channel import Receive
from bot.core.errors import AccountStopped, SlowDown
from bot.core.events import Inbound

log = structlog.get_logger()

Fetch = Callable[[int | None, float], Awaitable[list[dict[str, Any]]]]
"""Updates from an offset on, waiting at most so many seconds; raises python-telegram-bot's errors."""

Read = Callable[[Mapping[str, Any]], Inbound | None]

SIDE_BY_SIDE = 32
LAST_WORD = 2.0


class Backoff:
    """Seconds to wait after each failure in a row: 1, 2, 4 … `longest`, each a little shorter or longer by chance."""

    def __init__(self, longest: float) -> None:
        self.longest = longest
        self.failures = 0

    def next(self, error: object = None) -> float:
        """What to wait before the next try: as long as Telegram asks, and longest where nothing will change soon."""
        self.failures += 1
        if isinstance(error, SlowDown):
            return error.retry_after
        if isinstance(error, AccountStopped):
            return 2 * self.longest
        return min(2.0 ** min(self.failures - 1, 10), self.longest) * random.uniform(0.8, 1.2)

    def reset(self) -> None:
        self.failures = 0


async def pause(stopping: asyncio.Event, seconds: float) -> bool:
    """Wait, at most until `stopping` is set. Returns whether to go on."""
    try:
        await asyncio.wait_for(stopping.wait(), seconds)
    except TimeoutError:
        return True
    return False


T = TypeVar("T")


async def until_stop(stopping: asyncio.Event, work: Awaitable[T]) -> T | None:
    """What `work` gives or raises; when `stopping` is set first, `work` is cancelled and this gives `None`. Only for
    work of which a half does no harm."""
    task = asyncio.ensure_future(work)
    stop = asyncio.ensure_future(stopping.wait())
    try:
        await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else None
    finally:
        task.cancel()
        stop.cancel()
        await asyncio.gather(task, stop, return_exceptions=True)


class Poller:
    """The loop of one account, until `stopping` is set. `rival` says that another process polls with its token."""

    def __init__(
        self,
        account: str,
        fetch: Fetch,
        read: Read,
        receive: Receive,
        *,
        stopping: asyncio.Event,
        poll_timeout: float,
        longest_wait: float,
    ) -> None:
        self._fetch = fetch
        self._read = read
        self._receive = receive
        self._poll_timeout = poll_timeout
        self._stopping = stopping
        self._longest_wait = longest_wait
        self._offset: int | None = None
        self._asked: int | None = None
        self._trouble = ""
        self._log = log.bind(account=account)
        self.rival = False

    async def run(self) -> None:
        """Fetch and hand over until told to stop; then confirm what was stored, or a restart would see it again."""
        backoff = Backoff(self._longest_wait)
        while not self._stopping.is_set():
            updates = await self._next(backoff)
            if updates:
                await self._hand_over(updates)
        await self._confirm()

    async def _next(self, backoff: Backoff) -> list[dict[str, Any]]:
        """What arrives before the stop; an unanswered request is dropped, since nothing in it is confirmed yet."""
        self._asked = self._offset
        try:
            updates = await until_stop(self._stopping, self._fetch(self._offset, self._poll_timeout))
        except TelegramError as error:
            await pause(self._stopping, self._wait_after(error, backoff))
            return []
        if updates is None:
            return []
        self._recovered(backoff)
        return updates

    def _wait_after(self, error: TelegramError, backoff: Backoff) -> float:
        """Seconds until the next try."""
        meaning = translate(error)
        self.rival = isinstance(error, Conflict)
        if isinstance(meaning, AccountStopped):
            self._say("Telegram refuses the token", error)
        elif self.rival:
            self._say("another process receives with this token: stop one of the two", error)
        elif not isinstance(meaning, SlowDown):
            self._say("Telegram cannot be reached", error)
        return backoff.next(meaning)

    def _say(self, trouble: str, error: TelegramError) -> None:
        """Once when it begins, again only when it has become something else."""
        if trouble != self._trouble:
            self._log.warning("polling is disturbed", trouble=trouble, error=type(error).__name__)
        self._trouble = trouble

    def _recovered(self, backoff: Backoff) -> None:
        if self._trouble:
            self._log.info("polling works again", failures=backoff.failures)
        self._trouble, self.rival = "", False
        backoff.reset()

    async def _hand_over(self, updates: list[dict[str, Any]]) -> None:
        """Store the whole batch, however long the storage takes to come back, then move the offset past it."""
        chats = self._by_chat(updates)
        backoff = Backoff(self._longest_wait)
        while chats:
            left = await self._store(chats)
            if left and not backoff.failures:
                self._log.error("updates cannot be stored", waiting=sum(map(len, left)))
            chats = left
            if chats and not await pause(self._stopping, backoff.next()):
                return
        if backoff.failures:
            self._log.info("updates can be stored again", failures=backoff.failures)
        self._offset = max(update["update_id"] for update in updates) + 1

    def _by_chat(self, updates: list[dict[str, Any]]) -> list[list[Inbound]]:
        chats: defaultdict[str, list[Inbound]] = defaultdict(list)
        for update in updates:
            inbound = self._read(update)
            if inbound is not None:
                chats[inbound.chat_id].append(inbound)
        return list(chats.values())

    async def _store(self, chats: list[list[Inbound]]) -> list[list[Inbound]]:
        """What could not be stored."""
        free = asyncio.Semaphore(SIDE_BY_SIDE)
        left = await asyncio.gather(*(self._store_chat(chat, free) for chat in chats))
        return [chat for chat in left if chat]

    async def _store_chat(self, chat: list[Inbound], free: asyncio.Semaphore) -> list[Inbound]:
        async with free:
            for done, inbound in enumerate(chat):
                try:
                    await self._receive(inbound)
                except Exception as error:  # by contract this means that the storage is down, whatever its exception
                    self._log.debug("update not stored", update=inbound.external_id, error=type(error).__name__)
                    return chat[done:]
        return []

    async def _confirm(self) -> None:
        """Asking from an offset on is what confirms everything before it. Best effort: what was stored is known."""
        if self._offset == self._asked:
            return
        try:
            await asyncio.wait_for(self._fetch(self._offset, 0), LAST_WORD)
        except (TelegramError, TimeoutError):
            self._log.debug("the last updates were not confirmed")
