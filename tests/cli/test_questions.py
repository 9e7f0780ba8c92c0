"""`loaso questions`: what was asked, and what people published, in the form of a pack."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from pathlib import Path

import yaml

from bot.core.words import EntryState, RoleName
from bot.db import Database, accounts, local_entries, people, questions, units
from bot.db.tables_questions import LocalEntry
from messages.content.models import FaqEntry
from tests.cli.conftest import Loaso

NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)
WAYS = ["bán bò xin giấy ở mô", "giấy bán bò", "xin giay ban bo", "bò đi chợ cần giấy chi"]


async def fill(url: str) -> None:
    database = Database(url)
    async with database.write() as tx:
        account = await accounts.ensure(tx, "telegram:1", NOW)
        place = await units.by_code(tx, "18859")
        assert place is not None
        _, contact = await people.add(tx, account.id, "77", NOW)
        question = await questions.add(tx, contact.id, place.id, WAYS[0], NOW)
        question.answer_role, question.answered_at = RoleName.HELPER, NOW
        for title, state in (("Giấy bán bò", EntryState.PUBLISHED), ("Chưa duyệt", EntryState.PROPOSED)):
            entry = LocalEntry(
                state=state,
                unit_id=place.id,
                title=title,
                phrasings=WAYS,
                answer="Bà con ra trạm thú y xã, mang theo thẻ căn cước ạ.",
                source="https://dichvucong.gov.vn",
                source_name="dichvucong.gov.vn",
                checked_on=date(2026, 11, 22),
                expires_on=date(2027, 5, 23),
                created_at=NOW,
                changed_at=NOW,
            )
            await local_entries.add(tx, entry)
    await database.close()


def test_an_empty_box_has_nothing_to_export(loaso: Loaso, tmp_path: Path) -> None:
    assert loaso("questions", "list", "--json").json == []
    ended = loaso("questions", "export", tmp_path / "thu_y.yaml")
    assert (ended.code, ended.err.count("\n")) == (1, 1)
    assert not (tmp_path / "thu_y.yaml").exists()


def test_what_was_published_is_written_as_a_pack_has_it(loaso: Loaso, database_url: str, tmp_path: Path) -> None:
    loaso("questions", "list")  # migrates
    asyncio.run(fill(database_url))
    (row,) = loaso("questions", "list", "--json").json
    assert (row["unit"], row["state"], row["by"], row["text"]) == ("18859", "open", "helper", WAYS[0])
    assert "77" not in str(row)
    file = tmp_path / "thu_y.yaml"
    ended = loaso("questions", "export", file)
    assert (ended.code, ended.err) == (0, f"{file}: 1 published, 0 with too few phrasings for a pack.\n")
    written = yaml.safe_load(file.read_text("utf-8"))
    (entry,) = written["faq"]
    assert FaqEntry.model_validate({**written["defaults"], **entry}).title == "Giấy bán bò"
