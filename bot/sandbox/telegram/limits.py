"""How much a bot may send and how long things take: the limits as values, and the meter that keeps them."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from bot.sandbox.telegram.errors import ApiError, too_many

MB = 1024 * 1024


@dataclass(slots=True, kw_only=True)
class Limits:
    """What the platform allows. `None` means no such limit.

    `per_second` counts messages of one bot in any second, `per_chat_second` is the steady rate of one private
    chat after `chat_burst` messages at once, `per_group_minute` counts messages of one bot in one group in any
    minute. `penalty` seconds are added to every `retry_after`. Sizes are in bytes.
    """

    per_second: float | None = 30
    paid_per_second: float | None = 1000
    per_chat_second: float | None = 1
    chat_burst: int = 3
    per_group_minute: int | None = 20
    penalty: int = 0
    photo_bytes: int = 10 * MB
    upload_bytes: int = 50 * MB
    download_bytes: int = 20 * MB

    @classmethod
    def none(cls) -> Limits:
        """No rate limits at all."""
        return cls(per_second=None, per_chat_second=None, per_group_minute=None)


@dataclass(slots=True, kw_only=True)
class Timing:
    """How long the server takes over things, in seconds. `fast` is for tests that do not test these."""

    conflict_delay: float = 3.0
    repeated_poll: float = 3.0
    repeated_poll_single: float = 0.5
    max_poll: float = 50.0
    set_webhook_interval: float = 1.0
    webhook_retry: float = 1.0
    webhook_retry_max: float = 60.0
    webhook_timeout: float = 60.0
    webhook_gone: float = 23 * 3600.0
    update_lifetime: float = 24 * 3600.0
    callback_lifetime: float = 60.0
    inline_lifetime: float = 10.0
    delete_lifetime: float = 48 * 3600.0

    @classmethod
    def fast(cls) -> Timing:
        """No forced waiting between polls, quick webhook retries."""
        return cls(
            conflict_delay=0.0,
            repeated_poll=0.0,
            repeated_poll_single=0.0,
            set_webhook_interval=0.0,
            webhook_retry=0.02,
            webhook_retry_max=0.2,
            webhook_timeout=5.0,
        )


class _Window:
    """At most `limit` events in any `span` seconds."""

    __slots__ = ("shut_until", "times")

    def __init__(self) -> None:
        self.times: deque[float] = deque()
        self.shut_until = 0.0

    def wait(self, now: float, limit: float, span: float, amount: int) -> float:
        """Seconds until `amount` more would fit; 0 when they fit now."""
        times = self.times
        while times and times[0] <= now - span:
            times.popleft()
        if not times or len(times) + amount <= limit:
            return 0.0
        needed = min(len(times), math.ceil(len(times) + amount - limit))
        return times[needed - 1] + span - now


class _Bucket:
    """`burst` at once, then `rate` a second."""

    __slots__ = ("at", "shut_until", "tokens")

    def __init__(self, now: float, burst: float) -> None:
        self.tokens = burst
        self.at = now
        self.shut_until = 0.0

    def wait(self, now: float, rate: float, burst: float, amount: int) -> float:
        """Seconds until `amount` more would fit; an album larger than the burst fits into a full bucket."""
        self.tokens = min(burst, self.tokens + (now - self.at) * rate)
        self.at = now
        short = min(float(amount), burst) - self.tokens
        return short / rate if short > 1e-9 else 0.0


class Meter:
    """Counts what one bot sends and refuses what is too much."""

    def __init__(self, limits: Limits, monotonic: Callable[[], float]) -> None:
        self.limits = limits
        self._monotonic = monotonic
        self._all = _Window()
        self._chats: dict[int, _Bucket] = {}
        self._groups: dict[int, _Window] = {}

    def tighten(self, **changes: float | None) -> None:
        """Change some limits from now on."""
        self.limits = replace(self.limits, **changes)  # type: ignore[arg-type]  # callers name fields

    def take(self, chat_id: int, amount: int = 1, *, paid: bool = False) -> None:
        """Count `amount` messages to a chat, or raise 429 and count nothing."""
        now = self._monotonic()
        per_second = self.limits.paid_per_second if paid else self.limits.per_second
        if per_second is not None:
            self._refuse(self._all, now, self._all.wait(now, per_second, 1.0, amount))
        if chat_id > 0:
            self._take_private(chat_id, now, amount)
        elif self.limits.per_group_minute is not None:
            window = self._groups.setdefault(chat_id, _Window())
            self._refuse(window, now, window.wait(now, self.limits.per_group_minute, 60.0, amount))
            window.times.extend([now] * amount)
        if per_second is not None:
            self._all.times.extend([now] * amount)

    def _take_private(self, chat_id: int, now: float, amount: int) -> None:
        rate = self.limits.per_chat_second
        if rate is None:
            return
        bucket = self._chats.get(chat_id)
        if bucket is None:
            if len(self._chats) > 5000:
                self._forget(now, rate)
            bucket = self._chats[chat_id] = _Bucket(now, self.limits.chat_burst)
        self._refuse(bucket, now, bucket.wait(now, rate, self.limits.chat_burst, amount))
        bucket.tokens -= amount

    def _forget(self, now: float, rate: float) -> None:
        full = self.limits.chat_burst
        idle = [key for key, b in self._chats.items() if b.tokens + (now - b.at) * rate >= full and b.shut_until <= now]
        for key in idle:
            del self._chats[key]

    def _refuse(self, gate: _Window | _Bucket, now: float, wait: float) -> None:
        if gate.shut_until > now:
            raise self._error(gate.shut_until - now)
        if wait > 0:
            error = self._error(wait + self.limits.penalty)
            if self.limits.penalty:
                gate.shut_until = now + wait + self.limits.penalty
            raise error

    @staticmethod
    def _error(seconds: float) -> ApiError:
        return too_many(max(1, math.ceil(seconds - 1e-6)))
