"""What words mean: sets of words and phrases that say one thing are found in a text, so that a question and a phrasing
without a common word still share something."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from bot.core.text import fold
from bot.outreach.faq.expand import expand, spoken

Marks = Mapping[str, Collection[str]]
"""Folded words of a text, and how they were typed with marks."""
GAP = "…"
"""In a form: up to `_WIDEST` other words."""
_WIDEST = 4
_DOUBTFUL = 0.4
"""Weight of a single word typed without marks that others look like: `quen` may be forget or know."""


@dataclass(frozen=True, slots=True)
class _Form:
    concept: str
    words: tuple[str, ...]
    marked: tuple[str, ...]
    """The same words with their marks, empty where the form is not written word by word as it is looked for."""

    def agrees(self, marks: Marks) -> bool:
        """Whether nothing that was typed with marks means another word."""
        return all(m in typed for w, m in zip(self.words, self.marked, strict=False) if (typed := marks.get(w)))

    def weight(self, marks: Marks) -> float:
        alone = len(self.words) == 1 and self.marked != self.words and not marks.get(self.words[0])
        return _DOUBTFUL if alone and self.marked else 1.0


@dataclass(slots=True)
class _Branch:
    """The forms that end here, those that go on after a gap, and where their words go on."""

    forms: list[_Form] = field(default_factory=list)
    gapped: list[tuple[_Form, _Form]] = field(default_factory=list)
    next: dict[str, _Branch] = field(default_factory=dict)


class Concepts:
    """Finds the sets of `synonyms` in folded, expanded words. Read-only after construction."""

    def __init__(self, synonyms: Mapping[str, Sequence[str]]) -> None:
        self._root = _Branch()
        self.words: set[str] = set()
        for concept, forms in synonyms.items():
            for form in forms:
                self._add(concept, form)

    def _add(self, concept: str, text: str) -> None:
        first, *rest = (_form(concept, part) for part in text.split(GAP, 1))
        branch = self._root
        for word in first.words:
            branch = branch.next.setdefault(word, _Branch())
        if rest:
            branch.gapped.append((first, rest[0]))
        else:
            branch.forms.append(first)
        self.words.update(word for form in (first, *rest) for word in form.words)

    def find(self, tokens: Sequence[str], marks: Marks) -> dict[str, float]:
        """The concepts in the words, each with its weight (at most 1). A single word counts only where no longer form
        covers it."""
        found: dict[str, float] = {}
        alone: list[tuple[int, _Form]] = []
        covered: set[int] = set()
        for start in range(len(tokens)):
            branch, end = self._root.next.get(tokens[start]), start + 1
            while branch is not None:
                for form in branch.forms:
                    if end == start + 1:
                        alone.append((start, form))
                    elif form.agrees(marks):
                        found[form.concept] = 1.0
                        covered.update(range(start, end))
                for first, last in branch.gapped:
                    if first.agrees(marks) and last.agrees(marks) and _follows(last.words, tokens, end):
                        found[first.concept] = 1.0
                branch, end = branch.next.get(tokens[end]) if end < len(tokens) else None, end + 1
        for start, form in alone:
            if start not in covered and form.agrees(marks):
                found[form.concept] = max(found.get(form.concept, 0.0), form.weight(marks))
        return found


def _form(concept: str, text: str) -> _Form:
    looked_for = tuple(expand(text).split())
    marked = tuple(spoken(text).split())
    as_typed = tuple(fold(text).split()) == looked_for and len(marked) == len(looked_for)
    return _Form(concept, looked_for, marked if as_typed else ())


def _follows(wanted: tuple[str, ...], tokens: Sequence[str], end: int) -> bool:
    """Whether the words stand together at most `_WIDEST` words after `end`."""
    size = len(wanted)
    last = min(end + _WIDEST, len(tokens) - size)
    return any(tuple(tokens[at : at + size]) == wanted for at in range(end, last + 1))
