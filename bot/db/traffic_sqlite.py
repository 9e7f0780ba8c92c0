"""The hot path on SQLite: a whole exchange in one thread, on a connection of its own.

The numbers in the statements are the codes of `bot.core.words` (see `bot.db.types.Coded`): a delivery is waiting 0,
sending 1, skipped 4 or unknown 5, a run sending 1 or cancelled 5; reason 12 is cancelled, 14 interrupted.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from bot.core.errors import Reason
from bot.core.events import ChatKind
from bot.core.words import DeliveryState
from bot.db.session import BUSY_SECONDS, PRAGMAS, Database
from bot.db.tally import NO_REASON, REASONS, STATES, Changes
from bot.db.traffic_rows import FINAL, LOOK, Claim, Claimed, Outcome, Want
from bot.db.types import to_micros

_SETTLE = """
UPDATE delivery
SET state = ?, reason = nullif(?, -1), at = ?, message_id = CASE WHEN contact_id IS NULL THEN NULL ELSE ? END
WHERE run_id = ? AND person_id = ? AND state = 1"""

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
SELECT looked.person_id, contact.id, contact.external_id, contact.kind, person.language
FROM (
    SELECT person_id, state FROM delivery WHERE run_id = ? AND person_id > ? ORDER BY person_id LIMIT ?
) AS looked
CROSS JOIN contact INDEXED BY contact_by_person_id ON contact.person_id = looked.person_id
CROSS JOIN person ON person.id = looked.person_id
WHERE looked.state = 0 AND contact.account_id = ? AND contact.state = 0 AND person.status <> 2"""
# CROSS JOIN keeps the loops as written, so that people come by id; an ORDER BY would sort all that are looked at

_REACHED = "SELECT person_id FROM delivery WHERE run_id = ? AND person_id > ? ORDER BY person_id LIMIT 1 OFFSET ?"
_TAKE = "UPDATE delivery SET state = 1, contact_id = ? WHERE run_id = ? AND person_id = ?"
_OPEN = "INSERT INTO slice (run_id, account_id, owner, first, last, lease_until) VALUES (?, ?, ?, ?, ?, ?)"
_TICKET = "SELECT 1 FROM slice WHERE id = ? AND owner = '' AND run_id = ? AND account_id = ?"
_FILL = "UPDATE slice SET owner = ?, first = ?, last = ?, lease_until = ? WHERE id = ?"

_COUNT = """
INSERT INTO tally (run_id, account_id, state, reason, n) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (run_id, account_id, state, reason) DO UPDATE SET n = n + excluded.n"""

_KINDS = tuple(ChatKind)
_SENDING, _SKIPPED = STATES[DeliveryState.SENDING], STATES[DeliveryState.SKIPPED]
_BY_CANCEL = REASONS[Reason.CANCELLED]
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
    return connection


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
    """Row by row: one call in bulk would not say which of them changed."""
    cancelled: dict[int, bool] = {}
    execute, add = connection.cursor().execute, changes.add_coded
    for run_id, person_id, account_id, end, at, why, message_id in outcomes:
        state, reason = STATES[end], NO_REASON if why is None else REASONS[why]
        comes_back = end is DeliveryState.WAITING
        if comes_back and _is_cancelled(connection, run_id, cancelled):
            state, reason = _SKIPPED, _BY_CANCEL
        row = (state, reason, to_micros(at), message_id, run_id, person_id)
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
    rows = _choose(connection, want)
    if len(rows) < want.limit:
        reached = connection.execute(_REACHED, (want.run_id, want.after, LOOK - 1)).fetchone()
        last = reached[0] if reached else 0
    else:
        last = rows[-1].person_id
    if not rows:
        if want.slice_id is not None:
            connection.execute(_CLOSE, (want.slice_id,))
        return Claim(0, [], last)
    connection.executemany(_TAKE, [(row.contact_id, row.run_id, row.person_id) for row in rows])
    changes.add(want.run_id, want.account_id, DeliveryState.WAITING, -len(rows))
    changes.add(want.run_id, want.account_id, DeliveryState.SENDING, len(rows))
    return Claim(_write_slice(connection, want, rows), rows, last)


def _choose(connection: sqlite3.Connection, want: Want) -> list[Claimed]:
    """The next people, each with the first open contact on the account."""
    run_id, account_id, after, limit, *_ = want
    rows: list[Claimed] = []
    last = 0
    found = connection.execute(_CHOOSE, (run_id, after, LOOK, account_id))
    for person_id, contact_id, external_id, kind, language in found:
        if person_id != last:
            rows.append(Claimed(run_id, person_id, contact_id, external_id, _KINDS[kind], language))
            last = person_id
            if len(rows) == limit:
                break
    found.close()
    return rows


def _write_slice(connection: sqlite3.Connection, want: Want, rows: Sequence[Claimed]) -> int:
    first, last, lease = rows[0].person_id, rows[-1].person_id, to_micros(want.lease_until)
    if want.slice_id is not None:
        connection.execute(_FILL, (want.owner, first, last, lease, want.slice_id))
        return want.slice_id
    made = connection.execute(_OPEN, (want.run_id, want.account_id, want.owner, first, last, lease))
    return int(made.lastrowid or 0)
