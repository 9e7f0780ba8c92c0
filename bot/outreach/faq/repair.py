"""Typing mistakes put right: one letter missing, added, swapped or wrong, spaces forgotten or too many."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from itertools import pairwise

from bot.outreach.faq.expand import is_syllable

_KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_LONGEST_JOINED = 24
"""Letters of words written in one that are still taken apart."""
_RARE = 2
"""Times that something which is no syllable may stand in the pack and still be a slip."""
_SHORTEST = 3
"""Letters of a word that may be repaired alone; shorter ones need a known neighbour."""


def _neighbours() -> dict[str, str]:
    """The keys beside each key, on its row and the rows above and below."""
    place = {letter: (row, column) for row, keys in enumerate(_KEYS) for column, letter in enumerate(keys)}
    return {
        a: "".join(
            b for b, (r, c) in place.items() if a != b and abs(r - place[a][0]) <= 1 and abs(c - place[a][1]) <= 1
        )
        for a in place
    }


_BESIDE = _neighbours()


class Repair:
    """Puts words right towards those that the pack knows. `counts` says how often each is used, `pairs` which stand
    side by side; `sure` are words that are right however rare."""

    def __init__(
        self, counts: Mapping[str, int], pairs: Collection[tuple[str, str]], sure: Collection[str] = frozenset()
    ) -> None:
        self._counts = {w: n for w, n in counts.items() if n > _RARE or w in sure or is_syllable(w)}
        self._pairs = pairs
        self._names = frozenset(word for word in self._counts if len(word) > 1 and not is_syllable(word))
        self._without: defaultdict[str, list[str]] = defaultdict(list)
        for word in self._counts:
            for shorter in _shortened(word):
                self._without[shorter].append(word)

    def __call__(self, tokens: list[str]) -> list[str]:
        """The words, repaired where they make no sense and something near does."""
        if self.knows(tokens):
            return self._joined(tokens)
        apart = [part for token in self._joined(tokens) for part in self._apart(token)]
        for i, token in enumerate(apart):
            if token not in self._counts:
                before = apart[i - 1] if i else ""
                after = apart[i + 1] if i + 1 < len(apart) else ""
                apart[i] = self._nearest(token, before, after)
        return apart

    def knows(self, tokens: Iterable[str]) -> bool:
        return all(token in self._counts for token in tokens)

    def _joined(self, tokens: list[str]) -> list[str]:
        """`face book` and `v ne id` as the name that they are."""
        joined: list[str] = []
        i = 0
        while i < len(tokens):
            size = next((n for n in (3, 2) if "".join(tokens[i : i + n]) in self._names and i + n <= len(tokens)), 1)
            joined.append("".join(tokens[i : i + size]))
            i += size
        return joined

    def _apart(self, token: str) -> list[str]:
        """Known words that were written in one, or the word itself."""
        if token in self._counts or is_syllable(token) or not 5 <= len(token) <= _LONGEST_JOINED:
            return [token]
        best: list[tuple[float, list[str]] | None] = [(0.0, [])] + [None] * len(token)
        for end in range(1, len(token) + 1):
            for start in range(max(0, end - 9), end):
                word, before = token[start:end], best[start]
                if before is None or word not in self._counts or (len(word) == 1 and not word.isdigit()):
                    continue
                known = bool(before[1]) and (before[1][-1], word) in self._pairs
                score = before[0] + 1.0 - (0.7 if known else 0.0) + (0.8 if len(word) < 3 else 0.0)
                if (other := best[end]) is None or score < other[0]:
                    best[end] = (score, [*before[1], word])
        whole = best[-1]
        return whole[1] if whole is not None and whole[0] <= 0.55 * len(token) else [token]

    def _nearest(self, token: str, before: str, after: str) -> str:
        if len(token) < 2 or token.isdigit():
            return token
        near = self._candidates(token)
        beside = [w for w in near if (before, w) in self._pairs or (w, after) in self._pairs]
        if beside:
            return max(beside, key=lambda w: (_likeness(token, w), self._counts[w], w))
        if is_syllable(token) or len(token) < _SHORTEST:
            return token
        return max(near, key=lambda w: (_likeness(token, w), self._counts[w], w), default=token)

    def _candidates(self, token: str) -> set[str]:
        """Known words one slip away."""
        found = set(self._without.get(token, ()))
        for shorter in _shortened(token):
            if shorter in self._counts:
                found.add(shorter)
            found.update(w for w in self._without.get(shorter, ()) if len(w) == len(token) and _one_slip(token, w))
        return {w for w in found if len(w) > 1}


def _shortened(word: str) -> Iterable[str]:
    return {word[:i] + word[i + 1 :] for i in range(len(word))} if len(word) > 2 else ()


def _one_slip(a: str, b: str) -> bool:
    """Whether two words of one length differ in one letter, or in two neighbours that changed places."""
    wrong = [i for i in range(len(a)) if a[i] != b[i]]
    if len(wrong) == 1:
        return True
    return len(wrong) == 2 and wrong[1] == wrong[0] + 1 and a[wrong[0]] == b[wrong[1]] and a[wrong[1]] == b[wrong[0]]


def _likeness(typed: str, meant: str) -> int:
    """How probable the slip is: swapped letters or a missing one before a neighbouring key before any other."""
    if sorted(typed) == sorted(meant):
        return 3
    if len(typed) != len(meant):
        doubled = any(a == b for a, b in pairwise(typed if len(typed) > len(meant) else meant))
        return 3 if doubled or len(typed) < len(meant) else 2
    return 2 if any(b in _BESIDE.get(a, "") for a, b in zip(typed, meant, strict=True) if a != b) else 1
