"""The one door to the questions: `Answerer.ask` says answer, suggest or none, and what needs care."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from bot.core.text import redact
from bot.outreach.faq.expand import expand
from bot.outreach.faq.guard import Finding, look
from bot.outreach.faq.index import Index, Near
from bot.outreach.faq.smalltalk import SmallTalk, small_talk
from messages.content.models import Fact, FaqEntry, Hints, is_current

Action = Literal["answer", "suggest", "none"]

SURE = 0.51
"""Blend from which the best entry is the answer when cosine and Bayes agree on it."""
SURE_ALONE = 0.72
"""Cosine from which it is the answer even if they do not agree."""
MAYBE = 0.3
"""Blend from which choices are offered."""
CLEAR = 0.03
"""How much better than the second the best must be to be the answer."""


NO_HINTS = Hints()


@dataclass(frozen=True, slots=True)
class Verdict:
    """`entries` are at most three ids, best first; `score` is 0 to 1. `guard` is a word of `guard.Guard`, `facts` the
    hotlines to show with it, `small_talk` what was said instead of a question."""

    action: Action
    entries: tuple[str, ...] = ()
    score: float = 0.0
    guard: str | None = None
    facts: tuple[str, ...] = ()
    small_talk: SmallTalk | None = None


class Answerer:
    """Answers from the entries that may still be said today. Build it anew each day; it is safe to share."""

    def __init__(
        self, entries: Mapping[str, FaqEntry], facts: Mapping[str, Fact], today: date, hints: Hints = NO_HINTS
    ) -> None:
        self.today = today
        self._facts = {id for id, fact in facts.items() if is_current(fact, facts, today)}
        current = {id: entry for id, entry in entries.items() if is_current(entry, facts, today)}
        self._index = Index({id: tuple(_texts(entry)) for id, entry in current.items()})
        self._exact = {expand(p): id for id, entry in current.items() for p in (entry.title, *entry.phrasings)}

    def ask(self, text: str) -> Verdict:
        """What to do with a text. Nothing of it is kept, and long numbers are removed before it is searched."""
        finding = look(text)
        if finding and finding.stops:
            return self._guarded(Verdict("none"), finding)
        if finding is None and (talk := small_talk(text)):
            return Verdict("none", small_talk=talk)
        verdict = self._search(expand(redact(text), self._index.words))
        return self._guarded(verdict, finding) if finding else verdict

    def _guarded(self, verdict: Verdict, finding: Finding) -> Verdict:
        facts = tuple(fact for fact in finding.facts if fact in self._facts)
        return replace(verdict, guard=str(finding.guard), facts=facts)

    def _search(self, plain: str) -> Verdict:
        near = self._index.near(plain)
        if (same := self._exact.get(plain)) is not None:
            others = [n.entry for n in near if n.entry != same]
            return Verdict("answer", (same, *others)[:3], 1.0)
        if not near or near[0].blend < MAYBE:
            return Verdict("none", (), round(near[0].blend, 4) if near else 0.0)
        action: Action = "answer" if " " in plain and _sure(near) else "suggest"
        return Verdict(action, tuple(n.entry for n in near[:3]), round(near[0].blend, 4))


def _sure(near: list[Near]) -> bool:
    """Whether the best may be given without asking back: close, clearly ahead, and both ways of looking agree."""
    best = near[0]
    if best.cosine >= SURE_ALONE:
        return True
    agreed = best.bayes >= max(n.bayes for n in near) and best.cosine >= max(n.cosine for n in near)
    ahead = len(near) == 1 or best.blend - near[1].blend >= CLEAR
    return agreed and ahead and best.blend >= SURE


def _texts(entry: FaqEntry) -> Iterator[tuple[str, float]]:
    """What is indexed: every phrasing, the title, the keywords as one text, the start of the answer faintly."""
    yield expand(entry.title), 1.5
    for phrasing in entry.phrasings:
        yield expand(phrasing), 1.0
    if entry.keywords:
        yield expand(" ".join(entry.keywords)), 1.0
    yield expand(entry.answer[:120]), 0.3
