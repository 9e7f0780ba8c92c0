"""Another program at work: fed by its standard input, read from its standard output, never for too long or too much.

Engines are called and never linked: eSpeak NG is under the GPL. They see none of our settings, which hold secrets.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
from collections.abc import Sequence

from bot.speech.forms import SpeechFailed

MOST = 32 * 1024 * 1024
"""Bytes that a program may answer: a minute of the best sound has a third of that."""
_AT_ONCE = 1 << 16
_TO_END = 5.0


def found(program: str) -> bool:
    """Whether there is such a program: a name in the path, or a file."""
    return shutil.which(program) is not None


async def run(command: Sequence[str], given: bytes, seconds: float) -> bytes:
    """What the program answers to `given`. Raises `SpeechFailed` when it is not there, fails, or takes longer than
    `seconds`; then it is ended, with everything that it has started."""
    name = command[0]
    try:
        process = await asyncio.create_subprocess_exec(
            *_kindly(command),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=_environment(),
            start_new_session=True,
        )
    except OSError as error:
        raise SpeechFailed(f"{name} cannot be started: {error.strerror}") from error
    try:
        answer = await asyncio.wait_for(_talk(process, given, name), seconds)
        code = await asyncio.wait_for(process.wait(), seconds)
    except TimeoutError as error:
        raise SpeechFailed(f"{name} took longer than {seconds:g} seconds") from error
    finally:
        await _end(process)
    if code:
        raise SpeechFailed(f"{name} ended with {code}")
    return answer


def _kindly(command: Sequence[str]) -> list[str]:
    """Messages come first: speech is made with what is left of the processor."""
    return ["nice", "-n", "10", *command] if shutil.which("nice") and shutil.which(command[0]) else list(command)


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("LOASO_")}


async def _talk(process: asyncio.subprocess.Process, given: bytes, name: str) -> bytes:
    said, _ = await asyncio.gather(_read(process, name), _write(process, given))
    return said


async def _write(process: asyncio.subprocess.Process, given: bytes) -> None:
    assert process.stdin is not None  # noqa: S101  # asked for above
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it knows enough, or has failed
        process.stdin.write(given)
        await process.stdin.drain()
    process.stdin.close()


async def _read(process: asyncio.subprocess.Process, name: str) -> bytes:
    assert process.stdout is not None  # noqa: S101  # asked for above
    pieces, size = [], 0
    while piece := await process.stdout.read(_AT_ONCE):
        pieces.append(piece)
        size += len(piece)
        if size > MOST:
            raise SpeechFailed(f"{name} does not stop talking")
    return b"".join(pieces)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Nothing of it is left, however this ended. What it had still said is read away: its end is only seen then."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.communicate(), _TO_END)
