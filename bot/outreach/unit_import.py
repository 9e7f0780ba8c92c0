"""Bringing in units: villages of a commune, renamed communes, merged villages; the file's order does not matter."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from bot.core.text import clean, fold
from bot.core.words import UnitKind
from bot.db import Tx, audit, units
from bot.db.tables import Unit
from bot.outreach.sheets import Refuse, Refused, Row, Sheet, quote

REQUIRED = ("code", "name", "kind", "parent")
OPTIONAL = ("aliases", "valid_from", "valid_to", "merged_into")
CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")
_ABOVE = {UnitKind.COMMUNE: UnitKind.PROVINCE, UnitKind.VILLAGE: UnitKind.COMMUNE}
_KINDS = {
    UnitKind.PROVINCE: ("province", "tinh", "thanh pho"),
    UnitKind.COMMUNE: ("commune", "ward", "xa", "phuong", "dac khu", "thi tran"),
    UnitKind.VILLAGE: ("village", "thon", "ban", "lang", "to dan pho", "tdp", "khu pho", "tieu khu", "khom", "ap"),
}
_WORDS = {word: kind for kind, words in _KINDS.items() for word in words}


@dataclass(frozen=True, slots=True)
class Wish:
    """What one line says about a unit. What is empty leaves a known unit as it is."""

    line: int
    code: str
    name: str
    kind: UnitKind
    parent: str
    aliases: tuple[str, ...]
    valid_from: date | None
    valid_to: date | None
    merged_into: str


@dataclass(slots=True)
class Tally:
    """What an import did."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: int = 0

    def count(self, before: object, after: object) -> None:
        """One accepted line: `before` is `None` for what was not known."""
        if before is None:
            self.added += 1
        elif before != after:
            self.updated += 1
        else:
            self.unchanged += 1

    def as_dict(self) -> dict[str, int]:
        return {
            "added": self.added,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "refused": self.refused,
        }


def read(path: Path, refuse: Refuse, progress: Callable[[int], None] = lambda _bytes: None) -> list[Wish]:
    """The lines that make sense by themselves. Raises `BadFile` and `OSError`."""
    wishes: dict[str, Wish] = {}  # by code without capitals: V1 and v1 would be one unit to most people
    for row in Sheet(path, REQUIRED, OPTIONAL).rows(refuse, progress):
        try:
            wish = _wish(row, wishes)
        except Refused as why:
            refuse(row.line, str(why))
        else:
            wishes[wish.code.lower()] = wish
    return list(wishes.values())


def _wish(row: Row, earlier: Mapping[str, Wish]) -> Wish:
    code, name = row["code"], clean(row["name"])
    if not CODE.fullmatch(code):
        raise Refused(f"{quote(code)} is not a code: 1 to 32 of A-Z, a-z, 0-9, '.', '_' and '-'" if code else "no code")
    if (before := earlier.get(code.lower())) is not None:
        raise Refused(f"the code {before.code} stands on line {before.line} already")
    if not name or len(name) > 120:
        raise Refused("no name" if not name else "the name is longer than 120 characters")
    kind = _WORDS.get(fold(row["kind"]))
    if kind is None:
        raise Refused(f"{quote(row['kind'])} is not a kind: write village, commune or province")
    begins, ends = _day(row, "valid_from"), _day(row, "valid_to")
    if begins and ends and ends < begins:
        raise Refused("valid_to is before valid_from")
    aliases = tuple(dict.fromkeys(a for a in (clean(part) for part in row["aliases"].split("|")) if a and a != name))
    return Wish(row.line, code, name, kind, row["parent"], aliases, begins, ends, row["merged_into"])


def _day(row: Row, column: str) -> date | None:
    text = row[column]
    if not text:
        return None
    for form in ("%Y-%m-%d", "%d/%m/%Y"):
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007 - a day has no time zone
        except ValueError:
            continue
    raise Refused(f"{column} is {quote(text)}: write a day like 2026-07-01")


@dataclass(slots=True)
class _Plan:
    """The units as they will be: what is known, with what the file wishes, less what had to be refused."""

    known: dict[str, Unit]
    wishes: dict[str, Wish]
    heirs: dict[str, str]
    refuse: Refuse
    refused: dict[str, int] = field(default_factory=dict)
    spelled: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.spelled = {code.lower(): code for code in self.known}

    def settle(self) -> list[Wish]:
        """Refuse until what is left fits together; a refused unit takes with it what hangs on it."""
        while bad := self._bad():
            for wish, why in bad:
                del self.wishes[wish.code]
                self.refused[wish.code] = wish.line
                self.refuse(wish.line, why)
        return list(self.wishes.values())

    def _bad(self) -> list[tuple[Wish, str]]:
        """What the first question finds that finds anything: a line must not fall over one that is refused itself."""
        for question in (self._wrong_code, self._wrong_kind, self._wrong_parent, self._wrong_merger):
            if bad := [(wish, why) for wish in self.wishes.values() if (why := question(wish))]:
                return bad
        return []

    def _wrong_code(self, wish: Wish) -> str | None:
        like = self.spelled.get(wish.code.lower(), wish.code)
        return None if like == wish.code else f"the code {wish.code} differs from {like} in its capitals alone"

    def _wrong_parent(self, wish: Wish) -> str | None:
        if wish.kind is UnitKind.PROVINCE:
            return "a province has no parent" if wish.parent else None
        wanted = _ABOVE[wish.kind]
        if not wish.parent:
            return f"a {wish.kind} needs a parent: the code of its {wanted}"
        if wish.parent == wish.code:
            return "a unit cannot be below itself"
        kind = self._kind(wish.parent)
        if kind is None:
            return f"its parent {quote(wish.parent)} {self._absent(wish.parent)}"
        return None if kind is wanted else f"a {wish.kind} belongs to a {wanted}, but {wish.parent} is a {kind}"

    def _wrong_kind(self, wish: Wish) -> str | None:
        old = self.known.get(wish.code)
        if old is None or old.kind is wish.kind:
            return None
        below = any(u.parent_id == old.id and u.code not in self.wishes for u in self.known.values())
        return f"{wish.code} is a {old.kind} with units below it: it cannot become a {wish.kind}" if below else None

    def _wrong_merger(self, wish: Wish) -> str | None:
        if not wish.merged_into:
            return None
        kind = self._kind(wish.merged_into)
        if kind is None:
            return f"merged_into {quote(wish.merged_into)} {self._absent(wish.merged_into)}"
        if kind is not wish.kind:
            return f"a {wish.kind} cannot be merged into a {kind}"
        seen = {wish.code}
        follow: str | None = wish.merged_into
        while follow:
            if follow in seen:
                return "units cannot be merged into one another in a circle"
            seen.add(follow)
            follow = self._successor(follow)
        return None

    def _kind(self, code: str) -> UnitKind | None:
        wish, old = self.wishes.get(code), self.known.get(code)
        return wish.kind if wish else old.kind if old else None

    def _absent(self, code: str) -> str:
        return (
            f"was refused (line {self.refused[code]})" if code in self.refused else "is neither known nor in the file"
        )

    def _successor(self, code: str) -> str | None:
        wish = self.wishes.get(code)
        return wish.merged_into if wish and wish.merged_into else self.heirs.get(code)


async def bring_in(tx: Tx, wishes: Iterable[Wish], refuse: Refuse, now: datetime, today: date) -> Tally:
    """Add and change units. Aliases are only ever added, an old name becomes one; a merged unit is closed and its
    people move to the successor."""
    known = {unit.code: unit for unit in await units.ever(tx)}
    by_id = {unit.id: unit.code for unit in known.values()}
    heirs = {code: by_id[unit.merged_into_id] for code, unit in known.items() if unit.merged_into_id is not None}
    plan = _Plan(known, {wish.code: wish for wish in wishes}, heirs, refuse)
    accepted = plan.settle()
    tally = Tally(refused=len(plan.refused))
    before = {code: _state(unit) for code, unit in known.items()}
    for kind in UnitKind:
        for wish in (w for w in accepted if w.kind is kind):
            _apply(tx, known, wish)
        await tx.flush()  # the next kind needs the ids of its parents
    _repath(known)
    for wish in accepted:
        if wish.merged_into:
            await _merge(tx, known, wish, today)
    await tx.flush()
    for wish in accepted:
        tally.count(before.get(wish.code), _state(known[wish.code]))
    if tally.added or tally.updated:
        await audit.note(tx, now, "units_imported", "units", **tally.as_dict())
    return tally


def _apply(tx: Tx, known: dict[str, Unit], wish: Wish) -> None:
    parent = known[wish.parent] if wish.parent else None
    unit = known.get(wish.code)
    if unit is None:
        unit = Unit(code=wish.code, name=wish.name, kind=wish.kind, path="", aliases=[])
        tx.add(unit)
        known[wish.code] = unit
    gained = (*wish.aliases, unit.name)
    unit.name, unit.kind = wish.name, wish.kind
    unit.parent_id = parent.id if parent else None
    fresh = [alias for alias in dict.fromkeys(gained) if alias not in unit.aliases and alias != unit.name]
    if fresh:
        unit.aliases = [*unit.aliases, *fresh]
    unit.valid_from = wish.valid_from or unit.valid_from
    unit.valid_to = wish.valid_to or unit.valid_to
    unit.path = f"{parent.path if parent else '/'}{unit.code}/"


def _repath(known: dict[str, Unit]) -> None:
    """What lies below a unit that has moved moves with it."""
    by_id = {unit.id: unit for unit in known.values()}
    for kind in UnitKind:
        for unit in (u for u in known.values() if u.kind is kind):
            above = by_id[unit.parent_id].path if unit.parent_id else "/"
            if unit.path != f"{above}{unit.code}/":
                unit.path = f"{above}{unit.code}/"


async def _merge(tx: Tx, known: dict[str, Unit], wish: Wish, today: date) -> None:
    old, into = known[wish.code], known[wish.merged_into]
    old.merged_into_id = into.id
    old.valid_to = old.valid_to or into.valid_from or today
    by_id = {unit.id: unit for unit in known.values()}
    while into.merged_into_id is not None:
        into = by_id[into.merged_into_id]
    await units.merge(tx, old, into)


def _state(unit: Unit) -> tuple[object, ...]:
    """What a change is a change of."""
    return (
        unit.name,
        unit.kind,
        unit.parent_id,
        tuple(unit.aliases),
        unit.valid_from,
        unit.valid_to,
        unit.merged_into_id,
    )
