"""What a form of a statement is, and where it works."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

RUN = 1


def one_run(now: str) -> tuple[str, str, str]:
    """Statements that make run 1 of a campaign; `now` is what the database writes for a moment."""
    return (
        f"INSERT INTO item (id, kind, language, title, parts, created_at) VALUES (1, 2, 'vi', '', '[]', {now})",
        "INSERT INTO campaign (id, kind, state, item_id, audience, fingerprint, header, urgent, resend_unknown,"
        f" created_at) VALUES (1, 4, 1, 1, 'all', '', '', false, false, {now})",
        f"INSERT INTO run (id, campaign_id, lane, state, planned_at, total) VALUES (1, 1, 2, 1, {now}, 0)",
    )


class Outcome(NamedTuple):
    """What is settled, in codes."""

    run_id: int
    person_id: int
    state: int
    reason: int | None
    at: datetime
    message_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One way to settle a slice, or to claim one of its size. `at_most` keeps the slow ones from taking all day."""

    name: str
    work: Callable[[Sequence[Outcome]], None]
    settles: bool = True
    at_most: int = sys.maxsize


class Place(Protocol):
    """A database with people, contacts and the deliveries of one run."""

    def forms(self) -> Sequence[Form]: ...

    def reset(self, *, claimed: bool, count: int) -> None:
        """Let that many deliveries be claimed, or wait."""
        ...

    def cpu(self) -> tuple[float, float]:
        """CPU seconds of this process and of the database's backend."""
        ...

    def check(self, *, settled: bool, count: int) -> None:
        """Raises `AssertionError` if it was not done to every row."""
        ...

    def close(self) -> None: ...
