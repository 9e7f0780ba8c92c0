"""A province for the benchmarks: its people in a file, its SQLite database, the program that serves it; and the lines
of the table that is made of it."""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.addresses import FIRST_CHAT, token
from benchmarks.processes import Loaso
from benchmarks.serving import BotApi
from benchmarks.waits import Writer, share
from bot.core.words import TargetGroup
from bot.db import Database

FEW = 10_000
"""So many people are the run whose memory the large one's is compared with."""
FEW_LIVE_IN = "18859"
"""The commune where those live, and nobody else."""
GROUPS = tuple(TargetGroup)
_COMMUNES = ("18871", "18880", "18901", "18904", "18919", "18922", "18943", "18949", "18952", "18958", "18985")


_STEP = 7_368_787  # a prime: numbers times it, modulo any count, come in an order of their own


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table. Without a goal it is there to be read."""

    what: str
    goal: str
    measured: str
    met: bool | None = None

    def __str__(self) -> str:
        mark = {True: "✓", False: "✗ missed", None: ""}[self.met]
        return f"| {self.what} | {self.goal} | {self.measured} | {mark} |"


def waited(writer: Writer) -> Line:
    """How long others had to wait while something went on."""
    return Line("… another writer waits meanwhile", "99 % ≤ 0.5 s", str(writer), share(writer.waits, 0.99) <= 0.5)


class Province:
    """The people, their database, and the program that serves them."""

    def __init__(self, folder: Path, people: int, api: BotApi) -> None:
        self.folder = folder
        self.people = people
        self.api = api
        self.file = folder / "loaso.db"
        self.url = f"sqlite+aiosqlite:///{self.file}"
        self.runner = asyncio.Runner()
        self.database = Database(self.url)

    def close(self) -> None:
        self.runner.run(self.database.close())
        self.runner.close()

    def loaso(self, **settings: object) -> Loaso:
        """The program, where it is early afternoon: nobody is asleep."""
        common = {"database_url": self.url, "telegram_token": token(0), "telegram_api_url": self.api.url}
        fixed = {"telegram_rate": 0, "secret_key": "kept by the benchmarks", "http_port": 0, "timezone": zone()[0]}
        return Loaso(self.folder, **{**common, **fixed, **settings})

    def size(self) -> int:
        """Bytes of the database, with everything in it and nothing free."""
        connection = sqlite3.connect(self.file)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        pages, free, each = (
            connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
        )
        connection.close()
        return int((pages - free) * each)


def zone() -> tuple[str, int]:
    """A time zone in which it is one in the afternoon, and its hours from UTC. Its names count westwards."""
    east = (13 - datetime.now(UTC).hour + 11) % 24 - 11
    return f"Etc/GMT{-east:+d}", east


def write(file: Path, count: int) -> None:
    """So many people for `loaso people import`, in an order that follows nothing."""
    with file.open("w", encoding="utf-8") as out:
        out.write("channel,external_id,name,unit,group,language,consented_at\n")
        for place in range(count):
            number = place * _STEP % count
            unit = FEW_LIVE_IN if number < FEW else _COMMUNES[number % len(_COMMUNES)]
            group, day = GROUPS[number % len(GROUPS)], 1 + number % 28
            chat = FIRST_CHAT + 1 + number
            out.write(f"telegram,{chat},Bà Lý,{unit},{group},vi,2026-10-{day:02}T08:{number % 60:02}:00+07:00\n")
