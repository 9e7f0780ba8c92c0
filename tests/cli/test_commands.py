"""The other commands: lists, roles, questions, content, copies, checks; and how they end."""

from __future__ import annotations

import asyncio
import fcntl
import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from bot.db.guard import SoleSender
from bot.db.session import Database
from tests.cli.conftest import Loaso
from tests.support.postgres import Postgres

Start = Callable[..., "subprocess.Popen[str]"]
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
on_postgres = pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
VILLAGES = "code,name,kind,parent\nV1,Thôn Một,thôn,18859\nV2,Thôn Hai,thôn,\n"


def test_units_come_in_and_are_listed(loaso: Loaso, tmp_path: Path) -> None:
    file = tmp_path / "units.csv"
    file.write_text(VILLAGES, "utf-8")
    ended = loaso("units", "import", file)
    assert (ended.code, ended.json) == (0, {"added": 1, "updated": 0, "unchanged": 0, "refused": 1})
    assert ended.err == "line 3: a village needs a parent: the code of its commune\n"
    below = loaso("units", "list", "--below", "18859", "--json").json
    assert below == [
        {"code": "V1", "name": "Thôn Một", "kind": "village", "parent": "18859", "aliases": [], "people": 0}
    ]
    assert loaso("units", "list").out.count("\n") == 44


@on_sqlite
def test_a_file_of_which_nothing_can_be_taken_ends_with_1(loaso: Loaso, tmp_path: Path) -> None:
    file = tmp_path / "units.csv"
    file.write_text("code,name,kind,parent\n" + "V1,Thôn,thôn,9\n" * 60, "utf-8")
    ended = loaso("units", "import", file)
    assert (ended.code, ended.json["refused"]) == (1, 60)
    assert ended.err.count("\n") == 51
    assert ended.err.endswith("… and 10 more lines were refused\n")


def test_roles_are_given_to_people_who_have_not_written_yet(loaso: Loaso) -> None:
    granted = loaso("roles", "grant", "telegram:77", "village_head", "18859")
    assert (granted.code, granted.err) == (0, "telegram:77 is now village_head of 18859 Phường Đồng Thuận.\n")
    assert "already" in loaso("roles", "grant", "telegram:77", "village_head", "18859").err
    listed = loaso("roles", "list", "18859", "--json").json
    assert [(h["who"], h["role"], h["unit"]) for h in listed] == [(["telegram:77"], "village_head", "18859")]
    assert loaso("roles", "list", "18871", "--json").json == []
    assert loaso("roles", "revoke", "telegram:77", "village_head", "18859").code == 0
    assert loaso("roles", "revoke", "telegram:77", "village_head", "18859").code == 1
    assert loaso("roles", "list", "--json").json == []


WRONG = [
    (("roles", "grant", "77", "helper", "18859"), 1, "'77' is not CHANNEL:ID"),
    (
        ("roles", "grant", "telegram:77", "king", "18859"),
        1,
        "village_head, helper, influencer, editor, approver, admin",
    ),
    (("roles", "grant", "telegram:77", "helper", "9"), 1, "the codes are 44, 18859"),
    (("roles", "grant", "telegram:77", "helper"), 2, "UNIT"),
    (("units", "list", "--below", "9"), 1, "No unit has the code '9'"),
    (("units", "import", "missing.csv"), 1, "missing.csv: No such file"),
    (("units", "import", "."), 1, "Is a directory"),
    (("people", "import", "empty.csv"), 1, "empty.csv is empty"),
    (("people", "import", "units.csv"), 1, "no column channel, external_id, unit, group, consented_at"),
    (("faq", "ask"), 2, "either a TEXT or --jsonl"),
    (("faq", "ask", "x", "--jsonl"), 2, "either a TEXT or --jsonl"),
    (("content", "check", "missing"), 1, "missing:1: no pack here"),
    (("backup", "."), 1, "is a folder"),
    (("backup", "missing/copy.db"), 1, "There is no folder missing"),
    (("backup", "loaso.db"), 1, "is the database itself"),
    (("restore", "missing.db"), 1, "missing.db: No such file"),
    (("restore", "units.csv"), 1, "is not a copy made by 'loaso backup'"),
    (("restore", "other.db"), 1, "other.db is not a Loa Số database"),
    (("restore", "broken.db"), 1, "broken.db is"),
    (("worker",), 1, "A worker is one of several processes"),
    (("fly",), 2, "fly"),
    (("run", "--fast"), 2, "--fast"),
]


@on_sqlite
def test_what_is_wrong_is_said_plainly(loaso: Loaso, tmp_path: Path) -> None:
    (tmp_path / "empty.csv").touch()
    (tmp_path / "units.csv").write_text(VILLAGES, "utf-8")
    (tmp_path / "broken.db").write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    with closing(sqlite3.connect(tmp_path / "other.db")) as other:
        other.execute("CREATE TABLE unit (x)")
    for arguments, code, part in WRONG:
        ended = loaso(*arguments)
        assert (ended.code, ended.out) == (code, ""), (arguments, ended)
        assert part in ended.err, (arguments, ended)
        assert ended.err.count("\n") == (2 if arguments[0] == "content" else 1), (arguments, ended)
        assert ended.err.endswith(".\n"), (arguments, ended)


@on_sqlite
def test_wrong_settings_are_named_all_at_once(loaso: Loaso, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {
        "TELEGRAM_TOKEN": "not-a-token",
        "TELEGRAM_RATE": "fast",
        "HTTP_PORT": "99999",
        "TIMEZONE": "Mars/Base",
        "ADMINS": "77",
        "ENGINE": "steam",
        "PUBLIC_URL": "example.org",
        "DATABASE_URL": "mysql://x",
        "TELEGARM_MODE": "polling",
    }
    for name, value in wrong.items():
        monkeypatch.setenv(f"LOASO_{name}", value)
    refused = loaso("units", "list")
    checked = loaso("check")
    assert (refused.code, refused.err.count("\n"), checked.code) == (1, 1, 1)
    for name in [n for n in wrong if n != "TELEGARM_MODE"]:
        assert f"LOASO_{name}" in refused.err, name
        assert f"✗ settings: LOASO_{name}" in checked.out, name
    assert "• settings: LOASO_TELEGARM_MODE means nothing here" in checked.out
    assert "not-a-token" not in refused.err + checked.out


def test_a_database_that_cannot_be_had_is_said_plainly(loaso: Loaso, monkeypatch: pytest.MonkeyPatch) -> None:
    urls = {
        "postgresql+psycopg://bot:hush@127.0.0.1:1/loaso": "PostgreSQL does not answer",
        "sqlite+aiosqlite:////proc/none/loaso.db": "",
        "sqlite+aiosqlite:////dev/null": "",
    }
    for url, part in urls.items():
        monkeypatch.setenv("LOASO_DATABASE_URL", url)
        for command in (("units", "list"), ("check",)):
            ended = loaso(*command)
            assert ended.code == 1, (url, ended)
            assert part in ended.err + ended.out
            assert "hush" not in ended.err + ended.out


@on_sqlite
def test_questions_are_answered_line_by_line(process: Start) -> None:
    asked = [{"id": 7, "text": "quên mật khẩu vneid thì làm sao"}, {"id": "b", "text": "qwxz zzkkq"}]
    lines = "\n".join([json.dumps(asked[0]), "not json", "", json.dumps(asked[1]), '{"text": "x"}'])
    found = process("faq", "ask", "--jsonl", stdin=subprocess.PIPE)
    out, err = found.communicate(lines, timeout=30)
    answers = [json.loads(line) for line in out.splitlines()]
    assert [a["id"] for a in answers] == [7, "b"]
    assert answers[0]["action"] in ("answer", "suggest")
    assert "vneid_forgot_password" in answers[0]["entries"]
    assert (answers[1]["action"], answers[1]["entries"]) == ("none", [])
    assert [line.partition(":")[0] for line in err.splitlines()] == ["line 2", "line 5"]
    assert found.returncode == 1


@on_sqlite
def test_the_content_of_this_program_is_right(loaso: Loaso) -> None:
    assert loaso("content", "check").code == 0
    one = loaso("faq", "ask", "cách tạo mật khẩu mạnh").json
    assert {"action", "entries", "score"} <= set(one)


@on_sqlite
def test_a_copy_brings_back_what_was_there(loaso: Loaso, tmp_path: Path) -> None:
    loaso("roles", "grant", "telegram:77", "helper", "18859")
    writer = sqlite3.connect(tmp_path / "loaso.db")  # somebody writes meanwhile
    writer.execute("BEGIN IMMEDIATE")
    assert loaso("backup", tmp_path / "copy.db").code == 0
    writer.close()
    assert (tmp_path / "copy.db").stat().st_mode & 0o077 == 0
    loaso("roles", "revoke", "telegram:77", "helper", "18859")
    restored = loaso("restore", tmp_path / "copy.db")
    assert restored.code == 0, restored
    assert len(loaso("roles", "list", "--json").json) == 1
    assert len(list(tmp_path.glob("loaso.db.before-*"))) == 1
    assert not list(tmp_path.glob(".*.db.*"))


@on_sqlite
def test_nothing_is_restored_under_a_running_bot(loaso: Loaso, tmp_path: Path) -> None:
    loaso("backup", tmp_path / "copy.db")
    with (tmp_path / "loaso.db.sender").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ended = loaso("restore", tmp_path / "copy.db")
    assert (ended.code, ended.err) == (1, "'loaso run' is using this database: stop it before you restore.\n")
    with closing(sqlite3.connect(tmp_path / "loaso.db")) as reader:
        reader.execute("SELECT count(*) FROM unit").fetchone()
        ended = loaso("restore", tmp_path / "copy.db")
    assert ended.code == 1
    assert "Another program has the database open" in ended.err


@on_postgres
def test_postgresql_is_copied_by_its_own_tools_or_says_so(
    loaso: Loaso, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    plain = loaso("backup", tmp_path / "copy.dump")
    assert (plain.code, plain.out) == (1, "")
    assert "pg_dump is not installed here" in plain.err
    tool = tmp_path / "pg_dump"
    tool.write_text(f"#!{sys.executable}\nimport sys\nopen(sys.argv[-1][7:], 'wb').write(b'PGDMP')\n")
    tool.chmod(0o755)
    assert loaso("backup", tmp_path / "copy.dump").code == 0
    assert (tmp_path / "copy.dump").read_bytes() == b"PGDMP"
    assert "pg_restore is not installed here" in loaso("restore", tmp_path / "copy.dump").err
    assert "is not a copy that pg_dump made" in loaso("restore", tool).err


@on_postgres
def test_a_postgresql_copy_brings_back_what_was_there(
    loaso: Loaso, postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not (postgres.binaries / "pg_dump").exists():
        pytest.skip("this PostgreSQL came without pg_dump")
    monkeypatch.setenv("PATH", str(postgres.binaries))
    loaso("roles", "grant", "telegram:77", "helper", "18859")
    copied = loaso("backup", tmp_path / "copy.dump")
    assert copied.code == 0, copied
    loaso("roles", "revoke", "telegram:77", "helper", "18859")
    restored = loaso("restore", tmp_path / "copy.dump")
    assert restored.code == 0, restored
    assert len(loaso("roles", "list", "--json").json) == 1


@on_postgres
def test_postgresql_is_not_restored_under_a_running_bot(
    loaso: Loaso, environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "copy.dump").write_bytes(b"PGDMP")

    async def held() -> None:
        database = Database(environment["LOASO_DATABASE_URL"])
        sole = SoleSender(database, None)
        await sole.take()
        ended = await asyncio.to_thread(loaso, "restore", tmp_path / "copy.dump")
        await sole.release()
        await database.close()
        assert (ended.code, "is using this database" in ended.err) == (1, True)

    asyncio.run(held())


def test_a_check_says_what_is_right(loaso: Loaso, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOASO_HTTP_PORT", "0")
    ended = loaso("check")
    assert ended.code == 0, ended
    assert all(line[0] in "✓•" for line in ended.out.splitlines())
    for what in ("settings", "database", "time", "content", "telegram", "web"):
        assert f" {what}: " in ended.out


@on_sqlite
def test_a_reader_who_leaves_and_an_operator_who_interrupts_see_no_traceback(
    process: Start, loaso: Loaso, tmp_path: Path
) -> None:
    broken = process("units", "list", "--json")
    assert broken.stdout is not None
    broken.stdout.close()
    assert broken.stderr is not None
    assert (broken.wait(60), broken.stderr.read()) == (1, "")
    broken.stderr.close()
    loaso("campaign", "send", "--text", "Mai họp", "--to", "all")
    watching = process("campaign", "status", "1", "--watch")
    for _ in range(600):
        if (tmp_path / "loaso.db-shm").exists():  # it has opened the database
            break
        time.sleep(0.05)
    watching.send_signal(signal.SIGINT)
    out, err = watching.communicate(timeout=20)
    assert (watching.returncode, out, err) == (130, "", "")


@on_sqlite
def test_a_locked_database_is_said_plainly(loaso: Loaso, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.db.session.BUSY_SECONDS", 0.1)
    with closing(sqlite3.connect(tmp_path / "loaso.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        ended = loaso("roles", "grant", "telegram:77", "helper", "18859")
    assert ended.code == 1
    assert "another program is writing to it" in ended.err
