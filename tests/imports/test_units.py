"""Units from a file: any order, bad lines refused with their number, twice changes nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from bot.core.errors import BadFile
from bot.core.words import PersonStatus, UnitKind
from bot.db import Database, accounts, people, units
from bot.db.audience import reach
from bot.outreach import audience, unit_import
from bot.outreach.unit_import import Tally

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
TODAY = date(2026, 11, 23)
HEADER = "code,name,kind,parent,aliases,valid_from,valid_to,merged_into\n"


async def bring(database: Database, path: Path, text: str | bytes) -> tuple[Tally, dict[int, str]]:
    content = text.encode() if isinstance(text, str) else text
    path.write_bytes(content)
    refused: dict[int, str] = {}
    wishes = unit_import.read(path, refused.__setitem__)
    async with database.write() as tx:
        tally = await unit_import.bring_in(tx, wishes, refused.__setitem__, NOW, TODAY)
    return tally, refused


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "units.csv"


async def test_villages_come_in_and_a_second_time_changes_nothing(database: Database, file: Path) -> None:
    text = HEADER + "V1,Thôn Một,thôn,18859,Xóm Trên|Xóm Dưới,2025-07-01,,\nV2,Tổ dân phố 2,Tổ Dân Phố,18859,,,,\n"
    first, refused = await bring(database, file, text)
    again, _ = await bring(database, file, text)
    assert (first.added, again.unchanged, again.added, again.updated) == (2, 2, 0, 0)
    assert not refused
    async with database.read() as tx:
        unit = await units.by_code(tx, "V1")
        assert unit is not None
        assert unit.kind is UnitKind.VILLAGE
        assert unit.path == "/44/18859/V1/"
        assert unit.aliases == ["Xóm Trên", "Xóm Dưới"]
        assert unit.valid_from == date(2025, 7, 1)


async def test_order_in_the_file_does_not_matter(database: Database, file: Path) -> None:
    text = HEADER + "V1,Thôn Một,village,C1,,,,\nC1,Xã Mới,xã,P1,,,,\nP1,Tỉnh Mới,tỉnh,,,,,\n"
    tally, refused = await bring(database, file, text)
    assert (tally.added, refused) == (3, {})
    async with database.read() as tx:
        unit = await units.by_code(tx, "V1")
        assert unit is not None
        assert unit.path == "/P1/C1/V1/"


async def test_semicolons_a_byte_order_mark_and_other_columns_are_fine(database: Database, file: Path) -> None:
    text = "\ufeffParent;Ghi chú;KIND;name;code\r\n18859;;thôn;Thôn Một, Hai;V1\r\n\r\n"
    tally, refused = await bring(database, file, text)
    assert (tally.added, refused) == (1, {})


async def test_a_new_name_keeps_the_old_one_as_an_alias(database: Database, file: Path) -> None:
    text = HEADER + "18859,Phường Mới,phường,44,,,,\n"
    first, _ = await bring(database, file, text)
    again, _ = await bring(database, file, text)
    assert (first.updated, again.unchanged) == (1, 1)
    async with database.read() as tx:
        unit = await units.by_code(tx, "18859")
        assert unit is not None
        assert unit.name == "Phường Mới"
        assert "Phường Đồng Thuận" in unit.aliases
        assert "Xã Quang Phú" in unit.aliases


async def test_what_lies_below_moves_with_a_unit(database: Database, file: Path) -> None:
    await bring(database, file, HEADER + "P2,Tỉnh Hai,tỉnh,,,,,\nV1,Thôn Một,thôn,18859,,,,\n")
    await bring(database, file, HEADER + "18859,Phường Đồng Thuận,phường,P2,,,,\n")
    async with database.read() as tx:
        unit = await units.by_code(tx, "V1")
        assert unit is not None
        assert unit.path == "/P2/18859/V1/"


async def test_people_of_a_merged_village_live_in_its_successor(database: Database, file: Path) -> None:
    rows = "V1,Thôn Một,thôn,18859,,,,\nV2,Thôn Hai,thôn,18859,,,,\nV3,Thôn Ba,thôn,18859,,,,\n"
    await bring(database, file, HEADER + rows)
    async with database.write() as tx:
        account = await accounts.ensure(tx, "telegram:1", NOW)
        person, _ = await people.add(tx, account.id, "7", NOW)
        old = await units.by_code(tx, "V1")
        assert old is not None
        person.unit_id, person.status = old.id, PersonStatus.ACTIVE
    text = HEADER + "V1,Thôn Một,thôn,18859,,,,V2\nV2,Thôn Hai,thôn,18859,,,2026-01-01,V3\n"
    first, refused = await bring(database, file, text)
    again, _ = await bring(database, file, text)
    assert (first.updated, again.unchanged, refused) == (2, 2, {})
    async with database.read() as tx:
        moved = await people.find(tx, "telegram", "7")
        closed, heir = await units.by_code(tx, "V1"), await units.by_code(tx, "V3")
        assert moved is not None
        assert closed is not None
        assert heir is not None
        who = await people.get(tx, moved.person_id)
        assert who is not None
        assert who.unit_id == heir.id
        assert closed.valid_to == TODAY
        assert [u.code for u in await units.everything(tx, TODAY) if u.code.startswith("V")] == ["V3"]


BAD = [
    ("V1,Thôn Một,thôn,99999,,,,", "parent '99999' is neither known"),
    ("V1,Thôn Một,thôn,,,,,", "needs a parent"),
    ("V1,Thôn Một,thôn,44,,,,", "belongs to a commune"),
    ("V1,Thôn Một,xóm lạ,18859,,,,", "not a kind"),
    (",Thôn Một,thôn,18859,,,,", "no code"),
    ("V 1,Thôn Một,thôn,18859,,,,", "not a code"),
    ("V/1,Thôn Một,thôn,18859,,,,", "not a code"),
    ("V1,,thôn,18859,,,,", "no name"),
    ("V1," + "x" * 121 + ",thôn,18859,,,,", "longer than 120"),
    ("V1,Thôn Một,thôn,18859,,2026-13-01,,", "valid_from"),
    ("V1,Thôn Một,thôn,18859,,2026-02-01,2026-01-01,", "before valid_from"),
    ("V1,Thôn Một,thôn,V1,,,,", "below itself"),
    ("V1,Thôn Một,thôn,18859,,,,V1", "in a circle"),
    ("V1,Thôn Một,thôn,18859,,,,V9", "merged_into"),
    ("V1,Thôn Một,thôn,18859,,,,18871", "cannot be merged into a commune"),
    ('V1,"Thôn Một,thôn,18859,,,,', "quotation mark"),
    ("V1,Thôn Một,thôn,18859,,,,,,,x", "11 fields"),
    ("V1,Thôn\0,thôn,18859,,,,", "NUL"),
    ("V1," + "x" * 70_000 + ",thôn,18859,,,,", "longer than 64 KB"),
    ("18859,Phường,thôn,18871,,,,", "with units below it"),
    ("44,Tỉnh,tỉnh,18859,,,,", "has no parent"),
    ("v8,Thôn Tám,thôn,18859,,,,", "differs from V8 in its capitals alone"),
]


@pytest.mark.parametrize(("row", "reason"), BAD, ids=[reason for _, reason in BAD])
async def test_a_bad_line_is_refused_and_the_rest_goes_in(sqlite_url: str, file: Path, row: str, reason: str) -> None:
    database = Database(sqlite_url)
    await bring(database, file, HEADER + "V8,Thôn Tám,thôn,18859,,,,\n")
    tally, refused = await bring(database, file, f"{HEADER}{row}\nV2,Thôn Hai,thôn,18859,,,,\n")
    await database.close()
    assert list(refused) == [2]
    assert reason in refused[2]
    assert tally.added == 1


async def test_a_refused_parent_takes_its_children_with_it(sqlite_url: str, file: Path) -> None:
    database = Database(sqlite_url)
    text = HEADER + "V1,Thôn Một,thôn,C1,,,,\nC1,Xã Mới,xã,P9,,,,\nA,Thôn A,thôn,18859,,,,B\nB,Thôn B,thôn,18859,,,,A\n"
    tally, refused = await bring(database, file, text)
    await database.close()
    assert tally.added == 0
    assert refused[2] == "its parent 'C1' was refused (line 3)"
    assert "circle" in refused[4]


async def test_a_code_that_stands_twice_is_refused_the_second_time(sqlite_url: str, file: Path) -> None:
    database = Database(sqlite_url)
    _, refused = await bring(database, file, HEADER + "V1,Thôn Một,thôn,18859,,,,\nV1,Thôn Hai,thôn,18859,,,,\n")
    await database.close()
    assert refused == {3: "the code V1 stands on line 2 already"}


async def test_an_underscore_in_a_code_means_itself(database: Database, file: Path) -> None:
    await bring(database, file, HEADER + "A_1,Thôn Một,thôn,18859,,,,\nAX1,Thôn Hai,thôn,18859,,,,\n")
    async with database.write() as tx:
        account = await accounts.ensure(tx, "telegram:1", NOW)
        for number, code in (("7", "A_1"), ("8", "AX1")):
            person, _ = await people.add(tx, account.id, number, NOW)
            place = await units.by_code(tx, code)
            assert place is not None
            person.unit_id, person.status = place.id, PersonStatus.ACTIVE
        await tx.flush()
        assert (await reach(tx, audience.parse("unit:A_1"))).total == 1
        assert (await reach(tx, audience.parse("unit:18859"))).total == 2


FILES = [
    (b"", "is empty"),
    (b"\n\n", "is empty"),
    (b"ma,ten\n1,2\n", "has no column code, name, kind, parent"),
    (b"code,name,kind\n1,2,3\n", "has no column parent"),
    (b"code,name,kind,parent,code\n", "the column code twice"),
    (HEADER.encode("utf-16"), "UTF-16"),
    ("code,name,kind,parent,tên\n".encode("cp1258"), "is not UTF-8"),
    (b"\x89PNG\r\n\x1a\n\0\0", "is not UTF-8"),
    (b"code\0,name,kind,parent\n", "is not a CSV file"),
    (b"code,name,kind,parent\rV1,x,thon,18859\r", "is not a CSV file"),
    (b"x" * 300_000, "is not a CSV file"),
]


@pytest.mark.parametrize(("content", "reason"), FILES, ids=[reason for _, reason in FILES])
def test_a_file_that_cannot_be_read_as_a_whole_is_refused(file: Path, content: bytes, reason: str) -> None:
    file.write_bytes(content)
    with pytest.raises(BadFile, match=reason):
        unit_import.read(file, lambda _line, _why: None)


async def test_a_line_in_another_encoding_is_refused_alone(sqlite_url: str, file: Path) -> None:
    database = Database(sqlite_url)
    other = "V1,Thôn Một,thôn,18859,,,,\n".encode("cp1258", errors="ignore")
    tally, refused = await bring(database, file, HEADER.encode() + other + b"V2,Thon Hai,thon,18859,,,,\n")
    await database.close()
    assert (tally.added, list(refused)) == (1, [2])
    assert "UTF-8" in refused[2]
