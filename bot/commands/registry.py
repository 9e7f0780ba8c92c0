"""`loaso units list` and `loaso roles …`: who and what the bot knows."""

from __future__ import annotations

from bot.commands import console
from bot.commands.edge import DONE
from bot.commands.opened import Opened, with_database
from bot.core.errors import UserError
from bot.core.words import UnitKind
from bot.db import registers, units
from bot.db.tables import Unit
from bot.outreach import posts, roles_admin
from bot.settings import Address


def list_units(below: str | None, as_json: bool) -> int:
    async def work(opened: Opened) -> list[tuple[Unit, int]]:
        async with opened.database.read() as tx:
            above = await roles_admin.read_unit(tx, below) if below else None
            found = await units.everything(tx, opened.clock.today(opened.now))
            people = await registers.subscribers_by_unit(tx)
            inside = [u for u in found if above is None or (u.path.startswith(above.path) and u.id != above.id)]
            inside.sort(key=lambda u: u.path)
            return [(unit, people.get(unit.id, 0)) for unit in inside]

    found = with_database(work)
    if as_json:
        console.result([_unit(unit, count) for unit, count in found])
    else:
        rows = [(_indent(unit) + unit.code, unit.name, unit.kind, _parent(unit), count) for unit, count in found]
        console.table(("code", "name", "kind", "parent", "people"), rows)
    return DONE


def _unit(unit: Unit, people: int) -> dict[str, object]:
    row: dict[str, object] = {"code": unit.code, "name": unit.name, "kind": str(unit.kind), "parent": _parent(unit)}
    return row | {"aliases": unit.aliases, "people": people}


def _parent(unit: Unit) -> str:
    codes = unit.path.strip("/").split("/")
    return codes[-2] if len(codes) > 1 else ""


def _indent(unit: Unit) -> str:
    return "  " * tuple(UnitKind).index(unit.kind) if console.for_people(False) else ""


def grant(who: str, role: str, unit: str) -> int:
    address, name = _address(who), roles_admin.read_role(role)

    async def work(opened: Opened) -> tuple[bool, Unit]:
        keys = posts.configured(opened.settings)
        async with opened.database.write() as tx:
            place = await roles_admin.read_unit(tx, unit)
            return await roles_admin.grant(tx, address, name, place, opened.now, keys), place

    fresh, place = with_database(work)
    console.say(f"{address} is {'now' if fresh else 'already'} {name} of {place.code} {place.name}.")
    return DONE


def revoke(who: str, role: str, unit: str) -> int:
    address, name = _address(who), roles_admin.read_role(role)

    async def work(opened: Opened) -> Unit:
        async with opened.database.write() as tx:
            place = await roles_admin.read_unit(tx, unit)
            await roles_admin.revoke(tx, address, name, place, opened.now)
            return place

    place = with_database(work)
    console.say(f"{address} is no longer {name} of {place.code} {place.name}.")
    return DONE


def list_roles(unit: str | None, as_json: bool) -> int:
    async def work(opened: Opened) -> list[registers.Holder]:
        async with opened.database.read() as tx:
            above = await roles_admin.read_unit(tx, unit) if unit else await units.root(tx)
            return [h for h in await registers.holders(tx) if unit is None or h.unit.path.startswith(above.path)]

    found = with_database(work)
    if as_json:
        console.result(
            [{"who": h.addresses, "person": h.person_id, "role": str(h.role), "unit": h.unit.code} for h in found]
        )
    else:
        rows = [(" ".join(h.addresses), h.role, h.unit.code, h.unit.name) for h in found]
        console.table(("who", "role", "unit", "name"), rows)
    return DONE


def _address(text: str) -> Address:
    try:
        return Address.parse(text)
    except ValueError as error:
        raise UserError(str(error)) from None
