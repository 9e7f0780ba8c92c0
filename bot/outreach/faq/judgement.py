"""How sure one may be: from what speaks for each entry, the probability that it is the one that was meant.

A conditional logit over the nearest entries, the foreign subjects among them, and "nothing of these"; upon it a
logistic regression that says whether the best of ours is right. Both were fitted offline, by
`python -m benchmarks.answers_fit`, on the questions of the tests, on the pack's own phrasings with a sixth of them held
back at a time, on phrasings whose entry was taken out, and on foreign questions whose subject was. They weigh shares
and cosines, not words, so they hold when content changes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import mul

from bot.outreach.faq.index import Found

FOREIGN = "-"
"""How the id of a subject begins that is none of ours."""
WEIGHTS = (0.51, 3.03, 0.93, 2.03, 1.28, 0.36, 1.80, 2.69, 0.34, 3.08, 2.16)
"""In the order of `signs`."""
SIGNS = len(WEIGHTS)
ASSURANCE = (0.73, 1.12, -0.12, 0.53, -0.03, 0.48, -0.71, 0.37, 0.37, 0.02, -0.73, 0.03)
"""In the order of `evidence`: a logistic regression."""
_FOREIGN = 6
"""Where the signs say that a candidate is no entry."""
_LEAST = 1e-6


@dataclass(frozen=True, slots=True)
class Odds:
    """Entries with their probabilities, best first; foreign subjects and nothing at all take the rest of the one.
    `sure` is the probability that the best is right, all that speaks against it considered."""

    entries: tuple[tuple[str, float], ...] = ()
    sure: float = 0.0

    @property
    def ours(self) -> float:
        """The probability that any entry is meant."""
        return sum(share for _, share in self.entries)


def judge(found: Found) -> Odds:
    """Never raises; nothing near leaves no odds."""
    rows = tuple(signs(found))
    shares = shares_of(rows, WEIGHTS)
    ours = [(near.entry, share) for near, share in zip(found.near, shares, strict=False) if not _is_foreign(near.entry)]
    if not ours:
        return Odds()
    ours.sort(key=lambda pair: (-pair[1], pair[0]))
    best = next(i for i, near in enumerate(found.near) if near.entry == ours[0][0])
    return Odds(tuple(ours), 1.0 / (1.0 + math.exp(-sum(map(mul, ASSURANCE, evidence(rows, shares, best))))))


def shares_of(rows: Sequence[Sequence[float]], weights: Sequence[float]) -> list[float]:
    """The probability of each candidate."""
    scores = [sum(map(mul, weights, row)) for row in rows]
    top = max(scores)
    found = [math.exp(score - top) for score in scores]
    whole = sum(found)
    return [share / whole for share in found]


def evidence(rows: Sequence[Sequence[float]], shares: Sequence[float], best: int) -> tuple[float, ...]:
    """What tells whether the best of our entries is right: its odds, the next of ours, the best foreign subject, its
    own signs, the unknown part of the words, how few they are, nothing at all."""
    foreign = [share for row, share in zip(rows, shares, strict=True) if row[_FOREIGN]]
    others = [share for i, share in enumerate(shares[:-1]) if i != best and not rows[i][_FOREIGN]]
    closest, three, bayes, _, covered, meant = rows[best][:_FOREIGN]
    odds = math.log((shares[best] + _LEAST) / (1.0 - shares[best] + _LEAST))
    against = (odds, max(others, default=0.0), max(foreign, default=0.0))
    return (1.0, *against, closest, three, bayes, covered, meant, *rows[-1][8:10], shares[-1])


def _is_foreign(entry: str) -> bool:
    return entry.startswith(FOREIGN)


def signs(found: Found) -> Iterator[tuple[float, ...]]:
    """What speaks for each near entry, and last for "nothing of these": always something, the more the larger the
    unknown part of the words, the fewer they are, and if nothing is meant."""
    for near in found.near:
        foreign = float(_is_foreign(near.entry))
        own = (near.closest, near.three, near.bayes, near.share, near.covered, near.meant, foreign)
        yield (*own, 0.0, 0.0, 0.0, 0.0)
    nothing = (1.0, found.unknown, 1.0 / max(found.words, 1), float(not found.meanings))
    yield (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, *nothing)
