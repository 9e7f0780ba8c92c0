"""What the program counts about itself, as a contract: who counts (Prometheus, nobody) is decided elsewhere."""

from __future__ import annotations

from typing import Protocol


class Meter(Protocol):
    """Names are low in number: accounts, lanes, kinds and states, never people."""

    def sent(self, account: str, lane: str, outcome: str, count: int = 1) -> None:
        """So many messages of a lane ended with that outcome (`sent`, `failed`, `unknown`, `waiting`)."""
        ...

    def inbound(self, account: str, kind: str, seconds: float) -> None:
        """One event was handled in that many seconds."""
        ...

    def queued(self, account: str, waiting: int) -> None:
        """So many replies wait to leave."""
        ...

    def runs(self, state: str, count: int) -> None:
        """So many runs are in that state now."""
        ...


class NullMeter:
    """Counts nothing."""

    def sent(self, account: str, lane: str, outcome: str, count: int = 1) -> None: ...

    def inbound(self, account: str, kind: str, seconds: float) -> None: ...

    def queued(self, account: str, waiting: int) -> None: ...

    def runs(self, state: str, count: int) -> None: ...
