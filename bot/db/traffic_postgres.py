"""The hot path on PostgreSQL: an exchange is one statement, and so one trip, on a connection of its own.

The numbers in the statements are the codes of `bot.core.words` (see `bot.db.types.Coded`): a delivery is waiting 0,
sending 1, sent 2, failed 3, skipped 4 or unknown 5, a run sending 1 or cancelled 5; reason 14 is interrupted, -1 stands
for none.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg.types.numeric import Int8
from sqlalchemy.exc import OperationalError

from bot.core.errors import Reason
from bot.core.events import ChatKind
from bot.core.words import DeliveryState
from bot.db import direct
from bot.db.session import Database
from bot.db.tally import REASONS, STATES
from bot.db.traffic_rows import LOOK, Claim, Claimed, Outcome, Want
from bot.db.types import to_micros

_WRITE = """
WITH outcome AS MATERIALIZED (
    SELECT run_id, person_id, account_id, state, reason, message_id,
        timestamptz 'epoch' + micros * interval '1 microsecond' AS at
    FROM unnest(%(runs)s::bigint[], %(people)s::bigint[], %(accounts)s::int[], %(states)s::smallint[],
        %(reasons)s::smallint[], %(moments)s::bigint[], %(messages)s::text[])
    AS o (run_id, person_id, account_id, state, reason, micros, message_id)
), settled AS (
    UPDATE delivery SET state = o.state, reason = nullif(o.reason, -1), at = o.at,
        message_id = CASE WHEN delivery.contact_id IS NULL THEN NULL ELSE nullif(o.message_id, '') END
    FROM outcome AS o
    WHERE delivery.run_id = o.run_id AND delivery.person_id = o.person_id AND delivery.state = 1
        AND (o.state NOT IN (0, 4) OR delivery.contact_id IS NULL OR EXISTS (
            SELECT FROM contact WHERE contact.id = delivery.contact_id AND contact.account_id = o.account_id
        ))
    RETURNING o.run_id, o.account_id, o.state, o.reason
), corrected AS (
    UPDATE delivery SET state = o.state, reason = nullif(o.reason, -1), at = o.at,
        message_id = CASE WHEN delivery.contact_id IS NULL THEN NULL ELSE nullif(o.message_id, '') END
    FROM outcome AS o
    WHERE delivery.run_id = o.run_id AND delivery.person_id = o.person_id AND delivery.state = 5
        AND delivery.reason = 14 AND o.state IN (2, 3)
    RETURNING o.run_id, o.account_id, o.state, o.reason
), closed AS (
    DELETE FROM slice WHERE id = ANY(%(closed)s::bigint[])
)"""

_TAKE = """, chosen AS MATERIALIZED (
    SELECT looked.run_id, looked.person_id, found.*
    FROM (
        SELECT run_id, person_id, state FROM delivery
        WHERE run_id = %(run)s AND person_id > %(after)s AND EXISTS (SELECT FROM run WHERE id = %(run)s AND state = 1)
        ORDER BY person_id LIMIT %(look)s
    ) AS looked
    CROSS JOIN LATERAL (
        SELECT contact.id AS contact_id, contact.external_id, contact.kind, person.language, person.listens
        FROM contact JOIN person ON person.id = contact.person_id
        WHERE contact.person_id = looked.person_id AND contact.account_id = %(account)s AND contact.state = 0
            AND person.status <> 2
        ORDER BY contact.id LIMIT 1
    ) AS found
    WHERE looked.state = 0
    ORDER BY looked.person_id LIMIT %(limit)s
), taken AS (
    UPDATE delivery SET state = 1, contact_id = chosen.contact_id FROM chosen
    WHERE delivery.run_id = chosen.run_id AND delivery.person_id = chosen.person_id AND delivery.state = 0
    RETURNING chosen.*
)"""

_BETTER = """
            AND (%(since)s::bigint = 0 OR contact.kind = 1 AND %(since)s::bigint < 4e18
                OR contact.last_in_at >= to_timestamp(%(since)s::bigint / 1000000.0))
            AND NOT EXISTS (
                SELECT FROM contact AS other
                JOIN unnest(%(rivals)s::int[], %(sinces)s::bigint[], %(ranks)s::int[]) AS rival (id, since, rank)
                    ON rival.id = other.account_id
                WHERE other.person_id = looked.person_id AND other.state = 0
                    AND (rival.since = 0 OR other.kind = 1 AND rival.since < 4e18
                        OR other.last_in_at >= to_timestamp(rival.since / 1000000.0))
                    AND rival.rank - 1000 * other.preferred::int < %(rank)s::int - 1000 * contact.preferred::int
            )
        ORDER BY contact.id LIMIT 1"""
"""In the place of the inner ORDER BY: the person can be reached in this way, and in none that is better."""
_TAKE_WAY = _TAKE.replace("\n        ORDER BY contact.id LIMIT 1", _BETTER)

_OPEN = """, opened AS (
    INSERT INTO slice (run_id, account_id, owner, first, last, lease_until)
    SELECT %(run)s, %(account)s, %(owner)s, min(person_id), max(person_id), %(lease)s FROM taken HAVING count(*) > 0
    RETURNING id
)"""

_ENDS = """
        SELECT run_id, account_id, 1 AS state, -1 AS reason, -1 AS n FROM settled
        UNION ALL SELECT run_id, account_id, 5, 14, -1 FROM corrected
        UNION ALL SELECT run_id, account_id, state, reason, 1 FROM settled
        UNION ALL SELECT run_id, account_id, state, reason, 1 FROM corrected"""
_TAKES = """
        UNION ALL SELECT %(run)s, %(account)s, 0, -1, -1 FROM taken
        UNION ALL SELECT %(run)s, %(account)s, 1, -1, 1 FROM taken"""
_COUNT = """, counted AS (
    INSERT INTO tally (run_id, account_id, state, reason, n)
    SELECT run_id, account_id, state, reason, sum(n) FROM ({changes}
    ) AS change
    GROUP BY 1, 2, 3, 4 HAVING sum(n) <> 0 ORDER BY 1, 2, 3, 4
    ON CONFLICT (run_id, account_id, state, reason) DO UPDATE SET n = tally.n + excluded.n
)"""

_ANSWER = """
SELECT EXISTS (SELECT FROM run WHERE id = %(run)s AND state = 1),
    CASE WHEN (SELECT count(*) FROM chosen) = %(limit)s THEN (SELECT max(person_id) FROM chosen) ELSE (
        SELECT person_id FROM delivery WHERE run_id = %(run)s AND person_id > %(after)s
        ORDER BY person_id LIMIT 1 OFFSET %(look)s - 1
    ) END,
    {slice}, taken.*
FROM (SELECT) AS nothing LEFT JOIN taken ON true
ORDER BY taken.person_id"""

_SETTLE = _WRITE + _COUNT.format(changes=_ENDS) + " SELECT"
_CLAIM = (
    _WRITE + _TAKE + _OPEN + _COUNT.format(changes=_ENDS + _TAKES) + _ANSWER.format(slice="(SELECT id FROM opened)")
)
_FILL = _WRITE + _TAKE + _COUNT.format(changes=_ENDS + _TAKES) + _ANSWER.format(slice="%(ticket)s")

_CLAIM_WAY, _FILL_WAY = (whole.replace(_TAKE, _TAKE_WAY) for whole in (_CLAIM, _FILL))

_HOLD = "SELECT FROM run WHERE id = ANY(%s::bigint[]) ORDER BY id FOR SHARE"
_CANCELLED = "SELECT id FROM run WHERE id = ANY(%s::bigint[]) AND state = 5"
_TICKET = "SELECT id FROM slice WHERE id = %s AND owner = '' AND run_id = %s AND account_id = %s FOR UPDATE SKIP LOCKED"
_FILLED = "UPDATE slice SET owner = %s, first = %s, last = %s, lease_until = %s WHERE id = %s"
_USED_UP = "DELETE FROM slice WHERE id = %s"

_KINDS = tuple(ChatKind)
_KEPT = 4
"""So many idle connections are kept."""

_ALWAYS_BY_KEY = {
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
    "jit": "off",
}
"""Planned once: anew each time costs as much as the claim. And whoever plans for a table that was filled a moment ago,
and is not analyzed yet, sorts all of it for each claim."""

Connection = psycopg.AsyncConnection[tuple[Any, ...]]
Also = Callable[[Connection, Claim], Awaitable[None]]


class PostgresTraffic:
    """Connections of its own, outside the pool: no question before each use, and no reset after it. One that failed is
    thrown away."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._idle: list[Connection] = []

    async def exchange(
        self, outcomes: Sequence[Outcome], closed: Sequence[int], want: Want | None, also: Also | None
    ) -> Claim | None:
        by_key = {(o.run_id, o.person_id): o for o in outcomes}
        try:
            async with self._connection() as connection:
                if also is None and not _is_unusual(outcomes, want):
                    return await _exchange(connection, by_key.values(), closed, want)
                async with connection.transaction():
                    return await _with_care(connection, by_key, closed, want, also)
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            raise OperationalError("exchange", None, error) from error

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        connection = self._idle.pop() if self._idle else await self._connect()
        try:
            yield connection
        except BaseException:
            await connection.close()
            raise
        if len(self._idle) < _KEPT:
            self._idle.append(connection)
        else:
            await connection.close()

    async def _connect(self) -> Connection:
        connection = await direct.connect(self._database, "traffic", **_ALWAYS_BY_KEY)
        connection.prepare_threshold = 0
        return connection

    async def close(self) -> None:
        while self._idle:
            await self._idle.pop().close()


def _is_unusual(outcomes: Iterable[Outcome], want: Want | None) -> bool:
    """Whether something comes back, or a ticket is to be filled."""
    return (want is not None and want.slice_id is not None) or any(o.state is DeliveryState.WAITING for o in outcomes)


async def _exchange(
    connection: Connection, outcomes: Iterable[Outcome], closed: Sequence[int], want: Want | None
) -> Claim | None:
    given = {**_columns(outcomes), "closed": _array(closed)}
    if want is None:
        await connection.execute(_SETTLE, given)
        return None
    asked = await connection.execute(_statement(want), {**given, **_place(want), **_ways(want)})
    found = await asked.fetchall()
    is_sending, reached, slice_id, *_ = found[0]
    if not is_sending:
        return None
    rows = [
        Claimed(run_id, person_id, contact_id, external_id, _KINDS[kind], language, listens)
        for _, _, _, run_id, person_id, contact_id, external_id, kind, language, listens in found
        if run_id is not None
    ]
    return Claim(slice_id if rows else 0, rows, reached or 0)


def _columns(outcomes: Iterable[Outcome]) -> dict[str, Any]:
    """In the order of the key: two who settle the same rows do not wait for each other in a circle."""
    rows = sorted(outcomes)
    return {
        "runs": _array([o.run_id for o in rows]),
        "people": _array([o.person_id for o in rows]),
        "accounts": _array([o.account_id for o in rows]),
        "states": _array([STATES[o.state] for o in rows]),
        "reasons": _array([REASONS[o.reason] for o in rows]),
        "moments": _array([to_micros(o.at) for o in rows]),
        "messages": [o.message_id or "" for o in rows],
    }


def _array(numbers: Iterable[int]) -> str:
    """PostgreSQL's text for an array: its type is told by the statement, and the driver needs ten times as long."""
    return "{" + ",".join(map(str, numbers)) + "}"


def _statement(want: Want) -> str:
    if want.way is None:
        return _CLAIM if want.slice_id is None else _FILL
    return _CLAIM_WAY if want.slice_id is None else _FILL_WAY


def _ways(want: Want) -> dict[str, Any]:
    if want.way is None:
        return {}
    return {
        "since": want.way.since,
        "rank": want.way.rank,
        "rivals": _array([r.account_id for r in want.rivals]),
        "sinces": _array([r.since for r in want.rivals]),
        "ranks": _array([r.rank for r in want.rivals]),
    }


def _place(want: Want) -> dict[str, Any]:
    return {
        "run": Int8(want.run_id),
        "account": Int8(want.account_id),
        "after": Int8(want.after),
        "look": Int8(LOOK),
        "limit": Int8(want.limit),
        "owner": want.owner,
        "lease": want.lease_until,
        "ticket": Int8(want.slice_id or 0),
    }


async def _with_care(
    connection: Connection,
    by_key: dict[tuple[int, int], Outcome],
    closed: Sequence[int],
    want: Want | None,
    also: Also | None,
) -> Claim | None:
    """The same in several trips: nobody cancels a run while something comes back to it, and a ticket is filled once."""
    await _skip_cancelled(connection, by_key)
    if want is not None and want.slice_id is not None and not await _hold_ticket(connection, want):
        want = None
    claim = await _exchange(connection, by_key.values(), closed, want)
    if want is not None and want.slice_id is not None and claim is not None:
        await _use_ticket(connection, want, claim)
    if also is not None and claim is not None and claim.rows:
        await also(connection, claim)
    return claim


async def _skip_cancelled(connection: Connection, by_key: dict[tuple[int, int], Outcome]) -> None:
    back = {key: o for key, o in by_key.items() if o.state is DeliveryState.WAITING}
    if not back:
        return
    ids = (_array(sorted({o.run_id for o in back.values()})),)
    await connection.execute(_HOLD, ids)
    cancelled = {run_id for (run_id,) in await (await connection.execute(_CANCELLED, ids)).fetchall()}
    for key, o in back.items():
        if o.run_id in cancelled:
            by_key[key] = o._replace(state=DeliveryState.SKIPPED, reason=Reason.CANCELLED)


async def _hold_ticket(connection: Connection, want: Want) -> bool:
    found = await connection.execute(_TICKET, (want.slice_id, Int8(want.run_id), Int8(want.account_id)))
    return await found.fetchone() is not None


async def _use_ticket(connection: Connection, want: Want, claim: Claim) -> None:
    if not claim.rows:
        await connection.execute(_USED_UP, (want.slice_id,))
        return
    first, last = claim.rows[0].person_id, claim.rows[-1].person_id
    await connection.execute(_FILLED, (want.owner, Int8(first), Int8(last), want.lease_until, want.slice_id))
