"""Who may do what: a role holds for a unit and everything below it, nothing else."""

from __future__ import annotations

from collections.abc import Iterable

from bot.core.words import RoleName, UnitKind
from bot.db import Tx, roles
from bot.db.tables import Person, Unit

STAFF = frozenset({RoleName.EDITOR, RoleName.APPROVER, RoleName.ADMIN})
BROADCASTERS = frozenset({RoleName.VILLAGE_HEAD, RoleName.INFLUENCER, RoleName.EDITOR, RoleName.ADMIN})
"""Roles that may start a broadcast in chat; an influencer's needs an approver."""


async def units_for(tx: Tx, person: Person, names: Iterable[RoleName]) -> list[tuple[RoleName, Unit]]:
    """The units for which a person holds one of the roles, the widest first."""
    wanted = frozenset(names)
    return [(role, unit) for role, unit in await roles.of_person(tx, person.id) if role in wanted]


def covers(above: Unit, below: Unit) -> bool:
    """Whether a role for one unit reaches the other."""
    return below.path.startswith(above.path)


async def may(tx: Tx, person: Person, names: Iterable[RoleName], unit: Unit) -> bool:
    """Whether a person holds one of the roles for the unit or for one above it. Ask again at the moment of doing:
    a role may have been taken away since the question was shown."""
    return any(covers(own, unit) for _, own in await units_for(tx, person, names))


async def approvers(tx: Tx, unit: Unit, *, but: int | None) -> list[int]:
    """Who may approve something for that unit, the nearest first; nobody approves their own."""
    found = await roles.holders(tx, (RoleName.APPROVER, RoleName.ADMIN), unit)
    return [person_id for person_id in found if person_id != but]


WIDEST = (UnitKind.PROVINCE, UnitKind.COMMUNE, UnitKind.VILLAGE)
