"""Groups and blocks: the bot is added, removed, blocked, moved; a group asks for the daily tip."""

from __future__ import annotations

from bot.core.events import Button, ChatKind, InboundKind, Membership
from bot.core.words import PersonStatus
from bot.db import people as queries
from bot.outreach import consent, people
from handlers.routing import ButtonSpec, Context, Router

router = Router()
groups = Router(ChatKind.GROUP)


@router.on_kind(InboundKind.MOVED)
async def moved(ctx: Context) -> None:
    """The group was upgraded: the same group under another id."""
    if ctx.inbound.moved_to:
        await queries.move(ctx.tx, ctx.contact, ctx.inbound.moved_to)


@router.on_kind(InboundKind.MEMBERSHIP)
async def changed(ctx: Context) -> None:
    """A block closes the address and nothing else: whoever unblocks goes on where they were."""
    if ctx.inbound.membership is Membership.LEFT:
        await people.leave(ctx.tx, ctx.contact, ctx.now)
        await ctx.forget()
    elif ctx.in_group:
        await _added(ctx)


async def _added(ctx: Context) -> None:
    """Greet the group once, and remember who answers for it."""
    adder = await people.sender(ctx.tx, ctx.account, ctx.inbound, ctx.now)
    if adder is not None:
        ctx.contact.added_by_id = adder.id
        if ctx.person.unit_id is None:
            ctx.person.unit_id = adder.unit_id
    await greet(ctx)


@groups.on_command("start")
async def greet(ctx: Context) -> None:
    if ctx.person.status is PersonStatus.ACTIVE:
        await ctx.reply("group.back", hour=ctx.person.tip_hour)
        return
    link = ctx.desk.link(ctx.account.key, "nhom")
    label = ctx.desk.book.label(ctx.person.language, "group.private_chat")
    rows: list[list[ButtonSpec]] = [[("group.wants_tips", "grp:tips")]]
    await ctx.reply("group.greeting", buttons=[*rows, [Button(label, url=link)]] if link else rows)


@groups.on_button("grp")
async def wanted(ctx: Context) -> None:
    await switch_on(ctx)


async def switch_on(ctx: Context) -> None:
    """The daily tip for a group, if whoever asks may speak for it: who added the bot, while that is known."""
    asking = await people.sender(ctx.tx, ctx.account, ctx.inbound, ctx.now)
    answers = ctx.contact.added_by_id
    if answers is not None and (asking is None or asking.id != answers):
        await _refuse(ctx)
        return
    if asking is not None:
        ctx.contact.added_by_id = asking.id
    already = ctx.person.status is PersonStatus.ACTIVE
    consent.give(ctx.person, ctx.desk, ctx.account.channel, ctx.now)
    await ctx.reply("group.already" if already else "group.started", hour=ctx.person.tip_hour)


async def _refuse(ctx: Context) -> None:
    if ctx.inbound.kind is InboundKind.BUTTON:
        await ctx.answer("group.not_yours", alert=True)
    else:
        await ctx.reply("group.not_yours")
