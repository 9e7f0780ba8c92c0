"""What may be wrong with a Telegram account, in plain words that tell an operator what to do."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlsplit

from bot.channels.telegram_json import Json, integer, text
from bot.core.errors import SendError

RECENT = 600
"""Seconds for which a failed delivery to our webhook counts."""


def refused(account: str) -> str:
    return f"Telegram refuses the token of {account}: get a new one from @BotFather and set LOASO_TELEGRAM_TOKEN."


def unreachable(root: str, error: SendError) -> str:
    """`root` is the address of the Bot API server."""
    host = urlsplit(root).netloc or root
    return f"Telegram does not answer at {host} ({error}): check the network, the proxy and LOASO_TELEGRAM_API_URL."


def receiving(hook: Json, wanted: str, now: datetime, *, rival: bool, broken: bool) -> str:
    """Why updates may not reach us, by the answer of getWebhookInfo; empty when they do. `wanted` is our webhook's
    address, empty when we poll; `rival` says that another process polls, `broken` that our own loop has ended."""
    if broken:
        return "Receiving from Telegram has ended by a fault of this program: restart it and report the log."
    if text(hook, "url") != wanted:
        if wanted:
            return "Telegram sends updates elsewhere: check LOASO_PUBLIC_URL and that nothing else uses this token."
        return "Somebody set a webhook for this token: stop the other program, then start again."
    if rival:
        return "Another process polls with this token: stop one of the two."
    failed = integer(hook, "last_error_date") or 0
    if wanted and integer(hook, "pending_update_count") and now.timestamp() - failed < RECENT:
        reason = text(hook, "last_error_message")
        return f"Telegram cannot deliver to our webhook ({reason}): check LOASO_PUBLIC_URL, the certificate, the proxy."
    return ""
