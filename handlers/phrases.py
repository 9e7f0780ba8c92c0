"""Whole messages that mean one thing, however they are spelled: with or without marks, politely, stretched, twice."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import groupby

from bot.core.text import fold, words

LONGEST = 80
"""Characters of a message that may still be one of our phrases; anything longer says something else."""

_MENTION = re.compile(r"(?<!\S)@\w+")
_STRETCHED = re.compile(r"([^\W\d_])\1{2,}")


@lru_cache(maxsize=4096)
def _fold(word: str) -> str:
    return fold(word)


def _small(text: str) -> frozenset[str]:
    """These words as they may be typed: with their marks, or with none."""
    marked = words(text).split()
    return frozenset(marked) | frozenset(map(_fold, marked))


_BEFORE = _small(
    "dạ vâng ừ ok thưa em anh chị cô chú bác ông bà con cháu mình tôi tui cho xin hãy muốn nhờ vui lòng làm ơn "
    "bot ad admin loa số ơi à bạn phiền please pls i want to"
)
_AFTER = _small(
    "ạ à nhé nhá nha nhe nghe nghen hí hè với đi nào giúp giùm dùm hộ cho của em anh chị cô chú bác con cháu mình "
    "tôi tui bot ad loa số ơi bạn ngay luôn liền cảm cám ơn please pls thanks thank you now"
)


class Phrases:
    """A set of phrases. Each word that was typed with marks must have the right ones (dừng is not dùng); a word
    typed without any mark may stand for every word that it looks like."""

    def __init__(self, *phrases: str) -> None:
        self._known: defaultdict[tuple[str, ...], set[tuple[str, ...]]] = defaultdict(set)
        for phrase in phrases:
            marked = tuple(words(phrase).split())
            self._known[_folded(marked)].add(marked)

    def __contains__(self, text: str) -> bool:
        """Whether the whole of `text` is one of the phrases, small polite words around it aside."""
        said = spoken(text)
        return any(self._is_known(core) for core in _cores(said))

    def _is_known(self, said: Sequence[str]) -> bool:
        return any(all(map(_may_mean, said, known)) for known in self._known.get(_folded(said), ()))


def spoken(text: str) -> tuple[str, ...]:
    """The words of a short message: mentions left out, held-down letters and repeated words written once."""
    if len(text) > LONGEST:
        return ()
    plain = _STRETCHED.sub(r"\1", words(_MENTION.sub(" ", text)))
    return tuple(word for word, _ in groupby(plain.split()))


def _cores(said: tuple[str, ...]) -> Iterable[tuple[str, ...]]:
    """What is left when polite words are taken away at both ends, from nothing to as many as there are."""
    first = _polite(said, _BEFORE)
    last = _polite(said[::-1], _AFTER)
    for before in range(first + 1):
        for after in range(last + 1):
            if core := said[before : len(said) - after]:
                yield core


def _polite(said: Sequence[str], small: frozenset[str]) -> int:
    for count, word in enumerate(said):
        if word not in small:
            return count
    return len(said)


def _may_mean(typed: str, known: str) -> bool:
    return typed == known or (typed == _fold(known) and typed == _fold(typed))


def _folded(said: Sequence[str]) -> tuple[str, ...]:
    return tuple(_fold(word) for word in said)
