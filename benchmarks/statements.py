"""`python -m benchmarks.statements`: forms of the two writes that every message needs, on both databases.

Each form settles, or claims, the same deliveries in slices of 50, 100 and 500, with a commit after each. Printed is the
best of several rounds: CPU µs a row of this process, and after the plus those of PostgreSQL's backend.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.statement_forms import RUN, Form, Outcome, Place
from benchmarks.statement_forms_postgres import PostgresPlace
from benchmarks.statement_forms_sqlite import SqlitePlace
from tests.support.postgres import Postgres

SLICES = (50, 100, 500)
_AS_SHIPPED = ("max_connections=20", "shared_buffers=128MB")
_NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.statements", description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=("sqlite", "postgresql"))
    asked = parser.parse_args()
    if asked.only != "postgresql":
        with tempfile.TemporaryDirectory() as folder:
            for synchronous in ("NORMAL", "FULL"):
                place = SqlitePlace(Path(folder) / f"{synchronous}.db", asked.rows, synchronous)
                _table(f"SQLite, synchronous={synchronous}", place, asked.rows, asked.rounds)
    if asked.only != "sqlite":
        with _server() as server:
            _table("PostgreSQL", PostgresPlace(server.create("statements"), asked.rows), asked.rows, asked.rounds)


@contextmanager
def _server() -> Iterator[Postgres]:
    server = Postgres(_AS_SHIPPED)
    try:
        yield server
    finally:
        server.stop()


def _table(title: str, place: Place, rows: int, rounds: int) -> None:
    print(f"\n| {title} | " + " | ".join(f"slices of {size}" for size in SLICES) + " |")
    print("|---|" + "---:|" * len(SLICES))
    for form in place.forms():
        count = min(rows, form.at_most)
        cells = [min(_measure(place, form, count, size) for _ in range(rounds)) for size in SLICES]
        print(f"| {form.name} | " + " | ".join(_cell(*cell) for cell in cells) + " |", flush=True)
    place.close()


def _cell(ours: float, theirs: float) -> str:
    return f"{ours:.1f} + {theirs:.0f}" if theirs else f"{ours:.1f}"


def _measure(place: Place, form: Form, count: int, size: int) -> tuple[float, float]:
    """CPU µs a row: ours, and the backend's."""
    place.reset(claimed=form.settles, count=count)
    outcomes = [Outcome(RUN, person, 2, None, _NOW, str(100_000 + person)) for person in range(1, count + 1)]
    slices = [outcomes[at : at + size] for at in range(0, count, size)]
    before = place.cpu()
    for slice_ in slices:
        form.work(slice_)
    after = place.cpu()
    place.check(settled=form.settles, count=count)
    return (after[0] - before[0]) / count * 1e6, (after[1] - before[1]) / count * 1e6


if __name__ == "__main__":
    main()
