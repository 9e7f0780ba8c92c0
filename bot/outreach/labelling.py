"""Which labels somebody carries on a platform that has labels: their commune and their target group, no more."""

from __future__ import annotations

from bot.db.labels import Labelled
from bot.outreach.desk import Desk


def wanted(desk: Desk, who: Labelled) -> tuple[str, ...]:
    """In Vietnamese, as staff read them in the platform's own tool."""
    found = [who.commune] if who.commune else []
    if who.group is not None:
        found.append(desk.book.label("vi", f"subscribe.group_{who.group}"))
    return tuple(found)
