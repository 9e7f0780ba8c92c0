"""When one of our people talks with somebody in the platform's own tool, the bot keeps quiet for a while."""

from __future__ import annotations

from bot.core.events import ChatKind, InboundKind
from handlers.routing import Context, Router

router = Router(ChatKind.PRIVATE)


@router.on_kind(InboundKind.STAFF_SPOKE)
async def staff_spoke(ctx: Context) -> None:
    ctx.contact.muted_until = ctx.now + ctx.desk.house.mute


def _is_muted(ctx: Context) -> bool:
    said = ctx.inbound.kind in (InboundKind.MESSAGE, InboundKind.BUTTON)
    return said and ctx.contact.muted_until is not None and ctx.now < ctx.contact.muted_until


@router.on(_is_muted)
async def leave_it_to_them(ctx: Context) -> None:
    """What they say is for the human; stop and erase were looked at before this."""
    ctx.answered = True
