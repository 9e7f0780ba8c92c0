"""How sure one may be: from what speaks for each entry, the probability that it is the one that was meant.

A conditional logit over the nearest entries, the foreign subjects among them, and "nothing of these". Its weights were
fitted once, offline, by `python -m benchmarks.answers_fit`: on the questions of the tests, on the pack's own phrasings
with a sixth of them held back at a time, on phrasings whose entry was taken out, and on foreign questions whose subject
was. They weigh shares and cosines, not words, so they hold when content changes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from bot.outreach.faq.index import Found, Near

FOREIGN = "-"
"""How the id of a subject begins that is none of ours."""
NEAR = (0.48, 2.94, 0.93, 1.89, 1.45, 0.39)
"""For the signs of a `Near`, in their order."""
FOR_FOREIGN = 1.60
"""Added for a foreign subject."""
NOTHING = (2.74, 0.24, 3.44, 2.22)
"""For "nothing of these": always, by the unknown part of the words, by one over their number, if nothing is meant."""


@dataclass(frozen=True, slots=True)
class Odds:
    """Entries with their probabilities, best first; foreign subjects and nothing at all take the rest of the one."""

    entries: tuple[tuple[str, float], ...] = ()

    @property
    def ours(self) -> float:
        """The probability that any entry is meant."""
        return sum(share for _, share in self.entries)


def judge(found: Found) -> Odds:
    """Never raises; nothing near leaves no odds."""
    if not found.near:
        return Odds()
    always, unknown, brief, meaningless = NOTHING
    nothing = always + unknown * found.unknown + brief / max(found.words, 1) + meaningless * (not found.meanings)
    scores = [(near.entry, _score(near)) for near in found.near]
    top = max(nothing, *(score for _, score in scores))
    weights = {entry: math.exp(score - top) for entry, score in scores}
    whole = sum(weights.values()) + math.exp(nothing - top)
    ours = [(entry, weight / whole) for entry, weight in weights.items() if not entry.startswith(FOREIGN)]
    return Odds(tuple(sorted(ours, key=lambda pair: (-pair[1], pair[0]))))


def _score(near: Near) -> float:
    signs = (near.closest, near.three, near.bayes, near.share, near.covered, near.meant)
    foreign = FOR_FOREIGN if near.entry.startswith(FOREIGN) else 0.0
    return sum(weight * sign for weight, sign in zip(NEAR, signs, strict=True)) + foreign
