"""`python -m benchmarks.curve`: what a message costs from a thousand people to a million, as a picture."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import orjson

from benchmarks import drawing, table
from benchmarks.cost import Cost, Wrong
from benchmarks.drawing import Line, Panel
from benchmarks.ground import Ground
from benchmarks.rows import ROWS
from benchmarks.serving import ROOT

FIGURES = ROOT / "benchmarks" / "figures" / "curve.json"
PICTURE = ROOT / "docs" / "cost-a-message.svg"
SIZES = (1_000, 10_000, 100_000, 1_000_000)
_SMALL = 100_000
_COLOURS = {"before": "#8c959f", "now": "#0969da"}

Figures = dict[str, list[Cost]]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.curve", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, metavar="PEOPLE")
    parser.add_argument("--runs", type=int, default=3, help="of sizes below 100,000, of which the median counts")
    parser.add_argument("--as", dest="name", default="now", help="the name of the curve; others are kept")
    parser.add_argument("--draw", action="store_true", help="only draw again what was measured before")
    asked = parser.parse_args()
    try:
        if not asked.draw:
            measure(asked.name, asked.sizes, asked.runs)
    except Wrong as error:
        print(f"The run {error}.")
        return 1
    PICTURE.write_text(picture(read()), "utf-8")
    photograph(PICTURE)
    return 0


def measure(name: str, sizes: Sequence[int], runs: int) -> None:
    """Our path on SQLite, once for each size that takes long. What is known of other sizes is kept."""
    row = ROWS["ours-sqlite"]
    with Ground() as ground:
        print(table.head("people"), flush=True)
        for size in sizes:
            times = runs if size < _SMALL else 1
            found = table.middle([ground.measure(row, size) for _ in range(times)])
            print(table.line(row, found, {}), flush=True)
            figures = read()
            others = [cost for cost in figures.get(name, []) if cost.messages != size]
            write(figures | {name: sorted([*others, found], key=lambda cost: cost.messages)})


def read() -> Figures:
    if not FIGURES.exists():
        return {}
    return {name: [Cost(**cost) for cost in costs] for name, costs in orjson.loads(FIGURES.read_bytes()).items()}


def write(figures: Figures) -> None:
    FIGURES.parent.mkdir(exist_ok=True)
    plain = {name: [asdict(cost) for cost in costs] for name, costs in figures.items()}
    FIGURES.write_bytes(orjson.dumps(plain, option=orjson.OPT_INDENT_2) + b"\n")


def picture(figures: Figures) -> str:
    """CPU and memory, one below the other."""
    cost = [Line(n, [(c.messages, c.each) for c in costs], _COLOURS.get(n, "#24292f")) for n, costs in figures.items()]
    memory = [
        Line(n, [(c.messages, c.peak) for c in costs], _COLOURS.get(n, "#24292f")) for n, costs in figures.items()
    ]
    ends = [min(SIZES), max(SIZES)]
    target = Line("80 µs, the target", [(x, 80) for x in ends], "#cf222e", dashed=True)
    below = "people in the run (SQLite, one process, every result kept)"
    return drawing.page(
        "What a message costs, by the size of the run",
        [
            Panel("CPU µs a message", below, [*cost, target], *_axis(cost, 80)),
            Panel("Peak memory, MiB", below, memory, *_axis(memory, 100)),
        ],
    )


def _axis(lines: Sequence[Line], least: float) -> tuple[float, float]:
    """Where an axis ends and how far apart its marks are: four to eight round steps."""
    highest = max([least, *(y for line in lines for _, y in line.points)]) * 1.05
    step = next(s for s in (10, 20, 25, 50, 100, 200, 250, 500, 1000, 2500) if highest / s <= 8)
    return (highest // step + 1) * step, step


def photograph(svg: Path) -> None:
    """The same as PNG, where there is a Chromium."""
    names = ("chromium", "chromium-browser", "google-chrome")
    browser = next(filter(None, map(shutil.which, names)), None)
    if browser is None:
        print("No Chromium: the PNG stays as it was")
        return
    size = f"{drawing.WIDTH},{drawing.HEIGHT * 2}"
    flags = ("--headless", "--no-sandbox", "--hide-scrollbars", "--force-device-scale-factor=2")
    shot = (f"--screenshot={svg.with_suffix('.png')}", f"--window-size={size}", svg.as_uri())
    subprocess.run([browser, *flags, *shot], check=True, capture_output=True, timeout=60)


if __name__ == "__main__":
    sys.exit(main())
