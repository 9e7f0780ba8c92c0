"""Finding the commune or village that somebody typed: old and new names, without accents, with typos."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from bot.core.text import fold, words
from bot.core.words import UnitKind
from bot.db.tables import Unit

LONGEST = 120
"""Characters of a text that may still be the name of a place."""

_DISTRICT = r"(?:huyen|thi xa|thanh pho|quan|tx|tp|h)"
_COMMUNE = r"(?:xa|phuong|thi tran|tt|x|p)"
_VILLAGE = r"(?:thon|ban|to dan pho|tdp|to dp|khu pho|kp|tieu khu|tk|to|xom|lang)"
_KINDS = (
    ("district", re.compile(rf"{_DISTRICT} (?=\w)")),
    ("commune", re.compile(rf"{_COMMUNE} (?=\w)")),
    ("village", re.compile(rf"{_VILLAGE} (?=\w)")),
)
_FARM = re.compile(r"^(?:nong truong|nt) (?=\w)")
_LEAD = re.compile(r"^(?:(?:da|em|toi|minh|tui|con|nha|que|o|tai|song|thuoc|dia chi|ben) )+(?=\w)")
_PROVINCE = re.compile(r"(?:^|\s+)(?:tinh )?(?:quang binh|quang tri)(?: cu| moi)?$")
_TAIL = re.compile(r"(?: (?:cu|moi|a|nhe|nha|em|bot))+$")
_PARTS = re.compile(r"[,;/\n–—|()]+|\s-\s")
_INSIDE = re.compile(r"(?<=\w) (?=(?:xa|phuong|thi tran|huyen|thi xa|thanh pho|tp|tx) \w)")


@dataclass(frozen=True, slots=True)
class Match:
    """A place that may be meant. `said` is the name under which it was found; `district` is set when the text named
    an old district and this is one of its communes."""

    unit: Unit
    said: str
    rank: int
    district: str = ""


@dataclass(frozen=True, slots=True)
class _Name:
    unit: Unit
    name: str
    kind: str
    plain: str
    rank: int


def find(units: Sequence[Unit], text: str) -> list[Match]:
    """Places among `units` that the text may mean, likeliest first; one alone is meant, several must be asked about.

    A text like "thôn X, xã Y" finds the village in that commune, or the commune when it has no such village. Typing
    errors are forgiven (one in names of four letters, two from seven). Never raises.
    """
    if len(text) > LONGEST:
        return []
    names = [name for unit in units for name in _names(unit)]
    for said in dict.fromkeys((fold(text), _bare(fold(text)))):
        if found := _exact(names, said, words(text)):
            return found
    parts = _split(text)
    if len(parts) > 1 and (found := _narrow(names, parts)):
        return found
    return _like(names, parts[0]) if parts else []


def districts(units: Iterable[Unit]) -> dict[str, tuple[str, list[Unit]]]:
    """The old districts, by their folded name: the name without its kind, and the communes that lie there now."""
    found: dict[str, tuple[str, list[Unit]]] = {}
    for name in (n for unit in units for n in _names(unit) if n.kind == "district"):
        label = " ".join(name.name.split()[-len(name.plain.split()) :])
        found.setdefault(name.plain, (label, []))[1].append(name.unit)
    return dict(sorted(found.items()))


def _bare(said: str) -> str:
    """Without "I live in", "please" and the province."""
    return _PROVINCE.sub("", _TAIL.sub("", _LEAD.sub("", said))).strip()


def _split(text: str) -> list[str]:
    """The parts of an address, the most specific first."""
    return [part for piece in _PARTS.split(text) for part in _INSIDE.split(fold(piece)) if _bare(part)]


def _names(unit: Unit) -> Iterator[_Name]:
    for rank, name in enumerate([unit.name, *unit.aliases]):
        kind, plain = _kind(fold(str(name)))
        own = "village" if unit.kind is UnitKind.VILLAGE else kind or "commune"
        if unit.kind is not UnitKind.PROVINCE:
            yield _Name(unit, str(name), own, plain, min(rank, 1) + (own == "district"))


def _kind(said: str) -> tuple[str, str]:
    """What sort of place the first word says it is, and the name without that word."""
    for kind, prefix in _KINDS:
        if found := prefix.match(said):
            return kind, _FARM.sub("", said[found.end() :])
    return "", _FARM.sub("", said)


def _exact(names: Iterable[_Name], said: str, marked: str = "") -> list[Match]:
    """Names that are just that, the old districts last. Marks decide where they can."""
    kind, plain = _kind(said)
    joined = plain.replace(" ", "")
    if not joined:
        return []
    found = [n for n in names if n.plain.replace(" ", "") == joined and kind in ("", n.kind)]
    if kind and not found:
        found = [n for n in names if n.kind != "district" and fold(n.name) == said]
    bare = words(marked)
    if exact := [n for n in found if bare and (bare == words(n.name) or bare.endswith(_marked(n)))]:
        found = exact
    return _matches(found)


def _marked(name: _Name) -> str:
    """The name with its marks, without the word for its kind."""
    count = len(name.plain.split())
    return " ".join(words(name.name).split()[-count:])


def _narrow(names: list[_Name], parts: list[str]) -> list[Match]:
    """Read an address from its widest part to its narrowest, each within what the wider ones left."""
    within: list[Match] = []
    for part in reversed(parts):
        inside = [n for n in names if not within or any(_belongs(n.unit, m.unit) for m in within)]
        bare = _bare(part)
        if found := _exact(inside, part) or _exact(inside, bare) or _near(inside, part) or _near(inside, bare):
            within = found
    return within


def _belongs(unit: Unit, above: Unit) -> bool:
    return unit.path.startswith(above.path)


def _like(names: list[_Name], said: str) -> list[Match]:
    bare = _bare(said)
    return _in_two(names, bare) or _near(names, said) or _near(names, bare) or _containing(names, bare)


def _in_two(names: list[_Name], said: str) -> list[Match]:
    """A village or old commune and what it belongs to, with nothing between them: `hai ninh quang ninh`."""
    spaces = [i for i, c in enumerate(said) if c == " "]
    for cut in spaces:
        above = _exact(names, said[cut + 1 :])
        inside = [n for n in names if any(_belongs(n.unit, m.unit) for m in above)]
        if found := _exact(inside, said[:cut]):
            return found
    return []


def _near(names: Iterable[_Name], said: str) -> list[Match]:
    """Names within a typing error or two."""
    kind, plain = _kind(said)
    joined = plain.replace(" ", "")
    if len(joined) < 4 or any(c.isdigit() for c in joined):
        return []
    allowed = 2 if len(joined) >= 7 else 1
    best: dict[int, list[_Name]] = {}
    for name in names:
        if name.kind == "village" and kind not in ("", "village"):
            continue
        if (errors := distance(joined, name.plain.replace(" ", ""), allowed)) <= allowed:
            best.setdefault(errors, []).append(name)
    return _matches(best[min(best)]) if best else []


def _containing(names: Iterable[_Name], said: str) -> list[Match]:
    """Names of which the text is a part, from its beginning first: `phong` for Phong Nha."""
    _, plain = _kind(said)
    if len(plain) < 3:
        return []
    begins = [n for n in names if n.kind != "district" and f"{n.plain} ".startswith(f"{plain} ")]
    inside = [n for n in names if n.kind != "district" and f" {plain} " in f" {n.plain} "]
    return _matches(begins or inside)


def _matches(names: Iterable[_Name]) -> list[Match]:
    """One match a unit, under its best name; district names only for what no other name found."""
    best: dict[int, _Name] = {}
    for name in sorted(names, key=lambda n: (n.rank, n.unit.name)):
        best.setdefault(name.unit.id, name)
    return [Match(n.unit, n.name, n.rank, n.name if n.kind == "district" else "") for n in best.values()]


def distance(a: str, b: str, at_most: int) -> int:
    """Letters added, left out, changed or swapped between two words; anything above `at_most` is `at_most + 1`."""
    if abs(len(a) - len(b)) > at_most:
        return at_most + 1
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, letter in enumerate(a, 1):
        older, before, row = before, row, [i]
        for j, other in enumerate(b, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == b[j - 2] and a[i - 2] == other:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
        if min(row) > at_most:
            return at_most + 1
    return min(row[-1], at_most + 1)
