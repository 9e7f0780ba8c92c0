"""Which entries are near a question, and by what: everything that the decision is made from."""

from __future__ import annotations

import gc
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise

from bot.outreach.faq.concepts import Concepts, Marks
from bot.outreach.faq.expand import expand, read
from bot.outreach.faq.features import STOP, Features, weigh
from bot.outreach.faq.repair import Repair

Texts = Iterable[tuple[str, float]]
"""Texts of one entry as people write them, each with its weight; below `SPOKEN` they only lend their words, from
`WHOLE` on they are known as they stand."""

SPOKEN, WHOLE = 0.5, 1.0
BACKGROUND = 0.35
"""Share of the whole pack's words mixed into each entry's: keeps one rare word from deciding alone."""
LOOKED_AT = 12
"""Entries that are compared text by text: the best of a first, cheaper look."""
COMMON = 0.3
"""Share of the entries from which a feature tells nothing about where to look first."""
_FEW = 60
"""Entries up to which every feature is looked at."""


@dataclass(frozen=True, slots=True)
class Near:
    """One entry and what speaks for it. All but `bayes` lie between 0 and 1."""

    entry: str
    closest: float
    """Cosine to its nearest text."""
    three: float
    """Mean cosine to its three nearest texts."""
    bayes: float
    """Log odds against the whole pack for an average feature of the question."""
    share: float
    """Its share of belief among all entries."""
    covered: float
    """Part of the question's words, by rarity, that stand anywhere in the entry."""
    meant: float
    """Part of the question's meanings, by rarity, that stand anywhere in the entry."""


@dataclass(frozen=True, slots=True)
class Found:
    """The nearest entries in no order, and how much of the question nobody knows."""

    plain: str
    near: tuple[Near, ...] = ()
    words: int = 0
    """Words that say something."""
    unknown: float = 0.0
    """Part of them that stands nowhere in the pack."""
    meanings: int = 0


@dataclass(slots=True)
class _Entry:
    """What is kept of one entry: the weight of everything in its texts, and each text with its length once it was
    needed."""

    id: str
    total: Features
    size: float
    texts: list[Features]
    lengths: list[float] | None = None


class Index:
    """Read-only after construction."""

    def __init__(self, entries: Mapping[str, Texts], synonyms: Mapping[str, Sequence[str]]) -> None:
        self._concepts = Concepts(synonyms)
        with _collecting_later():
            self._build(entries)

    def _build(self, entries: Mapping[str, Texts]) -> None:
        rows = {id: [(*read(text), weight) for text, weight in texts] for id, texts in entries.items()}
        self._whole: dict[str, str] = {}
        for plain, id in ((p, id) for id, mine in rows.items() for p, _, weight in mine if weight >= WHOLE):
            self._whole.setdefault(plain, id)  # whoever was there first: what is packed comes before what people add
        every = [(plain.split(), marks) for mine in rows.values() for plain, marks, _ in mine]
        self._marked = frozenset(word for _, marks in every for typed in marks.values() for word in typed)
        counts = Counter(token for tokens, _ in every for token in tokens)
        self.words = frozenset(counts)
        pairs = {pair for tokens, _ in every for pair in pairwise(tokens)}
        counted = {**dict.fromkeys(self._concepts.words, 0), **counts}
        self._repair = Repair(counted, pairs, self._concepts.words)
        self._entries = [self._entry(id, mine) for id, mine in rows.items()]
        self._rarest = math.log(1.0 + len(self._entries)) + 1.0
        self._everything = sum(entry.size for entry in self._entries) or 1.0
        self._holders = _holders(self._entries)
        all_of_them = 1.0 + len(self._entries)
        self._rarity = {name: math.log(all_of_them / len(held)) + 0.3 for name, held in self._holders.items()}
        self._gains: dict[str, list[tuple[int, float]]] = {}

    def _entry(self, id: str, rows: Sequence[tuple[str, Marks, float]]) -> _Entry:
        total: Features = {}
        texts = []
        for plain, marks, weight in rows:
            tokens = plain.split()
            found = self._features(tokens if self._repair.knows(tokens) else self._repair(tokens), marks)
            for name, value in found.items():
                total[name] = total.get(name, 0.0) + weight * value
            if weight >= SPOKEN:
                texts.append(found)
        return _Entry(id, total, sum(total.values()) or 1.0, texts)

    def _features(self, tokens: list[str], marks: Marks) -> Features:
        return weigh(tokens, marks, self._concepts.find(tokens, marks))

    def find(self, text: str) -> Found:
        """The nearest entries; none when nothing is shared. Mistakes in typing are put right first, and a word with
        marks that nobody knows counts as typed without."""
        plain, typed = read(text, self.words)
        tokens = self._repair(plain.split())
        marks = {word: kept for word, how in typed.items() if (kept := how & self._marked)}
        found = self._features(tokens, marks)
        content = {t for t in tokens if t not in STOP} or set(tokens)
        gains = self._belief(found)
        best = sorted(gains, key=lambda e: (-gains[e], e))[:LOOKED_AT]
        shares = _shares(gains, sum(found.values()))
        vector = self._vector(found)
        parts = self._parts(found)
        return Found(
            " ".join(tokens),
            tuple(self._near(e, vector, parts, gains[e] / sum(found.values()), shares[e]) for e in best),
            len(content),
            sum(t not in self.words for t in content) / max(len(content), 1),
            sum(name[0] == "s" for name in found),
        )

    def same(self, text: str) -> str | None:
        """The entry that has this very text, accents and spelling aside."""
        return self._whole.get(expand(text))

    def _belief(self, found: Features) -> dict[int, float]:
        """Multinomial naive Bayes with a uniform prior, as log odds against the whole pack."""
        gains: dict[int, float] = {}
        for feature, count in found.items():
            times = min(count, 2.0)
            for entry, gain in self._gains.get(feature) or self._gain(feature):
                gains[entry] = gains.get(entry, 0.0) + times * gain
        return gains

    def _gain(self, feature: str) -> list[tuple[int, float]]:
        """What a feature says for each entry that has it, worked out when it is first met."""
        held = self._holders.get(feature, ())
        if not held or len(held) > max(_FEW, COMMON * len(self._entries)):
            return []
        entries = [self._entries[number] for number in held]
        whole = sum(entry.total[feature] for entry in entries) / self._everything * BACKGROUND / (1 - BACKGROUND)
        gain = [math.log1p(entry.total[feature] / entry.size / whole) for entry in entries]
        self._gains[feature] = list(zip(held, gain, strict=True))
        return self._gains[feature]

    def _near(
        self, number: int, vector: Features, parts: tuple[Features, Features], bayes: float, share: float
    ) -> Near:
        entry = self._entries[number]
        cosines = sorted(self._cosines(vector, entry), reverse=True) or [0.0]
        covered, meant = (sum(w for name, w in part.items() if name in entry.total) for part in parts)
        return Near(entry.id, cosines[0], sum(cosines[:3]) / 3, bayes, share, covered, meant)

    def _parts(self, found: Features) -> tuple[Features, Features]:
        """The words and the meanings of a question, each with its part of the whole by rarity."""
        return self._part("w", found), self._part("s", found)

    def _part(self, sort: str, found: Features) -> Features:
        part = {n: v * self._rarity.get(n, self._rarest) for n, v in found.items() if n[0] == sort}
        whole = sum(part.values()) or 1.0
        return {name: weight / whole for name, weight in part.items()}

    def _vector(self, found: Features) -> Features:
        """Weights for the cosine with texts whose features are not yet weighed by rarity. Words that no entry knows
        count as rare: they make the question longer and so pull an alien one down."""
        rarity = self._rarity
        raw = {name: v * (rarity[name] if name in rarity else self._unknown(name)) for name, v in found.items()}
        norm = math.sqrt(sum([v * v for v in raw.values()])) or 1.0
        return {name: value * rarity[name] / norm for name, value in raw.items() if name in rarity}

    def _unknown(self, name: str) -> float:
        return self._rarest if name[0] == "w" else 0.5 if name[0] == "p" else 0.0

    def _cosines(self, vector: Features, entry: _Entry) -> list[float]:
        """How near the question is to each text of the entry."""
        if entry.lengths is None:
            entry.lengths = [self._length(text) for text in entry.texts]
        shared = [(text, vector.keys() & text.keys()) for text in entry.texts]
        return [
            sum([vector[name] * text[name] for name in names]) / length
            for (text, names), length in zip(shared, entry.lengths, strict=True)
        ]

    def _length(self, text: Features) -> float:
        rarity = self._rarity
        return math.sqrt(sum([(value * rarity[name]) ** 2 for name, value in text.items()])) or 1.0


@contextmanager
def _collecting_later() -> Iterator[None]:
    """Half a million small objects are made here and all stay: looking for garbage among them takes a third as long
    as making them."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _holders(entries: Sequence[_Entry]) -> dict[str, list[int]]:
    """The numbers of the entries that have each feature."""
    holders: defaultdict[str, list[int]] = defaultdict(list)
    for number, entry in enumerate(entries):
        for name in entry.total:
            holders[name].append(number)
    return dict(holders)


def _shares(gains: dict[int, float], size: float) -> dict[int, float]:
    """Each entry's share of belief, tempered by the length of the question."""
    if not gains:
        return {}
    heat = max(1.0, 0.12 * size)
    top = max(gains.values())
    shares = {entry: math.exp((gain - top) / heat) for entry, gain in gains.items()}
    total = sum(shares.values())
    return {entry: share / total for entry, share in shares.items()}
