"""Starting the program often: one process imports it and forks for each start, which saves seconds of importing.

What is started is a process of its own in every other way. Run as `python -m tests.support.warm SOCKET`.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson

ROOT = Path(__file__).resolve().parents[2]
_IMPORTED = (
    "bot.app",
    "bot.cluster_app",
    "bot.cli",
    "bot.commands.service",
    "bot.commands.running",
    "bot.commands.sending",
)


class Warm:
    """The process that forks. It ends, with everything that it has started, when this end of its input is closed."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="loaso-warm-")
        self.socket = Path(self._folder.name) / "socket"
        kept = {n: v for n, v in os.environ.items() if not n.startswith("LOASO_")}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.warm", str(self.socket)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**kept, "PYTHONUNBUFFERED": "1"},
            cwd=ROOT,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"warm\n"

    async def start(
        self, arguments: Sequence[str], *, environment: Mapping[str, str], folder: Path, out: Path, err: Path
    ) -> Forked:
        """`loaso` with these arguments; what it says is added to the files."""
        reader, writer = await asyncio.open_unix_connection(self.socket)
        order = {"arguments": arguments, "environment": environment, "folder": str(folder)}
        writer.write(orjson.dumps({**order, "out": str(out), "err": str(err)}) + b"\n")
        return Forked(int(await reader.readline()), reader, writer)

    def stop(self) -> None:
        with self._process:
            assert self._process.stdin is not None
            self._process.stdin.close()
            self._process.wait(10)
        self._folder.cleanup()


class Forked:
    """One start, with the part of `asyncio.subprocess.Process` that tests use."""

    def __init__(self, pid: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._writer = writer
        self._end = asyncio.create_task(self._read_end(reader))

    async def _read_end(self, reader: asyncio.StreamReader) -> None:
        self.returncode = int(await reader.readline())
        self._writer.close()

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            os.kill(self.pid, number)

    async def wait(self) -> int:
        await asyncio.shield(self._end)
        assert self.returncode is not None
        return self.returncode


def serve(path: Path) -> None:
    """Fork whenever somebody connects and says what to start; tell them the process id, and its exit code when it
    has ended."""
    for name in _IMPORTED:
        importlib.import_module(name)
    _learn()
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    callers: dict[int, socket.socket] = {}
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        os.write(1, b"warm\n")
        while True:
            ready, _, _ = select.select([listener.fileno(), woken, 0], [], [])
            if 0 in ready:
                break
            if woken in ready:
                os.read(woken, 512)
            if listener.fileno() in ready:
                caller, _ = listener.accept()
                order = orjson.loads(caller.makefile("rb").readline())
                pid = os.fork()
                if not pid:
                    _become(order, [listener, caller, *callers.values()], [woken, wake])
                    return
                callers[pid] = caller
                _tell(caller, pid)
            _reap(callers)
    for pid in callers:
        os.kill(pid, signal.SIGKILL)


def _learn() -> None:
    """Read what is taught and make the answers of today, as each start would."""
    packs = importlib.import_module("messages.content.packs")
    engine = importlib.import_module("bot.outreach.faq.engine")
    engine.answerer_of(packs.load(), datetime.now(ZoneInfo("Asia/Ho_Chi_Minh")).date())


def _become(order: dict[str, Any], sockets: Sequence[socket.socket], pipes: Sequence[int]) -> None:
    """The rest of this process is the program; it raises `SystemExit`."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for place in (*(s.detach() for s in sockets), *pipes):
        os.close(place)
    _redirect(0, Path(os.devnull), os.O_RDONLY)
    _redirect(1, Path(order["out"]), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    _redirect(2, Path(order["err"]), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    sys.argv = ["loaso", *order["arguments"]]
    importlib.import_module("bot.cli").main()


def _redirect(place: int, path: Path, flags: int) -> None:
    opened = os.open(path, flags, 0o644)
    os.dup2(opened, place)
    os.close(opened)


def _reap(callers: dict[int, socket.socket]) -> None:
    while callers:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        caller = callers.pop(pid)
        _tell(caller, os.waitstatus_to_exitcode(status))
        caller.close()


def _tell(caller: socket.socket, number: int) -> None:
    with contextlib.suppress(OSError):  # a test that has ended does not listen any more
        caller.sendall(b"%d\n" % number)


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
