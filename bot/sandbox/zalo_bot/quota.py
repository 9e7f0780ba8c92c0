"""What the free plan allows a bot: messages in a month, people, groups."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.sandbox.zalo_bot.errors import quota_exceeded, too_many_tests

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
"""Where the platform's months and days begin."""


@dataclass(slots=True, kw_only=True)
class Limits:
    """As documented for the Basic plan; `None` means no such limit. The real number of webhook tests is unknown."""

    per_month: int | None = 3000
    people: int | None = 50
    groups: int | None = 3
    webhook_tests: int | None = 10


class Quota:
    """What one bot has used. The limits may be changed at any time."""

    def __init__(self, limits: Limits, clock: Callable[[], float]) -> None:
        self.limits = limits
        self._clock = clock
        self._months: Counter[str] = Counter()
        self._tests: Counter[str] = Counter()
        self._seats: dict[bool, set[str]] = {False: set(), True: set()}

    @property
    def used(self) -> int:
        """Messages in the present month."""
        return self._months[self._now("%Y-%m")]

    @property
    def people(self) -> int:
        """People who were heard."""
        return len(self._seats[False])

    def admit(self, chat_id: str, *, group: bool) -> bool:
        """Whether this person or group is among those that the plan allows; the first come first."""
        seats, most = self._seats[group], self.limits.groups if group else self.limits.people
        if chat_id not in seats and (most is None or len(seats) < most):
            seats.add(chat_id)
        return chat_id in seats

    def take(self, chat_id: str, *, group: bool) -> None:
        """Count one message. Raises 429. What the platform does about the 51st person is not documented: 429 here."""
        full = self.limits.per_month is not None and self.used >= self.limits.per_month
        if full or not self.admit(chat_id, group=group):
            raise quota_exceeded()
        self._months[self._now("%Y-%m")] += 1

    def spend(self, count: int) -> None:
        """Count messages that nobody sees, to come near the end of a month's quota."""
        self._months[self._now("%Y-%m")] += count

    def take_test(self) -> None:
        """Count one webhook test. Raises 426."""
        today = self._now("%Y-%m-%d")
        if self.limits.webhook_tests is not None and self._tests[today] >= self.limits.webhook_tests:
            raise too_many_tests()
        self._tests[today] += 1

    def _now(self, form: str) -> str:
        return datetime.fromtimestamp(self._clock(), ZONE).strftime(form)
