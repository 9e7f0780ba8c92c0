"""Looking a thousand times a CPU second at what every thread does, without making what is looked at slower."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from types import CodeType, FrameType

_EVERY = 0.001


class Sampler:
    """Used as a context manager from the main thread. `own` is CPU seconds in a function itself (and in what it calls
    that is not Python), `within` includes the functions below it. Each thread's time is its own clock's.

    A signal is only served between two bytecodes: a long call into C is seen at its end, in the function that made it.
    """

    def __init__(self) -> None:
        self.own: Counter[CodeType] = Counter()
        self.within: Counter[CodeType] = Counter()
        self._clocks: dict[int, float] = {}

    def __enter__(self) -> Sampler:
        self._before = signal.signal(signal.SIGPROF, self._look)
        signal.setitimer(signal.ITIMER_PROF, _EVERY, _EVERY)
        return self

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, self._before)

    def _look(self, _number: int, interrupted: FrameType | None) -> None:
        for thread, frame in sys._current_frames().items():
            clock = time.clock_gettime(time.pthread_getcpuclockid(thread))
            spent = clock - self._clocks.get(thread, clock)
            self._clocks[thread] = clock
            seen = interrupted if thread == threading.main_thread().ident else frame
            if spent > 0 and seen is not None:
                self.own[seen.f_code] += spent  # type: ignore[assignment]  # seconds are counted too
                for code in set(_above(seen)):
                    self.within[code] += spent  # type: ignore[assignment]


def _above(frame: FrameType | None) -> Iterator[CodeType]:
    while frame is not None:
        yield frame.f_code
        frame = frame.f_back
