"""What every rule may need to look at: the clock, the words, the content, the house rules, our public addresses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bot.core.channel import Capabilities
from bot.core.clock import Clock

if TYPE_CHECKING:  # commands that only ask the database start without reading the content
    from bot.outreach.faq.engine import Answerer
    from bot.speech.speech import Speech
    from messages import Phrasebook
    from messages.content.packs import Pack


Publish = Callable[[bytes, str], Awaitable[str]]
"""Content and MIME type; returns the address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """The house rules (DOMAIN: stricter than Decree 91/2020). Counts are per person or per author; `answer_within` is
    waking time, after which those above are asked."""

    broadcasts_per_person_day: int = 1
    broadcasts_per_person_week: int = 4
    broadcasts_per_head_day: int = 2
    events_per_head_day: int = 3
    duplicate_window: timedelta = timedelta(days=2)
    undo: timedelta = timedelta(seconds=60)
    tip_hour: int = 7
    tip_hours: tuple[int, ...] = (7, 11, 17, 19)
    mute: timedelta = timedelta(minutes=60)
    max_file: int = 20 * 1024 * 1024
    open_questions: int = 3
    answer_within: timedelta = timedelta(hours=4)
    consent_version: str = "2026-11"


@dataclass(slots=True, kw_only=True, repr=False)
class Desk:
    """Shared by all handlers, jobs and commands of one process. Without `repr`: a traceback would print all content."""

    clock: Clock
    book: Phrasebook
    pack: Pack
    answerer: Answerer
    secret_key: bytes
    house: House = field(default_factory=House)
    translations: dict[str, Pack] = field(default_factory=dict)
    """By language: packs that hold some of the tips in other words."""

    links: dict[str, Callable[[str], str | None]] = field(default_factory=dict)
    """Per account key: an address that opens a chat with that account and hands over a payload."""
    share_links: dict[str, Callable[[str, str], str | None]] = field(default_factory=dict)
    """Per account key: an address that lets a person pass on such a link with a text."""

    capabilities: dict[str, Capabilities] = field(default_factory=dict)
    """Per account key: what can be written there."""

    publish: Publish | None = None
    """Puts a file where anybody who knows its address can fetch it for a while; `None` without a public address."""

    speech: Speech | None = None
    """Reads aloud; `None` where the operator has chosen nobody who does."""

    local: tuple[int, datetime | None] = (0, None)
    """Which entries that were published here the answers know: how many, and when the last one changed."""

    unanswered: dict[int, tuple[datetime, str]] = field(default_factory=dict)
    """Per contact id: when they asked this process what it could not answer, and what, redacted."""

    told: dict[int, tuple[datetime, str]] = field(default_factory=dict)
    """Per run id: when this process last changed its progress message, and to what."""

    def link(self, account: str, payload: str) -> str | None:
        make = self.links.get(account)
        return make(payload) if make else None

    def share_link(self, account: str, payload: str, text: str) -> str | None:
        make = self.share_links.get(account)
        return make(payload, text) if make else None
