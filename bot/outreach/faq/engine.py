"""The one door to the questions: `Answerer.ask` says answer, suggest or none, and what needs care."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from bot.core.text import redact
from bot.outreach.faq.expand import LONGEST
from bot.outreach.faq.guard import Finding, look
from bot.outreach.faq.index import Index
from bot.outreach.faq.judgement import FOREIGN, Odds, judge
from bot.outreach.faq.smalltalk import SmallTalk, small_talk
from messages.content.models import Fact, FaqEntry, Hints, Pack, is_current

Action = Literal["answer", "suggest", "none"]

SURE = 0.72
"""Assurance from which the best entry is the answer."""
MAYBE = 0.3
"""Probability that the question is ours at all from which choices are offered."""
WORTH = 0.01
"""Probability from which an entry is worth a choice."""
CANDIDATES = 8
NO_HINTS = Hints()

_NEXT = re.compile(r"[?;\n]+|\b(?:với lại|ngoài ra|cho hỏi thêm|hỏi thêm|voi lai|ngoai ra|hoi them)\b", re.IGNORECASE)
_SHORTEST_PART = 3
"""Words of a part of a message that may be a question of its own."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`entries` are at most three ids, best first; `score` is the probability that the first is right. `guard` is a
    word of `guard.Guard`, `facts` the hotlines to show with it, `small_talk` what was said instead of a question.
    `candidates` are up to eight entries among which somebody cleverer may choose."""

    action: Action
    entries: tuple[str, ...] = ()
    score: float = 0.0
    guard: str | None = None
    facts: tuple[str, ...] = ()
    small_talk: SmallTalk | None = None
    candidates: tuple[str, ...] = ()


class Answerer:
    """Answers from the entries that may still be said today. Build it anew each day; it is safe to share."""

    def __init__(
        self, entries: Mapping[str, FaqEntry], facts: Mapping[str, Fact], today: date, hints: Hints = NO_HINTS
    ) -> None:
        self.today = today
        self._facts = {id for id, fact in facts.items() if is_current(fact, facts, today)}
        current = {id: entry for id, entry in entries.items() if is_current(entry, facts, today)}
        texts = {id: tuple(texts_of(entry)) for id, entry in current.items()}
        foreign = {FOREIGN + id: tuple((text, 1.0) for text in asked) for id, asked in hints.foreign.items()}
        self._index = Index({**texts, **foreign}, hints.synonyms)

    def ask(self, text: str) -> Verdict:
        """What to do with a text. Nothing of it is kept, and long numbers are removed before it is searched."""
        finding = look(text)
        if finding and finding.stops:
            return self._guarded(Verdict("none"), finding)
        if finding is None and (talk := small_talk(text)):
            return Verdict("none", small_talk=talk)
        verdict = self._search(redact(text[:LONGEST]))
        return self._guarded(verdict, finding) if finding else verdict

    def _guarded(self, verdict: Verdict, finding: Finding) -> Verdict:
        facts = tuple(fact for fact in finding.facts if fact in self._facts)
        return replace(verdict, guard=str(finding.guard), facts=facts)

    def _search(self, text: str) -> Verdict:
        found = self._index.find(text)
        odds = judge(found)
        same = self._index.same(text)
        if same is not None and same.startswith(FOREIGN):
            return Verdict("none")
        if same is not None:
            others = [entry for entry, _ in odds.entries if entry != same]
            return Verdict("answer", (same, *others)[:3], 1.0)
        if len(both := self._several(text)) > 1:
            rest = [entry for entry, _ in odds.entries if entry not in both]
            return Verdict("suggest", (*both, *rest)[:3], round(odds.sure, 4))
        return _decide(odds, one_word=" " not in found.plain)

    def _several(self, text: str) -> list[str]:
        """The answers to a message that asks for several things, or nothing if it does not."""
        parts = [part for part in _NEXT.split(text) if len(part.split()) >= _SHORTEST_PART]
        if not 1 < len(parts) <= 3:
            return []
        all_odds = [judge(self._index.find(part)) for part in parts]
        return list(dict.fromkeys(odds.entries[0][0] for odds in all_odds if odds.sure >= SURE))


_KEPT = 4
_made: dict[tuple[str, str, date], Answerer] = {}


def answerer_of(pack: Pack, today: date) -> Answerer:
    """The answers of a pack as it stands in its files, made once a process and day."""
    key = (pack.language, pack.version, today)
    if key not in _made:
        made = Answerer(pack.faq, pack.facts, today, pack.hints)
        while len(_made) >= _KEPT:
            del _made[next(iter(_made))]
        _made[key] = made
    return _made[key]


def _decide(odds: Odds, one_word: bool) -> Verdict:
    if not odds.entries:
        return Verdict("none")
    score = round(odds.sure, 4)
    likely = tuple(entry for entry, _ in odds.entries[:CANDIDATES])
    if odds.ours < MAYBE:
        return Verdict("none", (), score, candidates=likely)
    near = tuple(entry for place, (entry, share) in enumerate(odds.entries[:3]) if place == 0 or share >= WORTH)
    action: Action = "answer" if score >= SURE and not one_word else "suggest"
    return Verdict(action, near, score, candidates=likely)


def texts_of(entry: FaqEntry) -> Iterator[tuple[str, float]]:
    """What is indexed: every phrasing, the title, the keywords as one text, the start of the answer faintly."""
    yield entry.title, 1.5
    for phrasing in entry.phrasings:
        yield phrasing, 1.0
    if entry.keywords:
        yield " ".join(entry.keywords), 0.9
    yield entry.answer[:120], 0.3
