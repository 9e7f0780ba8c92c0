"""Made speech on disk: found again by text and voice, written whole, the longest unused taken away first."""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

from bot.speech.forms import Form

_IN_USE = 6 * 3600.0
"""Seconds for which a file surely stays after it was last asked for: a run may be sending it."""
_TOUCH = 1800.0


@dataclass(frozen=True, slots=True)
class Shelf:
    """A folder with up to `most` bytes."""

    folder: Path
    most: int

    def path(self, identity: str, text: str, language: str, form: Form) -> Path:
        """Where a text in a voice is, or will be."""
        key = hashlib.sha256(f"{identity}\0{language}\0{text}".encode()).hexdigest()
        return self.folder / f"{key}.{form}"

    def take(self, path: Path) -> bool:
        """Whether it is there; from now on it is in use again."""
        try:
            age = time.time() - path.stat().st_mtime
            if age > _TOUCH:
                os.utime(path)
        except OSError:
            return False
        return True

    def put(self, path: Path, content: bytes) -> None:
        """Nobody ever sees half a file. Raises `OSError`."""
        self.folder.mkdir(parents=True, exist_ok=True)
        made = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        try:
            made.write_bytes(content)
            made.replace(path)
        finally:
            made.unlink(missing_ok=True)
        self._make_room()

    def _make_room(self) -> None:
        """Also takes away what a crash has left half written."""
        files = sorted(self._files())
        size = sum(bytes_ for _, bytes_, _ in files)
        for used, bytes_, path in files:
            if size <= self.most or used > time.time() - _IN_USE:
                return
            path.unlink(missing_ok=True)
            size -= bytes_

    def _files(self) -> list[tuple[float, int, Path]]:
        found = []
        for path in self.folder.iterdir():
            try:
                state = path.stat()
            except FileNotFoundError:  # another process has taken it away
                continue
            found.append((state.st_mtime, state.st_size, path))
        return found
