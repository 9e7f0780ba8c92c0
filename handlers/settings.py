"""The settings: what somebody has chosen, and a button to change each."""

from __future__ import annotations

from bot.core.events import ChatKind
from bot.outreach import consent
from handlers import profile, welcome
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
