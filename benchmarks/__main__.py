"""`python -m benchmarks`: what a message and a reply cost, ours and others', in one run on one machine."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from benchmarks import pages, table
from benchmarks.cost import Cost, Wrong
from benchmarks.ground import Ground
from benchmarks.rows import REPLYING, ROWS, SENDING, Row


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--messages", type=int, default=20_000, help="a row and run; slow peers send fewer")
    parser.add_argument("--replies", type=int, default=5_000)
    parser.add_argument("--runs", type=int, default=3, help="of which the median counts")
    parser.add_argument("--only", action="append", choices=ROWS, metavar="NAME", help=", ".join(ROWS))
    parser.add_argument("--latency-ms", type=float, default=0)
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/benchmarks.md")
    asked = parser.parse_args()
    chosen = asked.only or list(ROWS)
    with Ground(latency_ms=asked.latency_ms, tls=asked.tls) as ground:
        _, begun = ground.api.cost()
        ended = [
            _table(ground, title, [r for r in rows if r.name in chosen], count, asked.runs)
            for title, rows, count in (("sending", SENDING, asked.messages), ("replying", REPLYING, asked.replies))
        ]
        answered, cpu = ground.api.cost()
    notes = f"The server used {(cpu - begun) / max(answered, 1) * 1e6:.0f} µs a message. {pages.circumstances()}"
    print(f"\n{notes}")
    if asked.write:
        pages.put("tables", "\n\n".join([*(text for text, _ in ended if text), notes]))
    return 0 if all(whole for _, whole in ended) else 1


def _table(ground: Ground, title: str, rows: Sequence[Row], messages: int, runs: int) -> tuple[str, bool]:
    """Measure all rows, run after run, so that a machine's slow minutes meet each of them; then print. Returns the
    table, and whether every row did what it should."""
    if not rows:
        return "", True
    costs: dict[str, list[Cost]] = {row.name: [] for row in rows}
    wrong: dict[str, Wrong] = {}
    for run in range(runs):
        for row in rows:
            if row.name in wrong:
                continue
            print(f"{title}, run {run + 1} of {runs}: {row.name}", file=sys.stderr, flush=True)
            try:
                costs[row.name].append(ground.measure(row, messages))
            except Wrong as error:
                wrong[row.name] = error
    known = {name: table.middle(found) for name, found in costs.items() if name not in wrong}
    lines = [table.head(title)]
    lines += [
        f"| {row.title} | {wrong[row.name]} |" + " |" * 5
        if row.name in wrong
        else table.line(row, known[row.name], known)
        for row in rows
    ]
    text = "\n".join(lines)
    print(f"\n{text}", flush=True)
    return text, not wrong


if __name__ == "__main__":
    sys.exit(main())
