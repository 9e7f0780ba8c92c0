"""Which questions ask the same: near ones stand together, always in the same way."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bot.db.tables import Unit
from bot.db.tables_questions import Question
from bot.outreach.faq.expand import expand

ALIKE = 0.62
"""Cosine from which a question belongs to the first one of a group. Siblings ("vay vốn nuôi lợn", "nuôi tôm") come as
near as rewordings do: whoever answers sees what people wrote, and may answer one by its number."""
_SMALL = frozenset("la gi the nao lam sao cach thi co khong duoc o dau toi bi va cho cua de muon can phai a em".split())  # noqa: SIM905
_SMALL_WEIGHT = 0.2

Weights = dict[str, float]
Row = tuple[Question, Unit]


@dataclass(slots=True)
class Alike:
    """Questions that ask the same, the oldest first: that one stands for all of them."""

    rows: list[Row] = field(default_factory=list)

    @property
    def first(self) -> Question:
        return self.rows[0][0]

    @property
    def ids(self) -> list[int]:
        return [question.id for question, _ in self.rows]

    @property
    def places(self) -> list[str]:
        """Names of the units, the one with most questions first."""
        return [name for name, _ in Counter(unit.name for _, unit in self.rows).most_common()]


def group(rows: Sequence[Row]) -> list[Alike]:
    """Each question joins the group whose first question is nearest, if near enough; the biggest group comes first,
    then the oldest."""
    found: list[Alike] = []
    holds: defaultdict[str, list[tuple[int, float]]] = defaultdict(list)  # by feature: which groups, and how much
    for row in sorted(rows, key=lambda row: row[0].id):
        mine = weights(row[0].text or "")
        near = _nearest(holds, mine)
        if near is not None:
            found[near].rows.append(row)
            continue
        for feature, value in mine.items():
            holds[feature].append((len(found), value))
        found.append(Alike([row]))
    return sorted(found, key=lambda alike: (-len(alike.rows), alike.first.id))


def _nearest(holds: Mapping[str, Sequence[tuple[int, float]]], mine: Weights) -> int | None:
    """The group to which it is nearest, the older one of two, if it is near enough. Only what shares a feature is
    looked at: hundreds of questions are grouped while everybody else waits."""
    cosines: defaultdict[int, float] = defaultdict(float)
    for feature, value in mine.items():
        for place, other in holds.get(feature, ()):
            cosines[place] += value * other
    best = max(cosines, key=lambda place: (cosines[place], -place), default=None)
    return best if best is not None and cosines[best] >= ALIKE else None


def weights(text: str) -> Weights:
    """Words and triples of letters of what somebody means, as a vector of length one."""
    words = expand(text).split()
    found: Counter[str] = Counter()
    raw: Weights = {}
    for word in words:
        raw["w" + word] = raw.get("w" + word, 0.0) + (_SMALL_WEIGHT if word in _SMALL else 1.0)
    kept = f" {' '.join(word for word in words if word not in _SMALL)} "
    found.update(kept[i : i + 3] for i in range(len(kept) - 2))
    raw |= {"c" + triple: 0.4 * count for triple, count in found.items()}
    size = math.sqrt(sum(value * value for value in raw.values())) or 1.0
    return {feature: value / size for feature, value in raw.items()}
