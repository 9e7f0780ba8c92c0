"""How often to look whether a run is done: at once, then ever more rarely while nothing changes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

_FIRST = 0.5
_LONGEST = 15.0


@dataclass(slots=True)
class Looks:
    """When each run was looked at last. A look reads the run's rows, so an idle run must not be read all the time."""

    _next: dict[int, tuple[float, float]] = field(default_factory=dict)

    def may_look(self, run_id: int) -> bool:
        """Whether to look now; if so, the next look comes later than the last one did."""
        now = asyncio.get_running_loop().time()
        due, pause = self._next.get(run_id, (now, _FIRST))
        if now < due:
            return False
        self._next[run_id] = (now + pause, min(pause * 1.5, _LONGEST))
        return True

    def forget(self, run_id: int) -> None:
        """The run is over, or something of it moved."""
        self._next.pop(run_id, None)
