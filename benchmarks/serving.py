"""The benchmark's Bot API server as a process of its own: started, fed, asked for its log, ended."""

from __future__ import annotations

import os
import ssl
import subprocess
import sys
import tempfile
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Log:
    """What arrived, in order: seconds since 1970, the chat and the bot of every message."""

    times: list[float]
    chats: list[int]
    bots: list[int]


def cores() -> tuple[int | None, int | None]:
    """The core for what is measured and the one for the server; `None` where a process cannot be kept on one."""
    if sys.platform != "linux":
        return None, None
    mine = sorted(os.sched_getaffinity(0))
    return mine[0], mine[1 % len(mine)]


class Control:
    """Asks the server what it saw. `authority` is the certificate to trust; without one, what the system trusts."""

    def __init__(self, url: str, authority: Path | None = None) -> None:
        self.url = url
        trust = ssl.create_default_context(cafile=None if authority is None else str(authority))
        direct = urllib.request.ProxyHandler({})  # whatever proxy the environment names
        self._opener = urllib.request.build_opener(direct, urllib.request.HTTPSHandler(context=trust))

    def log(self) -> Log:
        """Everything since the start or the last `reset`."""
        return Log(**self._ask("/log"))

    def reset(self) -> None:
        """Forget what arrived."""
        self._ask("/reset")

    def feed(self, bot: int, updates: list[dict[str, Any]]) -> None:
        """Updates (without their ids) that the bot with that id will fetch."""
        self._ask("/feed", orjson.dumps({"bot": bot, "updates": updates}))

    def cost(self) -> tuple[int, float]:
        """Messages answered and CPU seconds used for them so far."""
        found = self._ask("/cost")
        return found["requests"], found["cpu_seconds"]

    def _ask(self, path: str, body: bytes | None = None) -> Any:
        with self._opener.open(self.url + path, body, 60) as answer:
            return orjson.loads(answer.read())


class BotApi(Control):
    """The server; use as a context manager. `authority` is the certificate that clients must trust, with TLS."""

    def __init__(self, *, latency_ms: float = 0, tls: bool = False, core: int | None = None) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="loaso-api-")
        self.authority = Path(self._folder.name) / "ca.pem" if tls else None
        self._options = ["--latency-ms", str(latency_ms)]
        self._options += [] if self.authority is None else ["--tls", str(self.authority)]
        self._options += [] if core is None else ["--core", str(core)]

    def __enter__(self) -> BotApi:
        command = [sys.executable, "-m", "benchmarks.server", "--attached", *self._options]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, text=True, cwd=ROOT, stdin=pipe, stdout=pipe)
        assert self._process.stdout is not None
        address = self._process.stdout.readline().strip()
        if not address:
            raise RuntimeError("the benchmark's server did not start")
        super().__init__(address, self.authority)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=10)  # what it waits for is that its standard input ends
        self._folder.cleanup()
