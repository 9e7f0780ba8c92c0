"""`python -m benchmarks.answers_fit`: fit the weights of `bot.outreach.faq.judgement`, and say what they would do.

The judgement is a conditional logit over the nearest entries and "nothing of these", and upon it a logistic regression
that says whether the best of ours is right. They learn from

* the questions of `tests/faq/asked_tune.jsonl` and `tests/faq/questions.py` (weight 1 each),
* every phrasing of the pack, asked of an index from which it and a sixth of the others were taken (a quarter),
* four phrasings of each entry, asked of an index without that entry: nothing is right then (0.15),
* the foreign questions, asked of an index that does not list their subject: nothing is right either (0.4).

Before fitting on all of it, the questions are split in four and each part is judged by weights that never saw it: those
are the figures printed. It takes some minutes; print what it says into `judgement.py` by hand. Pure Python, Newton's
method with the information matrix, a little shrinkage, steps that never make it worse.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import mul

from benchmarks.questions import TODAY, TUNE, read
from bot.outreach.faq.engine import MAYBE, SURE, texts_of
from bot.outreach.faq.index import Index
from bot.outreach.faq.judgement import FOREIGN, SIGNS, evidence, shares_of, signs
from messages.content.packs import Pack, load
from tests.faq.questions import LATER, QUESTIONS

_FOLDS, _PARTS, _STEPS = 6, 4, 12
_SHRINK = 0.001
_SEED = 1


@dataclass(frozen=True, slots=True)
class Case:
    """One question: the signs of each candidate ("nothing" is the last), which of them are right, what it weighs.
    `ours` says whether an entry was wanted."""

    signs: tuple[tuple[float, ...], ...]
    right: frozenset[int]
    entries: tuple[str, ...]
    weight: float
    ours: bool


def main() -> None:
    pack, chance = load(), random.Random(_SEED)
    asked = list(_asked(pack))
    made = list(_made(pack, chance))
    chance.shuffle(asked)
    found = Counter[str]()
    for part in range(_PARTS):
        seen = [case for i, case in enumerate(asked) if i % _PARTS != part] + made
        learned = fit(seen)
        assured = assure(seen, learned)
        found.update(_outcome(case, learned, assured) for case in asked[part::_PARTS])
    ours, alien = sum(case.ours for case in asked), sum(not case.ours for case in asked)
    print(f"{ours} questions of ours, {alien} others, each judged by weights that never saw it:")
    for name, of in (("right", ours), ("among", ours), ("wrong", ours), ("false", alien), ("offered", alien)):
        print(f"  {name} {found[name] / max(of, 1):.1%}")
    weights = fit(asked + made)
    print("WEIGHTS =", tuple(round(weight, 2) for weight in weights))
    print("ASSURANCE =", tuple(round(weight, 2) for weight in assure(asked + made, weights)))


def _asked(pack: Pack) -> Iterator[Case]:
    index = _index(pack)
    for question in read(TUNE):
        yield from _case(index, question.text, question.wanted, 1.0)
    for _, text, wanted in QUESTIONS + LATER:
        yield from _case(index, text, {wanted} - {None}, 1.0)


def _made(pack: Pack, chance: random.Random) -> Iterator[Case]:
    phrasings: list[tuple[str, str]] = [(p, e.id) for e in pack.faq.values() for p in e.phrasings]
    phrasings += [(p, "") for asked in pack.hints.foreign.values() for p in asked]
    entries, subjects = [*pack.faq], [*pack.hints.foreign]
    for row in (phrasings, entries, subjects):
        chance.shuffle(row)
    for fold in range(_FOLDS):
        held = phrasings[fold::_FOLDS]
        index = _index(pack, phrasings={text for text, _ in held})
        for text, id in held:
            yield from _case(index, text, {id} - {""}, 0.25)
        gone = entries[fold::_FOLDS]
        index = _index(pack, entries=gone)
        for id in gone:
            for text in chance.sample(pack.faq[id].phrasings, 4):
                yield from _case(index, text, set(), 0.15)
        unlisted = subjects[fold::_FOLDS]
        index = _index(pack, subjects=unlisted)
        for subject in unlisted:
            for text in pack.hints.foreign[subject]:
                yield from _case(index, text, set(), 0.4)


def _index(
    pack: Pack, phrasings: Collection[str] = (), entries: Collection[str] = (), subjects: Collection[str] = ()
) -> Index:
    """The index of the pack without these."""
    kept = {
        id: [row for row in texts_of(entry) if row[0] not in phrasings]
        for id, entry in pack.faq.items()
        if id not in entries and pack.current(entry, TODAY)
    }
    foreign = {
        FOREIGN + id: [(text, 1.0) for text in asked if text not in phrasings]
        for id, asked in pack.hints.foreign.items()
        if id not in subjects
    }
    return Index({**kept, **foreign}, pack.hints.synonyms)


def _case(index: Index, text: str, wanted: Collection[str | None], weight: float) -> Iterator[Case]:
    """Nothing where no candidate is right: there is nothing to learn then."""
    found = index.find(text)
    entries = tuple(near.entry for near in found.near)
    right = {i for i, id in enumerate(entries) if (id in wanted if wanted else id.startswith(FOREIGN))}
    right |= set() if wanted else {len(entries)}
    if right:
        yield Case(tuple(signs(found)), frozenset(right), entries, weight, bool(wanted))


def fit(cases: Sequence[Case]) -> list[float]:
    """The weights that make what is right most probable."""
    weights = [0.0] * SIGNS
    whole = sum(case.weight for case in cases)
    for _ in range(_STEPS):
        slope = [_SHRINK * whole * w for w in weights]
        curve = [[_SHRINK * whole * (i == j) for j in range(SIGNS)] for i in range(SIGNS)]
        for case in cases:
            _learn(case, weights, slope, curve)
        weights = _better(cases, weights, _solve(curve, slope), _SHRINK * whole)
    return weights


def _better(cases: Sequence[Case], weights: list[float], step: list[float], shrink: float) -> list[float]:
    """One step on, shorter where the whole one leads past the valley."""
    now = _loss(cases, weights, shrink)
    for size in (1.0, 0.5, 0.25, 0.1, 0.02):
        there = [w - size * s for w, s in zip(weights, step, strict=True)]
        if _loss(cases, there, shrink) < now:
            return there
    return weights


def _loss(cases: Sequence[Case], weights: Sequence[float], shrink: float) -> float:
    """How improbable what is right would be, with a fine for large weights."""
    found = shrink / 2 * sum(w * w for w in weights)
    for case in cases:
        shares = _shares(case, weights)
        found -= case.weight * math.log(sum(shares[i] for i in case.right) + 1e-12)
    return found


def _shares(case: Case, weights: Sequence[float]) -> list[float]:
    return shares_of(case.signs, weights)


def _learn(case: Case, weights: Sequence[float], slope: list[float], curve: list[list[float]]) -> None:
    """Add what one case says about where better weights lie."""
    shares = _shares(case, weights)
    good = sum(shares[i] for i in case.right) or 1e-12
    mean = _mixed(case.signs, shares)
    wanted = _mixed(case.signs, [share / good if i in case.right else 0.0 for i, share in enumerate(shares)])
    for i in range(SIGNS):
        slope[i] += case.weight * (mean[i] - wanted[i])
    for row, share in zip(case.signs, shares, strict=True):
        off = [value - middle for value, middle in zip(row, mean, strict=True)]
        for i, a in enumerate(off):
            if a:
                scaled, line = case.weight * share * a, curve[i]
                for j, b in enumerate(off):
                    line[j] += scaled * b


def _mixed(rows: Iterable[Sequence[float]], shares: Sequence[float]) -> list[float]:
    mixed = [0.0] * SIGNS
    for row, share in zip(rows, shares, strict=True):
        if share:
            for i, value in enumerate(row):
                mixed[i] += share * value
    return mixed


def assure(cases: Sequence[Case], weights: Sequence[float]) -> list[float]:
    """The weights by which the best of ours is right or not: a logistic regression on what the first ones say."""
    rows = [row for case in cases if (row := _evidence(case, weights)) is not None]
    size = len(rows[0][0])
    found = [0.0] * size
    for _ in range(_STEPS):
        slope = [_SHRINK * len(rows) * w for w in found]
        curve = [[_SHRINK * len(rows) * (i == j) for j in range(size)] for i in range(size)]
        for signs_, right, weight in rows:
            sure = 1.0 / (1.0 + math.exp(-sum(map(mul, found, signs_))))
            for i, a in enumerate(signs_):
                slope[i] += weight * (sure - right) * a
                for j, b in enumerate(signs_):
                    curve[i][j] += weight * sure * (1.0 - sure) * a * b
        found = [w - s for w, s in zip(found, _solve(curve, slope), strict=True)]
    return found


def _evidence(case: Case, weights: Sequence[float]) -> tuple[tuple[float, ...], bool, float] | None:
    """What there is for the best of ours, whether it is right, and what the case weighs."""
    shares = _shares(case, weights)
    ours = [i for i, id in enumerate(case.entries) if not id.startswith(FOREIGN)]
    if not ours:
        return None
    best = max(ours, key=lambda i: shares[i])
    return evidence(case.signs, shares, best), case.ours and best in case.right, case.weight


def _solve(matrix: list[list[float]], right: list[float]) -> list[float]:
    """Gauss's elimination with pivots."""
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    for i in range(len(rows)):
        pivot = max(range(i, len(rows)), key=lambda r: abs(rows[r][i]))
        rows[i], rows[pivot] = rows[pivot], rows[i]
        rows[i] = [value / rows[i][i] for value in rows[i]]
        for j in range(len(rows)):
            if j != i and (factor := rows[j][i]):
                rows[j] = [a - factor * b for a, b in zip(rows[j], rows[i], strict=True)]
    return [row[-1] for row in rows]


def _outcome(case: Case, weights: Sequence[float], assured: Sequence[float]) -> str:
    shares = _shares(case, weights)
    order = sorted((i for i, id in enumerate(case.entries) if not id.startswith(FOREIGN)), key=lambda i: -shares[i])
    found = _evidence(case, weights)
    if found is not None and 1.0 / (1.0 + math.exp(-sum(map(mul, assured, found[0])))) >= SURE:
        return ("right" if order[0] in case.right else "wrong") if case.ours else "false"
    if sum(shares[i] for i in order) >= MAYBE:
        return ("among" if case.right & set(order[:3]) else "missed") if case.ours else "offered"
    return "silent" if case.ours else "quiet"


if __name__ == "__main__":
    main()
