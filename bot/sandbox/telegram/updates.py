"""What a bot has not read yet: the queue of updates, and `getUpdates` with all its rules."""

from __future__ import annotations

import asyncio
import random
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bot.sandbox.telegram.errors import ApiError, Json, conflict, named, restarting
from bot.sandbox.telegram.limits import Timing

ALL_KINDS = named(
    "message edited_message channel_post edited_channel_post inline_query chosen_inline_result callback_query "
    "shipping_query pre_checkout_query poll poll_answer my_chat_member chat_member chat_join_request chat_boost "
    "removed_chat_boost message_reaction message_reaction_count business_connection business_message "
    "edited_business_message deleted_business_messages purchased_paid_media managed_bot guest_message"
)
OFF_BY_DEFAULT = frozenset({"chat_member", "message_reaction", "message_reaction_count"})


@dataclass(slots=True)
class Update:
    """One update; `key` names the conversation, whose updates keep their order."""

    id: int
    kind: str
    json: Json
    key: int
    at: float


class UpdateQueue:
    """The unconfirmed updates of one bot. Ids rise by one from a random start."""

    def __init__(self, clock: Callable[[], float], timing: Timing) -> None:
        self._clock = clock
        self._timing = timing
        self._next_id = random.randint(100_000_000, 900_000_000)
        self._pending: OrderedDict[int, Update] = OrderedDict()
        self.allowed: frozenset[str] | None = None
        self.listeners: list[Callable[[Update], None]] = []

    def __len__(self) -> int:
        self._expire()
        return len(self._pending)

    def wants(self, kind: str) -> bool:
        """Whether updates of that kind are kept."""
        return kind not in OFF_BY_DEFAULT if self.allowed is None else kind in self.allowed

    def allow(self, names: Iterable[str]) -> None:
        """Remember which kinds are wanted, for all updates from now on; none or only unknown names: the default."""
        known = frozenset(str(name).lower() for name in names) & ALL_KINDS
        self.allowed = known or None

    def add(self, kind: str, content: Json, key: int) -> Update | None:
        """Queue an update, unless the bot does not want its kind."""
        if not self.wants(kind):
            return None
        update = Update(self._next_id, kind, {"update_id": self._next_id, kind: content}, key, self._clock())
        self._next_id += 1
        self._pending[update.id] = update
        for listener in self.listeners:
            listener(update)
        return update

    def pending(self) -> list[Update]:
        self._expire()
        return list(self._pending.values())

    def has(self, update_id: int) -> bool:
        return update_id in self._pending

    def confirm(self, update_id: int) -> None:
        """Forget one update: it was handled."""
        self._pending.pop(update_id, None)

    def clear(self) -> None:
        """Forget all."""
        self._pending.clear()

    def read(self, offset: int, limit: int) -> list[Update]:
        """Confirm what lies before `offset` (a negative one keeps the last so many), show the next `limit`."""
        self._expire()
        if offset < 0:
            keep = min(len(self._pending), -offset)
            while len(self._pending) > keep:
                self._pending.popitem(last=False)
        elif offset > 0:
            while self._pending and next(iter(self._pending)) < offset:
                self._pending.popitem(last=False)
        return [update for update, _ in zip(self._pending.values(), range(limit), strict=False)]

    def _expire(self) -> None:
        oldest = self._clock() - self._timing.update_lifetime
        while self._pending and next(iter(self._pending.values())).at < oldest:
            self._pending.popitem(last=False)


class Polls:
    """`getUpdates` of one bot: one poll at a time, the older one is told about the conflict."""

    def __init__(self, queue: UpdateQueue, timing: Timing, monotonic: Callable[[], float]) -> None:
        self._queue = queue
        self._timing = timing
        self._monotonic = monotonic
        self._waiting: asyncio.Future[None] | None = None
        self._previous_offset = -1
        self._previous_at = float("-inf")
        self._next_conflict = float("-inf")
        queue.listeners.append(self._wake)

    def _wake(self, update: Update) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def interrupt(self, words: str) -> None:
        """End a pending poll with 409."""
        self._end(conflict(words))

    def restart(self) -> None:
        """End a pending poll because the server goes down."""
        self._end(restarting())

    def _end(self, error: ApiError) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.done():
            waiting.set_exception(error)

    async def refuse(self, error: ApiError) -> ApiError:
        """The error itself: the first 409 at once, later ones after a delay."""
        now = self._monotonic()
        if now >= self._next_conflict:
            self._next_conflict = now + self._timing.conflict_delay
        elif self._timing.conflict_delay:
            await asyncio.sleep(self._timing.conflict_delay)
        return error

    async def poll(self, offset: int, limit: int, timeout: float) -> list[Update]:
        """Updates, as soon as there are any or `timeout` seconds have passed. Raises 409."""
        now = self._monotonic()
        repeated = offset == self._previous_offset
        if repeated and now < self._previous_at + self._timing.repeated_poll:
            timeout = max(timeout, self._timing.repeated_poll)
        if repeated and now < self._previous_at + self._timing.repeated_poll_single:
            limit = 1
        self._previous_offset, self._previous_at = offset, now
        self.interrupt("terminated by other getUpdates request; make sure that only one bot instance is running")
        found = self._queue.read(offset, limit)
        if found or timeout <= 0:
            return found
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting = mine
        try:
            async with asyncio.timeout(timeout):
                await mine
        except TimeoutError:
            return []
        except ApiError as error:
            raise (await self.refuse(error) if error.code == 409 else error) from None
        finally:
            if self._waiting is mine:
                self._waiting = None
        return self._queue.read(offset, limit)
