"""Questions by area: for whoever knows what it is about but not how to ask."""

from __future__ import annotations

from bot.core.events import Button
from bot.outreach.faq import themes
from handlers import menu
from handlers.routing import ButtonSpec, Context, Router, numbered
from messages.content.models import FaqEntry

A_PAGE = 6
"""Questions under one message: with the two ways on, as many as still can be chosen by number at a glance."""
BUTTON: list[ButtonSpec] = [("faq.areas_button", "area:list")]

router = Router()


@router.on_command("topics")
@router.on_text("hỏi theo mục", "theo mục", "các mục", "danh sách câu hỏi", "mục lục", "mục hỏi đáp", "topics")
async def wanted(ctx: Context) -> None:
    await areas(ctx)


@router.on_button("area")
async def pressed(ctx: Context) -> None:
    what, page = [*ctx.match, "", ""][:2]
    listed = _entries(ctx)
    if what == "list":
        await areas(ctx)
    elif what in listed and (number := numbered(page or "1", digits=3)):
        await questions(ctx, what, listed[what], number)
    else:
        await menu.old_button(ctx)


async def areas(ctx: Context) -> None:
    """All areas that have something to say today."""
    if ctx.in_group:
        await ctx.reply("group.help")
        return
    buttons: list[ButtonSpec] = [(f"faq.theme_{area}", f"area:{area}") for area in _entries(ctx)]
    await ctx.reply("faq.areas", buttons=[buttons[i : i + 2] for i in range(0, len(buttons), 2)])


async def questions(ctx: Context, area: str, entries: list[FaqEntry], page: int) -> None:
    """One page of an area's questions."""
    pages = -(-len(entries) // A_PAGE)
    page = min(max(page, 1), pages)
    shown = entries[(page - 1) * A_PAGE : page * A_PAGE]
    rows: list[list[ButtonSpec]] = [[Button(entry.title, f"faq:show:{entry.id}")] for entry in shown]
    further: list[ButtonSpec] = [("faq.more_questions", f"area:{area}:{page % pages + 1}")] if pages > 1 else []
    name = ctx.desk.book.label(ctx.person.language, f"faq.theme_{area}")
    await ctx.reply("faq.area", name=name, page=page, pages=pages, buttons=[*rows, [*further, *BUTTON]])


def _entries(ctx: Context) -> dict[str, list[FaqEntry]]:
    """What may be said today, by area, in the order of the pack."""
    today = ctx.clock.today(ctx.now)
    found: dict[str, list[FaqEntry]] = {}
    for entry in ctx.desk.pack.faq.values():
        if ctx.desk.pack.current(entry, today):
            found.setdefault(themes.known(entry.theme), []).append(entry)
    return {area: found[area] for area in (*themes.THEMES, themes.OTHER) if area in found}
