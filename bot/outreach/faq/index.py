"""Which entries are near a question: TF-IDF cosine over syllables and character n-grams, beside naive Bayes."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

Features = dict[str, float]
Texts = Iterable[tuple[str, float]]
"""Folded, expanded texts of one entry, each with its weight."""

_WORD, _PAIR, _CHARS = 1.0, 0.9, 0.33
_SIZES = (3, 4)
_BACKGROUND = 0.35
"""Share of the whole pack's words mixed into each entry's: keeps one rare word from deciding alone."""
_STOP = frozenset(
    """la gi the nao lam sao cach thi co khong duoc o dau toi bi va cho cua de muon can phai nhu vay bay gio roi voi ai
    may nay do mot nhung cac a em anh minh xin hoi ma nua ra vao len xuong khi hay di den biet con xem hom ngay
    mai suot nam nhieu chu bang tu cung rat lai moi dang se da thay""".split()  # noqa: SIM905
)
_STOP_WEIGHT = 0.35


@dataclass(frozen=True, slots=True)
class Near:
    """One entry's closeness, 0 to 1: `cosine` to its nearest text, `bayes` as a share among all entries."""

    entry: str
    cosine: float
    bayes: float

    @property
    def blend(self) -> float:
        return 0.7 * self.cosine + 0.3 * self.bayes


def features(plain: str) -> Features:
    """Weighted syllables, neighbouring pairs and character n-grams of folded text."""
    found: defaultdict[str, float] = defaultdict(float)
    tokens = plain.split()
    for token in tokens:
        found["w" + token] += _WORD * (_STOP_WEIGHT if token in _STOP else 1.0)
    for a, b in pairwise(tokens):
        both_stop = a in _STOP and b in _STOP
        found[f"p{a} {b}"] += _PAIR * (_STOP_WEIGHT if both_stop else 1.0)
    kept = [t for t in tokens if t not in _STOP] or tokens
    padded = f" {' '.join(kept)} "
    for size in _SIZES:
        for i in range(len(padded) - size + 1):
            found["c" + padded[i : i + size]] += _CHARS
    return found


class Index:
    """Read-only after construction; one question costs well under a millisecond per hundred entries."""

    def __init__(self, entries: Mapping[str, Texts]) -> None:
        documents = [(entry, features(text), weight) for entry, texts in entries.items() for text, weight in texts]
        self._entries = list(entries)
        self._rarity = _rarities(documents, len(self._entries))
        self._rarest = math.log(1.0 + len(self._entries)) + 1.0
        self._owners = [entry for entry, _, _ in documents]
        self._postings: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for number, (_, found, _) in enumerate(documents):
            vector = self._vector(found)
            for feature, value in vector.items():
                self._postings[feature].append((number, value))
        self._bayes = _Bayes(documents)
        self.words = frozenset(f[1:] for f in self._rarity if f.startswith("w"))

    def near(self, plain: str, most: int = 5) -> list[Near]:
        """The nearest entries, best first; empty when nothing is shared."""
        found = features(plain)
        if not found:
            return []
        cosine = self._cosines(found)
        share = self._bayes.shares(found)
        ranked = [Near(entry, cosine.get(entry, 0.0), share.get(entry, 0.0)) for entry in cosine]
        return sorted(ranked, key=lambda n: (-n.blend, n.entry))[:most]

    def _cosines(self, found: Features) -> dict[str, float]:
        totals: dict[int, float] = defaultdict(float)
        for feature, value in self._vector(found).items():
            for number, weight in self._postings.get(feature, ()):
                totals[number] += value * weight
        best: dict[str, float] = {}
        for number, total in totals.items():
            owner = self._owners[number]
            if total > best.get(owner, 0.0):
                best[owner] = total
        return best

    def _vector(self, found: Features) -> dict[str, float]:
        """Weights of length one. Words that no entry knows count as rare: they pull an alien question down."""
        raw = {
            feature: (1.0 + math.log(count) if count > 1 else count) * self._rarity.get(feature, self._unknown(feature))
            for feature, count in found.items()
        }
        norm = math.sqrt(sum(v * v for v in raw.values())) or 1.0
        return {feature: value / norm for feature, value in raw.items()}

    def _unknown(self, feature: str) -> float:
        return self._rarest if feature[0] == "w" else 0.5


class _Bayes:
    """Multinomial naive Bayes with a uniform prior, as log odds against the whole pack."""

    def __init__(self, documents: list[tuple[str, Features, float]]) -> None:
        counts: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        pack: dict[str, float] = defaultdict(float)
        for entry, found, weight in documents:
            for feature, count in found.items():
                counts[entry][feature] += weight * count
                pack[feature] += weight * count
        everything = sum(pack.values()) or 1.0
        self._gains: dict[str, list[tuple[str, float]]] = defaultdict(list)
        for entry, own in counts.items():
            total = sum(own.values())
            for feature, count in own.items():
                background = pack[feature] / everything
                odds = (1 - _BACKGROUND) * count / total / (_BACKGROUND * background)
                self._gains[feature].append((entry, math.log1p(odds)))

    def shares(self, found: Features) -> dict[str, float]:
        """Each entry's share of belief, tempered by the length of the question."""
        gains: dict[str, float] = defaultdict(float)
        for feature, count in found.items():
            for entry, gain in self._gains.get(feature, ()):
                gains[entry] += min(count, 2.0) * gain
        if not gains:
            return {}
        heat = max(1.0, 0.12 * sum(found.values()))
        top = max(gains.values())
        shares = {entry: math.exp((gain - top) / heat) for entry, gain in gains.items()}
        total = sum(shares.values())
        return {entry: share / total for entry, share in shares.items()}


def _rarities(documents: list[tuple[str, Features, float]], entries: int) -> dict[str, float]:
    """Inverse share of the entries (not of their texts) that hold a feature."""
    holders: dict[str, set[str]] = defaultdict(set)
    for entry, found, _ in documents:
        for feature in found:
            holders[feature].add(entry)
    return {feature: math.log((1.0 + entries) / len(who)) + 0.3 for feature, who in holders.items()}
