"""Giving and taking roles at the command line, also to people who have not written yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from bot.core.errors import UserError
from bot.core.words import RoleName
from bot.db import Tx, audit, people, roles, units
from bot.db.tables import Unit
from bot.outreach import posts
from bot.settings import Address

Keys = Mapping[str, Sequence[str]]


async def ensure_admins(tx: Tx, addresses: Iterable[Address], now: datetime, keys: Keys | None = None) -> None:
    """Make these people `admin` of the province, once; who is admin already stays so."""
    root = await units.root(tx)
    for address in addresses:
        await _give(tx, address, RoleName.ADMIN, root, now, keys or {})


async def grant(tx: Tx, address: Address, role: RoleName, unit: Unit, now: datetime, keys: Keys) -> bool:
    """Returns whether the person did not have the role yet."""
    return await _give(tx, address, role, unit, now, keys)


async def revoke(tx: Tx, address: Address, role: RoleName, unit: Unit, now: datetime) -> None:
    """Raises `UserError` if the person has no such role."""
    contact = await people.find(tx, address.channel, address.external_id)
    if contact is None or not await roles.revoke(tx, contact.person_id, role, unit.id):
        raise UserError(f"{address} is not {role} of {unit.code} {unit.name}: see 'loaso roles list'")
    await audit.note(tx, now, "role_revoked", f"person:{contact.person_id}", role=str(role), unit=unit.code)


async def _give(tx: Tx, address: Address, role: RoleName, unit: Unit, now: datetime, keys: Keys) -> bool:
    person_id = await _person(tx, address, now, keys)
    if (role, unit.id) in [(held, of.id) for held, of in await roles.of_person(tx, person_id)]:
        return False
    await roles.grant(tx, person_id, role, unit.id, now)
    await audit.note(tx, now, "role_granted", f"person:{person_id}", role=str(role), unit=unit.code)
    return True


async def _person(tx: Tx, address: Address, now: datetime, keys: Keys) -> int:
    found = await people.find(tx, address.channel, address.external_id)
    if found is not None:
        return found.person_id
    among = await posts.open_to(tx, address.channel, keys, now)
    account = posts.choose(among, address.external_id)
    person, _ = await people.add(tx, account.id, address.external_id, now)
    return person.id


def read_role(text: str) -> RoleName:
    """Raises `UserError` that names every role there is."""
    try:
        return RoleName(text.strip().lower())
    except ValueError:
        raise UserError(f"'{text}' is not a role: write one of {', '.join(RoleName)}") from None


async def read_unit(tx: Tx, code: str) -> Unit:
    """Raises `UserError` that says where the codes are, or names them when there are few."""
    unit = await units.by_code(tx, code.strip())
    if unit is not None:
        return unit
    known = [u.code for u in await units.ever(tx) if u.valid_to is None]
    some = ", ".join(known[:60]) + (" …" if len(known) > 60 else "")
    raise UserError(f"No unit has the code '{code}': see 'loaso units list'; the codes are {some}")
