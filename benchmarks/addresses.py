"""The bots and chats that the benchmarks speak of, by number."""

from __future__ import annotations

FIRST_CHAT = 1_000_000_000
"""Chat ids count from here: person number n is in chat `FIRST_CHAT + n`."""

_FIRST_BOT = 700_000


def token(number: int) -> str:
    """The token of the bot with that number, counted from 0."""
    return f"{_FIRST_BOT + number}:AAaaBBbbCCccDDddEEeeFFff00112233445"


def account(number: int) -> str:
    """The key of the account that belongs to `token(number)`."""
    return f"telegram:{_FIRST_BOT + number}"
