"""What the bot should know from now on: an editor makes an entry of what people answered, another publishes it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from bot.core.text import clean
from bot.core.words import EntryState, RoleName
from bot.db import Tx, audit, local_entries, units
from bot.db.tables import Person, Unit
from bot.db.tables_questions import LocalEntry, Question
from bot.outreach import notify, roles
from bot.outreach.desk import Desk
from bot.outreach.questions.screening import HIDDEN
from messages.content.claims import CLAIMS, SENTENCE
from messages.content.models import ANSWER_LIMIT, FaqEntry

EDITORS = frozenset({RoleName.EDITOR, RoleName.ADMIN})
DECIDERS = frozenset({RoleName.APPROVER, RoleName.ADMIN})
VALID = timedelta(days=182)
"""After that somebody has to look at it again: it does not answer any more."""
PREFIX = "local_"
"""Begins the ids of these entries; no entry of a pack has such a one."""
LONGEST_TITLE, SHORTEST_TITLE, SHORTEST_ANSWER = 60, 4, 20
_LONGEST_PHRASING = 160
_MOST_PHRASINGS = 20
_MOST_ASKED = 10
_OFFICIAL = re.compile(r"https://(?:[a-z0-9\-]+\.)*gov\.vn(?:/\S*)?", re.IGNORECASE)


class Verdict(StrEnum):
    """What came of deciding about an entry; the last word of a key in `messages`."""

    DONE = "done"
    OVER = "over"
    OWN = "own"
    NO_RIGHT = "no_right"


@dataclass(slots=True)
class Draft:
    """An entry in the making, kept in the conversation with its editor."""

    question: int
    title: str = ""
    answer: str = ""

    def dump(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def load(cls, data: dict[str, Any]) -> Draft:
        known = {name: data[name] for name in ("question", "title", "answer") if name in data}
        return cls(**{"question": 0, **known})


def fits(answer: str) -> bool:
    """Whether an answer may be one of the bot's: short enough for a Zalo group."""
    return SHORTEST_ANSWER <= len(answer) <= ANSWER_LIMIT


def forbidden(text: str) -> str | None:
    """Words in it that the bot never says (see `messages.content.claims`), if any."""
    for sentence in SENTENCE.split(text.casefold()):
        for claim in CLAIMS:
            found = claim.pattern.search(sentence)
            if found is not None and claim.objection(sentence) is not None:
                return found[0]
    return None


def official(text: str) -> str | None:
    """The address if it is one of the state's, which alone may be named as a source."""
    found = _OFFICIAL.fullmatch(text.strip())
    return found[0] if found is not None else None


def phrasings(asked: Sequence[Question]) -> list[str]:
    """How people put it, each way once; what had to be hidden helps nobody to find the answer."""
    texts = (" ".join((question.text or "").replace(HIDDEN, " ").split()) for question in asked)
    return list(dict.fromkeys(text[:_LONGEST_PHRASING] for text in texts if len(text) > 1))[:_MOST_PHRASINGS]


def shortest(asked: Sequence[Question]) -> str:
    """The shortest way in which it was put, as a title."""
    found = [text for text in phrasings(asked) if SHORTEST_TITLE <= len(text) <= LONGEST_TITLE]
    return min(found, key=len, default="")


async def unit_of(tx: Tx, person: Person) -> Unit | None:
    """The widest unit for which that person may propose entries."""
    held = await roles.units_for(tx, person, EDITORS)
    return held[0][1] if held else None


async def propose(
    tx: Tx, desk: Desk, author: Person, draft: Draft, asked: Sequence[Question], source: str | None, now: datetime
) -> tuple[LocalEntry, int] | None:
    """Ask those who may publish it. Returns the entry and how many were asked; `None` without the right to."""
    unit = await unit_of(tx, author)
    if unit is None:
        return None
    today = desk.clock.today(now)
    experience = desk.book.label("vi", "inbox.experience", place=unit.name)
    entry = LocalEntry(
        state=EntryState.PROPOSED,
        unit_id=unit.id,
        title=clean(draft.title),
        phrasings=phrasings(asked),
        answer=clean(draft.answer),
        source=source or "",
        source_name=source.removeprefix("https://").partition("/")[0] if source else experience,
        checked_on=today,
        expires_on=today + VALID,
        author_id=author.id,
        created_at=now,
        changed_at=now,
    )
    await local_entries.add(tx, entry)
    return entry, await _ask(tx, desk, entry, unit, author, now)


async def _ask(tx: Tx, desk: Desk, entry: LocalEntry, unit: Unit, author: Person, now: datetime) -> int:
    asked = 0
    for person_id in (await roles.approvers(tx, unit, but=author.id))[:_MOST_ASKED]:
        contact = await notify.contact_of(tx, person_id, desk=desk)
        if contact is not None and await notify.may_be_told(tx, desk, contact):
            await notify.notify(tx, desk, contact, "inbox.decide", now, entry=entry, buttons=decision(entry))
            asked += 1
    return asked


def decision(entry: LocalEntry) -> list[list[tuple[str, str]]]:
    """The two buttons under an entry that waits."""
    return [[("inbox.button_publish", f"qe:yes:{entry.id}")], [("inbox.button_reject", f"qe:no:{entry.id}")]]


async def waiting(tx: Tx, person: Person) -> list[LocalEntry]:
    """What that person may decide about now, oldest first."""
    paths = [unit.path for _, unit in await roles.units_for(tx, person, DECIDERS)]
    found = await local_entries.below(tx, EntryState.PROPOSED, paths, _MOST_ASKED)
    return [entry for entry in found if entry.author_id != person.id]


async def published(tx: Tx, person: Person) -> list[LocalEntry]:
    """What that person may take out again, the newest first."""
    paths = [unit.path for _, unit in await roles.units_for(tx, person, EDITORS | DECIDERS)]
    return (await local_entries.below(tx, EntryState.PUBLISHED, paths, 1_000))[::-1]


async def may_remove(tx: Tx, person: Person) -> bool:
    """Whether that person may take out entries of any unit."""
    return bool(await roles.units_for(tx, person, EDITORS | DECIDERS))


async def look(tx: Tx, person: Person, entry_id: int) -> tuple[Verdict, LocalEntry | None]:
    """Whether that person may decide now; the entry is locked until the transaction ends."""
    entry = await local_entries.lock(tx, entry_id)
    if entry is None or entry.state is not EntryState.PROPOSED:
        return Verdict.OVER, entry
    if entry.author_id == person.id:
        return Verdict.OWN, entry
    return (Verdict.DONE if await _reaches(tx, person, entry, DECIDERS) else Verdict.NO_RIGHT), entry


async def _reaches(tx: Tx, person: Person, entry: LocalEntry, names: frozenset[RoleName]) -> bool:
    unit = await units.get(tx, entry.unit_id)
    return unit is not None and await roles.may(tx, person, names, unit)


async def decide(
    tx: Tx, person: Person, entry_id: int, state: EntryState, now: datetime
) -> tuple[Verdict, LocalEntry | None]:
    """Publish or reject."""
    verdict, entry = await look(tx, person, entry_id)
    if verdict is Verdict.DONE and entry is not None:
        entry.decided_by_id = person.id
        await _settle(tx, entry, state, person, now)
    return verdict, entry


async def withdraw(tx: Tx, person: Person, entry_id: int, now: datetime) -> tuple[Verdict, LocalEntry | None]:
    """Take a published entry out again: any editor or approver of its unit may."""
    entry = await local_entries.lock(tx, entry_id)
    if entry is None or entry.state is not EntryState.PUBLISHED:
        return Verdict.OVER, entry
    if not await _reaches(tx, person, entry, EDITORS | DECIDERS):
        return Verdict.NO_RIGHT, entry
    await _settle(tx, entry, EntryState.WITHDRAWN, person, now)
    return Verdict.DONE, entry


async def _settle(tx: Tx, entry: LocalEntry, state: EntryState, person: Person, now: datetime) -> None:
    entry.state, entry.changed_at = state, now
    await tx.flush()
    await audit.note(tx, now, f"entry.{state}", f"entry:{entry.id}", actor_id=person.id)


def as_entry(row: LocalEntry, theme: str) -> FaqEntry:
    """The entry as the answers know it. It is not held to the rules of a pack: fewer phrasings, perhaps no address."""
    id = f"{PREFIX}{row.id}"
    return FaqEntry.model_construct(
        id=id,
        topic=id,
        theme=theme,
        title=row.title,
        phrasings=tuple(row.phrasings),
        keywords=(),
        answer=row.answer,
        steps=(),
        related=(),
        safety=False,
        source=row.source,
        source_name=row.source_name,
        checked_on=row.checked_on,
        expires=row.expires_on,
        uses=(),
    )
