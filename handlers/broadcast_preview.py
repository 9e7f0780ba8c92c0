"""Showing a broadcast to its author before it leaves: just as residents will see it, and whom it reaches."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.core.events import Outbound
from bot.core.text import split
from bot.core.words import CampaignKind, ItemKind, RoleName
from bot.db.audience import Reach
from bot.db.tables import Campaign, Item
from bot.outreach import broadcasts, budgets, items, mandates
from bot.outreach.budgets import DoesNotFit
from bot.outreach.drafts import Draft
from bot.outreach.framing import frame
from bot.outreach.mandates import Mandate
from handlers.routing import ButtonSpec, Context


async def permit(ctx: Context, draft: Draft) -> Mandate | None:
    """The author's mandate as it is now; without one the draft ends, and they are told who may do it."""
    if draft.circle:
        mandate = await mandates.to_circle(ctx.tx, ctx.person)
    else:
        mandate = await mandates.to_unit(ctx.tx, ctx.person, draft.unit or "")
    if mandate is None:
        await ctx.forget()
        await ctx.reply("broadcast.not_yours")
    return mandate


async def refuse_used_up(ctx: Context) -> None:
    await ctx.forget()
    await ctx.reply("broadcast.used_up", most=ctx.desk.house.broadcasts_per_head_day)


def target(ctx: Context, mandate: Mandate) -> str:
    """To whom, in the author's words."""
    if mandate.circle is not None:
        return ctx.desk.book.label(ctx.person.language, "broadcast.circle")
    if mandate.groups is not None:
        return ctx.desk.book.label(ctx.person.language, "broadcast.groups")
    return mandate.unit.name


async def show(ctx: Context, draft: Draft) -> None:
    """The messages, then one summary with what can be done now."""
    mandate = await permit(ctx, draft)
    if mandate is None:
        return
    await ctx.expect("broadcast.compose", **draft.dump())
    if not draft.parts:
        await ctx.reply("broadcast.ask_words", place=target(ctx, mandate), buttons=[[_drop(draft)]])
        return
    for message in await composed(ctx, mandate, draft.parts):
        await ctx.queue(message)
    await summarise(ctx, draft, mandate)


async def composed(ctx: Context, mandate: Mandate, parts: list[Outbound]) -> tuple[Outbound, ...]:
    """The parts as a resident gets them, for the author's own chat."""
    header = await broadcasts.header(ctx.tx, ctx.desk, mandate)
    campaign = Campaign(kind=CampaignKind.BROADCAST, header=header, author_role=mandate.role, unit_id=mandate.unit.id)
    item = Item(kind=ItemKind.BROADCAST, parts=[])
    framed = await frame(ctx.tx, ctx.desk, campaign, item, "vi", ctx.account.key)
    ready = items.compose(parts, ctx.capabilities, header=framed.header, footer=framed.footer, buttons=framed.buttons)
    return items.addressed(ready, ctx.inbound.chat_id, group=False)


async def summarise(ctx: Context, draft: Draft, mandate: Mandate) -> None:
    """Whom it reaches, when it leaves, what else there is to know; the buttons decide."""
    leaves = broadcasts.leaves_at(ctx.desk, draft.at, ctx.now)
    reach = await broadcasts.reach(ctx.tx, ctx.desk, mandate.audience, leaves)
    place = target(ctx, mandate)
    if reach.total == 0:
        await ctx.reply("broadcast.nobody", place=place, buttons=[[_drop(draft)]])
        return
    wanted = draft.at or ctx.now
    await ctx.reply(
        "broadcast.summary",
        place=place,
        reach=reach,
        routes=_routes(ctx, reach, mandate),
        leaves=leaves,
        later=draft.at is not None,
        quiet=ctx.clock.is_quiet(max(wanted, ctx.now + ctx.desk.house.undo)),
        pieces=_pieces(ctx, draft, await broadcasts.header(ctx.tx, ctx.desk, mandate)),
        approval=mandate.needs_approval,
        buttons=_choices(ctx, draft, mandate, leaves),
    )


async def lacks_budget(ctx: Context, mandate: Mandate, parts: Sequence[Outbound]) -> bool:
    """Whether an account would have to send more than it may in this month; then that has been said."""
    try:
        await budgets.check_fit(ctx.tx, ctx.desk, mandate.audience, parts, ctx.now)
    except DoesNotFit as error:
        await ctx.reply("broadcast.no_budget", left=error.left, needed=error.needed)
        return True
    return False


def _routes(ctx: Context, reach: Reach, mandate: Mandate) -> list[str]:
    """How many people it reaches in which way, when, or by whose hands."""

    def say(word: str, count: int, **more: object) -> str:
        return ctx.desk.book.label(ctx.person.language, f"broadcast.{word}", count=count, **more)

    found = [say("route", count, name=name) for name, count in _channels(ctx, reach)]
    if reach.kept:
        found.append(say("route_kept", reach.kept))
    if reach.unreachable:
        found.append(say("route_by_hand", reach.unreachable, village=mandate.role is not RoleName.VILLAGE_HEAD))
    return found


def _channels(ctx: Context, reach: Reach) -> list[tuple[str, int]]:
    """Channels by the name that people know, with how many people each."""
    named: dict[str, int] = {}
    for channel, count in sorted(reach.by_channel.items()):
        name = ctx.desk.book.label(ctx.person.language, f"broadcast.channel_{channel}")
        named[name] = named.get(name, 0) + count
    return list(named.items())


def _pieces(ctx: Context, draft: Draft, header: str) -> int:
    """Into how many messages the longest text is split; 1 if none is."""
    texts = [part.text for part in draft.parts if not (part.media or part.location or part.card)]
    if texts and draft.parts[0].text == texts[0]:
        texts[0] = f"{header}\n\n{texts[0]}"
    return max((len(split(text, ctx.capabilities.max_text)) for text in texts), default=1)


def _choices(ctx: Context, draft: Draft, mandate: Mandate, leaves: datetime) -> list[list[ButtonSpec]]:
    nonce = draft.nonce
    held = draft.at is not None or ctx.clock.is_quiet(ctx.now + ctx.desk.house.undo)
    go = "propose" if mandate.needs_approval else "go_later" if held else "go"
    return [
        [(f"broadcast.button_{go}", f"bc:go:{nonce}", {"leaves": leaves})],
        [("broadcast.button_when", f"bc:when:{nonce}"), ("broadcast.button_more", f"bc:more:{nonce}")],
        [("broadcast.button_redo", f"bc:redo:{nonce}"), _drop(draft)],
    ]


def _drop(draft: Draft) -> ButtonSpec:
    return ("broadcast.button_drop", f"bc:drop:{draft.nonce}")
