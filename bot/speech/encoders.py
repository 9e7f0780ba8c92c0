"""From WAV to what platforms play: OGG/Opus and AAC, mono, small: a minute has 180 to 270 KB."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.speech import program
from bot.speech.forms import Form, SpeechFailed

_PATIENCE = 20.0
_FFMPEG = ("ffmpeg", "-hide_banner", "-loglevel", "error", "-i", "pipe:0", "-ac", "1")
COMMANDS: Mapping[Form, tuple[tuple[str, ...], ...]] = {
    Form.OGG: (
        ("opusenc", "--quiet", "--bitrate", "24", "--downmix-mono", "-", "-"),
        (*_FFMPEG, "-c:a", "libopus", "-b:a", "24k", "-application", "voip", "-f", "ogg", "pipe:1"),
    ),
    Form.AAC: ((*_FFMPEG, "-c:a", "aac", "-b:a", "20k", "-f", "adts", "pipe:1"),),
}
"""By form, what can make it, the faster one first."""
_BEGINS = {Form.OGG: b"OggS", Form.AAC: b"\xff"}


@dataclass(frozen=True, slots=True)
class Encoder:
    """One program that makes one form."""

    form: Form
    command: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.command[0]

    async def encode(self, wav: bytes) -> bytes:
        """Raises `SpeechFailed`."""
        made = await program.run(self.command, wav, _PATIENCE)
        if not made.startswith(_BEGINS[self.form]):
            raise SpeechFailed(f"{self.name} made no {self.form.upper()}")
        return made


def installed() -> dict[Form, Encoder]:
    """What this machine can make."""
    return {
        form: Encoder(form, command)
        for form, commands in COMMANDS.items()
        for command in reversed(commands)
        if program.found(command[0])
    }
