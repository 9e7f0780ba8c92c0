"""The forms on PostgreSQL."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import orjson
import psycopg
import sqlalchemy as sa
from sqlalchemy.orm import Session

from benchmarks.seed import seed
from benchmarks.statement_forms import RUN, Form, Outcome, one_run
from benchmarks.statement_forms_sqlite import CORE, orm, row_of
from bot.core.words import DeliveryState
from bot.db import Database
from bot.db.traffic import Outcome as Settled
from bot.db.traffic import Traffic, Want
from bot.db.types import to_micros

_FROM = (
    "UPDATE delivery SET state=o.s, reason=o.r, at=o.a, message_id=o.m FROM {source}"
    " WHERE delivery.run_id=o.u AND delivery.person_id=o.p AND delivery.state=1"
)
_UNNEST = _FROM.format(
    source="unnest(%s::bigint[], %s::bigint[], %s::smallint[], %s::smallint[], %s::timestamptz[], %s::text[])"
    " AS o (u, p, s, r, a, m)"
)
_LITERALS = _FROM.format(
    source="(SELECT u, p, s, nullif(r, -1) AS r, timestamptz 'epoch' + a * interval '1 microsecond' AS a, m FROM"
    " unnest(%s::bigint[], %s::bigint[], %s::smallint[], %s::smallint[], %s::bigint[], %s::text[])"
    " AS x (u, p, s, r, a, m)) AS o"
)
_JSON = _FROM.format(
    source="json_to_recordset(%s::json) AS o (u bigint, p bigint, s smallint, r smallint, a timestamptz, m text)"
)
_ONE = "UPDATE delivery SET state=%s, reason=%s, at=%s, message_id=%s WHERE run_id=%s AND person_id=%s AND state=1"
_CHOSEN = """
WITH chosen AS (
    SELECT delivery.run_id, delivery.person_id, found.id FROM delivery
    CROSS JOIN LATERAL (
        SELECT contact.id FROM contact JOIN person ON person.id = contact.person_id
        WHERE contact.person_id = delivery.person_id AND account_id = 1 AND contact.state = 0 AND status <> 2
        ORDER BY contact.id LIMIT 1
    ) AS found
    WHERE run_id = 1 AND person_id > %s AND state = 0 ORDER BY person_id LIMIT %s {lock}
)
UPDATE delivery SET state = 1, contact_id = chosen.id FROM chosen
WHERE delivery.run_id = chosen.run_id AND delivery.person_id = chosen.person_id AND delivery.state = 0
RETURNING delivery.person_id"""
_PLAIN = _CHOSEN.format(lock="")
_SKIP_LOCKED = _CHOSEN.format(lock="FOR UPDATE OF delivery SKIP LOCKED")


class PostgresPlace:
    def __init__(self, url: str, people: int) -> None:
        asyncio.run(seed(url, people))
        self.db = psycopg.connect(url.replace("+psycopg", ""), autocommit=True, prepare_threshold=0)
        self.engine = sa.create_engine(url)
        self.db.execute("SET plan_cache_mode = force_generic_plan")
        self.db.execute("CREATE TEMP TABLE ended (u bigint, p bigint, s smallint, r smallint, a timestamptz, m text)")
        for statement in one_run("now()"):
            self.db.execute(statement)
        self.runner = asyncio.Runner()
        self.database = Database(url)
        self.traffic = Traffic(self.database)
        self._after = self._slice = 0

    def forms(self) -> Sequence[Form]:
        return (
            Form(name="settle: unnest, arrays written by us", work=self.literals),
            Form(name="settle: unnest, arrays written by the driver", work=self.unnest),
            Form(name="settle: json_to_recordset", work=self.json),
            Form(name="settle: executemany", work=self.executemany),
            Form(name="settle: VALUES", work=self.values),
            Form(name="settle: COPY into a temporary table", work=self.copy),
            Form(name="settle: SQLAlchemy Core, executemany", work=self.core),
            Form(name="settle: ORM objects", work=self.orm, at_most=5_000),
            Form(name="claim: UPDATE, looked at again when somebody else was there", work=self.claim, settles=False),
            Form(name="claim: FOR UPDATE SKIP LOCKED", work=self.claim_locked, settles=False),
            Form(name="the whole exchange: settle, close, claim, count", work=self.exchange, settles=False),
        )

    def reset(self, *, claimed: bool, count: int) -> None:
        self.db.execute("TRUNCATE delivery, tally, slice")
        self.db.execute(
            "INSERT INTO delivery (run_id, person_id, state) SELECT 1, id, %s FROM person WHERE id <= %s ORDER BY id",
            (int(claimed), count),
        )
        self.db.execute("ANALYZE delivery")
        self._after = self._slice = 0

    def cpu(self) -> tuple[float, float]:
        with self.db.cursor() as cursor:
            cursor.execute("SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'")
            backends = [Path(f"/proc/{pid}/stat") for (pid,) in cursor.fetchall()]
        ticks = [stat.read_text().rpartition(")")[2].split()[11:13] for stat in backends]
        return time.process_time(), sum(int(user) + int(system) for user, system in ticks) / 100

    def check(self, *, settled: bool, count: int) -> None:
        done = "state = 2" if settled else "state <> 0"
        assert self.db.execute(f"SELECT count(*) FROM delivery WHERE {done}").fetchone() == (count,)

    def close(self) -> None:
        self.runner.run(self.database.close())
        self.runner.close()
        self.db.close()
        self.engine.dispose()

    def literals(self, outcomes: Sequence[Outcome]) -> None:
        u, p, s, r, a, m = zip(*outcomes, strict=True)
        numbers = (u, p, s, [-1 if why is None else why for why in r], [to_micros(at) for at in a])
        self.db.execute(_LITERALS, [*("{" + ",".join(map(str, column)) + "}" for column in numbers), list(m)])

    def unnest(self, outcomes: Sequence[Outcome]) -> None:
        self.db.execute(_UNNEST, [list(column) for column in zip(*outcomes, strict=True)])

    def json(self, outcomes: Sequence[Outcome]) -> None:
        rows = [{"u": u, "p": p, "s": s, "r": r, "a": a, "m": m} for u, p, s, r, a, m in outcomes]
        self.db.execute(_JSON, (orjson.dumps(rows).decode(),))

    def executemany(self, outcomes: Sequence[Outcome]) -> None:
        with self.db.transaction(), self.db.cursor() as cursor:
            cursor.executemany(_ONE, [(s, r, a, m, u, p) for u, p, s, r, a, m in outcomes])

    def values(self, outcomes: Sequence[Outcome]) -> None:
        marks = ",".join(["(%s::bigint,%s::bigint,%s::smallint,%s::smallint,%s::timestamptz,%s)"] * len(outcomes))
        source = f"(VALUES {marks}) AS o (u, p, s, r, a, m)"
        self.db.execute(_FROM.format(source=source), [value for outcome in outcomes for value in outcome])

    def copy(self, outcomes: Sequence[Outcome]) -> None:
        with self.db.transaction(), self.db.cursor() as cursor:
            with cursor.copy("COPY ended FROM STDIN") as copy:
                for outcome in outcomes:
                    copy.write_row(outcome)
            cursor.execute(_FROM.format(source="ended AS o"))
            cursor.execute("TRUNCATE ended")

    def core(self, outcomes: Sequence[Outcome]) -> None:
        with self.engine.begin() as connection:
            connection.execute(CORE, [row_of(outcome) for outcome in outcomes])

    def orm(self, outcomes: Sequence[Outcome]) -> None:
        with Session(self.engine) as session, session.begin():
            orm(session, outcomes)

    def claim(self, slice_: Sequence[Outcome]) -> None:
        self._claim(_PLAIN, slice_)

    def claim_locked(self, slice_: Sequence[Outcome]) -> None:
        self._claim(_SKIP_LOCKED, slice_)

    def _claim(self, statement: str, slice_: Sequence[Outcome]) -> None:
        self._after = max(self.db.execute(statement, (self._after, len(slice_))).fetchall())[0]

    def exchange(self, slice_: Sequence[Outcome]) -> None:
        """Settle the slice before, claim this one."""
        at = slice_[0].at
        first = slice_[0].person_id
        ends = [
            Settled(RUN, person, 1, DeliveryState.SENT, at, None, str(100_000 + person))
            for person in range(max(1, first - len(slice_)), first)
        ]
        want = Want(RUN, 1, first - 1, len(slice_), "benchmark", at + timedelta(minutes=1))
        claim = self.runner.run(self.traffic.exchange(ends, [self._slice], want))
        assert claim is not None
        assert len(claim.rows) == len(slice_)
        self._slice = claim.slice_id
