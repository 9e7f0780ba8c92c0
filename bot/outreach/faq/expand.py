"""What people type turned into plain folded words: abbreviations, teencode, dialect, broken Telex."""

from __future__ import annotations

import re
from functools import lru_cache

from bot.core.text import fold, words
from bot.outreach.faq.shorthand import ALWAYS, ALWAYS_BEGIN, DIALECT, SHORT, UNMARKED, UNMARKED_WORDS

LONGEST = 600
"""Characters of a question that are looked at."""

_NUMBER = re.compile(r"\d{4}")
"""In anything that might be somebody's number: it is left alone and kept in no cache."""
_CHI = re.compile(r"\bchi\b(?! (?:phí|tiết|nhánh|tiêu|trả|cục|hội|bộ|đoàn|em|chị))")
_TOOTH = re.compile(r"\b(nhức|đau|sâu|đánh|chải|nhổ|trồng|hàm|bọc|niềng|mọc|gãy) răng\b(?! (?:hè|hí|rứa|ri|chừ|đây))")

_ONSET = r"(?:ngh|ng|nh|th|tr|ch|kh|ph|gh|gi|qu|[bcdghklmnpqrstvx])?"
_SYLLABLE = re.compile(_ONSET + r"(?:[aeiouy]{1,3})(?:ng|nh|ch|[cmnptuiy])?")
_HELD = re.compile(r"([a-z])\1{2,}")
_LONE_W = re.compile(r"(?<![aou])w")
_DOUBLES = re.compile(r"([aeod])\1")
_LETTERS_AND_TONES = re.compile(r"[a-z]+[1-9][a-z1-9]*")
_NUMBERED = re.compile(r"(?:muc|cap|lop|so|hang|level|lv|buoc|quy|khu|thang)[0-9]")
"""A word and its number written in one, which no tone key is."""


def expand(text: str, known: frozenset[str] = frozenset()) -> str:
    """Folded words of a question, spelled out. `known` are words that are right as they stand (`book`, `app`).

    Never raises; the same words always give the same result.
    """
    return read(text, known)[0]


def read(text: str, known: frozenset[str] = frozenset()) -> tuple[str, dict[str, set[str]]]:
    """The same, and how its words were typed with marks, by folded word."""
    typed = words(text[:LONGEST])
    said = _without_dialect(typed)
    marks: dict[str, set[str]] = {}
    plain = []
    for word in said.split():
        if not word.isalpha() and _NUMBER.search(word):
            plain.append(word)
            continue
        if (bare := folded(word)) != word:
            marks.setdefault(bare, set()).add(word)
        plain.append(_word(word, known))
    return _by_rules(" ".join(plain), unmarked=not marks), marks


def _by_rules(plain: str, unmarked: bool) -> str:
    if unmarked and not UNMARKED_WORDS.isdisjoint(plain.split()):
        for pattern, change in UNMARKED:
            plain = pattern.sub(change, plain)
    if ALWAYS_BEGIN.search(plain):
        for pattern, change in ALWAYS:
            plain = pattern.sub(change, plain)
    return plain


def spoken(text: str) -> str:
    """The words of a text with their marks, dialect put into common speech."""
    return _without_dialect(words(text[:LONGEST]))


def _without_dialect(typed: str) -> str:
    """The same where nobody typed any marks: then neighbours must tell what is dialect."""
    if typed.isascii():
        return typed
    kept = _TOOTH.sub(r"\1 răng_", typed) if "răng" in typed else typed
    kept = _CHI.sub("gì", kept) if "chi" in kept else kept
    return " ".join(DIALECT.get(word, word) for word in kept.split()).replace("_", "")


@lru_cache(maxsize=16384)
def folded(word: str) -> str:
    """One word without its marks."""
    return fold(word).replace(" ", "")


@lru_cache(maxsize=16384)
def _word(word: str, known: frozenset[str]) -> str:
    bare = folded(word)
    if _NUMBERED.fullmatch(bare):
        return f"{bare[:-1]} {bare[-1]}"
    if bare in SHORT and (bare == word or not is_syllable(bare)):
        return SHORT[bare]
    if bare in known or is_syllable(bare):
        return bare
    repaired = untelex(bare)
    if repaired == bare and (squeezed := _squeezed(bare)) in known:
        return squeezed
    return SHORT.get(repaired, repaired)


@lru_cache(maxsize=4096)
def untelex(word: str) -> str:
    """A folded word without the keys that Telex or VNI left in it: `nhaanj` and `nha65n` become `nhan`. Words that
    would be no Vietnamese syllable then stay as they are."""
    if _LETTERS_AND_TONES.fullmatch(word):
        candidate = re.sub(r"[1-9]", "", word)
        return candidate if len(candidate) > 1 and is_syllable(candidate) else word
    squeezed = _squeezed(word)
    if is_syllable(squeezed):
        return squeezed
    for i in range(len(squeezed) - 1, 0, -1):
        candidate = squeezed[:i] + squeezed[i + 1 :]
        if squeezed[i] in "sfrxj" and is_syllable(candidate):
            return candidate
    return word


def _squeezed(word: str) -> str:
    """Held and doubled letters once, `w` as the hook that it types."""
    return _LONE_W.sub("u", _DOUBLES.sub(r"\1", _HELD.sub(r"\1", word))).replace("w", "")


@lru_cache(maxsize=16384)
def is_syllable(word: str) -> bool:
    """Whether a folded word could be Vietnamese."""
    return _SYLLABLE.fullmatch(word) is not None and not _DOUBLES.search(word)
