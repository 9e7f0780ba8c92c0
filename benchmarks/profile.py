"""`python -m benchmarks.profile`: where the CPU time of our whole path goes, function by function."""

from __future__ import annotations

import argparse
import cProfile
import pstats
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from types import CodeType

import uvloop

from benchmarks import pages, rows
from benchmarks.cost import Cost
from benchmarks.sampling import Sampler
from benchmarks.serving import ROOT

_TOP = 25
_ROOMS = 10
_PLACES = re.compile(rf"^(.*/site-packages/|{re.escape(str(ROOT))}/|.*/lib/python3\.\d+/)")


def main() -> None:
    if "--url" in sys.argv:
        _inside()
        return
    from benchmarks.ground import Ground

    parser = _options(argparse.ArgumentParser(prog="python -m benchmarks.profile", description=__doc__))
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--save", type=Path, help="also write it to a file")
    parser.add_argument("--write", metavar="MARK", help="put it into docs/benchmarks.md: 'profile before' or 'profile'")
    asked = parser.parse_args()
    chosen = [f"--{name}" for name in ("replies", "calls") if getattr(asked, name)]
    with Ground() as ground:
        found = ground.run("benchmarks.profile", *chosen, messages=asked.messages, database=asked.database)
    print(found, end="")
    if asked.save is not None:
        asked.save.write_text(found, "utf-8")
    if asked.write is not None:
        pages.put(asked.write, found)


def _options(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("--replies", action="store_true", help="the way of a reply instead of a run's")
    parser.add_argument("--calls", action="store_true", help="count calls (cProfile, the event loop's thread alone)")
    return parser


def _inside() -> None:
    """The measured process."""
    asked = _options(rows.arguments(__doc__)).parse_args()
    if asked.calls:
        profiler = cProfile.Profile(time.thread_time)
        uvloop.run(_path(asked, profiler))
        lines = _counted(profiler, asked.messages)
    else:
        sampler = Sampler()
        cost = uvloop.run(_path(asked, sampler))
        lines = _sampled(sampler, cost)
    print("\n".join(lines))


async def _path(asked: argparse.Namespace, around: AbstractContextManager[object]) -> Cost:
    path = rows.replying if asked.replies else rows.sending
    return await path(rows.order(asked), around)


def _sampled(sampler: Sampler, cost: Cost) -> Iterator[str]:
    whole = sum(sampler.own.values())
    each = cost.each / whole
    yield f"{cost.messages:,} messages, {cost.each:.1f} µs of CPU each, by own time:\n"
    yield "| µs a message | share | room |\n|---:|---:|---|"
    rooms: Counter[str] = Counter()
    for code, own in sampler.own.items():
        rooms[_room(_of(code))] += own
    for room, own in rooms.most_common(_ROOMS):
        yield f"| {own * each:.1f} | {own / whole:.1%} | {room} |"
    yield ""
    yield "| µs a message | share | with all below | function |\n|---:|---:|---:|---|"
    for code, own in sampler.own.most_common(_TOP):
        yield f"| {own * each:.1f} | {own / whole:.1%} | {sampler.within[code] * each:.1f} | `{_of(code)}` |"


def _counted(profiler: cProfile.Profile, messages: int) -> Iterator[str]:
    found = pstats.Stats(profiler).stats  # type: ignore[attr-defined]  # it is there, and typeshed does not say so
    whole = sum(own for _, _, own, _, _ in found.values())
    yield f"{messages:,} messages. The profiler makes what is called often look dearer than it is.\n"
    yield "| share | calls a message | function |\n|---:|---:|---|"
    for place, (_, calls, own, _, _) in sorted(found.items(), key=lambda f: -f[1][2])[:_TOP]:
        yield f"| {own / whole:.1%} | {calls / messages:.2f} | `{_named(*place)}` |"


def _of(code: CodeType) -> str:
    return _named(code.co_filename, code.co_firstlineno, code.co_qualname)


def _room(name: str) -> str:
    """The package that a function belongs to, or the folder of ours."""
    if name.startswith("asyncio/runners.py"):
        return "the event loop and the sockets"
    if name.startswith(("concurrent/futures/thread.py", "aiosqlite/core.py")):
        return "the database's threads"
    folders = name.split(":")[0].split("/")[:-1]
    if folders[:1] == ["bot"]:
        return f"`{'/'.join(folders[:2])}`"
    known = folders and (Path(uvloop.__file__).parents[1] / folders[0]).is_dir()
    return f"`{folders[0]}`" if known else "Python's own library"


def _named(file: str, line: int, function: str) -> str:
    """A function as people look for it: its file below the folder that everybody knows."""
    return function if file == "~" else f"{_PLACES.sub('', file)}:{line} {function}"


if __name__ == "__main__":
    main()
