"""What a text is made of for the search: words, neighbours, meanings and pairs of meanings, each with a weight."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import combinations, pairwise

Features = dict[str, float]
"""The first letter tells the sort: `w` a word, `p` two neighbours, `m` a word with its marks, `s` a meaning, `t` two
meanings in one text."""

PAIR, MARKED, MEANING, MEANINGS = 0.9, 0.8, 1.8, 1.0
"""Weights beside that of a word, which is 1."""
STOP_WEIGHT = 0.25
STOP = frozenset(
    """la gi the nao lam sao cach thi co khong duoc o dau toi bi va cho cua de muon can phai nhu vay bay gio roi voi ai
    may nay do mot nhung cac a em anh minh xin hoi ma nua ra vao len xuong khi hay di den biet con xem hom ngay
    mai suot nam nhieu chu bang tu cung rat lai moi dang se da thay ba ong bac co chau ho nha nguoi ta nguoi cai
    nghe nhe nha ha ho ad bot giup gium dum""".split()  # noqa: SIM905
)


def features(plain: str) -> Features:
    """Weighted words and neighbours of folded, expanded text."""
    return weigh(plain.split(), {}, {})


def weigh(tokens: Sequence[str], marks: Mapping[str, Collection[str]], meanings: Mapping[str, float]) -> Features:
    """The same of single words, with how they were marked and what is meant."""
    found: Features = {}
    for token in tokens:
        name = "w" + token
        found[name] = found.get(name, 0.0) + (STOP_WEIGHT if token in STOP else 1.0)
    for a, b in pairwise(tokens):
        found[f"p{a} {b}"] = PAIR * STOP_WEIGHT if a in STOP and b in STOP else PAIR
    for token, typed in marks.items():
        weight = MARKED * STOP_WEIGHT if token in STOP else MARKED
        for word in typed:
            found["m" + word] = weight
    for meaning, weight in meanings.items():
        found["s" + meaning] = MEANING * weight
    for a, b in combinations(sorted(meanings), 2):
        found[f"t{a} {b}"] = MEANINGS * meanings[a] * meanings[b]
    return found
