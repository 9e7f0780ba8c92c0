"""The hot path on PostgreSQL: an exchange is two trips on a connection of its own, each a pipeline of statements.

The numbers in the statements are the codes of `bot.core.words` (see `bot.db.types.Coded`): a delivery is waiting 0,
sending 1 or unknown 5, a run sending 1 or cancelled 5; reason 14 is interrupted, -1 stands for none.
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
from bot.db.session import Database
from bot.db.tally import REASONS, STATES, Changes
from bot.db.traffic_rows import FINAL, LOOK, Claim, Claimed, Outcome, Want

_OUTCOMES = """
UPDATE delivery
SET state = o.state, reason = nullif(o.reason, -1), at = o.at,
    message_id = CASE WHEN delivery.contact_id IS NULL THEN NULL ELSE nullif(o.message_id, '') END
FROM unnest(%s::bigint[], %s::bigint[], %s::smallint[], %s::smallint[], %s::timestamptz[], %s::text[])
    AS o (run_id, person_id, state, reason, at, message_id)
WHERE delivery.run_id = o.run_id AND delivery.person_id = o.person_id AND """
_SETTLE = _OUTCOMES + "delivery.state = 1 RETURNING delivery.run_id, delivery.person_id"
_CORRECT = _OUTCOMES + "delivery.state = 5 AND delivery.reason = 14 RETURNING delivery.run_id, delivery.person_id"

_CANCELLED = "SELECT id FROM run WHERE id = ANY(%s) AND state = 5"
_HOLD = "SELECT id FROM run WHERE id = ANY(%s) ORDER BY id FOR SHARE"
_SENDING = "SELECT 1 FROM run WHERE id = %s AND state = 1"
_CLOSE = "DELETE FROM slice WHERE id = ANY(%s)"

_CLAIM = """
WITH chosen AS (
    SELECT looked.person_id, found.*
    FROM (
        SELECT person_id, state FROM delivery WHERE run_id = %(run_id)s AND person_id > %(after)s
        AND EXISTS (SELECT 1 FROM run WHERE id = %(run_id)s AND run.state = 1)
        ORDER BY person_id LIMIT %(look)s
    ) AS looked
    CROSS JOIN LATERAL (
        SELECT contact.id AS contact_id, contact.external_id, contact.kind, person.language
        FROM contact JOIN person ON person.id = contact.person_id
        WHERE contact.person_id = looked.person_id AND contact.account_id = %(account_id)s AND contact.state = 0
        AND person.status <> 2
        ORDER BY contact.id LIMIT 1
    ) AS found
    WHERE looked.state = 0
    ORDER BY looked.person_id LIMIT %(limit)s
), taken AS (
    UPDATE delivery SET state = 1, contact_id = chosen.contact_id FROM chosen
    WHERE delivery.run_id = %(run_id)s AND delivery.person_id = chosen.person_id AND delivery.state = 0
    RETURNING delivery.person_id
)
SELECT chosen.*, taken.person_id IS NOT NULL FROM chosen LEFT JOIN taken USING (person_id) ORDER BY chosen.person_id"""

_REACHED = "SELECT person_id FROM delivery WHERE run_id = %s AND person_id > %s ORDER BY person_id LIMIT 1 OFFSET %s"
_OPEN = (
    "INSERT INTO slice (run_id, account_id, owner, first, last, lease_until) VALUES (%s, %s, %s, %s, %s, %s)"
    " RETURNING id"
)
_TICKET = "SELECT id FROM slice WHERE id = %s AND owner = '' AND run_id = %s AND account_id = %s FOR UPDATE SKIP LOCKED"
_FILL = "UPDATE slice SET owner = %s, first = %s, last = %s, lease_until = %s WHERE id = %s RETURNING id"

_COUNT = """
INSERT INTO tally (run_id, account_id, state, reason, n)
SELECT * FROM unnest(%s::bigint[], %s::int[], %s::smallint[], %s::smallint[], %s::bigint[])
ON CONFLICT (run_id, account_id, state, reason) DO UPDATE SET n = tally.n + excluded.n"""

_KINDS = tuple(ChatKind)
_KEPT = 4
"""So many idle connections are kept."""

Connection = psycopg.AsyncConnection[tuple[Any, ...]]
Also = Callable[[Connection, Claim], Awaitable[None]]
Cursor = psycopg.AsyncCursor[tuple[Any, ...]]
Question = tuple[str, Sequence[Any]]
Key = tuple[int, int]


class PostgresTraffic:
    """Connections of its own, outside the pool: no question before each use, and no reset after it. One that failed is
    thrown away."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._idle: list[Connection] = []

    async def exchange(
        self, outcomes: Sequence[Outcome], closed: Sequence[int], want: Want | None, also: Also | None
    ) -> Claim | None:
        try:
            async with self._connection() as connection:
                return await _Exchange(connection).run(outcomes, closed, want, also)
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
        engine = self._database.engine
        _, options = engine.dialect.create_connect_args(engine.url)
        return await psycopg.AsyncConnection.connect(
            **options, autocommit=True, connect_timeout=10, prepare_threshold=5
        )

    async def close(self) -> None:
        while self._idle:
            await self._idle.pop().close()


class _Exchange:
    """One exchange on one connection: two trips, unless something came back or a ticket is to be filled. First what
    can be asked at once; then what follows from the answers, together with the commit."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.changes = Changes()

    async def run(
        self, outcomes: Sequence[Outcome], closed: Sequence[int], want: Want | None, also: Also | None
    ) -> Claim | None:
        by_key = {(o.run_id, o.person_id): o for o in outcomes}
        begun = await self._prepare(by_key, want)
        if begun is not None:
            want = want if begun else None
        async with self.connection.pipeline():
            if begun is None:
                await self.connection.execute("BEGIN")
            settled = await self._write(_SETTLE, by_key.values()) if by_key else None
            if closed:
                await self.connection.execute(_CLOSE, (list(closed),))
            asked = None if want is None else await self._ask(want)
        if settled is not None:
            await self._count_settled(by_key, await settled.fetchall())
        if want is None or asked is None:
            await self._finish()
            return None
        return await self._claim(want, *asked, also)

    async def _prepare(self, by_key: dict[Key, Outcome], want: Want | None) -> bool | None:
        """What must be known before anything is written. `None` if there is nothing of the kind and no transaction has
        been begun; otherwise whether the claim may still be made."""
        back = [o for o in by_key.values() if o.state is DeliveryState.WAITING]
        ticket = want if want is not None and want.slice_id is not None else None
        if not back and ticket is None:
            return None
        async with self.connection.pipeline():
            await self.connection.execute("BEGIN")
            # nobody cancels these runs between the question and the commit
            ids = sorted({o.run_id for o in back})
            await self.connection.execute(_HOLD, (ids,))
            cancelled = await self.connection.execute(_CANCELLED, (ids,))
            free = await self.connection.execute(_TICKET, _ticket(ticket)) if ticket is not None else None
        gone = {run_id for (run_id,) in await cancelled.fetchall()}
        for o in back:
            if o.run_id in gone:
                skipped = o._replace(state=DeliveryState.SKIPPED, reason=Reason.CANCELLED)
                by_key[o.run_id, o.person_id] = skipped
        return free is None or await free.fetchone() is not None

    async def _write(self, statement: str, outcomes: Iterable[Outcome]) -> Cursor:
        rows = sorted(outcomes)
        columns: list[Any] = [
            _array(o.run_id for o in rows),
            _array(o.person_id for o in rows),
            _array(STATES[o.state] for o in rows),
            _array(REASONS[o.reason] for o in rows),
            [o.at for o in rows],
            [o.message_id or "" for o in rows],
        ]
        return await self.connection.execute(statement, columns)

    async def _count_settled(self, by_key: dict[Key, Outcome], settled: list[Key]) -> None:
        """Count what was settled, and correct what another process took for interrupted."""
        for key in settled:
            o = by_key.pop(key)
            self.changes.add(o.run_id, o.account_id, DeliveryState.SENDING, -1)
            self.changes.add(o.run_id, o.account_id, o.state, 1, o.reason)
        late = [o for o in by_key.values() if o.state in FINAL]
        if not late:
            return
        corrected = await self._write(_CORRECT, late)
        for key in await corrected.fetchall():
            o = by_key[key]
            self.changes.add(o.run_id, o.account_id, DeliveryState.UNKNOWN, -1, Reason.INTERRUPTED)
            self.changes.add(o.run_id, o.account_id, o.state, 1, o.reason)

    async def _ask(self, want: Want) -> tuple[Cursor, Cursor]:
        place = {
            "run_id": Int8(want.run_id),
            "account_id": want.account_id,
            "after": Int8(want.after),
            "look": LOOK,
            "limit": want.limit,
        }
        taken = await self.connection.execute(_CLAIM, place)
        return taken, await self.connection.execute(_SENDING, (want.run_id,))

    async def _claim(self, want: Want, taken: Cursor, sending: Cursor, also: Also | None) -> Claim | None:
        chosen = await taken.fetchall()
        rows = [
            Claimed(want.run_id, person_id, contact_id, external_id, _KINDS[kind], language)
            for person_id, contact_id, external_id, kind, language, mine in chosen
            if mine
        ]
        if not rows and await sending.fetchone() is None:
            await self._finish()
            return None
        reached = chosen[-1][0] if len(chosen) == want.limit else await self._reached(want)
        self.changes.add(want.run_id, want.account_id, DeliveryState.WAITING, -len(rows))
        self.changes.add(want.run_id, want.account_id, DeliveryState.SENDING, len(rows))
        if not rows:
            await self._finish((_CLOSE, ([want.slice_id or 0],)))
            return Claim(0, rows, reached)
        opened = _slice(want, rows)
        if also is None:
            return Claim(await _id(await self._finish(opened)), rows, reached)
        claim = Claim(await _id(await self.connection.execute(*opened)), rows, reached)
        await also(self.connection, claim)
        await self._finish()
        return claim

    async def _finish(self, last: Question | None = None) -> Cursor | None:
        """The last statement, the counts and the commit in one trip."""
        async with self.connection.pipeline():
            asked = None if last is None else await self.connection.execute(*last)
            if counted := self.changes.rows():
                await self.connection.execute(_COUNT, [_array(column) for column in zip(*counted, strict=True)])
            await self.connection.execute("COMMIT")
        return asked

    async def _reached(self, want: Want) -> int:
        found = await self.connection.execute(_REACHED, (want.run_id, want.after, LOOK - 1))
        row = await found.fetchone()
        return int(row[0]) if row else 0


def _array(numbers: Iterable[int]) -> str:
    """PostgreSQL's text for an array: its type is told by the statement, whatever the size of the numbers."""
    return "{" + ",".join(map(str, numbers)) + "}"


def _ticket(want: Want) -> tuple[int | None, int, int]:
    return want.slice_id, want.run_id, want.account_id


def _slice(want: Want, rows: Sequence[Claimed]) -> Question:
    first, last = rows[0].person_id, rows[-1].person_id
    if want.slice_id is not None:
        return _FILL, (want.owner, first, last, want.lease_until, want.slice_id)
    return _OPEN, (want.run_id, want.account_id, want.owner, first, last, want.lease_until)


async def _id(made: Cursor | None) -> int:
    row = None if made is None else await made.fetchone()
    assert row is not None  # RETURNING always answers  # noqa: S101
    return int(row[0])
