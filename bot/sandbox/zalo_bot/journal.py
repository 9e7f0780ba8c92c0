"""What happened on the wire, in order: every call, what was answered, and whether the answer was sent."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.sandbox.zalo_bot.bots import ZaloBotAccount

_OK = 200


@dataclass(slots=True)
class Entry:
    """One call. `message_id` is set when it delivered a message, `at` is monotonic seconds, `lost` says that the work
    was done and the answer was not sent."""

    at: float
    bot_id: str
    method: str
    chat_id: str | None
    message_id: str | None = None
    status: int = _OK
    description: str = ""
    lost: bool = False


class Journal:
    """The newest entries; the counts cover everything since the start."""

    def __init__(self, keep: int) -> None:
        self.entries: deque[Entry] = deque(maxlen=keep)
        self._sent: Counter[str] = Counter()
        self._refused: Counter[tuple[str, int]] = Counter()

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, index: int) -> Entry:
        return self.entries[index]

    def add(self, entry: Entry) -> None:
        self.entries.append(entry)
        if entry.status != _OK:
            self._refused[(entry.bot_id, entry.status)] += 1
        elif entry.message_id is not None:
            self._sent[entry.bot_id] += 1

    def clear(self) -> None:
        """Forget entries and counts."""
        self.entries.clear()
        self._sent.clear()
        self._refused.clear()

    def sent(self, bot_id: str | None = None) -> int:
        """Messages delivered by one bot, or by all."""
        return self._sent[bot_id] if bot_id is not None else self._sent.total()

    def refused(self, status: int, bot_id: str | None = None) -> int:
        """Calls refused with that status."""
        return sum(n for (bot, code), n in self._refused.items() if code == status and bot_id in (None, bot))

    def calls(self, method: str, bot_id: str | None = None) -> list[Entry]:
        """Calls of one method, oldest first, whatever was answered."""
        return [e for e in self.entries if e.method == method and bot_id in (None, e.bot_id)]

    def delivered(self, bot_id: str | None = None, chat_id: str | None = None) -> list[Entry]:
        """Delivered messages, oldest first."""
        return [
            e
            for e in self.entries
            if e.message_id is not None and bot_id in (None, e.bot_id) and chat_id in (None, e.chat_id)
        ]

    def most_in(self, seconds: float, bot_id: str | None = None, chat_id: str | None = None) -> int:
        """The most messages delivered in any window of that length (its end excluded)."""
        return _most([e.at for e in self.delivered(bot_id, chat_id)], seconds)

    def most_per_chat(self, seconds: float, bot_id: str | None = None) -> dict[str, int]:
        """The same for each chat."""
        times: dict[str, list[float]] = {}
        for entry in self.delivered(bot_id):
            times.setdefault(entry.chat_id or "", []).append(entry.at)
        return {chat_id: _most(at, seconds) for chat_id, at in times.items()}


class Measured:
    """What a journal says about bots, for tests that keep to a platform's limits."""

    log: Journal

    def sent(self, bot: ZaloBotAccount | None = None) -> int:
        """Messages delivered."""
        return self.log.sent(bot.id if bot else None)

    def count_429(self, bot: ZaloBotAccount | None = None) -> int:
        """Calls refused with 429."""
        return self.log.refused(429, bot.id if bot else None)

    def max_in_window(self, bot: ZaloBotAccount | None = None, seconds: float = 1.0) -> int:
        """The most messages delivered in any window of that length."""
        return self.log.most_in(seconds, bot.id if bot else None)

    def max_per_chat(
        self, bot: ZaloBotAccount | None = None, seconds: float = 1.0, *, chat_id: str | None = None
    ) -> int:
        """The most messages delivered to one chat in any window of that length."""
        most = self.log.most_per_chat(seconds, bot.id if bot else None)
        return most.get(chat_id, 0) if chat_id is not None else max(most.values(), default=0)


def _most(times: list[float], seconds: float) -> int:
    most = start = 0
    for end, at in enumerate(times):
        while times[start] <= at - seconds:
            start += 1
        most = max(most, end - start + 1)
    return most
