"""Voices: programs that take a text and answer with a WAV."""

from __future__ import annotations

import importlib.util
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

from bot.speech import program, sound
from bot.speech.options import Speaking, SpeechOptions
from bot.speech.sound import Sound

VIETNAMESE = "vi"
_PER_MINUTE = "150"
"""Words that eSpeak NG says in a minute: slower than its usual 175, for old ears."""


@dataclass(frozen=True, slots=True)
class Engine:
    """`command` speaks Vietnamese with `voice`; `languages` have voices of their own. `identity` tells apart what
    sounds different."""

    name: str
    voice: str
    command: tuple[str, ...]
    patience: float
    languages: frozenset[str] = frozenset({VIETNAMESE})

    @property
    def identity(self) -> str:
        return "\0".join((self.name, self.voice, *self.command))

    async def say(self, text: str, language: str) -> Sound:
        """Raises `SpeechFailed`."""
        command = self.command
        if self.name == Speaking.ESPEAK and language != VIETNAMESE:
            command = _espeak(language)
        return sound.read(await program.run(command, text.encode(), self.patience))

    def problem(self) -> str:
        """Why it cannot work here, and what to do; nothing if it can."""
        if self.name == Speaking.ESPEAK and not program.found("espeak-ng"):
            return "espeak-ng is not installed: apt install espeak-ng"
        if self.name == Speaking.COMMAND and not program.found(self.command[0]):
            return f"there is no program {self.command[0]}: LOASO_SPEECH_COMMAND names it with its whole path"
        if self.name == Speaking.SHERPA and importlib.util.find_spec("sherpa_onnx") is None:
            return "sherpa-onnx is not installed: pip install 'loaso[voice]'"
        if self.name == Speaking.SHERPA and not any(Path(self.command[-2]).glob("*.onnx")):
            return "there is no *.onnx in the folder that LOASO_SPEECH_MODEL names"
        return ""


def make(options: SpeechOptions) -> Engine:
    """The engine that the settings name; they have one."""
    voice = options.speech_voice
    if options.speech is Speaking.ESPEAK:
        return Engine("espeak", voice, _espeak(voice), 20.0, frozenset({VIETNAMESE, "en"}))
    if options.speech is Speaking.COMMAND:
        return Engine("command", voice, tuple(shlex.split(options.speech_command or "")), 60.0)
    model = Path(options.speech_model or "").absolute()
    return Engine("sherpa", voice, (sys.executable, "-m", "bot.speech.sherpa", str(model), voice), 120.0)


def _espeak(voice: str) -> tuple[str, ...]:
    return ("espeak-ng", "-v", voice, "-s", _PER_MINUTE, "-b", "1", "--stdin", "--stdout")
