"""First words: a machine is talking, this is what it would keep and why, and the person decides."""

from __future__ import annotations

from typing import Any

from bot.core.words import PersonStatus
from handlers.routing import Context

CONSENT = "subscribe.consent"
GUEST = "guest"
"""The step of somebody who only wants to ask: they have been greeted and are not asked again."""


async def offer(ctx: Context, **data: Any) -> None:
    """Greet and ask for consent. `data` waits with the question: the invite that somebody
    followed, the answer that they gave to an event."""
    await ctx.expect(CONSENT, **{**(ctx.data if ctx.step == CONSENT else {}), **data})
    again = ctx.person.consent_at is not None
    await ctx.reply(
        "subscribe.consent_again" if again else "subscribe.greeting",
        buttons=[[("subscribe.yes", "consent:yes")], [("subscribe.no", "consent:no")]],
    )


def is_due(ctx: Context) -> bool:
    """Whether somebody whom we have just met has not been greeted yet. Whoever said stop is left alone."""
    return not ctx.in_group and ctx.person.status is PersonStatus.NEW and ctx.step is None
