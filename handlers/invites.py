"""Bringing others in: a personal link and code, and how many came through it."""

from __future__ import annotations

from bot.core.events import Button, ChatKind
from bot.db import units
from bot.outreach import consent, referrals
from handlers import welcome
from handlers.routing import ButtonSpec, Context, Router

router = Router(ChatKind.PRIVATE)


@router.on_command("invite")
@router.on_text("giới thiệu", "giới thiệu cho người thân", "mời bạn", "mời người thân", "mời", "invite")
@router.on_button("invite")
async def invite(ctx: Context) -> None:
    """The personal link. Counts only: nobody learns who came."""
    if not consent.has(ctx.person, ctx.desk):
        await welcome.offer(ctx)
        return
    home = await units.get(ctx.tx, ctx.person.unit_id) if ctx.person.unit_id is not None else None
    code = await referrals.code_for(ctx.tx, ctx.person, home, ctx.now)
    payload = str(referrals.Payload(code))
    text = ctx.desk.book.label(ctx.person.language, "menu.invite_text", code=code)
    share = ctx.desk.share_link(ctx.account.key, payload, text)
    label = ctx.desk.book.label(ctx.person.language, "menu.invite_share")
    rows: list[list[ButtonSpec]] = [[Button(label, url=share)]] if share else []
    await ctx.reply(
        "menu.invite",
        link=ctx.desk.link(ctx.account.key, payload),
        code=code,
        brought=await referrals.brought(ctx.tx, ctx.person.id),
        buttons=[*rows, [("menu.open", "menu")]],
    )
