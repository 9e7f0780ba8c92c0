"""Letting somebody cleverer choose among the entries that were found: what they see, and what their choice changes."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from bot.core.text import redact, shorten
from bot.outreach.faq.engine import Verdict
from bot.outreach.questions.screening import Refusal, hide, screen
from messages.content.models import FaqEntry

LONGEST = 300
"""Characters of a question that are shown to an adviser."""
FEWEST = 3
"""Words from which a question says enough to choose by."""
_NUMBER = re.compile(r"\d(?:[ .\-]?\d){3,}")


class Adviser(Protocol):
    """Chooses one of the titles, counted from 1; 0 for none of them, None for no advice. Never raises."""

    async def choose(self, question: str, titles: Sequence[str]) -> int | None: ...


def wanted(verdict: Verdict, text: str) -> bool:
    """Whether a choice would help: nothing of what needs care, no greeting, no answer yet, and something to choose."""
    plain = verdict.guard is None and verdict.small_talk is None and redact(text) == text
    plain = plain and screen(text).refusal is not Refusal.SECRET
    return plain and verdict.action != "answer" and len(verdict.candidates) > 1 and len(text.split()) >= FEWEST


async def ask(adviser: Adviser, verdict: Verdict, text: str, entries: Mapping[str, FaqEntry]) -> Verdict:
    """The verdict after somebody cleverer has looked: they see the question without numbers, addresses, plates
    and links, and titles in an order that nobody can foresee, so that a question cannot say which one to take."""
    ids = [id for id in verdict.candidates if id in entries]
    random.shuffle(ids)
    question = shorten(_NUMBER.sub("…", hide(text)), LONGEST)
    choice = await adviser.choose(question, [entries[id].title for id in ids])
    return chosen(verdict, ids[choice - 1]) if choice is not None and 1 <= choice <= len(ids) else verdict


def chosen(verdict: Verdict, id: str) -> Verdict:
    """It is the answer where the engine would have offered it, too; else the first of the choices."""
    others = [entry for entry in (verdict.entries or verdict.candidates) if entry != id]
    entries = (id, *others)[:3]
    sure = verdict.action == "suggest" and id in verdict.entries
    return replace(verdict, action="answer" if sure else "suggest", entries=entries)
