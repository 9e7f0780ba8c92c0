"""The program as a process of its own: `loaso …` with settings, killed, frozen or stopped at will."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson

from bot.commands.opened import Opened
from bot.core.clock import Clock
from bot.core.events import Outbound
from bot.core.words import CampaignKind
from bot.db import Database, runs
from bot.outreach import audience, campaigns, people_import, posts
from bot.settings import Settings, secret_key
from tests.support.warm import Forked, Warm

ROOT = Path(__file__).resolve().parents[2]
_WORKS = "Loa Số works"
_ORDERS = {"pause": campaigns.pause, "resume": campaigns.resume, "cancel": campaigns.cancel}


class Program:
    """Runs `python -m bot` in a folder with these settings and nothing else from the environment. Several of them may
    share a folder if each has a `name`, which its log is called after; `command` is what `start` runs unless it is told
    otherwise. With `warm` it starts in a fraction of the time. `more` may be put into its environment."""

    def __init__(
        self,
        folder: Path,
        *,
        name: str = "loaso",
        command: Sequence[str] = ("run",),
        warm: Warm | None = None,
        **settings: Any,
    ) -> None:
        self.folder = folder
        self.name = name
        self.command = tuple(command)
        self.warm = warm
        self.settings = {f"LOASO_{setting.upper()}": str(value) for setting, value in settings.items()}
        self.more: dict[str, str] = {}
        self._given = settings
        self.process: Process | Forked | None = None
        self.log = folder / f"{name}.log"
        self._starts = 0

    @property
    def environment(self) -> dict[str, str]:
        kept = {n: v for n, v in os.environ.items() if not n.startswith("LOASO_")}
        return {**kept, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **self.settings, **self.more}

    @property
    def read_settings(self) -> Settings:
        """The settings as the program reads them."""
        return Settings(_env_file=None, **self._given)

    @property
    def said(self) -> str:
        """Its log."""
        return self.log.read_text("utf-8", "replace") if self.log.exists() else ""

    @property
    def url(self) -> str:
        """Where its web server listens, by its log."""
        line = next(line for line in reversed(self.said.splitlines()) if _WORKS in line)
        return str(orjson.loads(line)["url"])

    async def loaso(self, *arguments: str, expect: int = 0, stdin: bytes = b"") -> tuple[str, str]:
        """Run a command to its end; returns what it printed on standard output and error."""
        if self.warm is not None and not stdin:
            return await self._loaso_warm(self.warm, arguments, expect)
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

    async def _loaso_warm(self, warm: Warm, arguments: Sequence[str], expect: int) -> tuple[str, str]:
        with TemporaryDirectory(dir=self.folder) as folder:
            out, err = Path(folder) / "out", Path(folder) / "err"
            process = await warm.start(arguments, environment=self.environment, folder=self.folder, out=out, err=err)
            code = await asyncio.wait_for(process.wait(), 60)
            said = out.read_text("utf-8"), err.read_text("utf-8")
        assert code == expect, (arguments, code, *said)
        return said

    async def json(self, *arguments: str) -> dict[str, Any]:
        out, _ = await self.loaso(*arguments)
        found: dict[str, Any] = orjson.loads(out.strip().splitlines()[-1])
        return found

    # Life and death

    async def start(self, *arguments: str, command: str | None = None) -> None:
        """`loaso run`, until it says that it works."""
        await self.spawn(*arguments, command=command)
        await self.works()

    async def spawn(self, *arguments: str, command: str | None = None) -> None:
        """`loaso run`, without waiting for anything."""
        assert self.process is None
        words = [*(self.command if command is None else (command,)), *arguments]
        self._starts = self.said.count(_WORKS)
        if self.warm is not None:
            self.process = await self.warm.start(
                words,
                environment=self.environment,
                folder=self.folder,
                out=self.log,
                err=self.log,
            )
            return
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "bot",
                *words,
                stdout=log,
                stderr=log,
                env=self.environment,
                cwd=self.folder,
            )

    async def works(self, within: float = 30) -> None:
        """Wait until it says so."""
        for _ in range(int(within / 0.05)):
            if self.said.count(_WORKS) > self._starts:
                return
            assert self.process is not None
            assert self.process.returncode is None, self.said
            await asyncio.sleep(0.05)
        raise AssertionError("it did not start:\n" + self.said)

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    async def ended(self, within: float = 12) -> int:
        """Wait for its end; returns the exit code."""
        assert self.process is not None
        code = await asyncio.wait_for(self.process.wait(), within)
        self.process = None
        return code

    async def kill(self) -> None:
        """SIGKILL: nothing can be tidied up."""
        self.signal(signal.SIGKILL)
        await self.ended()

    async def stop(self, within: float = 12) -> float:
        """SIGTERM; returns how many seconds it took."""
        begun = asyncio.get_running_loop().time()
        self.signal(signal.SIGTERM)
        assert await self.ended(within) == 0, self.said
        return asyncio.get_running_loop().time() - begun

    # What a command does, without the second that a process takes to start

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Opened]:
        """What a command opens."""
        database = Database(self.read_settings.database_url)
        try:
            yield Opened(self.read_settings, database, Clock(self.read_settings.zone))
        finally:
            await database.close()

    async def bring(self, ids: Iterable[int]) -> None:
        """What `loaso people import` does."""
        refused: list[str] = []
        async with self.opened() as found:
            job = people_import.Import(
                found.database,
                found.now,
                found.clock.zone,
                posts.configured(self.read_settings),
                lambda: secret_key(self.read_settings),
                lambda line, reason: refused.append(f"{line}: {reason}"),
            )
            await job.run(self.people(ids), lambda _bytes: None)
        assert not refused

    async def send(self, text: str, *, urgent: bool = True, resend_unknown: bool = False) -> int:
        """What `loaso campaign send --to all` does; returns the run's id."""
        async with self.opened() as found:
            return await send_to_all(found, text, urgent=urgent, resend_unknown=resend_unknown)

    async def order(self, run_id: int, word: str) -> None:
        """What `loaso campaign pause|resume|cancel` does."""
        async with self.opened() as found, found.database.write() as tx:
            await _ORDERS[word](tx, await campaigns.find(tx, run_id), found.now)

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
        raise AssertionError(f"run {run_id} is {status}\n" + self.said)

    async def until_sent(self, run_id: int, count: int, within: float = 30) -> dict[str, Any]:
        """Ask until at least so many deliveries are settled as sent."""
        for _ in range(int(within / 0.05)):
            status = await self.status(run_id)
            if status["sent"] >= count:
                return status
            await asyncio.sleep(0.05)
        raise AssertionError(f"run {run_id} is {status}\n" + self.said)

    def people(self, ids: Iterable[int], unit: str = "18859") -> Path:
        """A file of people for `loaso people import`."""
        path = self.folder / "people.csv"
        rows = "".join(f"telegram,{n},,{unit},resident,vi,2026-11-01T08:00:00+07:00\n" for n in ids)
        path.write_text("channel,external_id,name,unit,group,language,consented_at\n" + rows, "utf-8")
        return path


async def send_to_all(
    found: Opened, text: str, *, urgent: bool = True, resend_unknown: bool = False, again: bool = False
) -> int:
    """Plan a run to everybody, now; returns its id."""
    plan = campaigns.Plan(
        kind=CampaignKind.ALERT if urgent else CampaignKind.BROADCAST,
        parts=[Outbound(chat_id="", text=text)],
        audience=audience.parse("all"),
        at=found.now,
        urgent=urgent,
        resend_unknown=resend_unknown,
        again=again,
    )
    async with found.database.write() as tx:
        _, run = await campaigns.create(tx, found.desk(), plan, found.now)
    assert run is not None
    return run.id
