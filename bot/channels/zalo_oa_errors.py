"""What Zalo's error codes mean for an Official Account: the one table that turns them into our errors."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo

from bot.core.clock import Clock
from bot.core.errors import (
    AccountStopped,
    BadContent,
    BudgetUsed,
    ContactClosed,
    ContactRefused,
    NotSent,
    OutcomeUnknown,
    OutOfWindow,
    Reason,
    SendError,
    SlowDown,
    UploadExpired,
)

DETAIL = 200
"""Characters of Zalo's description that are kept."""

TOKEN_REFUSED = frozenset({-216, -220, -124})
"""The token is to be renewed once and the call repeated once: it was not carried out."""

BUSY_SECONDS = 30.0
_MOST_SECONDS = 600.0
_DAY_BEGINS = time(6, 5)
"""Zalo's night ends at 06:00; clocks differ."""

_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
_RECIPIENT = re.compile(r"user_?id|recipient|group_?id", re.IGNORECASE)
_LONG = re.compile(r"[A-Za-z0-9_\-.]{24,}")


@dataclass(frozen=True, slots=True)
class Trouble:
    """One refusal: Zalo's code and words, the headers of the answer, and when."""

    code: int
    words: str
    headers: Mapping[str, str]
    now: datetime

    @property
    def detail(self) -> str:
        """For operators, without anything that could be a token."""
        return f"{_LONG.sub('…', self.words)[:DETAIL]} ({self.code})"


Meaning = Callable[[Trouble], SendError]


def meaning(trouble: Trouble) -> SendError:
    """Our error for a code. An unknown one refuses one contact; if it strikes all, the sender stops."""
    known = MEANINGS.get(trouble.code)
    return known(trouble) if known is not None else ContactRefused(Reason.RESTRICTED, trouble.detail)


def by_status(status: int) -> SendError:
    """For an answer that is not Zalo's: a gateway, a firewall, half a document. Only where Zalo was surely not reached
    is it surely not sent."""
    detail = f"the answer is not Zalo's (status {status})"
    if status == _TOO_MANY:
        return SlowDown(BUSY_SECONDS, detail)
    if status == _TOO_LARGE:
        return BadContent("the message is too large")
    if status < _MOVED or status == _WAITED_IN_VAIN:
        return OutcomeUnknown(detail)
    return NotSent(detail)


_MOVED, _TOO_LARGE, _TOO_MANY, _WAITED_IN_VAIN = 300, 413, 429, 504


def _busy(trouble: Trouble) -> SendError:
    """4,000 calls a minute an app; the Official Account's own limit is not published."""
    told = trouble.headers.get("Retry-After", "") or trouble.headers.get("X-RateLimit-Reset", "")
    seconds = float(told) if told.isascii() and told.isdecimal() and 0 < float(told) <= _MOST_SECONDS else BUSY_SECONDS
    return SlowDown(seconds, trouble.detail)


def _night(trouble: Trouble) -> SendError:
    clock = Clock(_ZONE)
    today = clock.today(trouble.now)
    morning = clock.at(today, _DAY_BEGINS)
    if morning <= trouble.now:
        morning = clock.at(today.fromordinal(today.toordinal() + 1), _DAY_BEGINS)
    return SlowDown((morning - trouble.now).total_seconds(), trouble.detail)


def _field(trouble: Trouble) -> SendError:
    """`<field> is invalid!`: of a person it is their address, of anything else the message."""
    if _RECIPIENT.search(trouble.words):
        return ContactClosed(Reason.NOT_FOUND, trouble.detail)
    return BadContent(trouble.detail)


def _not_authorised(trouble: Trouble) -> SendError:
    """One code for two things."""
    if "article" in trouble.words.lower():
        return BudgetUsed(trouble.detail)
    return _operator("grant the application this right in Zalo's console, then 'loaso zalo connect'")(trouble)


def _operator(advice: str) -> Meaning:
    return lambda trouble: AccountStopped(f"{trouble.detail}: {advice}")


def _refused(reason: Reason) -> Meaning:
    return lambda trouble: ContactRefused(reason, trouble.detail)


def _closed(reason: Reason) -> Meaning:
    return lambda trouble: ContactClosed(reason, trouble.detail)


def _detailed(kind: type[NotSent | OutOfWindow | BadContent | BudgetUsed]) -> Meaning:
    return lambda trouble: kind(trouble.detail)


_TOKEN = _operator("consent again with 'loaso zalo connect'")
_PACKAGE = _operator("choose a package of the Official Account that includes it (oa.zalo.me)")
_APP = _operator("look at the application in developers.zalo.me: it must be active and linked to the Official Account")
_MONEY = _operator("look at the Zalo Cloud Account in the console")
_PROGRAM = _operator("this program calls what Zalo no longer offers: update it")
_BAD = _detailed(BadContent)
_RESTRICTED = _refused(Reason.RESTRICTED)

MEANINGS: Mapping[int, Meaning] = {
    -32: _busy,
    -100: _detailed(UploadExpired),
    -124: _TOKEN,
    -133: _night,
    -200: _detailed(NotSent),
    -201: _field,
    -204: _operator("the Official Account is disabled: ask Zalo"),
    -205: _operator("the Official Account does not exist: check LOASO_ZALO_OA_APP_ID"),
    -209: _APP,
    -210: _BAD,
    -211: _detailed(BudgetUsed),
    -212: _APP,
    -213: _RESTRICTED,
    -214: _detailed(NotSent),
    -216: _TOKEN,
    -217: _RESTRICTED,
    -218: _RESTRICTED,
    -219: _APP,
    -220: _TOKEN,
    -221: _operator("have the Official Account verified (oa.zalo.me)"),
    -223: _not_authorised,
    -224: _PACKAGE,
    -227: _closed(Reason.DEACTIVATED),
    -230: _detailed(OutOfWindow),
    -232: _detailed(OutOfWindow),
    -233: _BAD,
    -234: _night,
    -235: _BAD,
    -237: _closed(Reason.KICKED),
    -238: _refused(Reason.NO_RIGHTS),
    -240: _PROGRAM,
    -241: _refused(Reason.NO_RIGHTS),
    -242: _operator("check LOASO_ZALO_OA_APP_SECRET"),
    -244: _RESTRICTED,
    -248: _BAD,
    -249: _BAD,
    -320: _MONEY,
    -321: _MONEY,
    -403: _closed(Reason.KICKED),
    -1340: _BAD,
    -1341: _BAD,
}
"""Every code that Zalo documents for openapi.zalo.me, and -124 and -133 of its second host."""
