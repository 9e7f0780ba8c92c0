"""`python -m benchmarks.scale`: a province on SQLite, by the commands that an operator types, each goal beside what
was measured. Exit code 1 when a goal is missed."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks import pages
from benchmarks.answers import TEXT
from benchmarks.cost import Wrong
from benchmarks.province import FEW, FEW_LIVE_IN, Line, Province, waited, write
from benchmarks.scale_tips import plan_tips
from benchmarks.serving import BotApi
from benchmarks.waits import Writer
from bot.core.words import RunState
from bot.db import Database
from bot.outreach import campaigns

HEAD = "| | goal | measured | |\n|---|---:|---:|---|"


def bring(province: Province) -> Iterator[Line]:
    """Everybody comes in by `loaso people import`."""
    loaso = province.loaso()
    loaso.run("units", "list")
    few, many = province.folder / "few.csv", province.folder / "people.csv"
    write(few, min(FEW, province.people))
    write(many, province.people)
    small = loaso.run("people", "import", str(few))
    with Writer(province.file) as writer:
        found = loaso.run("people", "import", str(many))
    added = found.json()["added"]
    if added != province.people - min(FEW, province.people):
        raise Wrong(f"{added} people came in: {found.out}")
    rate = province.people / found.seconds
    yield Line(
        "`loaso people import`",
        "≥ 20,000 rows/s",
        f"{rate:,.0f} rows/s, {found.cpu / province.people * 1e6:.1f} µs of CPU a row",
        rate >= 20_000,
    )
    more = found.peak - small.peak
    yield Line("… its memory, beside 10,000 rows'", "≤ 60 MiB more", f"{found.peak:.0f} MiB, {more:+.0f}", more <= 60)
    yield waited(writer)
    again = loaso.run("people", "import", str(many))
    if again.json()["unchanged"] != province.people:
        raise Wrong(f"the second time something changed: {again.out}")
    yield Line("… once more, when everybody is known", "", f"{province.people / again.seconds:,.0f} rows/s")


def send(province: Province) -> Iterator[Line]:
    """One run to few, then one to all, each by a process that has done nothing else."""
    small = _send(province, f"unit:{FEW_LIVE_IN}", "--urgent")
    before = province.size()
    large = _send(province, "all")
    each = (province.size() - before) / large.people
    when = f"{large.first:.2f} s" if large.first > 0 else f"{-large.first:.2f} s before it returned"
    yield Line("from `campaign send`'s return to the first message", "≤ 1 s", when, large.first <= 1)
    more = large.peak - small.peak
    told = f"{large.peak:.0f} MiB, {more:+.0f} beside a run for {small.people:,}"
    yield Line("memory of `loaso run`, a run for all", "≤ 60 MiB more", told, more <= 60)
    yield Line("database, after settlement", "≤ 120 bytes a delivery", f"{each:.0f} bytes", each <= 120)
    yield Line("the run itself", "", f"{large.people / large.seconds:,.0f} messages/s, {large.cpu:.0f} µs of CPU each")
    asked = median(large.asked)
    told = f"{asked * 1e3:.1f} ms (while sending, longest {max(large.asked) * 1e3:.0f} ms)"
    yield Line("`campaign status`: what it asks", "≤ 50 ms", told, asked <= 0.05)
    loaso = province.loaso()
    whole = median(loaso.run("campaign", "status", str(large.id), "--json").seconds for _ in range(5))
    start = median(loaso.run("--help").seconds for _ in range(5))
    yield Line("… the whole command (`loaso --help`)", "", f"{whole * 1e3:.0f} ms ({start * 1e3:.0f} ms)")


@dataclass(frozen=True, slots=True)
class Sent:
    """A run that is done. `first` counts from when the command returned, `seconds` from the first message to the last;
    `cpu` is µs a message; `asked` are the seconds that each look at its state took."""

    id: int
    people: int
    first: float
    seconds: float
    cpu: float
    peak: float
    asked: list[float]


def _send(province: Province, audience: str, *options: str) -> Sent:
    """Raises `Wrong` unless everybody was written to once."""
    province.api.reset()
    loaso = province.loaso()
    with loaso.running() as process:
        time.sleep(3)  # what a start costs is over
        before = process.cpu
        planned = loaso.run("campaign", "send", "--to", audience, "--text", TEXT, *options)
        id = int(str(planned.json()["id"]))
        status, asked = province.runner.run(_until_done(province.database, id))
        log = province.api.log()
        people = len(log.chats)
        cpu = (process.cpu - before) / max(people, 1) * 1e6
    if not people == len(set(log.chats)) == status["sent"] == status["total"]:
        raise Wrong(f"{people:,} messages for {len(set(log.chats)):,} chats, and the database says {status}")
    return Sent(id, people, log.times[0] - planned.at, log.times[-1] - log.times[0], cpu, process.peak, asked)


async def _until_done(database: Database, run_id: int) -> tuple[dict[str, object], list[float]]:
    asked: list[float] = []
    while True:
        begun = time.perf_counter()
        async with database.read() as tx:
            status = await campaigns.status(tx, await campaigns.find(tx, run_id, lock=False))
        asked.append(time.perf_counter() - begun)
        if status["state"] == RunState.DONE:
            return status, asked
        if status["state"] not in (RunState.PLANNED, RunState.SENDING):
            raise Wrong(f"the run is {status}")
        await asyncio.sleep(0.25)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--write", action="store_true", help="put the table into docs/benchmarks.md")
    asked = parser.parse_args()
    print(HEAD, flush=True)
    lines: list[Line] = []
    with tempfile.TemporaryDirectory(prefix="loaso-scale-") as folder, BotApi() as api:
        province = Province(Path(folder), asked.people, api)
        for measure in (bring, send, plan_tips):
            for line in measure(province):
                lines.append(line)
                print(line, flush=True)
        province.close()
    if asked.write:
        pages.put("scale", "\n".join([HEAD, *map(str, lines), "", f"{asked.people:,} people. {pages.circumstances()}"]))
    return 1 if any(line.met is False for line in lines) else 0


if __name__ == "__main__":
    sys.exit(main())
