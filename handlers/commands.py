"""The commands that a platform shows in its own menu: their names, and the keys of what they do."""

from __future__ import annotations

from messages import Phrasebook

NAMES = ("start", "menu", "tip", "practice", "ask", "events", "settings", "stop", "delete", "help")


def described(book: Phrasebook, language: str) -> tuple[tuple[str, str], ...]:
    """Pairs of a command and what it does, in that language."""
    return tuple((name, book.label(language, f"menu.command_{name}")) for name in NAMES)
