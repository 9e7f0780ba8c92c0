"""The forms on SQLite."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import orjson
import sqlalchemy as sa
from sqlalchemy.orm import Session

from benchmarks.seed import seed
from benchmarks.statement_forms import RUN, Form, Outcome, one_run
from bot.core.words import DeliveryState
from bot.db import traffic_sqlite
from bot.db.session import PRAGMAS
from bot.db.tables import Delivery
from bot.db.traffic import Outcome as Settled
from bot.db.traffic import Want
from bot.db.types import to_micros

_ONE = "UPDATE delivery SET state=?, reason=?, at=?, message_id=? WHERE run_id=? AND person_id=? AND state=1"
_FROM = (
    "UPDATE delivery SET state=o.s, reason=o.r, at=o.a, message_id=o.m FROM {source} AS o"
    " WHERE delivery.run_id=o.u AND delivery.person_id=o.p AND delivery.state=1"
)
_JSON = _FROM.format(
    source="(SELECT value->>0 AS u, value->>1 AS p, value->>2 AS s, value->>3 AS r, value->>4 AS a, value->>5 AS m"
    " FROM json_each(?))"
)
_CHOSEN = (
    "SELECT delivery.person_id, min(contact.id) AS contact_id FROM delivery"
    " CROSS JOIN contact INDEXED BY contact_by_person_id ON contact.person_id=delivery.person_id"
    " CROSS JOIN person ON person.id=delivery.person_id WHERE run_id=1 AND delivery.person_id>? AND delivery.state=0"
    " AND account_id=1 AND contact.state=0 AND status<>2 GROUP BY delivery.person_id LIMIT ?"
)
_RETURNING = (
    f"UPDATE delivery SET state=1, contact_id=c.contact_id FROM ({_CHOSEN}) AS c"
    " WHERE delivery.run_id=1 AND delivery.person_id=c.person_id RETURNING delivery.person_id"
)


class SqlitePlace:
    def __init__(self, path: Path, people: int, synchronous: str) -> None:
        asyncio.run(seed(f"sqlite+aiosqlite:///{path}", people))
        self.synchronous = synchronous
        self.db = sqlite3.connect(path, isolation_level=None)
        self.engine = sa.create_engine(f"sqlite:///{path}")
        sa.event.listen(self.engine, "connect", lambda connection, _record: self._prepare(connection))
        self._prepare(self.db)
        self.db.execute(
            "CREATE TEMP TABLE ended (u INTEGER, p INTEGER PRIMARY KEY, s INTEGER, r INTEGER, a INTEGER, m)"
        )
        for statement in one_run("0"):
            self.db.execute(statement)
        self._after = 0
        self._slice = 0

    def _prepare(self, connection: sqlite3.Connection) -> None:
        for pragma in (*PRAGMAS, f"synchronous={self.synchronous}"):
            connection.execute(f"PRAGMA {pragma}")

    def forms(self) -> Sequence[Form]:
        return (
            Form(name="settle: one by one", work=self.one_by_one),
            Form(name="settle: executemany", work=self.executemany),
            Form(name="settle: json_each", work=self.json),
            Form(name="settle: VALUES", work=self.values),
            Form(name="settle: temporary table", work=self.temporary),
            Form(name="settle: SQLAlchemy Core, executemany", work=self.core),
            Form(name="settle: ORM objects", work=self.orm, at_most=5_000),
            Form(name="claim: SELECT, then UPDATE", work=self.claim, settles=False),
            Form(name="claim: UPDATE … RETURNING", work=self.claim_returning, settles=False),
            Form(name="the whole exchange: settle, close, claim, count", work=self.exchange, settles=False),
        )

    def reset(self, *, claimed: bool, count: int) -> None:
        for table in ("delivery", "tally", "slice"):
            self.db.execute(f"DELETE FROM {table}")
        self.db.execute(
            "INSERT INTO delivery (run_id, person_id, state) SELECT 1, id, ? FROM person WHERE id <= ? ORDER BY id",
            (int(claimed), count),
        )
        self._after = self._slice = 0

    def cpu(self) -> tuple[float, float]:
        return time.process_time(), 0.0

    def check(self, *, settled: bool, count: int) -> None:
        done = "state = 2" if settled else "state <> 0"
        assert self.db.execute(f"SELECT count(*) FROM delivery WHERE {done}").fetchone() == (count,)

    def close(self) -> None:
        self.db.close()
        self.engine.dispose()

    def one_by_one(self, outcomes: Sequence[Outcome]) -> None:
        self.db.execute("BEGIN IMMEDIATE")
        execute = self.db.cursor().execute
        assert all(execute(_ONE, (s, r, to_micros(a), m, u, p)).rowcount for u, p, s, r, a, m in outcomes)
        self.db.execute("COMMIT")

    def executemany(self, outcomes: Sequence[Outcome]) -> None:
        self.db.execute("BEGIN IMMEDIATE")
        self.db.executemany(_ONE, [(s, r, to_micros(a), m, u, p) for u, p, s, r, a, m in outcomes])
        self.db.execute("COMMIT")

    def json(self, outcomes: Sequence[Outcome]) -> None:
        self.db.execute("BEGIN IMMEDIATE")
        rows = orjson.dumps([(u, p, s, r, to_micros(a), m) for u, p, s, r, a, m in outcomes]).decode()
        self.db.execute(_JSON, (rows,))
        self.db.execute("COMMIT")

    def values(self, outcomes: Sequence[Outcome]) -> None:
        self.db.execute("BEGIN IMMEDIATE")
        marks = ",".join(["(?,?,?,?,?,?)"] * len(outcomes))
        columns = "column1 AS u, column2 AS p, column3 AS s, column4 AS r, column5 AS a, column6 AS m"
        given = [value for u, p, s, r, a, m in outcomes for value in (u, p, s, r, to_micros(a), m)]
        self.db.execute(_FROM.format(source=f"(SELECT {columns} FROM (VALUES {marks}))"), given)
        self.db.execute("COMMIT")

    def temporary(self, outcomes: Sequence[Outcome]) -> None:
        self.db.execute("BEGIN IMMEDIATE")
        rows = [(u, p, s, r, to_micros(a), m) for u, p, s, r, a, m in outcomes]
        self.db.executemany("INSERT INTO ended VALUES (?,?,?,?,?,?)", rows)
        self.db.execute(_FROM.format(source="ended"))
        self.db.execute("DELETE FROM ended")
        self.db.execute("COMMIT")

    def core(self, outcomes: Sequence[Outcome]) -> None:
        with self.engine.begin() as connection:
            connection.execute(CORE, [row_of(outcome) for outcome in outcomes])

    def orm(self, outcomes: Sequence[Outcome]) -> None:
        with Session(self.engine) as session, session.begin():
            orm(session, outcomes)

    def claim(self, slice_: Sequence[Outcome]) -> None:
        self.db.execute("BEGIN IMMEDIATE")
        rows = self.db.execute(_CHOSEN, (self._after, len(slice_))).fetchall()
        self.db.executemany(
            "UPDATE delivery SET state=1, contact_id=? WHERE run_id=1 AND person_id=?", [(c, p) for p, c in rows]
        )
        self._after = rows[-1][0]
        self.db.execute("COMMIT")

    def claim_returning(self, slice_: Sequence[Outcome]) -> None:
        self.db.execute("BEGIN IMMEDIATE")
        rows = self.db.execute(_RETURNING, (self._after, len(slice_))).fetchall()
        self._after = max(rows)[0]
        self.db.execute("COMMIT")

    def exchange(self, slice_: Sequence[Outcome]) -> None:
        """Settle the slice before, claim this one."""
        at = slice_[0].at
        first = slice_[0].person_id
        ends = [
            Settled(RUN, person, 1, DeliveryState.SENT, at, None, str(100_000 + person))
            for person in range(max(1, first - len(slice_)), first)
        ]
        want = Want(RUN, 1, first - 1, len(slice_), "benchmark", at + timedelta(minutes=1))
        claim = traffic_sqlite.exchange(self.db, ends, [self._slice], want)
        assert claim is not None
        assert len(claim.rows) == len(slice_)
        self._slice = claim.slice_id


CORE = (
    sa.update(Delivery)
    .where(
        Delivery.run_id == sa.bindparam("u"),
        Delivery.person_id == sa.bindparam("p"),
        Delivery.state == DeliveryState.SENDING,
    )
    .values(
        state=sa.bindparam("s", type_=Delivery.state.type),
        message_id=sa.bindparam("m"),
        at=sa.bindparam("a", type_=Delivery.at.type),
    )
)


def row_of(outcome: Outcome) -> dict[str, object]:
    return {
        "u": outcome.run_id,
        "p": outcome.person_id,
        "s": DeliveryState.SENT,
        "m": outcome.message_id,
        "a": outcome.at,
    }


def orm(session: Session, outcomes: Sequence[Outcome]) -> None:
    """The bad example: objects read, changed and written."""
    people = {outcome.person_id: outcome for outcome in outcomes}
    query = sa.select(Delivery).where(Delivery.run_id == RUN, Delivery.person_id.in_(people))
    for row in session.scalars(query):
        outcome = people[row.person_id]
        row.state, row.at, row.message_id = DeliveryState.SENT, outcome.at, outcome.message_id
