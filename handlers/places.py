"""Asking where somebody lives, and understanding what they type or press."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bot.core.events import Button
from bot.core.text import fold
from bot.core.words import UnitKind
from bot.db import units
from bot.db.tables import Unit
from bot.outreach import unit_search
from bot.outreach.unit_search import Match
from handlers.routing import ButtonSpec, Context

Rows = list[list[ButtonSpec]]
MOST_CHOICES = 6
_PAGE = 12


async def communes(ctx: Context) -> list[Unit]:
    return await units.of_kind(ctx.tx, UnitKind.COMMUNE, ctx.clock.today(ctx.now))


async def own_commune(ctx: Context) -> Unit | None:
    """The commune in which the person says they live."""
    if ctx.person.unit_id is None:
        return None
    unit = await units.get(ctx.tx, ctx.person.unit_id)
    while unit is not None and unit.kind is UnitKind.VILLAGE:
        unit = await units.get(ctx.tx, unit.parent_id) if unit.parent_id is not None else None
    return unit if unit is not None and unit.kind is UnitKind.COMMUNE else None


async def villages(ctx: Context) -> list[Unit]:
    """The villages of the person's commune."""
    commune = await own_commune(ctx)
    return await units.below(ctx.tx, commune.id, ctx.clock.today(ctx.now)) if commune is not None else []


async def full_name(ctx: Context, unit: Unit) -> str:
    """`Thôn X, Xã Y`: the unit and what it lies in, the province left out."""
    return ", ".join(u.name for u in reversed(await units.chain(ctx.tx, unit)) if u.kind is not UnitKind.PROVINCE)


async def district_buttons(ctx: Context) -> Rows:
    """One button for each old district."""
    found = unit_search.districts(await communes(ctx))
    return _rows(Button(label, f"set:district:{key}") for key, (label, _) in found.items())


async def commune_buttons(ctx: Context, district: str) -> Rows:
    """The communes in an old district; nothing if there is no such district."""
    found = unit_search.districts(await communes(ctx)).get(district)
    if found is None:
        return []
    return [*_rows(_unit_button(u) for u in found[1]), [("subscribe.districts", "set:ask:commune")]]


async def village_buttons(ctx: Context, page: int = 0) -> Rows:
    """One page of the commune's villages, in the order in which people count."""
    found = sorted(await villages(ctx), key=_counting)
    pages = max((len(found) - 1) // _PAGE, 0)
    page = min(max(page, 0), pages)
    rows = _rows(_unit_button(u) for u in found[page * _PAGE : (page + 1) * _PAGE])
    turn: list[ButtonSpec] = []
    if page > 0:
        turn.append(("subscribe.earlier", f"set:villages:{page - 1}"))
    if page < pages:
        turn.append(("subscribe.later", f"set:villages:{page + 1}"))
    return [*rows, turn] if turn else rows


async def choices(ctx: Context, found: Sequence[Match]) -> Rows:
    """Buttons for several places that may be meant, an old district as a button of its own."""
    direct = [m for m in found if not m.district][:MOST_CHOICES]
    rows: Rows = [[Button(await _label(ctx, m), f"set:place:{m.unit.code}")] for m in direct]
    for name in dict.fromkeys(m.district for m in found if m.district):
        rows.append([("subscribe.old_district", f"set:district:{_key(name)}", {"name": name})])
    return rows


async def search(ctx: Context, text: str) -> list[Match]:
    """What the text may mean: in the person's commune first, then anywhere."""
    if ctx.step is not None and ctx.step.endswith(".village") and (near := unit_search.find(await villages(ctx), text)):
        return near
    return unit_search.find(await units.everything(ctx.tx, ctx.clock.today(ctx.now)), text)


def one_district(found: Sequence[Match]) -> str:
    """The key of the old district if that alone was named."""
    names = {m.district for m in found}
    return _key(names.pop()) if len(names) == 1 and "" not in names else ""


def _key(district: str) -> str:
    return fold(district).removeprefix("huyen ").removeprefix("thi xa ").removeprefix("thanh pho ")


async def _label(ctx: Context, match: Match) -> str:
    if match.unit.kind is UnitKind.VILLAGE:
        return await full_name(ctx, match.unit)
    if match.said == match.unit.name:
        return match.unit.name
    return ctx.desk.book.label(ctx.person.language, "subscribe.formerly", name=match.unit.name, old=match.said)


def _unit_button(unit: Unit) -> Button:
    return Button(unit.name, f"set:place:{unit.code}")


def _rows(buttons: Iterable[Button]) -> Rows:
    listed: list[ButtonSpec] = list(buttons)
    return [listed[i : i + 2] for i in range(0, len(listed), 2)]


def _counting(unit: Unit) -> list[tuple[int, str]]:
    return [(int(word), "") if word.isdecimal() else (-1, word) for word in fold(unit.name).split()]
