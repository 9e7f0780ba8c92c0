"""Tips on demand: the newest one, the same one again, and in simpler words."""

from __future__ import annotations

from bot.core.words import ItemKind
from bot.db import items
from bot.db.tables import Item
from bot.outreach import curriculum, framing
from bot.outreach import items as content
from handlers import menu, voice
from handlers.routing import Context, Router, numbered
from messages.content.models import Tip

router = Router()


@router.on_command("tip")
@router.on_text("mẹo", "mẹo hôm nay", "xem mẹo", "mẹo mới", "tip", "tips")
async def today(ctx: Context) -> None:
    """The newest tip of their curriculum; asking for it changes nothing about tomorrow's."""
    tip = await curriculum.latest(ctx.tx, ctx.desk, ctx.person, ctx.now)
    if tip is None:
        await ctx.reply("tip.none", buttons=await menu.buttons_for(ctx))
    else:
        await show(ctx, tip)


async def show(ctx: Context, tip: Tip) -> None:
    """Send a tip as it is sent every day."""
    await send(ctx, await curriculum.item_of(ctx.tx, ctx.desk, tip, ctx.now))


async def send(ctx: Context, item: Item) -> None:
    framed = framing.of_tip(ctx.desk, item, ctx.person.language, ctx.capabilities, pushed=False)
    parts = curriculum.said_in(ctx.desk, item, ctx.person.language)
    composed = content.compose(parts, ctx.capabilities, footer=framed.footer, buttons=framed.buttons)
    ctx.said.append(("tip.body", ctx.person.language))
    for message in content.addressed(composed, ctx.inbound.chat_id, group=ctx.in_group):
        await ctx.queue(message)
    if ctx.person.listens:
        await voice.hear_tip(ctx, item)


@router.on_button("tip")
async def pressed(ctx: Context) -> None:
    what, id = [*ctx.match, "", ""][:2]
    if what == "today":
        await today(ctx)
        return
    number = numbered(id)
    item = await items.get(ctx.tx, number) if number is not None else None
    tip = (
        curriculum.tip_named(ctx.desk, item.key, ctx.now, ctx.person.language)
        if item is not None and item.key
        else None
    )
    if item is None or tip is None or item.kind is not ItemKind.TIP:
        await ctx.answer("tip.gone")
    elif what == "again":
        await send(ctx, item)
    elif what == "simple":
        await ctx.reply("tip.simple", tip=tip)
        if ctx.person.listens:
            await voice.hear_simpler(ctx, item, tip)
    elif what == "listen":
        await voice.hear_tip(ctx, item, asked=True)
    else:
        await ctx.answer("common.old_button")
