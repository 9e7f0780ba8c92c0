"""Mandates: in which role somebody writes to whom, in whose name, and whether somebody else must agree."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from bot.core.text import fold
from bot.core.words import RoleName, UnitKind
from bot.db import Tx, people, units
from bot.db.audience import Atom, Expression, Term
from bot.db.tables import Campaign, Person, Unit
from bot.outreach import roles, unit_search
from bot.outreach.desk import Desk

_BEST_FIRST = (RoleName.VILLAGE_HEAD, RoleName.EDITOR, RoleName.ADMIN, RoleName.INFLUENCER)
LIMITED = frozenset({RoleName.VILLAGE_HEAD, RoleName.INFLUENCER})
"""Roles with a daily number of broadcasts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mandate:
    """`role` holds for `own`; what is written goes to `unit`, or to the circle of the person `circle`, or to the
    groups to which the person `groups` added the bot."""

    role: RoleName
    own: Unit
    unit: Unit
    circle: int | None = None
    groups: int | None = None

    @property
    def needs_approval(self) -> bool:
        """Whether words of one's own need an approver (approved content never does)."""
        return self.role is RoleName.INFLUENCER

    @property
    def is_limited(self) -> bool:
        return self.role in LIMITED

    @property
    def audience(self) -> Expression:
        if self.circle is not None:
            return ((Term(Atom.CIRCLE, str(self.circle)),),)
        if self.groups is not None:
            return ((Term(Atom.CHATS, str(self.groups)),),)
        return ((Term(Atom.UNIT, self.unit.code),),)


async def everything(tx: Tx, person: Person, names: Iterable[RoleName] = roles.BROADCASTERS) -> list[Mandate]:
    """One mandate for each unit of which a person holds one of the roles, the nearest unit first."""
    found: dict[int, Mandate] = {}
    for role, unit in await roles.units_for(tx, person, names):
        best = found.get(unit.id)
        if best is None or _BEST_FIRST.index(role) < _BEST_FIRST.index(best.role):
            found[unit.id] = Mandate(role=role, own=unit, unit=unit)
    return sorted(found.values(), key=lambda m: (-len(m.unit.path), m.unit.name))


async def to_unit(tx: Tx, person: Person, code: str, names: Iterable[RoleName] = roles.BROADCASTERS) -> Mandate | None:
    """In which role a person may write to a unit now; `None` if in none. Ask again at the moment of doing."""
    unit = await units.by_code(tx, code)
    if unit is None:
        return None
    held = [(role, own) for role, own in await roles.units_for(tx, person, names) if roles.covers(own, unit)]
    if not held:
        return None
    role, own = min(held, key=lambda pair: (_BEST_FIRST.index(pair[0]), -len(pair[1].path)))
    return Mandate(role=role, own=own, unit=unit)


async def to_circle(tx: Tx, person: Person, names: Iterable[RoleName] = (RoleName.INFLUENCER,)) -> Mandate | None:
    """In which role a person may write to those who joined through them."""
    best = await _best(tx, person, names)
    return replace(best, circle=person.id) if best is not None else None


async def to_groups(tx: Tx, person: Person) -> Mandate | None:
    """In which role a person may write to the groups to which they added the bot."""
    best = await _best(tx, person, roles.BROADCASTERS)
    return replace(best, groups=person.id) if best is not None else None


async def _best(tx: Tx, person: Person, names: Iterable[RoleName]) -> Mandate | None:
    held = await roles.units_for(tx, person, names)
    if not held:
        return None
    role, own = min(held, key=lambda pair: (_BEST_FIRST.index(pair[0]), -len(pair[1].path)))
    return Mandate(role=role, own=own, unit=own)


async def may_still(tx: Tx, campaign: Campaign) -> bool:
    """Whether a campaign's author holds now the role in which it was written, for its unit. What nobody sends in a
    role (tips, reminders, operators' campaigns) always may; what an erased author had planned may not."""
    if campaign.author_role is None:
        return True
    author = await people.get(tx, campaign.author_id) if campaign.author_id is not None else None
    unit = await units.get(tx, campaign.unit_id) if campaign.unit_id is not None else None
    return author is not None and unit is not None and await roles.may(tx, author, (campaign.author_role,), unit)


def may_choose(mandates: Sequence[Mandate]) -> bool:
    """Whether somebody must say to which unit: they hold several, or one with others below it."""
    return len(mandates) > 1 or any(m.unit.kind is not UnitKind.VILLAGE or m.needs_approval for m in mandates)


async def find_units(tx: Tx, mandates: Sequence[Mandate], text: str, today: date, *, limit: int = 8) -> list[Unit]:
    """Units within the mandates that the text may mean, the likeliest first."""
    alive = await units.everything(tx, today)
    within = [unit for unit in alive if any(roles.covers(m.own, unit) for m in mandates)]
    return [match.unit for match in unit_search.find(within, text)][:limit]


async def sender(tx: Tx, desk: Desk, mandate: Mandate, language: str = "vi") -> str:
    """How the author is called before the residents: by role and unit, never by name. What goes to many is headed in
    Vietnamese, whatever each of them reads."""
    above = await units.get(tx, mandate.own.parent_id) if mandate.own.parent_id else None
    fields = {"unit": mandate.own.name, "above": above.name if above else "", "title": _head_of(mandate.own)}
    return desk.book.label(language, f"broadcast.sender_{mandate.role}", **fields)


def _head_of(unit: Unit) -> str:
    """Which word the head of such a place goes by: the last part of a key in `messages`."""
    folded = fold(unit.name)
    if folded.startswith("ban "):
        return "ban"
    return "block" if folded.startswith(("to dan pho", "khu pho")) else "village"
