"""Where the platform does the same thing in two ways: how often it does which."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True, kw_only=True)
class Oddities:
    """Shares from 0 to 1. `wrapped`: webhook bodies within `{"ok":true,"result":…}`. `duplicates`: webhook deliveries
    made twice. `photo_url`: pictures named so instead of `photo`. `zero_code`: successes that carry `"error_code":0`.
    `replays`: how often a later poll gives each update once more, at once."""

    wrapped: float = 0.5
    duplicates: float = 0.1
    photo_url: float = 0.5
    zero_code: float = 0.2
    replays: int = 0
