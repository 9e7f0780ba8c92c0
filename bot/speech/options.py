"""What an operator can set about speech."""

from __future__ import annotations

import shlex
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Speaking(StrEnum):
    """Who reads aloud."""

    OFF = "off"
    ESPEAK = "espeak"
    COMMAND = "command"
    SHERPA = "sherpa"


class SpeechOptions(BaseSettings):
    """A part of the settings. `speech_cache_mb` is how many megabytes of made speech are kept."""

    model_config = SettingsConfigDict(env_prefix="LOASO_")

    speech: Speaking = Speaking.OFF
    speech_voice: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_+.-]*$")] = "vi-vn-x-central"
    speech_command: str | None = None
    speech_model: Path | None = None
    speech_cache_mb: Annotated[int, Field(ge=1, le=100_000)] = 500

    def _speech_problems(self) -> list[str]:
        if self.speech is Speaking.COMMAND and not _words(self.speech_command):
            return ["LOASO_SPEECH=command needs LOASO_SPEECH_COMMAND, a program that reads a text and writes a WAV"]
        if self.speech is Speaking.SHERPA and self.speech_model is None:
            return ["LOASO_SPEECH=sherpa needs LOASO_SPEECH_MODEL, the folder of a Vietnamese voice"]
        return []


def _words(command: str | None) -> list[str]:
    try:
        return shlex.split(command or "")
    except ValueError:  # a quotation that never ends
        return []
