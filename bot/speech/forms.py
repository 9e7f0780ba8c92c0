"""What platforms take for a voice, and what can go wrong on the way there."""

from __future__ import annotations

from enum import StrEnum

from bot.core.errors import LoaSoError

LONGEST = 60.0
"""Seconds of a voice: nobody listens longer, and it stays below 300 KB (DOMAIN.md 1d)."""


class Form(StrEnum):
    """A voice file; the value is its ending."""

    OGG = "ogg"
    AAC = "aac"

    @property
    def mime(self) -> str:
        return {"ogg": "audio/ogg", "aac": "audio/aac"}[self.value]


class SpeechFailed(LoaSoError):
    """No voice this time. Says which step failed, never what was to be said."""
