"""How a machine's voice says names and abbreviations: `spoken.yaml` of a pack, which may be missing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from messages.content.lines import Document, Problem, read

LONGEST = 80
"""Characters of a name, and of how it is spoken."""


@dataclass(frozen=True)
class Spoken:
    """`words` by their small letters; those in `capitals` are names only in capital letters: "AI" is not "ai"."""

    words: Mapping[str, str] = field(default_factory=dict)
    capitals: frozenset[str] = frozenset()

    @cached_property
    def names(self) -> re.Pattern[str]:
        """Any of the words, the longest first, standing by itself."""
        longest_first = sorted(self.words, key=len, reverse=True)
        anything = "|".join(re.escape(word) for word in longest_first) or r"(?!)"
        return re.compile(rf"(?<![\w.])(?:{anything})(?![\w-])", re.IGNORECASE)

    def say(self, written: str) -> str:
        small = written.lower()
        another_word = small in self.capitals and not written.isupper()
        return written if another_word else self.words.get(small, written)


def load(folder: Path, problems: list[Problem]) -> Spoken:
    """Read `spoken.yaml`; what is wrong is added to `problems`."""
    path = folder / "spoken.yaml"
    if not path.exists():
        return Spoken()
    document = read(path)
    found = document.value if isinstance(document.value, dict) else {}
    words = _words(document, found.get("words"))
    capitals = _capitals(document, found.get("capitals"), words)
    problems.extend(document.problems)
    return Spoken(words, capitals)


def _words(document: Document, given: object) -> dict[str, str]:
    if not isinstance(given, dict):
        document.wrong((), "must begin with `words:` and then one name a line, and how it is spoken")
        return {}
    for name, said in given.items():
        if not isinstance(said, str) or not 0 < len(said) <= LONGEST or re.search(r"\d", said):
            document.wrong(("words", name), f"say `{name}` in words, without digits, {LONGEST} characters at most")
    return {str(name).lower(): said for name, said in given.items() if isinstance(said, str)}


def _capitals(document: Document, given: object, words: Mapping[str, str]) -> frozenset[str]:
    names = [str(name) for name in given] if isinstance(given, list) else []
    for i, name in enumerate(names):
        if name.lower() not in words:
            document.wrong(("capitals", i), f"`{name}` does not stand under `words:`")
    return frozenset(name.lower() for name in names)
