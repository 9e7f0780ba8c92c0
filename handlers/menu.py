"""The menu: what one can do here, a few buttons more for those who hold a role."""

from __future__ import annotations

from bot.core.words import PersonStatus, RoleName
from bot.outreach import consent, roles
from bot.outreach.questions import duty
from handlers.routing import ButtonSpec, Context, Router

ASKS_FOR_MENU = (
    "menu",
    "trợ giúp",
    "giúp đỡ",
    "hướng dẫn",
    "giúp tôi",
    "giúp",
    "help",
    "quay về",
    "về menu",
    "danh mục",
)

router = Router()


async def buttons_for(ctx: Context) -> list[list[ButtonSpec]]:
    """The menu's buttons for whoever is there. Each handler asks again what its button may do."""
    rows: list[list[ButtonSpec]] = [
        [("menu.tip", "tip:today"), ("menu.faq", "faq:examples")],
    ]
    if not consent.has(ctx.person, ctx.desk):
        return [*rows, [("menu.subscribe", "consent:ask")]]
    if ctx.person.status is PersonStatus.STOPPED:
        rows.append([("optout.back", "resume")])
    rows.append([("practice.ask_button", "pr:ask"), ("menu.events", "ev:list")])
    return [*rows, *await _staff_rows(ctx), [("menu.settings", "settings")]]


async def _staff_rows(ctx: Context) -> list[list[ButtonSpec]]:
    names = {role for role, _ in await roles.units_for(ctx.tx, ctx.person, roles.STAFF | roles.BROADCASTERS)}
    row: list[ButtonSpec] = []
    if names & roles.BROADCASTERS:
        row += [("menu.broadcast", "bc:new"), ("menu.invite_button", "invite")]
    if names & {RoleName.EDITOR, RoleName.ADMIN}:
        row.append(("menu.event_new", "ev:new"))
    if names & {RoleName.APPROVER, RoleName.ADMIN}:
        row.append(("menu.approve", "ap:list"))
    waiting = await duty.waiting(ctx.tx, ctx.person)
    box: list[ButtonSpec] = [] if waiting is None else [("inbox.button_box", "ib:box", {"count": waiting})]
    return [one for one in (row, box) if one]


async def show(ctx: Context) -> None:
    await ctx.reply("menu.show", buttons=await buttons_for(ctx))


async def old_button(ctx: Context) -> None:
    """A button that means nothing any more: say so, and show those that do."""
    await ctx.answer("common.old_button")
    if not ctx.in_group:
        await show(ctx)


@router.on_command("menu", "help")
@router.on_text(*ASKS_FOR_MENU)
@router.on_button("menu")
async def menu(ctx: Context) -> None:
    if ctx.in_group:
        await ctx.reply("group.help")
    else:
        await show(ctx)
