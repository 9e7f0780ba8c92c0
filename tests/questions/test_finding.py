"""Answers that wait are looked for at every message of everybody: by who asked, never by their state."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from bot.core.words import QuestionState
from bot.db import Database, questions


async def test_what_waits_for_somebody_is_found_by_an_index_of_theirs(database: Database) -> None:
    async with database.write() as tx:
        assert await questions.waiting_for(tx, 1) == []
        if database.is_sqlite:
            query = questions.of_person(1, (QuestionState.ANSWERED,))
            said = query.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
            plan = await tx.execute(sa.text(f"EXPLAIN QUERY PLAN {said}"))
            assert any("question_by_contact_id" in str(row) for row in plan)
