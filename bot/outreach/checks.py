"""What is looked at before one relies on the bot, and how to say it: right, wrong and what to do, or a hint."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from zoneinfo import ZoneInfo

from bot.core.channel import Health
from bot.core.clock import Clock
from bot.core.errors import UserError
from messages import Phrasebook
from messages.content import packs

ENOUGH_DISK = 500 * 1024 * 1024
CLOCK_OFF = 30.0
"""Seconds by which our clock may differ from a platform's."""


class Mark(StrEnum):
    """How a line begins."""

    RIGHT = "✓"
    WRONG = "✗"
    HINT = "•"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was looked at, and what was found. What is wrong says what to do."""

    mark: Mark
    what: str
    text: str

    def __str__(self) -> str:
        return f"{self.mark} {self.what}: {self.text}"


def right(what: str, text: str) -> Finding:
    return Finding(Mark.RIGHT, what, text)


def wrong(what: str, text: str) -> Finding:
    return Finding(Mark.WRONG, what, text)


def hint(what: str, text: str) -> Finding:
    return Finding(Mark.HINT, what, text)


def unknown(names: Iterable[str]) -> list[Finding]:
    """Settings that mean nothing."""
    return [hint("settings", f"{name} means nothing here: is it spelled right?") for name in names]


def disk(folder: Path) -> Finding:
    """Whether there is room for the database to grow."""
    free = shutil.disk_usage(folder).free
    size = f"{free / 1e9:,.1f} GB free in {folder}"
    return right("disk", size) if free > ENOUGH_DISK else wrong("disk", f"only {size}: make room")


def content(today: date) -> Finding:
    """Whether everything that the bot says may still be said."""
    problems = packs.check(today=today)
    if problems:
        more = f"{len(problems)} places must be corrected, the first is {problems[0]}"
        return wrong("content", f"{more}: see 'loaso content check'")
    try:
        Phrasebook(ZoneInfo("UTC")).check()
    except UserError as error:
        return wrong("content", str(error))
    return right("content", f"{', '.join(packs.languages())}: valid, sourced, not expired")


def local_time(clock: Clock, now: datetime) -> Finding:
    """What people's clocks should show now: an operator sees at once if it is wrong."""
    return right("time", f"it is {clock.local(now):%H:%M on %d/%m/%Y} in {clock.zone}")


def drift(ours: datetime, theirs: datetime | None, host: str) -> Finding:
    """How far our clock is from a platform's; `None` when it did not say."""
    if theirs is None:
        return hint("clock", f"{host} does not tell the time, so the clock could not be compared")
    seconds = (ours - theirs).total_seconds()
    if abs(seconds) <= CLOCK_OFF:
        return right("clock", f"agrees with {host}")
    side = "fast" if seconds > 0 else "slow"
    return wrong("clock", f"is {abs(seconds):.0f} seconds {side} by {host}: turn on time synchronisation")


def account(key: str, health: Health) -> Finding:
    """What a platform says about one of our accounts."""
    return right(key, f"{health.name or 'works'}") if health.ok else wrong(key, health.problem)
