"""Another writer on the same SQLite file: how long it has to wait for its turn while something long is going on."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from threading import Event, Thread
from types import TracebackType

_EVERY = 0.04
_PATIENCE = 15


def share(seconds: Sequence[float], part: float) -> float:
    """The value below which that part of them lies; 0 of nothing."""
    ordered = sorted(seconds)
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)] if ordered else 0.0


class Writer:
    """Use as a context manager. Begins a writing transaction 25 times a second, as another process would, and writes
    nothing. `waits` are seconds."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._over = Event()
        self._thread = Thread(target=self._work, daemon=True)
        self.waits: list[float] = []

    def _work(self) -> None:
        connection = sqlite3.connect(self._database, timeout=_PATIENCE, isolation_level=None)
        while not self._over.wait(_EVERY):
            begun = time.perf_counter()
            connection.execute("BEGIN IMMEDIATE")
            self.waits.append(time.perf_counter() - begun)
            connection.execute("ROLLBACK")
        connection.close()

    def __enter__(self) -> Writer:
        self._thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._over.set()
        self._thread.join()

    def __str__(self) -> str:
        half, most, longest = (share(self.waits, part) for part in (0.5, 0.99, 1))
        return f"half {half:.3f} s, 99 % under {most:.2f} s, longest {longest:.2f} s"
