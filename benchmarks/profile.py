"""`python -m benchmarks.profile`: where the time of our whole path goes, function by function."""

from __future__ import annotations

import argparse
import cProfile
import pstats
import re
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import uvloop

from benchmarks import rows
from benchmarks.cost import Cost
from benchmarks.serving import ROOT

_TOP = 25
_PLACES = re.compile(rf"^({re.escape(str(ROOT))}/|.*/site-packages/|.*/lib/python3\.\d+/)")


class Threads:
    """CPU seconds of the event loop's thread, and of the database's beside it, while entered."""

    def __enter__(self) -> Threads:
        self._loop, self._all = time.thread_time(), time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.loop = time.thread_time() - self._loop
        self.database = time.process_time() - self._all - self.loop


def main() -> None:
    if "--url" in sys.argv:
        _inside()
        return
    from benchmarks.ground import Ground

    parser = argparse.ArgumentParser(prog="python -m benchmarks.profile", description=__doc__)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--save", type=Path, help="also write it to a file")
    asked = parser.parse_args()
    with Ground() as ground:
        how = {"messages": asked.messages, "database": asked.database}
        found = ground.run("benchmarks.profile", "--plain", **how) + ground.run("benchmarks.profile", **how)
    print(found, end="")
    if asked.save is not None:
        asked.save.write_text(found, "utf-8")


def _inside() -> None:
    """The measured process: without the profiler it shows the true cost, with it the shares."""
    parser = rows.arguments(__doc__)
    parser.add_argument("--plain", action="store_true")
    asked = parser.parse_args()
    order = rows.order(asked)
    if asked.plain:
        threads = Threads()
        cost = uvloop.run(_path(order, threads))
        print(f"{cost.messages:,} messages, {cost.each:.0f} µs of CPU each without the profiler:")
        print(f"{threads.loop / cost.messages * 1e6:.0f} in the event loop, ", end="")
        print(f"{threads.database / cost.messages * 1e6:.0f} in the database's threads.\n")
    else:
        profiler = cProfile.Profile()
        uvloop.run(_path(order, profiler))
        print("The event loop with the profiler, which makes calls dearer than they are, by own time:\n")
        print("\n".join(_lines(profiler, asked.messages)))


async def _path(order: rows.Order, around: AbstractContextManager[object]) -> Cost:
    from benchmarks import ours

    return await ours.whole_path(order.url, order.database_url, order.chats, order.postmaster, around)


def _lines(profiler: cProfile.Profile, messages: int) -> Iterator[str]:
    found = pstats.Stats(profiler).stats  # type: ignore[attr-defined]  # it is there, and typeshed does not say so
    whole = sum(own for _, _, own, _, _ in found.values())
    yield "| own µs a message | share | calls a message | function |\n|---:|---:|---:|---|"
    for place, (_, calls, own, _, _) in sorted(found.items(), key=lambda f: -f[1][2])[:_TOP]:
        share = f"{own / messages * 1e6:.1f} | {own / whole:.1%}"
        yield f"| {share} | {calls / messages:.2f} | `{_name(*place)}` |"
    yield f"| {whole / messages * 1e6:.1f} | 100.0% | | everything |"


def _name(file: str, line: int, function: str) -> str:
    """A function as people look for it: its file below the folder that everybody knows."""
    return function if file == "~" else f"{_PLACES.sub('', file)}:{line} {function}"


if __name__ == "__main__":
    main()
