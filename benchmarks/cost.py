"""What something cost this process: seconds by the clock, seconds of CPU, the most memory it ever held."""

from __future__ import annotations

import resource
import sys
import time
from dataclasses import dataclass
from pathlib import Path


class Wrong(Exception):
    """Somebody was lost or written to twice: such a benchmark counts for nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Seconds and CPU seconds of all threads of the process, MiB at its peak. `database` is what the database's own
    processes used in CPU seconds, where there are some."""

    messages: int
    seconds: float
    cpu: float
    peak: float
    database: float = 0.0

    @property
    def rate(self) -> float:
        """Messages a second."""
        return self.messages / self.seconds

    @property
    def each(self) -> float:
        """CPU µs a message."""
        return self.cpu / self.messages * 1e6


class Watch:
    """Runs from when it is made. `postmaster` is the id of PostgreSQL's first process, where one serves us."""

    def __init__(self, postmaster: int | None = None) -> None:
        self._postmaster = postmaster
        self._database = _family(postmaster)
        self._cpu, self._wall = time.process_time(), time.perf_counter()

    def read(self, messages: int, seconds: float | None = None) -> Cost:
        """What it cost until now; `seconds` where somebody else knows better how long it took."""
        cpu, wall = time.process_time() - self._cpu, time.perf_counter() - self._wall
        return Cost(
            messages=messages,
            seconds=wall if seconds is None else seconds,
            cpu=cpu,
            peak=peak(),
            database=_family(self._postmaster) - self._database,
        )


def peak() -> float:
    """The most memory that this process has held, in MiB. Linux lets a child inherit what `getrusage` says of its
    parent, so that it is read elsewhere there."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 2**20 if sys.platform == "darwin" else most / 2**10


def _family(parent: int | None) -> float:
    """CPU seconds of a process, its children, and those children that have ended (Linux; elsewhere 0)."""
    if parent is None or not Path("/proc/self/stat").exists():
        return 0.0
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        if stat.parent.name == str(parent):
            ticks += sum(map(int, fields[11:15]))
        elif fields[1] == str(parent):
            ticks += sum(map(int, fields[11:13]))
    return ticks / 100
