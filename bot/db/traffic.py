"""The hot path: one exchange writes down how deliveries ended and claims the next ones, in one transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from bot.db.session import Database
from bot.db.traffic_rows import Claim, Claimed, Outcome, Want, Way

__all__ = ["Also", "Claim", "Claimed", "Outcome", "Traffic", "Want", "Way"]

Also = Callable[[Any, Claim], Awaitable[None]]
"""Told of a claim before it is committed, with PostgreSQL's raw connection."""


class _Road(Protocol):
    async def exchange(
        self, outcomes: Sequence[Outcome], closed: Sequence[int], want: Want | None, also: Also | None
    ) -> Claim | None: ...

    async def close(self) -> None: ...


def _road(database: Database) -> _Road:
    """Imported here: a driver that is not used costs every command a quarter of a second."""
    if database.is_sqlite:
        from bot.db.traffic_sqlite import SqliteTraffic

        return SqliteTraffic(database)
    from bot.db.traffic_postgres import PostgresTraffic

    return PostgresTraffic(database)


class Traffic:
    """The way to the database for what leaves: raw statements, as few trips as each database allows."""

    def __init__(self, database: Database) -> None:
        self._road = _road(database)
        database.at_close.append(self._road.close)

    async def exchange(
        self,
        outcomes: Sequence[Outcome],
        closed: Sequence[int],
        want: Want | None = None,
        *,
        also: Also | None = None,
    ) -> Claim | None:
        """Settle outcomes, close slices and claim what is wanted, all or nothing. `None` when nothing was wanted, when
        the run is not being sent (any more), or when the slice to be filled is gone or taken.

        Only a delivery that is still being sent is settled. One that another process has declared interrupted is
        corrected by a late `SENT` or `FAILED`; what comes back to a cancelled run is skipped; an erased person's row
        keeps no message id. An empty claim removes the slice that it was to fill.

        When this raises or is cancelled, all of it may have been committed or nothing: settle the same outcomes again,
        which changes nothing twice, and see `deliveries.orphans`. `also` is for PostgreSQL alone. What may pass by
        itself is raised as SQLAlchemy's `OperationalError`.
        """
        return await self._road.exchange(outcomes, closed, want, also)
