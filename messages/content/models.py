"""What a content pack holds: tips, FAQ entries, facts; frozen, with the limits that a phone and a loudspeaker set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from messages.content.spoken import Spoken

TIP_LIMIT = 300
"""Characters (NFC code points) of a tip with its steps: one screen of a cheap phone."""
ANSWER_LIMIT = 500
"""Characters of an answer with its steps: what still gets read in a Zalo group."""
SCRIPT_LIMIT = 900
"""Characters of a loudspeaker script: about 60 seconds read aloud."""
CURRICULUM_DAYS = 30
CHOICE_LIMIT = 40
"""Characters of one choice of a practice question: a button of a cheap phone shows about so many."""


class Group(StrEnum):
    """Whom a tip is for: the four groups of the national framework, household businesses, older people."""

    STUDENT = "student"
    RESIDENT = "resident"
    PUBLIC_STAFF = "public_staff"
    WORKER = "worker"
    BUSINESS_HOUSEHOLD = "business_household"
    ELDERLY = "elderly"


class Area(StrEnum):
    """The skill that a tip trains."""

    DEVICE = "device"
    INFORMATION = "information"
    COMMUNICATION = "communication"
    SERVICES = "services"
    PAYMENT = "payment"
    SAFETY = "safety"
    HEALTH_LEARNING = "health_learning"
    WORK = "work"
    AI = "ai"


class FactKind(StrEnum):
    """What sort of value a fact is; hotlines may be dialled."""

    HOTLINE = "hotline"
    THRESHOLD = "threshold"
    DATE = "date"
    LINK = "link"


def _https(value: str) -> str:
    if not value.startswith("https://") or "." not in value[8:]:
        raise ValueError("must be an address that begins with https://")
    return value


def _inside(value: str) -> str:
    if value.startswith(("/", "\\")) or ".." in value or ":" in value:
        raise ValueError("must be a path inside the pack, such as media/tip.png")
    return value


Id = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{2,59}$")]
Title = Annotated[str, StringConstraints(min_length=4, max_length=60)]
Step = Annotated[str, StringConstraints(min_length=3, max_length=120)]
Phrase = Annotated[str, StringConstraints(min_length=2, max_length=160)]
Choice = Annotated[str, StringConstraints(min_length=2, max_length=CHOICE_LIMIT)]
Https = Annotated[str, AfterValidator(_https)]
MediaPath = Annotated[str, AfterValidator(_inside)]


def numbered(text: str, steps: Iterable[str]) -> str:
    """The text and below it its steps, one a line, as `1. …`."""
    return "\n".join([text, *(f"{i}. {step}" for i, step in enumerate(steps, 1))])


class Sourced(BaseModel):
    """Something that was checked against a source on a day and is said until another day (exclusive)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Id
    source: Https
    source_name: Annotated[str, StringConstraints(min_length=3, max_length=120)]
    checked_on: date
    expires: date
    uses: tuple[str, ...] = Field(default=(), description="Ids of the facts in the text; filled in by the loader.")

    def expired(self, today: date) -> bool:
        """Whether it may no longer be said by itself; facts inside may expire earlier, see `Pack.current`."""
        return today >= self.expires


class Fact(Sourced):
    """A value that changes without us: a hotline, a threshold. Written in texts as `{fact:id}`."""

    kind: FactKind
    value: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    label: Annotated[str, StringConstraints(min_length=2, max_length=80)]
    note: Annotated[str, StringConstraints(max_length=200)] = ""
    confirm: bool = Field(default=False, description="True: a human must confirm it before official use.")


class Quiz(BaseModel):
    """A practice question about a tip: three choices, of which `right` (counted from 1) is the one to take."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ask: Annotated[str, StringConstraints(min_length=10, max_length=160)]
    choices: tuple[Choice, Choice, Choice]
    right: Annotated[int, Field(ge=1, le=3)]
    because: Annotated[str, StringConstraints(min_length=10, max_length=160)]

    @model_validator(mode="after")
    def _differ(self) -> Self:
        if len({choice.casefold() for choice in self.choices}) < len(self.choices):
            raise ValueError("two choices say the same")
        return self


class Tip(Sourced):
    """One day's tip: one or two warm sentences and at most three steps, one action each."""

    title: Title
    groups: Annotated[tuple[Group, ...], Field(min_length=1)]
    area: Area
    level: Annotated[int, Field(ge=1, le=3)]
    text: Annotated[str, StringConstraints(min_length=20, max_length=TIP_LIMIT)]
    steps: Annotated[tuple[Step, ...], Field(max_length=3)] = ()
    simpler: Annotated[str, StringConstraints(min_length=20, max_length=TIP_LIMIT)]
    why: Annotated[str, StringConstraints(min_length=10, max_length=200)]
    script: Annotated[str, StringConstraints(min_length=40, max_length=SCRIPT_LIMIT)]
    quiz: Quiz | None = None
    picture: MediaPath | None = None
    voice: MediaPath | None = None

    def body(self) -> str:
        """The tip as it is sent: the text and its numbered steps, at most 300 characters."""
        return numbered(self.text, self.steps)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (size := len(self.body())) > TIP_LIMIT:
            raise ValueError(f"text and steps have {size} characters together, {TIP_LIMIT} fit")
        return self


class FaqEntry(Sourced):
    """One question with its answer, and the many ways in which people really type it. Entries of a `theme` stand
    together in menus. `safety` marks where somebody may lose money or health: the answer begins with a warning sign."""

    topic: Id
    theme: Id
    title: Title
    phrasings: Annotated[tuple[Phrase, ...], Field(min_length=4)]
    keywords: tuple[Phrase, ...] = ()
    answer: Annotated[str, StringConstraints(min_length=20, max_length=ANSWER_LIMIT)]
    steps: Annotated[tuple[Step, ...], Field(max_length=3)] = ()
    related: tuple[Id, ...] = ()
    safety: bool = False

    @model_validator(mode="before")
    @classmethod
    def _own_topic(cls, row: Any) -> Any:
        """An entry without a topic is the main answer of the topic with its own id."""
        return {"topic": row.get("id"), **row} if isinstance(row, dict) else row

    def body(self) -> str:
        """The answer as it is sent: the text and its numbered steps, at most 500 characters."""
        return numbered(self.answer, self.steps)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (size := len(self.body())) > ANSWER_LIMIT:
            raise ValueError(f"answer and steps have {size} characters together, {ANSWER_LIMIT} fit")
        return self


@dataclass(frozen=True, slots=True)
class Hints:
    """What helps to find answers, by id: `synonyms` are words and phrases that mean one thing here, `foreign` questions
    about a subject that is none of ours."""

    synonyms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    foreign: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pack:
    """Everything of one language. `version` changes with any byte of its files; mappings are read-only."""

    language: str
    version: str
    tips: Mapping[str, Tip]
    curricula: Mapping[str, tuple[str, ...]]
    faq: Mapping[str, FaqEntry]
    facts: Mapping[str, Fact]
    hints: Hints = field(default_factory=Hints)
    spoken: Spoken = field(default_factory=Spoken)

    def current(self, item: Tip | FaqEntry | Fact, today: date) -> bool:
        """Whether it may still be said: neither it nor any fact in its text has expired."""
        return is_current(item, self.facts, today)


def is_current(item: Sourced, facts: Mapping[str, Fact], today: date) -> bool:
    """Whether neither the item nor any fact in its text has expired; an unknown fact counts as expired."""
    return not item.expired(today) and all(f in facts and not facts[f].expired(today) for f in item.uses)
