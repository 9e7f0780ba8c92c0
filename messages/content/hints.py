"""What helps to find answers and is said to nobody: words that mean one thing, and subjects that are not ours."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from bot.core.text import words
from messages.content.lines import Document, Problem, read
from messages.content.models import Hints

SYNONYMS, FOREIGN = "synonyms", "out_of_scope"
GAP = "…"
"""Stands for up to four other words."""
LONGEST = 160
"""Characters of one way of saying something."""
ID = "^[a-z][a-z0-9_]{1,39}$"


def load(folder: Path, problems: list[Problem]) -> Hints:
    """Read `synonyms.yaml` and `out_of_scope.yaml` of a pack, which may be missing; what is wrong is added to
    `problems`."""
    return Hints(*(_sets(folder / f"{name}.yaml", name, problems) for name in (SYNONYMS, FOREIGN)))


def _sets(path: Path, name: str, problems: list[Problem]) -> dict[str, tuple[str, ...]]:
    if not path.exists():
        return {}
    document = read(path)
    found = document.value.get(name) if isinstance(document.value, dict) else None
    if not isinstance(found, dict):
        document.wrong((), f"must begin with `{name}:` and then one list of words or questions for each id")
        found = {}
    sets = {id: tuple(_forms(document, name, id, forms)) for id, forms in found.items()}
    _apart(document, name, sets)
    problems.extend(document.problems)
    return sets


def _forms(document: Document, name: str, id: str, forms: object) -> Iterator[str]:
    if not re.match(ID, id):
        document.wrong((name, id), f"`{id}` is no id: small letters, digits and _ only")
    if not isinstance(forms, list) or not forms:
        document.wrong((name, id), f"`{id}` must be a list of words or questions")
        return
    for i, form in enumerate(forms):
        if not isinstance(form, str) or not words(form) or len(form) > LONGEST:
            document.wrong((name, id, i), f"must be a few words, at most {LONGEST} characters")
        elif not all(words(part) for part in form.split(GAP)) or form.count(GAP) > (name == SYNONYMS):
            document.wrong((name, id, i), f"`{GAP}` stands once at most, between words that mean one thing")
        else:
            yield form


def _apart(document: Document, name: str, sets: Mapping[str, tuple[str, ...]]) -> None:
    """A set holds a form once; and a question is of one foreign subject alone."""
    seen: dict[tuple[str, str], str] = {}
    for id, forms in sets.items():
        for i, form in enumerate(forms):
            key = (id if name == SYNONYMS else "", words(form))
            if key in seen:
                document.wrong((name, id, i), f"`{form}` stands in `{seen[key]}` already")
            seen[key] = id
