"""`loaso questions …`: what people were asked, and what they want the bot to know, for a pack."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bot.commands import console
from bot.commands.edge import DONE
from bot.commands.opened import Opened, with_database
from bot.core.errors import UserError
from bot.core.words import EntryState
from bot.db import local_entries, questions
from bot.db.tables import Unit
from bot.db.tables_questions import LocalEntry, Question

_ENOUGH = 4
"""So many phrasings an entry of a pack needs."""
_HEAD = """# Written by people here and published in chat ('loaso questions export').
# Before it goes into messages/content/vi/faq/: at least four phrasings each, an id that says what it is about, and a
# source that begins with https://. 'loaso content check' names what is missing.
"""


def list_questions(limit: int, as_json: bool) -> int:
    async def work(opened: Opened) -> list[tuple[Question, Unit]]:
        async with opened.database.read() as tx:
            return await questions.latest(tx, limit)

    found = with_database(work)
    if as_json:
        console.result([_as_dict(question, unit) for question, unit in found])
    else:
        rows = [tuple(_as_dict(question, unit).values()) for question, unit in found]
        console.table(("id", "unit", "state", "told", "asked", "answered", "by", "text"), rows)
    return DONE


def _as_dict(question: Question, unit: Unit) -> dict[str, Any]:
    """Without a trace of who asked or answered."""
    return {
        "id": question.id,
        "unit": unit.code,
        "state": str(question.state),
        "told": None if question.level is None else str(question.level),
        "asked_at": console.iso(question.asked_at),
        "answered_at": console.iso(question.answered_at),
        "by": None if question.answer_role is None else str(question.answer_role),
        "text": question.text,
    }


def export(file: Path) -> int:
    """Raises `UserError` when there is nothing, or the file cannot be written."""

    async def work(opened: Opened) -> list[LocalEntry]:
        async with opened.database.read() as tx:
            return await local_entries.in_state(tx, EntryState.PUBLISHED)

    found = with_database(work)
    if not found:
        raise UserError("Nothing was published here yet: editors do that in chat, with /inbox")
    try:
        file.write_text(_HEAD + _yaml(found, file.stem), "utf-8")
    except OSError as error:
        raise UserError(f"{file} cannot be written: {error.strerror}") from error
    few = sum(len(entry.phrasings) < _ENOUGH for entry in found)
    console.say(f"{file}: {len(found)} published, {few} with too few phrasings for a pack.")
    return DONE


def _yaml(found: list[LocalEntry], theme: str) -> str:
    """The file's name is the theme under which its entries stand together."""
    import yaml

    rows = {"defaults": {"theme": theme}, "faq": [_row(entry) for entry in found]}
    return yaml.safe_dump(rows, allow_unicode=True, sort_keys=False, width=120)


def _row(entry: LocalEntry) -> dict[str, Any]:
    """As an entry stands in a pack; what a pack would refuse is left as it is, for the editor to see."""
    return {
        "id": f"local_{entry.id}",
        "title": entry.title,
        "source": entry.source,
        "source_name": entry.source_name,
        "checked_on": entry.checked_on,
        "expires": entry.expires_on,
        "phrasings": list(entry.phrasings),
        "answer": entry.answer,
    }
