"""One line of a file of people: who it is about and what they have agreed to, or why it cannot be taken."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from bot.core.text import fold
from bot.core.words import TargetGroup
from bot.outreach.sheets import Refused, Row, quote
from messages import languages

REQUIRED = ("channel", "external_id", "unit", "group", "consented_at")
OPTIONAL = ("language", "account", "name")
_IDS = {
    "telegram": re.compile(r"[1-9]\d{0,15}", re.ASCII),
    "zalo_bot": re.compile(r"[A-Za-z0-9_.-]{1,64}"),
    "zalo_oa": re.compile(r"[A-Za-z0-9_.-]{1,64}"),
}
_GROUPS = {str(group): group for group in TargetGroup}
_EARLIEST = 2000
_SOON = timedelta(minutes=5)


class Guest(NamedTuple):
    """What one line says about a person. What is empty leaves a known person as they are."""

    line: int
    channel: str
    external_id: str
    unit: str
    group: TargetGroup | None
    language: str
    consent_at: datetime
    account: str


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads lines. `now` decides what lies in the future; `zone` is that of times without an offset."""

    now: datetime
    zone: ZoneInfo

    def read(self, row: Row) -> Guest:
        """What one line says. Raises `Refused`."""
        channel, external_id, unit, group, consented_at, language, account, _name = row.cells
        channel = channel.lower()
        if channel not in _IDS:
            raise Refused(f"{quote(row['channel'])} is not a channel: write {', '.join(_IDS)}")
        if not _IDS[channel].fullmatch(external_id):
            raise Refused(_wrong_id(channel, external_id))
        consent = self._consent(consented_at)
        language = language.lower()
        if language and language not in languages():
            raise Refused(f"{quote(language)} is not a language: write {' or '.join(languages())}")
        if account and not account.startswith(f"{channel}:"):
            raise Refused(f"{quote(account)} is not an account of {channel}")
        return Guest(row.line, channel, external_id, unit, _group(group), language, consent, account)

    def _consent(self, text: str) -> datetime:
        if not text:
            raise Refused("no consent: consented_at is empty")
        moment = _moment(text)
        if moment is None:
            raise Refused(f"consented_at is {quote(text)}: write a time like 2026-11-20T09:00")
        if moment.year < _EARLIEST:
            raise Refused(f"consented_at is {quote(text)}: nobody can have agreed then")
        if moment.year > self.now.year + 1:
            raise Refused("consented_at lies in the future")
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=self.zone)).astimezone(UTC)
        if moment > self.now + _SOON:
            raise Refused("consented_at lies in the future")
        return moment


def _wrong_id(channel: str, text: str) -> str:
    if not text:
        return "no external_id"
    if channel == "telegram" and re.fullmatch(r"-\d+", text):
        return "a negative id is a group, and a group cannot agree for its members"
    return f"{quote(text)} is not an id of {channel}"


def _group(text: str) -> TargetGroup | None:
    if not text:
        return None
    try:
        return _GROUPS.get(text) or TargetGroup(fold(text).replace(" ", "_"))
    except ValueError:
        raise Refused(f"{quote(text)} is not a group: write one of {', '.join(TargetGroup)}") from None


_FORMS = ("%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d/%m/%Y")


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    for form in _FORMS:
        try:
            return datetime.strptime(text, form)  # noqa: DTZ007 - the zone is added by the caller
        except ValueError:
            continue
    return None
