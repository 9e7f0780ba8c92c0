"""People from a file: consent first, stopped and erased people stay so, names never arrive."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from bot.core.words import PersonStatus, RoleName, TargetGroup
from bot.db import Database, accounts, people, roles, units
from bot.db.tables import Account, Contact, Person
from bot.outreach import people_import, posts
from bot.outreach.people import tombstone
from bot.outreach.people_import import Import
from bot.outreach.unit_import import Tally

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
HEADER = "channel,external_id,name,unit,group,language,consented_at\n"
SECRET = b"secret"
Keys = Mapping[str, Sequence[str]]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "people.csv"


async def bring(database: Database, path: Path, text: str, keys: Keys | None = None) -> tuple[Tally, dict[int, str]]:
    path.write_text(text, "utf-8")
    refused: dict[int, str] = {}
    zone = ZoneInfo("Asia/Ho_Chi_Minh")
    job = Import(database, NOW, zone, keys or {}, lambda: SECRET, refused.__setitem__)
    return await job.run(path), refused


async def who(database: Database, external_id: str) -> Person | None:
    async with database.read() as tx:
        contact = await people.find(tx, "telegram", external_id)
        return await people.get(tx, contact.person_id) if contact else None


async def test_who_agreed_comes_in_and_a_second_time_changes_nothing(database: Database, file: Path) -> None:
    text = HEADER + (
        "telegram,1001,Bà Lý,18859,elderly,vi,2026-01-02T03:04:05\n"
        "telegram,1002,Ông Nam,,,,2026-01-02T03:04:05+00:00\n"
        "zalo_oa,abc,Chị Hoa,18871,worker,en,2026-01-02\n"
    )
    first, refused = await bring(database, file, text)
    again, _ = await bring(database, file, text)
    assert (first.added, again.unchanged, refused) == (3, 3, {})
    found = await who(database, "1001")
    assert found is not None
    assert found.status is PersonStatus.ACTIVE
    assert found.target_group is TargetGroup.ELDERLY
    assert found.consent_at == datetime(2026, 1, 1, 20, 4, 5, tzinfo=UTC)
    assert (found.consent_via, found.consent_version, found.tip_hour) == ("import", "import", 7)
    other = await who(database, "1002")
    assert other is not None
    assert (other.unit_id, other.target_group, other.language) == (None, TargetGroup.RESIDENT, "vi")


async def test_no_name_is_stored_anywhere(database: Database, file: Path) -> None:
    await bring(database, file, HEADER + "telegram,1001,Nguyễn Thị Bí Mật,18859,elderly,vi,2026-01-02\n")
    async with database.read() as tx:
        rows = [*(await tx.execute(sa.select(Person.__table__))), *(await tx.execute(sa.select(Contact.__table__)))]
    assert "Bí Mật" not in repr(rows)


BAD = [
    ("telegram,1,x,18859,resident,vi,", "no consent"),
    ("telegram,1,x,18859,resident,vi,yesterday", "consented_at is 'yesterday'"),
    ("telegram,1,x,18859,resident,vi,2026-11-24T10:00", "in the future"),
    ("telegram,1,x,18859,resident,vi,9999-12-31", "in the future"),
    ("telegram,1,x,18859,resident,vi,0001-01-01", "nobody can have agreed then"),
    ("telegram,1,x,99999,resident,vi,2026-01-02", "no unit has the code '99999'"),
    ("telegram,1,x,18859,king,vi,2026-01-02", "not a group"),
    ("telegram,1,x,18859,resident,fr,2026-01-02", "not a language"),
    ("signal,1,x,18859,resident,vi,2026-01-02", "not a channel"),
    ("telegram,,x,18859,resident,vi,2026-01-02", "no external_id"),
    ("telegram,-100123,x,18859,resident,vi,2026-01-02", "is a group"),
    ("telegram,1.23E+09,x,18859,resident,vi,2026-01-02", "not an id of telegram"),
    ("telegram,٣٤٥,x,18859,resident,vi,2026-01-02", "not an id of telegram"),
    ("telegram,3٤٥,x,18859,resident,vi,2026-01-02", "'3٤٥' is not an id of telegram"),
]


@pytest.mark.parametrize(("row", "reason"), BAD, ids=[reason for _, reason in BAD])
async def test_a_bad_line_is_refused_and_the_rest_goes_in(sqlite_url: str, file: Path, row: str, reason: str) -> None:
    database = Database(sqlite_url)
    tally, refused = await bring(database, file, f"{HEADER}{row}\ntelegram,2,y,18859,resident,vi,2026-01-02\n")
    await database.close()
    assert list(refused) == [2]
    assert reason in refused[2]
    assert (tally.added, tally.refused) == (1, 1)


async def test_who_has_said_stop_stays_stopped(database: Database, file: Path) -> None:
    text = HEADER + "telegram,1001,x,18859,elderly,vi,2026-01-02\n"
    await bring(database, file, text)
    async with database.write() as tx:
        contact = await people.find(tx, "telegram", "1001")
        assert contact is not None
        person = await people.get(tx, contact.person_id)
        assert person is not None
        person.status = PersonStatus.STOPPED
    tally, _ = await bring(database, file, text.replace("18859", "18871"))
    found = await who(database, "1001")
    assert found is not None
    assert tally.unchanged == 1
    assert found.status is PersonStatus.STOPPED


async def test_who_asked_to_be_erased_does_not_come_back(database: Database, file: Path) -> None:
    async with database.write() as tx:
        await people.erase(tx, 0, [tombstone(SECRET, "telegram", "1001")], NOW)
    tally, refused = await bring(database, file, HEADER + "telegram,1001,x,18859,elderly,vi,2026-01-02\n")
    assert tally.added == 0
    assert "asked to be erased" in refused[2]


async def test_a_known_person_moves_but_empty_fields_leave_them_as_they_are(database: Database, file: Path) -> None:
    await bring(database, file, HEADER + "telegram,1001,x,18859,elderly,en,2026-01-02\n")
    moved, _ = await bring(database, file, HEADER + "telegram,1001,x,18871,,,2026-01-02\n")
    found = await who(database, "1001")
    assert found is not None
    async with database.read() as tx:
        place = await units.by_code(tx, "18871")
        assert place is not None
    assert moved.updated == 1
    assert (found.unit_id, found.target_group, found.language) == (place.id, TargetGroup.ELDERLY, "en")


async def test_who_wrote_to_us_and_has_not_agreed_has_not_agreed(database: Database, file: Path) -> None:
    async with database.write() as tx:
        account = await accounts.ensure(tx, "telegram:1", NOW)
        _, heard = await people.add(tx, account.id, "1001", NOW)
        heard.last_in_at = NOW
        named, _ = await people.add(tx, account.id, "1002", NOW)
        await roles.grant(tx, named.id, RoleName.HELPER, (await units.root(tx)).id, NOW)
    rows = "telegram,1001,x,18859,elderly,vi,2026-01-02\ntelegram,1002,x,18859,,vi,2026-01-02\n"
    tally, _ = await bring(database, file, HEADER + rows)
    silent, helper = await who(database, "1001"), await who(database, "1002")
    assert silent is not None
    assert helper is not None
    assert (tally.updated, tally.unchanged) == (1, 1)
    assert (silent.status, helper.status) == (PersonStatus.NEW, PersonStatus.ACTIVE)
    assert helper.consent_via == "import"


async def test_a_person_who_stands_twice_in_a_file_comes_in_once(database: Database, file: Path) -> None:
    rows = "telegram,1001,x,18859,elderly,vi,2026-01-02\n" * 2 + "telegram,1001,x,18871,worker,vi,2026-01-02\n"
    tally, _ = await bring(database, file, HEADER + rows)
    found = await who(database, "1001")
    assert found is not None
    assert (tally.added, tally.unchanged, tally.updated) == (1, 1, 1)
    assert found.target_group is TargetGroup.WORKER


async def test_a_merged_unit_leads_to_its_successor(database: Database, file: Path) -> None:
    async with database.write() as tx:
        old, heir = await units.by_code(tx, "18859"), await units.by_code(tx, "18871")
        assert old is not None
        assert heir is not None
        old.merged_into_id = heir.id
    await bring(database, file, HEADER + "telegram,1001,x,18859,elderly,vi,2026-01-02\n")
    found = await who(database, "1001")
    assert found is not None
    assert found.unit_id == heir.id


async def spread(database: Database) -> Counter[str]:
    query = sa.select(Account.key).join(Contact, Contact.account_id == Account.id)
    async with database.read() as tx:
        return Counter((await tx.execute(query)).scalars())


def crowd(count: int, **columns: str) -> str:
    extra = "".join(f",{value}" for value in columns.values())
    rows = (f"telegram,{1000 + i},x,18859,resident,vi,2026-01-02{extra}\n" for i in range(count))
    return HEADER.strip() + "".join(f",{name}" for name in columns) + "\n" + "".join(rows)


async def test_people_are_spread_evenly_over_the_accounts(database: Database, file: Path) -> None:
    keys = {"telegram": ("telegram:1", "telegram:2")}
    tally, _ = await bring(database, file, crowd(4100), keys)
    found = await spread(database)
    assert tally.added == 4100
    assert min(found.values()) > 1900
    more = {"telegram": ("telegram:1", "telegram:2", "telegram:3")}
    again, _ = await bring(database, file, crowd(4100), more)
    assert again.unchanged == 4100


async def test_without_an_account_people_wait_for_the_first_one(database: Database, file: Path) -> None:
    await bring(database, file, crowd(10))
    assert await spread(database) == {posts.waiting("telegram"): 10}
    async with database.write() as tx:
        first = await accounts.ensure(tx, "telegram:1", NOW)
        assert await accounts.adopt(tx, "telegram", [first]) == 10
    again, _ = await bring(database, file, crowd(10), {"telegram": ("telegram:1",)})
    assert again.unchanged == 10


async def test_a_column_may_name_the_account(database: Database, file: Path) -> None:
    keys = {"telegram": ("telegram:1", "telegram:2")}
    await bring(database, file, crowd(10, account="telegram:2"), keys)
    assert await spread(database) == {"telegram:2": 10}
    _, refused = await bring(database, file, crowd(20, account="telegram:9"), keys)
    assert len(refused) == 10
    assert "no account is called 'telegram:9'" in refused[12]


async def test_refused_lines_are_told_in_the_order_of_the_file(database: Database, file: Path) -> None:
    async with database.write() as tx:
        await people.erase(tx, 0, [tombstone(SECRET, "telegram", "1001")], NOW)
    rows = "telegram,9,x,1,resident,vi,2026-01-02\ntelegram,1001,x,18859,elderly,vi,2026-01-02\ntelegram,8,x,,king,,\n"
    _, refused = await bring(database, file, HEADER + rows)
    assert list(refused) == [2, 3, 4]


async def test_who_stands_far_apart_in_a_file_ends_as_the_last_line_says(
    database: Database, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people_import, "AHEAD", 4)
    monkeypatch.setattr(people_import, "BATCH", 3)
    lines = [f"telegram,{1000 + n},x,18859,resident,vi,2026-01-02\n" for n in (7, 3, 9, 1, 8, 2, 6)]
    moved = [f"telegram,{1000 + n},x,18871,,,2026-01-02\n" for n in (9, 2, 7)]
    tally, refused = await bring(database, file, HEADER + "".join([*lines, *moved, lines[0]]))
    assert (tally.added, tally.updated, refused) == (7, 4, {})
    async with database.read() as tx:
        new, old = [await units.by_code(tx, code) for code in ("18871", "18859")]
    assert new is not None
    assert old is not None
    homes = {n: (await who(database, str(1000 + n))) for n in (1, 2, 7, 9)}
    assert {n: person and person.unit_id for n, person in homes.items()} == {1: old.id, 2: new.id, 7: old.id, 9: new.id}


async def test_an_interrupted_import_goes_on_when_it_is_run_again(
    database: Database, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people_import, "AHEAD", 4)
    monkeypatch.setattr(people_import, "BATCH", 2)
    job = Import(database, NOW, ZoneInfo("Asia/Ho_Chi_Minh"), {}, lambda: SECRET, lambda _line, _why: None)
    file.write_text(crowd(11), "utf-8")
    read: list[int] = []

    def progress(bytes_read: int) -> None:
        read.append(bytes_read)
        raise InterruptedError

    with pytest.raises(InterruptedError):
        await job.run(file, progress)
    assert sum(read) == file.stat().st_size
    assert 0 < job.tally.added < 11
    tally, _ = await bring(database, file, crowd(11))
    assert (tally.added, tally.unchanged) == (11 - job.tally.added, job.tally.added)


async def test_a_file_of_nothing_but_refused_lines_is_told_to_its_end(
    database: Database, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people_import, "AHEAD", 3)
    tally, refused = await bring(database, file, HEADER + "telegram,1,x,18859,resident,vi,\n" * 8)
    assert list(refused) == list(range(2, 10))
    assert tally.refused == 8
