"""`loaso …` as processes of their own, watched from outside: how long, how much CPU, how much memory (Linux)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

import orjson

from benchmarks.cost import Wrong
from benchmarks.serving import ROOT

_LOOK = 0.02
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command went: what it printed, seconds by the clock and of CPU, MiB at its peak."""

    out: str
    at: float
    seconds: float
    cpu: float
    peak: float

    def json(self) -> dict[str, object]:
        """Its last line."""
        found: dict[str, object] = orjson.loads(self.out.splitlines()[-1])
        return found


class Process:
    """A process that runs. What is read of it stays as it last was once it has ended."""

    def __init__(
        self, command: list[str], folder: Path, environment: dict[str, str], out: int, err: int | None = None
    ) -> None:
        self._popen = subprocess.Popen(command, cwd=folder, env=environment, text=True, stdout=out, stderr=err)
        self._over = Event()
        self.peak = self.cpu = 0.0
        self._thread = Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._over.wait(_LOOK):
            self._look()

    def _look(self) -> None:
        folder = Path("/proc") / str(self._popen.pid)
        try:
            for line in (folder / "status").read_text().splitlines():
                if line.startswith("VmHWM"):
                    self.peak = int(line.split()[1]) / 1024
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            return
        self.cpu = (int(fields[11]) + int(fields[12])) / _TICKS

    def wait(self) -> str:
        """Until it ends. Returns what it printed. Raises `Wrong` if it failed."""
        out, _ = self._popen.communicate()
        self._over.set()
        self._thread.join()
        if self._popen.returncode:
            raise Wrong(f"{self._popen.args!r} ended with {self._popen.returncode}")
        return str(out or "")

    def stop(self) -> None:
        """SIGTERM, as an operator's system would."""
        self._look()
        self._popen.send_signal(signal.SIGTERM)
        self.wait()


class Loaso:
    """The program in a folder, with settings and nothing else from the environment."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.folder = folder
        kept = {name: value for name, value in os.environ.items() if not name.startswith("LOASO_")}
        own = {f"LOASO_{name.upper()}": str(value) for name, value in settings.items()}
        self.environment = {**kept, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **own}

    def run(self, *arguments: str) -> Ended:
        """A command to its end. Raises `Wrong` if it fails."""
        begun = time.perf_counter()
        process = Process(_command(*arguments), self.folder, self.environment, subprocess.PIPE)
        out = process.wait()
        return Ended(out, time.time(), time.perf_counter() - begun, process.cpu, process.peak)

    @contextmanager
    def running(self) -> Iterator[Process]:
        """`loaso run`, from when it works until it is told to stop."""
        log = self.folder / "loaso.log"
        with log.open("w") as file:
            process = Process(_command("run"), self.folder, self.environment, file.fileno(), subprocess.STDOUT)
            try:
                self._until_it_works(log)
                yield process
            finally:
                process.stop()

    def _until_it_works(self, log: Path) -> None:
        for _ in range(1500):
            if "Loa Số works" in log.read_text("utf-8"):
                return
            time.sleep(_LOOK)
        raise Wrong(f"it did not start:\n{log.read_text('utf-8')}")


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "bot", *arguments]
