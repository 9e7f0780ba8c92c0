"""What a command says: results on standard output, sentences on standard error, bars and tables on a terminal only."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.core.errors import UserError


class WrongUsage(UserError):
    """Options that do not go together: ends like a misspelled option, with exit code 2."""

    exit_code = 2

    def format_message(self) -> str:
        """What the edge shows."""
        return str(self)


def result(value: Any) -> None:
    """A value for scripts: JSON on one line."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def line(text: str) -> None:
    """One line for whoever reads the output."""
    sys.stdout.write(text + "\n")


def say(text: str) -> None:
    """A sentence about what happens."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def ask() -> str:
    """A line that somebody types; nothing where nobody can."""
    try:
        return input("> ").strip() if sys.stdin.isatty() else ""
    except EOFError:
        return ""


def for_people(as_json: bool) -> bool:
    """Whether a person reads the output, rather than a script."""
    return not as_json and sys.stdout.isatty()


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A table on a terminal, fields between tabs in a pipe."""
    if not sys.stdout.isatty():
        for row in (columns, *rows):
            line("\t".join("" if cell is None else str(cell) for cell in row))
        return
    from rich.console import Console
    from rich.table import Table

    shown = Table(*columns, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        shown.add_row(*("" if cell is None else str(cell) for cell in row))
    Console().print(shown)


@contextmanager
def bar(what: str, total: float) -> Iterator[Callable[[float], None]]:
    """A progress bar on standard error while a terminal is there; call the value with how much was done."""
    if not sys.stderr.isatty():
        yield lambda _done: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=total)
        yield lambda done: progress.advance(task, done)


class Refusals:
    """The lines of a file that were refused: the first fifty are shown, the rest counted."""

    SHOWN = 50

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, number: int, why: str) -> None:
        self.count += 1
        if self.count <= self.SHOWN:
            say(f"line {number}: {why}")

    def close(self) -> None:
        if self.count > self.SHOWN:
            say(f"… and {self.count - self.SHOWN} more lines were refused")


def size_of(path: Path) -> int:
    """The size of a file in bytes, for a progress bar. Raises `OSError`."""
    return path.stat().st_size


def iso(moment: datetime | None) -> str | None:
    """A moment for scripts, UTC, to the second."""
    return None if moment is None else moment.isoformat(timespec="seconds").replace("+00:00", "Z")
