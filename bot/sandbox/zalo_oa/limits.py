"""How much an Official Account may do and how long things take: limits and timing as values, and the meter."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

MB = 1024 * 1024
HOUR = 3600.0
DAY = 24 * HOUR


@dataclass(slots=True, kw_only=True)
class Limits:
    """What the platform allows. Texts are counted in characters after NFC, sizes in bytes, times in seconds.

    `per_minute` is what one app may call in any minute (`None`: no limit). `paid_messages` is how many consulting
    messages between 48 hours and 7 days the package holds a month, `broadcasts` how many articles it may broadcast,
    `articles` how many it may write (`None`: no limit), `uploads` how many files it may upload a month.
    """

    per_minute: int | None = 4000
    text: int = 2000
    buttons: int = 5
    elements: int = 5
    title: int = 100
    payload: int = 1000
    reactions: int = 50
    image_bytes: int = MB
    gif_bytes: int = 5 * MB
    file_bytes: int = 5 * MB
    uploads: int = 5000
    upload_life: float = 7 * DAY
    paid_messages: int = 500
    broadcasts: int = 4
    articles: int | None = None
    free_window: float = 48 * HOUR
    window: float = 7 * DAY
    access_life: float = 90000
    refresh_life: float = 90 * DAY
    code_life: float = 600


@dataclass(slots=True, kw_only=True)
class Timing:
    """How long the platform waits, in real seconds: for an answer of the webhook, and before each retry of it."""

    webhook_timeout: float = 2.0
    webhook_retries: tuple[float, ...] = (30.0, 5 * 60.0, 15 * 60.0, 30 * 60.0, HOUR)
    stall: float = 20.0

    @classmethod
    def real(cls) -> Timing:
        """The documented pauses: 30 s, 5 min, 15 min, 30 min, 1 h."""
        return cls()

    @classmethod
    def fast(cls) -> Timing:
        """As many retries, at once."""
        return cls(webhook_retries=(0.0, 0.005, 0.005, 0.01, 0.01))


class Meter:
    """Counts the calls of the app in any minute."""

    def __init__(self, limits: Limits, monotonic: Callable[[], float]) -> None:
        self._limits = limits
        self._monotonic = monotonic
        self._times: deque[float] = deque()

    def take(self) -> bool:
        """Count one call; `False` when the minute is full (it is not counted then)."""
        limit = self._limits.per_minute
        if limit is None:
            return True
        now = self._monotonic()
        while self._times and self._times[0] <= now - 60:
            self._times.popleft()
        if len(self._times) >= limit:
            return False
        self._times.append(now)
        return True

    def headers(self) -> dict[str, str]:
        """The headers that every answer carries."""
        limit = self._limits.per_minute
        if limit is None:
            return {}
        return {"X-RateLimit-Limit": str(limit), "X-RateLimit-Remain": str(max(0, limit - len(self._times)))}
