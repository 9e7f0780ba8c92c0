"""What may be wrong with an Official Account, in plain words that tell an operator what to do."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlsplit

from bot.channels.telegram_json import Json, boolean, text
from bot.channels.zalo_oa_tokens import CONSENT_AGAIN
from bot.core.errors import AccountStopped, SendError
from bot.core.grants import Grant


def to_confirm() -> tuple[str, ...]:
    """What no call can tell: to be looked up in Zalo's console before people are written to. Each is documented once,
    or contradicted elsewhere."""
    return (
        "Webhook: the address ends in /webhook/zalo-oa, and these events are on: user_send_*, follow, unfollow, "
        "user_click_chatnow, user_withdraw, oa_send_* and those of groups; the filter for '#' is off",
        "Webhook: LOASO_ZALO_OA_OA_SECRET is the OA Secret Key of the webhook page, not the application's secret",
        "Official Account → general settings: the callback address and the code_challenge of 'loaso zalo connect'",
        "Package: it includes the OpenAPI (otherwise error -224), and the account is verified (-221)",
        "Package: how many paid messages a month (48 hours to 7 days after somebody wrote) and what one costs",
        "Package: how many articles and broadcasts a month",
        "Package: whether groups (GMF) are included, and for how many members",
        "Buttons: they are shown with a message of /v3.0/oa/message/cs; if not, set LOASO_ZALO_OA_BUTTONS=false",
        "Buttons: they are shown in groups as well",
        "Broadcast: a target by cities works (numbers joined by commas); without a target it reaches all followers",
    )


def stopped(account: str, error: AccountStopped) -> str:
    return f"Zalo does not accept {account}: {error.detail}"


def unreachable(root: str, error: SendError) -> str:
    """`root` is the address of the API server."""
    host = urlsplit(root).netloc or root
    return f"Zalo does not answer at {host} ({error}): check the network, the proxy and LOASO_ZALO_OA_API_URL."


def of_account(facts: Json, now: datetime) -> str:
    """By the answer of getoa; empty when nothing is wrong."""
    if "is_verified" in facts and not boolean(facts, "is_verified"):
        return "The Official Account is not verified, so that most calls are refused: have it verified (oa.zalo.me)."
    until = _day(text(facts, "package_valid_through_date"))
    if until is not None and until < now:
        return f"The package of the Official Account ended on {until:%Y-%m-%d}: renew it (oa.zalo.me)."
    return ""


def of_token(grant: Grant | None, now: datetime) -> str:
    """Whether renewing has stopped; empty while all is well."""
    if grant is None or now < grant.half_life + (grant.expires_at - grant.half_life) / 2:
        return ""
    hours = (grant.expires_at - now).total_seconds() / 3600
    return f"The token could not be renewed and ends in {hours:.1f} h: check the network, else {CONSENT_AGAIN}."


def of_budget(remaining: int | None, total: int | None) -> str:
    """By the paid quota; empty while a tenth of it is left."""
    if not total or remaining is None or remaining > total / 10:
        return ""
    return f"Of {total} paid messages {remaining} are left: people silent for two days may get nothing."


def _day(written: str) -> datetime | None:
    """Zalo writes `30/04/2024`."""
    try:
        return datetime.strptime(written, "%d/%m/%Y").replace(tzinfo=UTC)
    except ValueError:
        return None
