"""The hot path on SQLite: a whole exchange in one thread, on a connection of its own.

The numbers in the statements are the codes of `bot.core.words` (see `bot.db.types.Coded`): a delivery is waiting 0,
sending 1, skipped 4 or unknown 5, a run sending 1 or cancelled 5; reason 12 is cancelled, 14 interrupted.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from bot.core.errors import Reason
from bot.core.events import ChatKind
from bot.core.words import DeliveryState
from bot.db.session import BUSY_SECONDS, PRAGMAS, Database
from bot.db.tally import NO_REASON, REASONS, STATES, Changes
from bot.db.traffic_rows import FINAL, LOOK, Claim, Claimed, Outcome, Want, Way
from bot.db.types import to_micros

_SETTLE = """
UPDATE delivery
SET state = ?, reason = nullif(?, -1), at = ?, message_id = CASE WHEN contact_id IS NULL THEN NULL ELSE ? END
WHERE run_id = ? AND person_id = ? AND state = 1"""

_SETTLE_ALL = """
UPDATE delivery
SET state = e.column1, reason = nullif(e.column2, -1), at = e.column3,
    message_id = CASE WHEN contact_id IS NULL THEN NULL ELSE e.column4 END
FROM (VALUES {rows}) AS e
WHERE run_id = e.column5 AND person_id = e.column6 AND state = 1"""

_OURS = """
AND (contact_id IS NULL OR EXISTS (SELECT 1 FROM contact WHERE contact.id = contact_id AND account_id = ?))"""
_GIVE_BACK = _SETTLE + _OURS

_CORRECT = """
UPDATE delivery
SET state = ?, reason = nullif(?, -1), at = ?, message_id = CASE WHEN contact_id IS NULL THEN NULL ELSE ? END
WHERE run_id = ? AND person_id = ? AND state = 5 AND reason = 14"""

_CANCELLED = "SELECT state = 5 FROM run WHERE id = ?"
_IS_SENDING = "SELECT 1 FROM run WHERE id = ? AND state = 1"
_CLOSE = "DELETE FROM slice WHERE id = ?"

_CHOOSE = """
SELECT json_group_array(json_array(person_id, contact_id, external_id, kind, language, listens))
FROM (
    SELECT looked.person_id, contact.id AS contact_id, contact.external_id, contact.kind,
        person.language, person.listens
    FROM (
        SELECT person_id, state FROM delivery WHERE run_id = ? AND person_id > ? ORDER BY person_id LIMIT ?
    ) AS looked
    CROSS JOIN contact INDEXED BY contact_by_person_id ON contact.person_id = looked.person_id
    CROSS JOIN person ON person.id = looked.person_id
    WHERE looked.state = 0 AND contact.account_id = ? AND contact.state = 0 AND person.status <> 2
    LIMIT ?
)"""
_BETTER = """
        AND CASE contact.kind WHEN 1 THEN 4e18 ELSE coalesce(contact.last_in_at, 0) END >= ? AND NOT EXISTS (
            SELECT 1 FROM contact AS other INDEXED BY contact_by_person_id
            JOIN (VALUES {rivals}) AS rival ON rival.column1 = other.account_id
            WHERE other.person_id = looked.person_id AND other.state = 0
                AND CASE other.kind WHEN 1 THEN 4e18 ELSE coalesce(other.last_in_at, 0) END >= rival.column2
                AND rival.column3 - 1000 * other.preferred < ? - 1000 * contact.preferred
        )
    LIMIT ?"""
"""In the place of the last LIMIT: nobody reaches the person better. Groups (kind 1) have no window, so that only what
is spent (2^62) does not reach them."""
_NOBODY = Way(-1, 0, 0)
# CROSS JOIN keeps the loops as written, so that people come by id; an ORDER BY would sort all that are looked at.
# They come as one text: each row that Python fetches is one more fight for its interpreter lock.

_REACHED = "SELECT person_id FROM delivery WHERE run_id = ? AND person_id > ? ORDER BY person_id LIMIT 1 OFFSET ?"
_TAKE = """
UPDATE delivery SET state = 1, contact_id = e.column1
FROM (VALUES {rows}) AS e WHERE run_id = ? AND person_id = e.column2"""
_OPEN = "INSERT INTO slice (run_id, account_id, owner, first, last, lease_until) VALUES (?, ?, ?, ?, ?, ?)"
_TICKET = "SELECT 1 FROM slice WHERE id = ? AND owner = '' AND run_id = ? AND account_id = ?"
_FILL = "UPDATE slice SET owner = ?, first = ?, last = ?, lease_until = ? WHERE id = ?"

_COUNT = """
INSERT INTO tally (run_id, account_id, state, reason, n) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (run_id, account_id, state, reason) DO UPDATE SET n = n + excluded.n"""

_KINDS = tuple(ChatKind)
_SENDING, _SKIPPED = STATES[DeliveryState.SENDING], STATES[DeliveryState.SKIPPED]
_BY_CANCEL = REASONS[Reason.CANCELLED]
_AT_ONCE = 500
"""Rows of one statement: SQLite takes 32,766 values. A database that was away for a while has many more to settle."""
_Row = tuple[int, int, int, str | None, int, int]
"""State, reason, moment, message, run and person, as they are stored."""
_INTERRUPTED = STATES[DeliveryState.UNKNOWN], REASONS[Reason.INTERRUPTED]


class SqliteTraffic:
    """One thread with one connection, opened by the first exchange. While it works, nothing else of this process
    writes."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="traffic")
        self._connection: sqlite3.Connection | None = None

    async def exchange(
        self,
        outcomes: Sequence[Outcome],
        closed: Sequence[int],
        want: Want | None,
        also: Callable[[Any, Claim], Awaitable[None]] | None,
    ) -> Claim | None:
        if also is not None:
            raise ValueError("only PostgreSQL carries something else in the same transaction")
        async with self._database.writing:
            done = asyncio.get_running_loop().run_in_executor(self._thread, self._work, outcomes, closed, want)
            try:
                return await asyncio.shield(done)
            except asyncio.CancelledError:
                await asyncio.wait([done])  # the transaction ends before anybody else begins one
                raise

    def _work(self, outcomes: Sequence[Outcome], closed: Sequence[int], want: Want | None) -> Claim | None:
        try:
            if self._connection is None:
                self._connection = _connect(self._database.url)
            return exchange(self._connection, outcomes, closed, want)
        except sqlite3.OperationalError as error:
            self._forget()
            raise OperationalError("exchange", None, error) from error

    def _forget(self) -> None:
        """A connection that failed may not know any more where it is: the next exchange has a new one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    async def close(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._forget)
        self._thread.shutdown()


def _connect(url: str) -> sqlite3.Connection:
    path = sa.make_url(url).database or "loaso.db"
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    _forget_statistics(connection)
    return connection


def _forget_statistics(connection: sqlite3.Connection) -> None:
    """Deliveries come by the million. Who was counted when there were five would be looked for by reading all."""
    any_table = connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_stat1'").fetchone()
    if any_table and connection.execute("SELECT 1 FROM sqlite_stat1 WHERE tbl = 'delivery'").fetchone():
        connection.execute("DELETE FROM sqlite_stat1 WHERE tbl = 'delivery'")
        connection.execute("ANALYZE sqlite_schema")  # counts nothing: has this connection read what is left


def exchange(
    connection: sqlite3.Connection, outcomes: Sequence[Outcome], closed: Sequence[int], want: Want | None
) -> Claim | None:
    """The whole exchange as one transaction."""
    changes = Changes()
    connection.execute("BEGIN IMMEDIATE")
    try:
        _settle(connection, outcomes, changes)
        connection.executemany(_CLOSE, [(slice_id,) for slice_id in closed])
        claim = None if want is None else _claim(connection, want, changes)
        connection.executemany(_COUNT, changes.rows())
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return claim


def _settle(connection: sqlite3.Connection, outcomes: Sequence[Outcome], changes: Changes) -> None:
    for place in range(0, len(outcomes), _AT_ONCE):
        _settle_some(connection, outcomes[place : place + _AT_ONCE], changes)


def _settle_some(connection: sqlite3.Connection, outcomes: Sequence[Outcome], changes: Changes) -> None:
    """All in one statement; one by one only where that did not change every row, because it does not say which."""
    coded = [_coded(outcome) for outcome in outcomes]
    if any(outcome.state is DeliveryState.WAITING for outcome in outcomes) or not _settle_all(connection, coded):
        _settle_one_by_one(connection, outcomes, changes)
        return
    add = changes.add_coded
    for (state, reason, _, _, run_id, _), outcome in zip(coded, outcomes, strict=True):
        add(run_id, outcome.account_id, _SENDING, NO_REASON, -1)
        add(run_id, outcome.account_id, state, reason, 1)


def _coded(outcome: Outcome) -> _Row:
    run_id, person_id, _, state, at, reason, message_id = outcome
    why = NO_REASON if reason is None else REASONS[reason]
    return STATES[state], why, to_micros(at), message_id, run_id, person_id


def _settle_all(connection: sqlite3.Connection, rows: Sequence[_Row]) -> bool:
    """Whether every row was being sent, and is settled now; otherwise nothing has happened."""
    connection.execute("SAVEPOINT settling")
    given = [value for row in rows for value in row]
    changed = connection.execute(_SETTLE_ALL.format(rows=_marks(len(rows), 6)), given).rowcount
    if changed != len(rows):
        connection.execute("ROLLBACK TO settling")
    connection.execute("RELEASE settling")
    return changed == len(rows)


@lru_cache(maxsize=1024)
def _marks(rows: int, columns: int) -> str:
    row = f"({','.join('?' * columns)})"
    return ",".join([row] * rows)


def _settle_one_by_one(connection: sqlite3.Connection, outcomes: Sequence[Outcome], changes: Changes) -> None:
    cancelled: dict[int, bool] = {}
    execute, add = connection.cursor().execute, changes.add_coded
    for outcome in outcomes:
        state, reason, at, message_id, run_id, person_id = _coded(outcome)
        account_id, end = outcome.account_id, outcome.state
        comes_back = end is DeliveryState.WAITING
        if comes_back and _is_cancelled(connection, run_id, cancelled):
            state, reason = _SKIPPED, _BY_CANCEL
        row = (state, reason, at, message_id, run_id, person_id)
        if (execute(_GIVE_BACK, (*row, account_id)) if comes_back else execute(_SETTLE, row)).rowcount:
            add(run_id, account_id, _SENDING, NO_REASON, -1)
        elif end in FINAL and execute(_CORRECT, row).rowcount:
            add(run_id, account_id, *_INTERRUPTED, -1)
        else:
            continue
        add(run_id, account_id, state, reason, 1)


def _is_cancelled(connection: sqlite3.Connection, run_id: int, known: dict[int, bool]) -> bool:
    if run_id not in known:
        found = connection.execute(_CANCELLED, (run_id,)).fetchone()
        known[run_id] = bool(found and found[0])
    return known[run_id]


def _claim(connection: sqlite3.Connection, want: Want, changes: Changes) -> Claim | None:
    if connection.execute(_IS_SENDING, (want.run_id,)).fetchone() is None:
        return None
    ticket = (want.slice_id, want.run_id, want.account_id)
    if want.slice_id is not None and connection.execute(_TICKET, ticket).fetchone() is None:
        return None
    rows, all_of_them = _choose(connection, want)
    if all_of_them:
        reached = connection.execute(_REACHED, (want.run_id, want.after, LOOK - 1)).fetchone()
        last = reached[0] if reached else 0
    else:
        last = rows[-1].person_id
    if not rows:
        if want.slice_id is not None:
            connection.execute(_CLOSE, (want.slice_id,))
        return Claim(0, [], last)
    taken = [value for row in rows for value in (row.contact_id, row.person_id)]
    connection.execute(_TAKE.format(rows=_marks(len(rows), 2)), (*taken, want.run_id))
    changes.add(want.run_id, want.account_id, DeliveryState.WAITING, -len(rows))
    changes.add(want.run_id, want.account_id, DeliveryState.SENDING, len(rows))
    return Claim(_write_slice(connection, want, rows), rows, last)


def _choose(connection: sqlite3.Connection, want: Want) -> tuple[list[Claimed], bool]:
    """The next people, each with the first open contact on the account, and whether these are all of those that were
    looked at."""
    run_id, account_id, after, limit, *_ = want
    if want.way is None:
        (found,) = connection.execute(_CHOOSE, (run_id, after, LOOK, account_id, limit)).fetchone()
    else:
        (found,) = _choose_way(connection, want, want.way)
    rows: list[Claimed] = []
    last, contacts = 0, orjson.loads(found)
    for person_id, contact_id, external_id, kind, language, listens in contacts:
        if person_id != last:
            rows.append(Claimed(run_id, person_id, contact_id, external_id, _KINDS[kind], language, bool(listens)))
            last = person_id
    return rows, len(contacts) < limit


def _choose_way(connection: sqlite3.Connection, want: Want, way: Way) -> tuple[str]:
    """The same, where people can be reached in several ways."""
    rivals = want.rivals or (_NOBODY,)
    head, _, tail = _CHOOSE.rpartition("    LIMIT ?")
    statement = head + _BETTER.format(rivals=_marks(len(rivals), 3)).lstrip("\n") + tail
    given = (want.run_id, want.after, LOOK, want.account_id, way.since, *(v for r in rivals for v in r), way.rank)
    row: tuple[str] = connection.execute(statement, (*given, want.limit)).fetchone()
    return row


def _write_slice(connection: sqlite3.Connection, want: Want, rows: Sequence[Claimed]) -> int:
    first, last, lease = rows[0].person_id, rows[-1].person_id, to_micros(want.lease_until)
    if want.slice_id is not None:
        connection.execute(_FILL, (want.owner, first, last, lease, want.slice_id))
        return want.slice_id
    made = connection.execute(_OPEN, (want.run_id, want.account_id, want.owner, first, last, lease))
    return int(made.lastrowid or 0)
