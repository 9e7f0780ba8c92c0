"""The tables: the median of several runs of each row, beside aiogram's bare loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import median

from benchmarks.cost import Cost
from benchmarks.rows import Row


def middle(costs: Sequence[Cost]) -> Cost:
    """The median of each figure."""
    return replace(
        costs[0],
        seconds=median(c.seconds for c in costs),
        cpu=median(c.cpu for c in costs),
        peak=median(c.peak for c in costs),
        database=median(c.database for c in costs),
    )


def head(first: str) -> str:
    names = (first, "messages", "messages/s", "CPU µs a message", "× less CPU than aiogram", "peak MiB", "database µs")
    return "| " + " | ".join(names) + " |\n|---|" + "---:|" * (len(names) - 1)


def line(row: Row, cost: Cost, known: Mapping[str, Cost]) -> str:
    """One row. The ratio is to aiogram as it comes, in the same table and the same run."""
    peer = known.get("reply-aiogram" if row.name.startswith("reply") else "aiogram")
    cells = (
        row.title,
        f"{cost.messages:,}",
        f"{cost.rate:,.0f}",
        f"{cost.each:,.0f}",
        "" if peer is None else f"{peer.each / cost.each:.1f}",
        f"{cost.peak:,.0f}",
        f"{cost.database / cost.messages * 1e6:,.0f}" if cost.database else "",
    )
    return "| " + " | ".join(cells) + " |"
