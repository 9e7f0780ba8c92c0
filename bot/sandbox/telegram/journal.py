"""What happened on the wire, in order: every call that delivers, and every one that was refused."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.sandbox.telegram.bots import BotAccount


@dataclass(slots=True)
class Entry:
    """One message that was delivered (`status` 200), or one call that was refused. `at` is monotonic seconds;
    `lost` says that the work was done and the answer was not sent."""

    at: float
    bot_id: int
    method: str
    chat_id: int | None
    message_id: int | None
    status: int
    description: str = ""
    lost: bool = False


class Journal:
    """The newest entries; the counts cover everything since the start."""

    def __init__(self, keep: int) -> None:
        self.entries: deque[Entry] = deque(maxlen=keep)
        self._sent: Counter[int] = Counter()
        self._refused: Counter[tuple[int, int]] = Counter()

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, index: int) -> Entry:
        return self.entries[index]

    def add(self, entry: Entry) -> None:
        self.entries.append(entry)
        if entry.status == 200:
            self._sent[entry.bot_id] += 1
        else:
            self._refused[(entry.bot_id, entry.status)] += 1

    def clear(self) -> None:
        """Forget entries and counts."""
        self.entries.clear()
        self._sent.clear()
        self._refused.clear()

    def sent(self, bot_id: int | None = None) -> int:
        """Messages delivered by one bot, or by all."""
        return self._sent[bot_id] if bot_id is not None else self._sent.total()

    def refused(self, status: int, bot_id: int | None = None) -> int:
        """Calls refused with that status."""
        return sum(n for (bot, code), n in self._refused.items() if code == status and bot_id in (None, bot))

    def delivered(self, bot_id: int | None = None, chat_id: int | None = None) -> list[Entry]:
        """Delivered messages, oldest first."""
        return [
            e
            for e in self.entries
            if e.status == 200 and bot_id in (None, e.bot_id) and (chat_id is None or e.chat_id == chat_id)
        ]

    def most_in(self, seconds: float, bot_id: int | None = None, chat_id: int | None = None) -> int:
        """The most messages delivered in any window of that length (its end excluded)."""
        return _most([e.at for e in self.delivered(bot_id, chat_id)], seconds)

    def most_per_chat(self, seconds: float, bot_id: int | None = None) -> dict[int, int]:
        """The same for each chat."""
        times: dict[int, list[float]] = {}
        for entry in self.delivered(bot_id):
            if entry.chat_id is not None:
                times.setdefault(entry.chat_id, []).append(entry.at)
        return {chat_id: _most(at, seconds) for chat_id, at in times.items()}


class Measured:
    """What a journal says about bots, for tests that keep to a platform's limits."""

    log: Journal

    def sent(self, bot: BotAccount | None = None) -> int:
        """Messages delivered."""
        return self.log.sent(bot.id if bot else None)

    def count_429(self, bot: BotAccount | None = None) -> int:
        """Calls refused with 429."""
        return self.log.refused(429, bot.id if bot else None)

    def max_in_window(self, bot: BotAccount | None = None, seconds: float = 1.0) -> int:
        """The most messages delivered in any window of that length."""
        return self.log.most_in(seconds, bot.id if bot else None)

    def max_per_chat(
        self, bot: BotAccount | None = None, seconds: float = 1.0, *, chat_id: int | None = None, groups: bool = False
    ) -> int:
        """The most messages delivered to one private chat (or group) in any window of that length."""
        most = self.log.most_per_chat(seconds, bot.id if bot else None)
        if chat_id is not None:
            return most.get(chat_id, 0)
        return max((n for id, n in most.items() if (id < 0) is groups), default=0)


def _most(times: list[float], seconds: float) -> int:
    most = start = 0
    for end, at in enumerate(times):
        while times[start] <= at - seconds:
            start += 1
        most = max(most, end - start + 1)
    return most
