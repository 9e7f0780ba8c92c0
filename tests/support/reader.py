"""A machine's voice for tests: small real programs that speak and encode, and that can be told to fail."""

from __future__ import annotations

import sys
from pathlib import Path

from bot.reader import Reader
from bot.speech.encoders import Encoder
from bot.speech.engines import Engine
from bot.speech.forms import Form
from bot.speech.shelf import Shelf
from bot.speech.speech import Speech
from tests.support.talk import Talk

_SPEAKER = """
import struct, sys, time
with open(sys.argv[1], "a", encoding="utf-8") as said:
    text = sys.stdin.buffer.read().decode()
    said.write(text.replace(chr(10), " ") + chr(10))
if "IM LẶNG" in text:
    time.sleep(60)
if "HỎNG" in text:
    sys.exit(3)
sound = bytes(int(sys.argv[2]) * len(text) * 16)
head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 2**31, b"WAVE", b"fmt ", 16, 1, 1, 8000, 16000, 2, 16, b"data", 2**31)
sys.stdout.buffer.write(head + sound)
"""
_ENCODER = """
import sys
sound = sys.stdin.buffer.read()
sys.stdout.buffer.write({"ogg": b"OggS", "aac": b"\\xff\\xf1"}[sys.argv[1]] + str(len(sound)).encode() + sound[:20])
"""


class Voice:
    """The programs in a folder. `pace` is how many milliseconds a character takes."""

    def __init__(self, folder: Path, *, pace: int = 60, most: int = 10**8, patience: float = 20) -> None:
        self.folder = folder
        self._log = folder / "said.txt"
        speaker, encoder = folder / "speaker.py", folder / "encoder.py"
        speaker.write_text(_SPEAKER, "utf-8")
        encoder.write_text(_ENCODER, "utf-8")
        python = (sys.executable, "-I", "-S")
        self.command = (*python, str(speaker), str(self._log), str(pace))
        engine = Engine("command", "trung", self.command, patience)
        encoders = {form: Encoder(form, (*python, str(encoder), str(form))) for form in Form}
        self.speech = Speech(engine, encoders, Shelf(folder / "speech", most))

    @property
    def said(self) -> list[str]:
        """What the program was started for, in order."""
        return self._log.read_text("utf-8").splitlines() if self._log.exists() else []

    @property
    def files(self) -> list[Path]:
        return sorted((self.folder / "speech").glob("*"))


def give_voice(talk: Talk, folder: Path) -> tuple[Voice, Reader]:
    """From now on a machine reads aloud in these conversations."""
    found = Voice(folder)
    talk.desk.speech = found.speech
    reader = Reader(talk.database, talk.desk, lambda _: None)
    talk.inbox.read_aloud = reader.take
    return found, reader
