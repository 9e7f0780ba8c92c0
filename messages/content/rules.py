"""What an editor must not say: expired facts, bare numbers, forbidden claims, the same thing twice."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from itertools import combinations
from pathlib import Path

from bot.core.text import fold
from messages.content.claims import CLAIMS, SENTENCE
from messages.content.lines import Key, Problem
from messages.content.models import CURRICULUM_DAYS, FactKind, Pack, Sourced, is_current
from messages.content.records import REFERENCE, SPOKEN, Shelf

LONGEST_TRUST = 400
"""Days after which anything must have been checked again."""
VOICE_LIMIT = 300 * 1024
"""Bytes of a recording: a minute of Opus has two thirds of that."""
ALIKE = 0.55
"""Share of common word triples from which two tips count as nearly the same."""

_PHONE = re.compile(r"(?<![\w.])(?:\+?84|0|1[89]00)(?:[ .\-]?\d){6,9}(?!\w)")
_SUM = re.compile(r"(?<![\w.])\d[\d.,]*\s*(?:triệu|tỷ|tỉ|nghìn|ngàn|đồng|VND|%)", re.IGNORECASE)
_LINK = re.compile(r"https?://[^\s)]+")
_HOST = re.compile(r"https://([\w.-]+)")


def broken(pack: Pack, shelf: Shelf, folder: Path, today: date) -> Iterator[Problem]:
    """All problems of a pack that was read, apart from those that kept a record from being read."""
    for kind, items in (("facts", pack.facts), ("tips", pack.tips), ("faq", pack.faq)):
        for item in (item for item in items.values() if (kind, item.id) in shelf.places):  # others stand elsewhere
            yield from _dates(kind, item, pack, shelf, today)
            yield from _wording(kind, item, pack, shelf)
    yield from _unasked(pack, shelf)
    yield from _too_alike(pack, shelf)
    yield from _media(pack, shelf, folder)
    yield from _too_short(pack, shelf, folder)


def _dates(kind: str, item: Sourced, pack: Pack, shelf: Shelf, today: date) -> Iterator[Problem]:
    if item.checked_on > today:
        yield shelf.at(kind, item.id, ("checked_on",), f"`{item.id}` was checked on {item.checked_on}, in the future")
    if item.expired(today):
        yield shelf.at(kind, item.id, ("expires",), f"`{item.id}` expired on {item.expires}: check it again")
    elif not is_current(item, pack.facts, today):
        old = ", ".join(f for f in item.uses if not is_current(pack.facts[f], pack.facts, today))
        yield shelf.at(kind, item.id, (), f"`{item.id}` uses an expired fact ({old}): it is not said any more")
    if not 0 < (item.expires - item.checked_on).days <= LONGEST_TRUST:
        text = f"`{item.id}` must expire within {LONGEST_TRUST} days after it was checked"
        yield shelf.at(kind, item.id, ("expires",), text)


def _wording(kind: str, item: Sourced, pack: Pack, shelf: Shelf) -> Iterator[Problem]:
    hotlines = [re.escape(f.value) for f in pack.facts.values() if f.kind is FactKind.HOTLINE]
    dialled = re.compile(r"(?<![\w.,/])(?:" + "|".join(hotlines or ["(?!)"]) + r")(?![\w/]|[.,]\d)")
    for key, text in _spoken(shelf.raw(kind, item.id)):
        for complaint in _complaints(REFERENCE.sub("", text), dialled, loud=key[0] == "script"):
            yield shelf.at(kind, item.id, key, f"`{item.id}`: {complaint}")


def _complaints(text: str, dialled: re.Pattern[str], loud: bool) -> Iterator[str]:
    for match in [*_PHONE.finditer(text), *dialled.finditer(text)]:
        yield f"the number {match[0]} must be a fact, written {{fact:…}}"
    for match in _SUM.finditer(text):
        yield f"the figure {match[0]} must be a fact, written {{fact:…}}"
    if "{" in text or "}" in text:
        yield "braces stand only in {fact:id}"
    for link in _LINK.findall(text):
        if loud:
            yield f"a loudspeaker cannot say the link {link}"
        elif not ((host := _HOST.match(link)) and host[1].endswith(".gov.vn")):
            yield f"the link {link} does not lead to a .gov.vn address"
    for sentence in SENTENCE.split(text.casefold()):
        yield from (reason for claim in CLAIMS if (reason := claim.objection(sentence)))


def _spoken(row: object) -> Iterator[tuple[Key, str]]:
    """Each text of a record that people read or hear, as it stands in the file. Wrong choices of a practice question
    are left out: they say what one must not do."""
    if not isinstance(row, dict):
        return
    for name in SPOKEN:
        value = row.get(name)
        if isinstance(value, str):
            yield (name,), value
        elif isinstance(value, list):
            yield from (((name, i), v) for i, v in enumerate(value) if isinstance(v, str))
        elif isinstance(value, dict):
            yield from (((name, part), v) for part in ("ask", "because") if isinstance(v := value.get(part), str))


def _unasked(pack: Pack, shelf: Shelf) -> Iterator[Problem]:
    for tip in pack.tips.values():
        if tip.quiz is None:
            yield shelf.at("tips", tip.id, (), f"`{tip.id}` has no practice question: add `quiz:`")


def _too_alike(pack: Pack, shelf: Shelf) -> Iterator[Problem]:
    seen = [(tip, fold(tip.title), _triples(tip.body()), _triples(tip.simpler)) for tip in pack.tips.values()]
    for (a, a_title, *a_texts), (b, b_title, *b_texts) in combinations(seen, 2):
        if a_title == b_title:
            yield shelf.at("tips", b.id, ("title",), f"`{b.id}` has the title of `{a.id}`")
        if any(_common(x, y) >= ALIKE for x, y in zip(a_texts, b_texts, strict=True)):
            yield shelf.at("tips", b.id, ("text",), f"`{b.id}` says nearly the same as `{a.id}`")


def _triples(text: str) -> frozenset[tuple[str, ...]]:
    words = fold(text).split()
    return frozenset(zip(words, words[1:], words[2:], strict=False))


def _common(a: frozenset[tuple[str, ...]], b: frozenset[tuple[str, ...]]) -> float:
    return len(a & b) / len(a | b) if a and b else 0.0


def _media(pack: Pack, shelf: Shelf, folder: Path) -> Iterator[Problem]:
    for tip in pack.tips.values():
        for name, path in (("picture", tip.picture), ("voice", tip.voice)):
            if path and not (folder / path).is_file():
                yield shelf.at("tips", tip.id, (name,), f"there is no file {path} in the pack")
            elif path and name == "voice" and not _is_voice(folder / path):
                yield shelf.at("tips", tip.id, (name,), f"{path} is no .ogg (Opus) of at most 300 KB: about a minute")


def _is_voice(path: Path) -> bool:
    return path.suffix == ".ogg" and path.read_bytes()[:4] == b"OggS" and path.stat().st_size <= VOICE_LIMIT


def _too_short(pack: Pack, shelf: Shelf, folder: Path) -> Iterator[Problem]:
    for group, ids in pack.curricula.items():
        if len(ids) < CURRICULUM_DAYS:
            text = f"the curriculum of `{group}` has {len(ids)} days, at least {CURRICULUM_DAYS} are wanted"
            document = shelf.documents[folder / "curricula.yaml"]
            yield Problem(document.path, document.line(("curricula", group)), text)
