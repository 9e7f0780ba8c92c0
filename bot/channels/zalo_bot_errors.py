"""What the Zalo Bot API's answers mean: the one place that turns its refusals into our errors.

The platform documents codes and hardly any words, so phrases are those that its siblings use, and what nobody can
tell apart refuses one contact; if it strikes all, the sender stops."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import orjson

from bot.channels.telegram_json import Json, integer, member, text
from bot.core.errors import (
    AccountStopped,
    BadContent,
    BudgetUsed,
    ContactClosed,
    ContactRefused,
    NotSent,
    OutcomeUnknown,
    Reason,
    SendError,
    SlowDown,
)

DETAIL = 300
"""Characters of a platform's description that are kept."""

CLOSED: tuple[tuple[str, Reason], ...] = (
    ("blocked", Reason.BLOCKED),
    ("kicked", Reason.KICKED),
    ("not a member", Reason.KICKED),
    ("chat not found", Reason.NOT_FOUND),
    ("user not found", Reason.NOT_FOUND),
    ("group not found", Reason.NOT_FOUND),
    ("chat_id", Reason.NOT_FOUND),
    ("chat id", Reason.NOT_FOUND),
)
"""The address is gone. Parts of descriptions, in lower case."""

CONTENT = re.compile(
    r"\b(text|caption|photo|sticker|voice|voice_url|url|parameters?|parse|parse_mode|too long|empty|api name)\b"
)
"""The message itself is wrong, for whomever it was meant."""

WEBHOOK_SET = "while a webhook is set"

_GARBLED = "the answer is not the Zalo Bot API's"


class WebhookIsSet(NotSent):
    """getUpdates is refused because updates go to a webhook."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that says no. `to_chat`: the call named a chat. `wait` is for how many seconds the platform asks us
    to, if it does."""

    code: int
    detail: str
    to_chat: bool
    wait: float | None = None


def judge(status: int, headers: Mapping[str, str], body: bytes, *, to_chat: bool, token: str = "") -> Json:
    """The result of a call, empty for one that has none; `token` is cut out of what an error says. Raises what
    `translate` and `garbled` give."""
    answer = _envelope(body)
    if answer is None:
        raise garbled(status)
    if _fine(status) and answer["ok"]:
        return member(answer, "result")
    words = text(answer, "description")
    detail = words.replace(token, "…")[:DETAIL] if token else words[:DETAIL]
    code = _code(answer) if _fine(status) else status
    raise translate(Refusal(code, detail, to_chat, _wait(answer, headers)))


def translate(refusal: Refusal) -> SendError:
    """Our error for theirs."""
    meaning = MEANINGS.get(refusal.code)
    if meaning is not None:
        return meaning(refusal)
    return _by_text(refusal) if _is_refusal(refusal.code) else OutcomeUnknown(refusal.detail)


def garbled(status: int) -> SendError:
    """For an answer that is not the Bot API's: a refusal comes from something on the way, so that Zalo never saw the
    request, unless that something waited for Zalo in vain or says that all went well."""
    if _fine(status) or status == _TIMED_OUT or status >= _GATEWAY_TIMED_OUT:
        return OutcomeUnknown(f"{_GARBLED} ({status})")
    return NotSent(f"{_GARBLED} ({status})")


def _by_text(refusal: Refusal) -> SendError:
    words = refusal.detail.lower()
    if WEBHOOK_SET in words:
        return WebhookIsSet(refusal.detail)
    closed = next((reason for part, reason in CLOSED if part in words), None)
    if closed is not None:
        return ContactClosed(closed, refusal.detail)
    if CONTENT.search(words):
        return BadContent(refusal.detail)
    return ContactRefused(Reason.NO_RIGHTS, refusal.detail)


def _forbidden(refusal: Refusal) -> SendError:
    """403 is documented as "Internal server error": perhaps this chat, perhaps not, so no address is closed for it."""
    return ContactRefused(Reason.NO_RIGHTS, refusal.detail)


def _not_found(refusal: Refusal) -> SendError:
    """The methods that we call exist, so without a chat it is the token's path; with one, perhaps only the chat."""
    if not refusal.to_chat:
        return AccountStopped(refusal.detail)
    meaning = _by_text(refusal)
    return meaning if isinstance(meaning, ContactClosed) else ContactRefused(Reason.NOT_FOUND, refusal.detail)


def _too_many(refusal: Refusal) -> SendError:
    """The month's quota, unless the platform says for how long to wait, which no documentation knows of."""
    return BudgetUsed(refusal.detail) if refusal.wait is None else SlowDown(refusal.wait, refusal.detail)


def _stopped(refusal: Refusal) -> SendError:
    return AccountStopped(refusal.detail)


def _content(refusal: Refusal) -> SendError:
    return BadContent(refusal.detail)


def _not_sent(refusal: Refusal) -> SendError:
    return NotSent(refusal.detail)


_TIMED_OUT = 408
_GATEWAY_TIMED_OUT = 504

MEANINGS: dict[int, Callable[[Refusal], SendError]] = {
    401: _stopped,
    403: _forbidden,
    404: _not_found,
    408: lambda refusal: OutcomeUnknown(refusal.detail),
    413: _content,
    429: _too_many,
    500: _not_sent,
    502: _not_sent,
    503: _not_sent,
}
"""By code. Other refusals are judged by their words; any other code leaves open what became of the message."""


def _envelope(body: bytes) -> Json | None:
    try:
        answer = orjson.loads(body)
    except ValueError:
        return None
    return answer if isinstance(answer, dict) and isinstance(answer.get("ok"), bool) else None


def _code(answer: Json) -> int:
    """Once documented in camel case, too."""
    return integer(answer, "error_code") or integer(answer, "errorCode") or 0


def _wait(answer: Json, headers: Mapping[str, str]) -> float | None:
    asked = integer(member(answer, "parameters"), "retry_after")
    if asked is not None:
        return float(max(asked, 0))
    header = headers.get("Retry-After", "")
    return float(header) if header.isascii() and header.isdecimal() else None


def _fine(status: int) -> bool:
    return 200 <= status < 300


def _is_refusal(code: int) -> bool:
    return 400 <= code < 500
