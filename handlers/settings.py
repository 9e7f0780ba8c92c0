"""The settings: what somebody has chosen, and a button to change each."""

from __future__ import annotations

from bot.core.events import Button, ChatKind
from bot.outreach import consent
from handlers import menu, profile, welcome
from handlers.routing import Context, Router

router = Router(ChatKind.PRIVATE)


@router.on_command("settings")
@router.on_text("cài đặt", "thiết lập", "thay đổi cài đặt", "đổi cài đặt", "settings")
@router.on_button("settings")
async def settings(ctx: Context) -> None:
    if consent.has(ctx.person, ctx.desk):
        await profile.overview(ctx)
    else:
        await welcome.offer(ctx)


@router.on_command("language")
@router.on_text("đổi ngôn ngữ", "ngôn ngữ", "english", "tiếng anh", "tiếng việt", "language")
@router.on_button("lang")
async def language(ctx: Context) -> None:
    """Which language, or the one that was pressed. Whoever only asks may choose as well."""
    wanted, book = ctx.match[0] if ctx.match else "", ctx.desk.book
    if wanted not in book.languages:
        names = [[Button(book.label(code, "settings.language_name"), f"lang:{code}")] for code in book.languages]
        await ctx.reply("settings.which_language", buttons=names)
        return
    ctx.person.language = wanted
    if consent.has(ctx.person, ctx.desk):
        await profile.overview(ctx, book.label(wanted, "settings.language_name"))
    else:
        await menu.show(ctx)


def _change(field: str, *phrases: str) -> None:
    """Saying what one wants to change leads straight to the question."""

    @router.on_text(*phrases)
    async def change(ctx: Context) -> None:
        if consent.has(ctx.person, ctx.desk):
            await profile.ask(ctx, field, "settings")
        else:
            await welcome.offer(ctx)


_change("commune", "đổi xã", "đổi phường", "đổi nơi ở", "đổi địa chỉ", "đổi thôn", "chuyển thôn", "chuyển xã")
_change("group", "đổi nhóm", "chuyển nhóm")
_change("hour", "đổi giờ", "đổi giờ nhận", "đổi giờ nhận mẹo", "đổi giờ nhận tin")
