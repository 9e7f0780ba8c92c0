"""Ways out of what staff are in the middle of, and what staff commands say where they cannot work."""

from __future__ import annotations

from typing import Any

from bot.core.events import ChatKind, InboundKind
from handlers.phrases import Phrases
from handlers.routing import Context, NotMine, Router

FLOWS = ("broadcast", "event", "approval", "inbox")
_LEAVE = Phrases("hủy", "bỏ", "thôi", "hủy bỏ", "bỏ qua hết", "không gửi nữa", "cancel")

router = Router(ChatKind.PRIVATE)
in_groups = Router(ChatKind.GROUP)


def is_busy(ctx: Context) -> bool:
    """Whether the person is in the middle of a broadcast, an event or a decision."""
    return ctx.step is not None and ctx.step.partition(".")[0] in FLOWS


async def notice(ctx: Context, key: str, **fields: Any) -> None:
    """Answer a pressed button, with a message where the channel has no such answers."""
    if ctx.inbound.answer_id is not None:
        await ctx.answer(key, alert=True, **fields)
    else:
        await ctx.reply(key, **fields)


def _says(ctx: Context) -> bool:
    return ctx.inbound.kind is InboundKind.MESSAGE and (is_busy(ctx) or ctx.step == "offer")


@router.on(lambda ctx: _says(ctx) and ctx.inbound.command is not None)
async def leave_for_a_command(ctx: Context) -> None:
    """A command begins something else; the draft is given up."""
    await ctx.forget()
    raise NotMine


@router.on(lambda ctx: _says(ctx) and not ctx.inbound.media and ctx.inbound.text in _LEAVE)
async def leave(ctx: Context) -> None:
    flow = (ctx.step or "").partition(".")[0]
    await ctx.forget()
    await ctx.reply(f"{flow if flow in FLOWS else 'broadcast'}.dropped")


@in_groups.on_command("gui", "broadcast", "taosukien", "newevent")
async def only_in_private(ctx: Context) -> None:
    await ctx.reply("broadcast.private_only")
