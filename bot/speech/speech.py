"""Speech: from a text that is ready to be spoken to a small file, made once."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bot.speech import encoders, engines
from bot.speech.encoders import Encoder
from bot.speech.engines import Engine
from bot.speech.forms import LONGEST, Form, SpeechFailed
from bot.speech.options import Speaking, SpeechOptions
from bot.speech.shelf import Shelf
from bot.speech.sound import Sound

_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+|\n+")
_TRIES = 4
"""How often a text that lasts too long is shortened."""


@dataclass(slots=True)
class Speech:
    """One voice. It says one thing at a time."""

    engine: Engine
    encoders: Mapping[Form, Encoder]
    shelf: Shelf
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def speaks(self, language: str, form: Form) -> bool:
        return language in self.engine.languages and form in self.encoders

    def ready(self, text: str, language: str, form: Form) -> Path | None:
        """The file, if it has been made before."""
        path = self._path(text, language, form)
        return path if self.shelf.take(path) else None

    async def make(self, text: str, language: str, form: Form) -> Path:
        """The file, made if need be. Raises `SpeechFailed`; cancelling ends the programs at work."""
        if not self.speaks(language, form):
            raise SpeechFailed(f"nothing here makes {form.upper()} in '{language}'")
        async with self._turn:
            found = self.ready(text, language, form)
            return found or await self._make(self._path(text, language, form), text, language, form)

    async def _make(self, path: Path, text: str, language: str, form: Form) -> Path:
        said = await self._say(text, language)
        content = await self.encoders[form].encode(said.wav())
        try:
            await asyncio.to_thread(self.shelf.put, path, content)
        except OSError as error:
            raise SpeechFailed(f"speech cannot be kept: {error.strerror}") from error
        return path

    async def _say(self, text: str, language: str) -> Sound:
        """A minute at most: what takes longer ends with an earlier sentence."""
        for _ in range(_TRIES):
            said = await self.engine.say(text, language)
            if said.seconds <= LONGEST:
                return said
            text = begin(text, LONGEST / said.seconds)
            if not text:
                break
        raise SpeechFailed("the voice needs more than a minute for one sentence")

    def _path(self, text: str, language: str, form: Form) -> Path:
        return self.shelf.path(self.engine.identity, text, language, form)

    def problem(self) -> str:
        """Why nothing can be said here, and what to do; nothing if all is well."""
        if problem := self.engine.problem():
            return problem
        return "" if Form.OGG in self.encoders else "there is no encoder: apt install opus-tools (or ffmpeg)"


def begin(text: str, part: float) -> str:
    """The whole sentences that fit into that part of a text; nothing if not even the first one does."""
    kept, room = "", len(text) * part
    for sentence in filter(None, _SENTENCE_END.split(text)):
        longer = f"{kept}\n{sentence}" if kept else sentence
        if len(longer) > room:
            break
        kept = longer
    return kept


def make(options: SpeechOptions, folder: Path) -> Speech | None:
    """As the settings say; `folder` keeps what is made."""
    if options.speech is Speaking.OFF:
        return None
    shelf = Shelf(folder.absolute(), options.speech_cache_mb * 1024 * 1024)
    return Speech(engines.make(options), encoders.installed(), shelf)
