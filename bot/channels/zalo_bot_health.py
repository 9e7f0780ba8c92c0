"""What may be wrong with a Zalo bot, in plain words that tell an operator what to do."""

from __future__ import annotations

from urllib.parse import urlsplit

from bot.core.errors import SendError


def refused(account: str) -> str:
    return f"Zalo refuses the token of {account}: copy it again from the Zalo Bot Creator and set LOASO_ZALO_BOT_TOKEN."


def unreachable(root: str, error: SendError) -> str:
    """`root` is the address of the Bot API server."""
    host = urlsplit(root).netloc or root
    return f"Zalo does not answer at {host} ({error}): check the network, the proxy and LOASO_ZALO_BOT_API_URL."


def receiving(set_to: str, wanted: str, hint: str, *, broken: bool) -> str:
    """Why updates may not reach us; empty when they do. `set_to` is the address to which Zalo sends updates, `wanted`
    ours, both empty for none; `hint` is what Zalo said when it could not reach ours."""
    if broken:
        return "Receiving from Zalo has ended by a fault of this program: restart it and report the log."
    if set_to != wanted:
        if wanted:
            return "Zalo sends updates elsewhere: check LOASO_PUBLIC_URL and that nothing else uses this token."
        return "Somebody set a webhook for this token: stop the other program, then start again."
    if hint:
        return f"Zalo could not reach our webhook ({hint}): check LOASO_PUBLIC_URL, the certificate, the proxy."
    return ""
