"""How sure one may be: from what speaks for each entry, the probability that it is the one that was meant.

A conditional logit over the nearest entries, the foreign subjects among them, and "nothing of these". Its weights were
fitted once, offline, by `python -m benchmarks.answers_fit`: on the questions of the tests, on the pack's own phrasings
with a sixth of them held back at a time, on phrasings whose entry was taken out, and on foreign questions whose subject
was. They weigh shares and cosines, not words, so they hold when content changes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from operator import mul

from bot.outreach.faq.index import Found

FOREIGN = "-"
"""How the id of a subject begins that is none of ours."""
WEIGHTS = (0.49, 3.03, 1.06, 1.76, 1.42, 0.40, 1.79, 2.73, 0.18, 3.51, 1.96)
"""In the order of `signs`."""
SIGNS = len(WEIGHTS)


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
    *scores, nothing = (sum(map(mul, WEIGHTS, row)) for row in signs(found))
    top = max(nothing, *scores)
    weights = [math.exp(score - top) for score in scores]
    whole = sum(weights) + math.exp(nothing - top)
    shares = ((near.entry, weight / whole) for near, weight in zip(found.near, weights, strict=True))
    ours = [(entry, share) for entry, share in shares if not entry.startswith(FOREIGN)]
    return Odds(tuple(sorted(ours, key=lambda pair: (-pair[1], pair[0]))))


def signs(found: Found) -> Iterator[tuple[float, ...]]:
    """What speaks for each near entry, and last for "nothing of these": always something, the more the larger the
    unknown part of the words, the fewer they are, and if nothing is meant."""
    for near in found.near:
        foreign = float(near.entry.startswith(FOREIGN))
        own = (near.closest, near.three, near.bayes, near.share, near.covered, near.meant, foreign)
        yield (*own, 0.0, 0.0, 0.0, 0.0)
    nothing = (1.0, found.unknown, 1.0 / max(found.words, 1), float(not found.meanings))
    yield (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, *nothing)
