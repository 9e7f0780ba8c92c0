"""WAV as programs write it: how long it lasts, and with a header that is true."""

from __future__ import annotations

import io
import struct
import wave
from dataclasses import dataclass

from bot.speech.forms import SpeechFailed

_PCM, _EXTENSIBLE = 1, 0xFFFE


@dataclass(frozen=True, slots=True)
class Sound:
    """PCM samples."""

    rate: int
    channels: int
    width: int
    samples: bytes

    @property
    def seconds(self) -> float:
        return len(self.samples) / (self.rate * self.channels * self.width)

    def wav(self) -> bytes:
        with io.BytesIO() as file:
            with wave.open(file, "wb") as out:
                out.setframerate(self.rate)
                out.setnchannels(self.channels)
                out.setsampwidth(self.width)
                out.writeframes(self.samples)
            return file.getvalue()


def read(wav: bytes) -> Sound:
    """A program that writes into a pipe does not know how much is to come, so that the sizes in its header may say
    anything. Raises `SpeechFailed` for what is no sound."""
    if wav[:4] != b"RIFF" or wav[8:12] != b"WAVE":
        raise SpeechFailed("the voice's answer is no WAV")
    place, form = 12, None
    while place + 8 <= len(wav):
        name, size = struct.unpack_from("<4sI", wav, place)
        body = wav[place + 8 : place + 8 + size] if size else wav[place + 8 :]
        if name == b"fmt " and len(body) >= 16:
            form = struct.unpack_from("<HHIIHH", body)
        if name == b"data" and form is not None:
            return _sound(form, body)
        place += 8 + size + size % 2
    raise SpeechFailed("the voice's WAV holds no sound")


def _sound(form: tuple[int, ...], samples: bytes) -> Sound:
    coding, channels, rate, _, _, bits = form
    if coding not in (_PCM, _EXTENSIBLE) or not channels or not rate or bits not in (8, 16, 24, 32):
        raise SpeechFailed("the voice's WAV is of a kind that is not understood")
    frame = channels * bits // 8
    whole = samples[: len(samples) // frame * frame]
    if not whole:
        raise SpeechFailed("the voice said nothing")
    return Sound(rate, channels, bits // 8, whole)
