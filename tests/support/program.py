"""The program as a process of its own: `loaso …` with settings, killed or stopped at will."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson

from bot.commands.opened import Opened
from bot.core.clock import Clock
from bot.core.events import Outbound
from bot.core.words import CampaignKind
from bot.db import Database, runs
from bot.outreach import audience, campaigns
from bot.settings import Settings
from tests.support.talk import ZONE

ROOT = Path(__file__).resolve().parents[2]


class Program:
    """Runs `python -m bot` in an empty folder with these settings and nothing else from the environment."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.folder = folder
        self.settings = {f"LOASO_{name.upper()}": str(value) for name, value in settings.items()}
        self.process: Process | None = None
        self.log = folder / "loaso.log"

    @property
    def environment(self) -> dict[str, str]:
        kept = {n: v for n, v in os.environ.items() if not n.startswith("LOASO_")}
        return {**kept, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **self.settings}

    async def loaso(self, *arguments: str, expect: int = 0, stdin: bytes = b"") -> tuple[str, str]:
        """Run a command to its end; returns what it printed on standard output and error."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot",
            *arguments,
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            env=self.environment,
            cwd=self.folder,
        )
        out, err = await asyncio.wait_for(process.communicate(stdin), 60)
        assert process.returncode == expect, (arguments, process.returncode, out.decode(), err.decode())
        return out.decode(), err.decode()

    async def json(self, *arguments: str) -> dict[str, Any]:
        out, _ = await self.loaso(*arguments)
        found: dict[str, Any] = orjson.loads(out.strip().splitlines()[-1])
        return found

    async def start(self, *arguments: str) -> None:
        """`loaso run`, until it says that it works."""
        assert self.process is None
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "bot",
                "run",
                *arguments,
                stdout=log,
                stderr=log,
                env=self.environment,
                cwd=self.folder,
            )
        before = self.log.read_text("utf-8").count("Loa Số works")
        for _ in range(300):
            if self.log.read_text("utf-8").count("Loa Số works") > before or self._works():
                return
            assert self.process.returncode is None, self.log.read_text("utf-8")
            await asyncio.sleep(0.05)
        raise AssertionError("it did not start:\n" + self.log.read_text("utf-8"))

    def _works(self) -> bool:
        lines = self.log.read_text("utf-8").splitlines()
        return bool(lines) and self.process is not None and "Loa Số works" in lines[-1]

    async def kill(self) -> None:
        """SIGKILL: nothing can be tidied up."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        await self.process.wait()
        self.process = None

    async def stop(self, within: float = 12) -> float:
        """SIGTERM; returns how many seconds it took."""
        assert self.process is not None
        begun = asyncio.get_running_loop().time()
        self.process.send_signal(signal.SIGTERM)
        code = await asyncio.wait_for(self.process.wait(), within)
        assert code == 0, self.log.read_text("utf-8")
        self.process = None
        return asyncio.get_running_loop().time() - begun

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Opened]:
        """What a command opens, without the second that a process takes to start."""
        database = Database(self.settings["LOASO_DATABASE_URL"])
        try:
            yield Opened(Settings(), database, Clock(ZONE))
        finally:
            await database.close()

    async def send(self, text: str) -> int:
        """What `loaso campaign send --urgent --to all` does; returns the run's id."""
        async with self.opened() as found:
            plan = campaigns.Plan(
                kind=CampaignKind.ALERT,
                parts=[Outbound(chat_id="", text=text)],
                audience=audience.parse("all"),
                at=found.now,
                urgent=True,
            )
            async with found.database.write() as tx:
                _, run = await campaigns.create(tx, found.desk(), plan, found.now)
        assert run is not None
        return run.id

    async def status(self, run_id: int) -> dict[str, Any]:
        """The run as `loaso campaign status` shows it."""
        async with self.opened() as found, found.database.read() as tx:
            run = await runs.get(tx, run_id)
            assert run is not None
            return await campaigns.status(tx, run)

    async def until(self, run_id: int, *states: str, within: float = 60) -> dict[str, Any]:
        """Ask until the run is in one of the states."""
        for _ in range(int(within / 0.2)):
            status = await self.status(run_id)
            if status["state"] in states:
                return status
            await asyncio.sleep(0.2)
        raise AssertionError(f"run {run_id} is {status}\n" + self.log.read_text("utf-8"))

    async def until_sent(self, run_id: int, count: int, within: float = 30) -> dict[str, Any]:
        """Ask until at least so many deliveries are settled as sent."""
        for _ in range(int(within / 0.05)):
            status = await self.status(run_id)
            if status["sent"] >= count:
                return status
            await asyncio.sleep(0.05)
        raise AssertionError(f"run {run_id} is {status}\n" + self.log.read_text("utf-8"))

    def people(self, ids: range, unit: str = "18859") -> Path:
        """A file of people for `loaso people import`."""
        path = self.folder / "people.csv"
        rows = "".join(f"telegram,{n},,{unit},resident,vi,2026-11-01T08:00:00+07:00\n" for n in ids)
        path.write_text("channel,external_id,name,unit,group,language,consented_at\n" + rows, "utf-8")
        return path
