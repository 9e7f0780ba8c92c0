"""Carrying something on: a link for everybody; for staff also a whole village, a circle, one's groups."""

from __future__ import annotations

import secrets
from typing import Any

from bot.core.events import Button, InboundKind
from bot.core.words import PersonKind, RelayKind
from bot.db import conversations
from bot.db.tables import Person
from bot.outreach import broadcasts, consent, people, referrals, relays
from bot.outreach import items as content
from bot.outreach.mandates import Mandate
from bot.outreach.relays import Carried
from handlers import broadcast_preview
from handlers.broadcast_confirm import planned
from handlers.routing import ButtonSpec, Context, Router, numbered
from handlers.staff_flow import notice

router = Router()
_STEP = "forward.confirm"


@router.on_button("fw")
async def pressed(ctx: Context) -> None:
    """`fw:tip:ID`, `fw:village:tip:ID:UNIT`, or about what was asked: `fw:go:NONCE`."""
    verb, first, second, third = [*ctx.match, "", "", "", ""][:4]
    if verb in ("tip", "event"):
        await _with(ctx, verb, first, "", "")
    elif verb in relays.KINDS and not ctx.in_group:
        await _with(ctx, first, second, verb, third)
    elif verb in ("go", "again", "drop") and _is_asked(ctx, first):
        await _decide(ctx, verb)
    else:
        await notice(ctx, "forward.stale")


async def _with(ctx: Context, word: str, number: str, how: str, code: str) -> None:
    carried = None
    if (about := numbered(number)) is not None:
        carried = await relays.find(ctx.tx, ctx.desk, word, about, ctx.now)
    if carried is None:
        await notice(ctx, "forward.gone")
    elif how:
        await ask(ctx, carried, how, code)
    else:
        await offer(ctx, carried)


async def offer(ctx: Context, carried: Carried) -> None:
    """The link to hand on, and what else this person may do."""
    person = await _who(ctx)
    payload = await relays.payload(ctx.tx, person, carried, ctx.now)
    rows = _links(ctx, carried, payload)
    brought, ways = 0, await _ways(ctx, ctx.person, carried) if not ctx.in_group else []
    if person is not None:
        await relays.note(ctx.tx, person, carried, RelayKind.LINK, ctx.now)
        brought = await referrals.brought(ctx.tx, person.id)
    await ctx.reply(
        "forward.offer",
        title=carried.title,
        link=ctx.desk.link(ctx.account.key, payload),
        brought=brought,
        staff=bool(ways),
        buttons=[*rows, *ways],
    )


async def _who(ctx: Context) -> Person | None:
    """Who is to be credited: somebody who has agreed that we keep such a thing."""
    found = await people.sender(ctx.tx, ctx.account, ctx.inbound, ctx.now) if ctx.in_group else ctx.person
    known = found is not None and found.kind is PersonKind.HUMAN and consent.has(found, ctx.desk)
    return found if known else None


def _links(ctx: Context, carried: Carried, payload: str) -> list[list[ButtonSpec]]:
    """Buttons with addresses, where the channel has such links."""
    say, language = ctx.desk.book.label, ctx.person.language
    text = say(language, f"forward.share_{carried.word}", title=carried.title)
    share = ctx.desk.share_link(ctx.account.key, payload, text)
    link = ctx.desk.link(ctx.account.key, payload)
    rows: list[list[ButtonSpec]] = []
    if share:
        rows.append([Button(say(language, "forward.button_share"), url=share)])
    if link:
        rows.append([Button(say(language, "forward.button_link"), url=link)])
    return rows


async def _ways(ctx: Context, person: Person, carried: Carried) -> list[list[ButtonSpec]]:
    found, about = await relays.ways(ctx.tx, person), f"{carried.word}:{carried.number}"
    rows: list[list[ButtonSpec]] = [
        [("forward.button_village", f"fw:village:{about}:{m.unit.code}", {"unit": m.unit.name})] for m in found.units
    ]
    if found.circle:
        rows.append([("forward.button_circle", f"fw:circle:{about}")])
    if found.groups:
        rows.append([("forward.button_groups", f"fw:groups:{about}", {"count": found.groups})])
    return rows


async def ask(ctx: Context, carried: Carried, how: str, code: str) -> None:
    """Before it goes out: to how many, and when."""
    mandate = await _permit(ctx, carried, how, code)
    if mandate is None:
        return
    leaves = broadcasts.leaves_at(ctx.desk, None, ctx.now)
    reach = await broadcasts.reach(ctx.tx, ctx.desk, mandate.audience, leaves)
    place = broadcast_preview.target(ctx, mandate)
    if reach.total == 0:
        await ctx.reply("forward.nobody", place=place)
        return
    nonce = secrets.token_hex(3)
    await ctx.expect(_STEP, nonce=nonce, word=carried.word, number=carried.number, how=how, code=code)
    await ctx.reply(
        "forward.ask",
        title=carried.title,
        place=place,
        reach=reach,
        groups=how == "groups",
        leaves=leaves,
        quiet=ctx.clock.is_quiet(ctx.now + ctx.desk.house.undo),
        buttons=[[("forward.button_go", f"fw:go:{nonce}")], [("forward.button_drop", f"fw:drop:{nonce}")]],
    )


async def _permit(ctx: Context, carried: Carried, how: str, code: str) -> Mandate | None:
    """The mandate as it is now, unless it would leave too late or the day's number is used up."""
    mandate = await relays.mandate_for(ctx.tx, ctx.person, how, code)
    leaves = broadcasts.leaves_at(ctx.desk, None, ctx.now)
    if mandate is None:
        await notice(ctx, "forward.not_yours")
    elif relays.valid_until(ctx.desk, carried, leaves) <= leaves:
        await ctx.reply("forward.too_late", event=carried.event is not None, leaves=leaves)
    elif await broadcasts.is_used_up(ctx.tx, ctx.desk, mandate, ctx.person, ctx.now):
        await ctx.reply("broadcast.used_up", most=ctx.desk.house.broadcasts_per_head_day)
    else:
        return mandate
    return None


def _is_asked(ctx: Context, nonce: str) -> bool:
    return ctx.step == _STEP and ctx.data.get("nonce") == nonce and ctx.inbound.kind is InboundKind.BUTTON


async def _decide(ctx: Context, verb: str) -> None:
    data = ctx.data
    if verb == "drop":
        await ctx.forget()
        await ctx.reply("forward.dropped", edit=True)
        return
    carried = await relays.find(ctx.tx, ctx.desk, data["word"], data["number"], ctx.now)
    mandate = await _permit(ctx, carried, data["how"], data["code"]) if carried is not None else None
    if carried is None:
        await notice(ctx, "forward.gone")
    elif mandate is not None:
        await _send(ctx, carried, mandate, data, again=verb == "again")


async def _send(ctx: Context, carried: Carried, mandate: Mandate, data: dict[str, Any], *, again: bool) -> None:
    """Once, however often it is pressed; the same item to the same people within two days is asked about."""
    place, nonce = broadcast_preview.target(ctx, mandate), data["nonce"]
    parts = list(content.load(carried.item.parts))
    if not again and await broadcasts.is_repeated(ctx.tx, ctx.desk, mandate, parts, ctx.now):
        yes: ButtonSpec = ("broadcast.button_again", f"fw:again:{nonce}")
        await ctx.reply(
            "broadcast.repeated", place=place, buttons=[[yes], [("forward.button_drop", f"fw:drop:{nonce}")]]
        )
        return
    if await broadcast_preview.lacks_budget(ctx, mandate, parts):
        return
    if not await conversations.take(ctx.tx, ctx.contact.id):
        await notice(ctx, "forward.stale")
        return
    await ctx.forget()
    _, run = await broadcasts.carry_on(
        ctx.tx,
        ctx.desk,
        ctx.person,
        mandate,
        carried.item,
        ctx.now,
        valid_until=relays.valid_until(ctx.desk, carried, broadcasts.leaves_at(ctx.desk, None, ctx.now)),
        event_id=carried.event.id if carried.event is not None else None,
        again=again,
    )
    await relays.note(ctx.tx, ctx.person, carried, relays.KINDS[data["how"]], ctx.now, run=run, mandate=mandate)
    await planned(ctx, run, place)
    brought = await referrals.brought(ctx.tx, ctx.person.id)
    if brought:
        await ctx.reply("forward.brought", brought=brought)
