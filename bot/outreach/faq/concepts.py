"""What words mean: sets of words and phrases that say one thing are found in a text, so that a question and a phrasing
without a common word still share something."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bot.outreach.faq.expand import expand, folded, spoken

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
        if not marks:
            return True
        for word, marked in zip(self.words, self.marked, strict=False):
            if (typed := marks.get(word)) and marked not in typed:
                return False
        return True

    def weight(self, marks: Marks) -> float:
        alone = len(self.words) == 1 and self.marked != self.words and not marks.get(self.words[0])
        return _DOUBTFUL if alone and self.marked else 1.0


@dataclass(slots=True)
class _Branch:
    """The forms that end here, those that go on after a gap, and where their words go on."""

    forms: list[_Form] = field(default_factory=list)
    gapped: dict[str, list[tuple[_Form, _Form]]] = field(default_factory=dict)
    """By the first word after the gap."""
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
            branch.gapped.setdefault(rest[0].words[0], []).append((first, rest[0]))
        else:
            branch.forms.append(first)
        self.words.update(word for form in (first, *rest) for word in form.words)

    def find(self, tokens: Sequence[str], marks: Marks) -> dict[str, float]:
        """The concepts in the words, each with its weight (at most 1). A single word counts only where no longer form
        covers it."""
        found: dict[str, float] = {}
        alone: list[tuple[int, _Form]] = []
        covered: set[int] = set()
        all_of_them = set(tokens)
        for start in range(len(tokens)):
            branch, end = self._root.next.get(tokens[start]), start + 1
            while branch is not None:
                for form in branch.forms:
                    if end == start + 1:
                        alone.append((start, form))
                    elif form.agrees(marks):
                        found[form.concept] = 1.0
                        covered.update(range(start, end))
                if branch.gapped and not branch.gapped.keys().isdisjoint(all_of_them):
                    found |= dict.fromkeys(_across(branch, tokens, end, marks), 1.0)
                branch, end = branch.next.get(tokens[end]) if end < len(tokens) else None, end + 1
        for start, form in alone:
            if start not in covered and form.agrees(marks):
                found[form.concept] = max(found.get(form.concept, 0.0), form.weight(marks))
        return found


def _form(concept: str, text: str) -> _Form:
    looked_for, marked = tuple(expand(text).split()), tuple(spoken(text).split())
    return _Form(concept, looked_for, marked if tuple(map(folded, marked)) == looked_for else ())


def _across(branch: _Branch, tokens: Sequence[str], end: int, marks: Marks) -> Iterator[str]:
    """The concepts of forms that go on at most `_WIDEST` words after `end`."""
    for at in range(end, min(end + _WIDEST + 1, len(tokens))):
        for first, last in branch.gapped.get(tokens[at], ()):
            together = tuple(tokens[at : at + len(last.words)]) == last.words
            if together and first.agrees(marks) and last.agrees(marks):
                yield first.concept
