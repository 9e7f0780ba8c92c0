"""Reading the hour that somebody types: "17h", "7 giờ sáng mai", "19:30 20/12", "thứ bảy 8h kém 15"."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from bot.core.clock import Clock
from bot.core.text import clean

_BARE_D = str.maketrans({"đ": "d", "ð": "d"})
_TOMORROW = timedelta(days=1)
_HALF_A_YEAR = timedelta(days=183)

_HOUR = re.compile(
    r"(?<![\d/])(?P<hour>\d{1,2})\s*(?:(?:h|g|gio)\s*(?:(?P<minute>\d{1,2})(?![\d/])(?:\s*(?:phut|ph|p)\b)?"
    r"|(?P<half>ruoi)\b|kem\s*(?P<less>\d{1,2})(?![\d/])(?:\s*(?:phut|ph|p)\b)?)?(?![a-z\d])"
    r"|[:.](?P<clock>\d{2})(?![\d./]))"
)
_PERIOD = re.compile(r"\b(sang|trua|chieu|toi|dem|khuya)\b")
_DATE = re.compile(r"(?:\bngay\s+)?(?<![\d/])(?P<day>\d{1,2})[/-](?P<month>\d{1,2})(?:[/-](?P<year>\d{4}))?(?![\d/])")
_LONG_DATE = re.compile(r"(?:\bngay\s+)?\b(?P<day>\d{1,2})\s+thang\s+(?P<month>\d{1,2})(?:\s+nam\s+(?P<year>\d{4}))?\b")
_COMING = re.compile(r"\b(tới|này)\b")
_NEXT_WEEK = re.compile(r"\btuan\s+(?:sau|toi|coming)\b")
_WEEKDAY = re.compile(r"\b(?:thu\s*([2-7]|hai|ba|tu|nam|sau|bay)|t([2-7])|(chu nhat|cn))\b(?:\s+coming\b)?")
_RELATIVE = (
    (re.compile(r"\bngay\s+mai\b|\bmai\b"), 1),
    (re.compile(r"\bngay\s+kia\b|\bmot\b|\bkia\b"), 2),
    (re.compile(r"\bhom\s+nay\b|\bbua\s+nay\b|\bnay\b"), 0),
)
_FILLER = re.compile(r"\b(?:luc|vao|hoi|gui|hen|khoang|nhe|nha|a|ngay|buoi)\b|[,.;!]")
_NUMBERS = {"hai": 0, "ba": 1, "tu": 2, "nam": 3, "sau": 4, "bay": 5}
_USUAL = {"sang": time(7), "trua": time(11), "chieu": time(17), "toi": time(19)}
_MIDNIGHT = 24
_LAST = 23


@dataclass(slots=True)
class _Read:
    """What is left of a text while it is being understood."""

    rest: str

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Cut the first match out."""
        match = pattern.search(self.rest)
        if match is not None:
            self.rest = f"{self.rest[: match.start()]} {self.rest[match.end() :]}"
        return match

    @property
    def is_empty(self) -> bool:
        return not _FILLER.sub(" ", self.rest).strip()


def read(text: str, now: datetime, clock: Clock) -> datetime | None:
    """The moment that was meant, UTC; `None` unless every word of the text was understood.

    Without a day it is today; whether the moment is still to come is for the caller to ask."""
    said = _Read(_plain(text))
    today = clock.today(now)
    day = _day(said, today)
    hour = said.take(_HOUR)
    period = said.take(_PERIOD)
    if hour is None and period is None:
        return None
    passed = _usual(period) if hour is None else _minutes(hour, period)
    if passed is None or not said.is_empty or day is _IMPOSSIBLE:
        return None
    meant = clock.at(day or today, time(0)) + timedelta(minutes=passed)
    is_weekly = _WEEKDAY.search(_plain(text)) is not None and not _DATE.search(text)
    return meant + timedelta(days=7) if is_weekly and day == today and meant <= now else meant


def _plain(text: str) -> str:
    """Lower case without marks; the signs between numbers stay. "tới" (next) must not become "tối" (evening)."""
    said = _COMING.sub("coming", clean(text).casefold())
    stripped = "".join(c for c in unicodedata.normalize("NFD", said) if not unicodedata.combining(c))
    return " ".join(stripped.translate(_BARE_D).split())


_IMPOSSIBLE = date.min


def _day(said: _Read, today: date) -> date | None:
    """The named day; `None` if no day was named, `_IMPOSSIBLE` for the 31st of February."""
    dated = said.take(_DATE) or said.take(_LONG_DATE)
    if dated is not None:
        return _dated(dated, today)
    next_week = said.take(_NEXT_WEEK) is not None
    weekday = said.take(_WEEKDAY)
    if weekday is not None:
        return _on_weekday(weekday, today, next_week=next_week)
    if next_week:
        return _IMPOSSIBLE
    return next((today + n * _TOMORROW for pattern, n in _RELATIVE if said.take(pattern)), None)


def _dated(match: re.Match[str], today: date) -> date:
    """Without a year it is this year, or next year where that lies nearer ahead."""
    try:
        if match["year"]:
            return date(int(match["year"]), int(match["month"]), int(match["day"]))
        this_year = date(today.year, int(match["month"]), int(match["day"]))
        next_year = this_year.replace(year=today.year + 1) if this_year < today else this_year
    except ValueError:
        return _IMPOSSIBLE
    return next_year if next_year - today <= _HALF_A_YEAR else this_year


def _on_weekday(match: re.Match[str], today: date, *, next_week: bool) -> date:
    name = match[1] or match[2]
    number = 6 if match[3] else int(name) - 2 if name.isdecimal() else _NUMBERS[name]
    if next_week:
        return today + timedelta(days=7 - today.weekday() + number)
    return today + timedelta(days=(number - today.weekday()) % 7)


def _usual(period: re.Match[str] | None) -> int | None:
    usual = _USUAL.get(period[1]) if period is not None else None
    return None if usual is None else usual.hour * 60


def _minutes(match: re.Match[str], period: re.Match[str] | None) -> int | None:
    """Minutes since midnight; 24:00 is the midnight that ends the day."""
    hour = _hour(int(match["hour"]), period[1] if period is not None else None)
    minute = 30 if match["half"] else int(match["minute"] or match["clock"] or 0)
    less = int(match["less"] or 0)
    if hour is None or minute > 59 or less > 59:
        return None
    passed = hour * 60 + minute - less
    return passed if 0 <= passed <= _MIDNIGHT * 60 else None


def _hour(hour: int, period: str | None) -> int | None:
    """The hour of 24; `None` where hour and part of the day contradict each other."""
    match period:
        case None:
            allowed = {h: h for h in range(_LAST + 1)}
        case "sang":
            allowed = {h: h for h in range(1, 12)}
        case "trua":
            allowed = {10: 10, 11: 11, 12: 12, 1: 13, 2: 14, 13: 13, 14: 14}
        case "chieu":
            allowed = {12: 12} | {h: h + 12 for h in range(1, 7)} | {h: h for h in range(13, 19)}
        case "toi":
            allowed = {12: _MIDNIGHT} | {h: h + 12 for h in range(5, 12)} | {h: h for h in range(17, 24)}
        case _:
            allowed = {12: _MIDNIGHT} | {h: h + 12 for h in range(9, 12)} | {h: h for h in (0, 1, 2, 3, 4, 21, 22, 23)}
    return allowed.get(hour)
