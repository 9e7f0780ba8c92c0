"""Campaigns at the command line: what is printed for scripts, what is refused, what each command changes."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.commands import sending
from bot.core.clock import Clock
from bot.core.errors import Reason, UserError
from bot.core.words import DeliveryState, RunState
from bot.db import Database, runs
from bot.db.audience import condition
from bot.db.traffic import Outcome, Traffic, Want
from bot.outreach import audience, campaigns
from tests.cli.conftest import Loaso

PEOPLE = "channel,external_id,name,unit,group,language,consented_at\n" + "".join(
    f"telegram,{1000 + i},x,18859,elderly,vi,2026-01-02\n" for i in range(3)
)


@pytest.fixture
def village(loaso: Loaso, tmp_path: Path) -> Loaso:
    """Three people who have agreed."""
    file = tmp_path / "people.csv"
    file.write_text(PEOPLE)
    assert loaso("people", "import", file).json == {"added": 3, "updated": 0, "unchanged": 0, "refused": 0}
    return loaso


def settle(url: str, *ends: tuple[DeliveryState, Reason | None]) -> None:
    """Let the first run end like that, person by person."""

    async def work() -> None:
        database = Database(url)
        async with database.write() as tx:
            run = await runs.get(tx, 1)
            assert run is not None
            now = datetime.now(UTC)
            everybody = condition(audience.parse("all"))
            await runs.materialise(tx, run, everybody, now)
            await runs.set_state(tx, run, RunState.SENDING, now)
        traffic = Traffic(database)
        claim = await traffic.exchange([], [], Want(1, 1, 0, len(ends), "test", now))
        assert claim is not None
        outcomes = [
            Outcome(1, row.person_id, 1, state, now, reason)
            for row, (state, reason) in zip(claim.rows, ends, strict=True)
        ]
        await traffic.exchange(outcomes, [claim.slice_id])
        async with database.write() as tx:
            await campaigns.finish_if_done(tx, await campaigns.find(tx, 1), now)
        await database.close()

    asyncio.run(work())


def test_sending_prints_the_run_and_plans_it(village: Loaso) -> None:
    sent = village("campaign", "send", "--text", "Mai họp thôn", "--to", "unit:18859+group:elderly", "--json")
    assert (sent.code, sent.err) == (0, "")
    assert (sent.json["id"], sent.json["total"]) == (1, 3)
    assert datetime.fromisoformat(sent.json["planned_at"]).tzinfo is not None
    status = village("campaign", "status", "1", "--json").json
    assert {"id", "state", "total", "waiting", "sending", "sent", "failed", "skipped", "unknown", "reasons"} <= set(
        status
    )
    assert (status["state"], status["waiting"], status["started_at"]) == ("planned", 3, None)


def test_the_same_text_to_the_same_audience_is_refused_unless_it_is_meant(village: Loaso) -> None:
    send = ("campaign", "send", "--text", "Mai họp thôn", "--to", "all")
    assert village(*send).code == 0
    again = village(*send)
    assert (again.code, again.out) == (1, "")
    assert "--again" in again.err
    assert village(*send, "--again").code == 0
    assert len(village("campaign", "list", "--json").json) == 2


def test_urgent_leaves_at_once_and_others_say_when(village: Loaso) -> None:
    urgent = village("campaign", "send", "--text", "Bão", "--to", "all", "--urgent", "--json")
    planned = datetime.fromisoformat(urgent.json["planned_at"])
    assert abs((planned - datetime.now(UTC)).total_seconds()) < 30
    said = village("campaign", "send", "--text", "Chiều họp", "--to", "all").err
    assert said.startswith("Run 2 is planned: 3 people are in the audience;")


def test_a_run_is_held_resumed_and_ended(village: Loaso) -> None:
    village("campaign", "send", "--text", "Mai họp", "--to", "all")
    assert village("campaign", "pause", "1").json["state"] == "paused"
    twice = village("campaign", "pause", "1")
    assert (twice.code, twice.err) == (1, "Run 1 is paused: only a planned or sending run can be paused.\n")
    assert village("campaign", "resume", "1").json["state"] == "planned"
    assert village("campaign", "cancel", "1").json["state"] == "cancelled"
    assert village("campaign", "resume", "1").code == 1
    assert village("campaign", "status", "1", "--watch").json["reasons"] == {"cancelled": 3}


def test_failed_and_unknown_ones_are_repeated_and_nobody_else(village: Loaso, environment: dict[str, str]) -> None:
    village("campaign", "send", "--text", "Mai họp", "--to", "all")
    assert village("campaign", "retry-failed", "1").code == 1
    url = environment["LOASO_DATABASE_URL"]
    ends = (DeliveryState.SENT, None), (DeliveryState.FAILED, Reason.GAVE_UP), (DeliveryState.UNKNOWN, Reason.NO_ANSWER)
    settle(url, *ends)
    done = village("campaign", "status", "1").json
    assert (done["state"], done["reasons"]) == ("done", {"gave_up": 1, "no_answer": 1})
    retried = village("campaign", "retry-failed", "1")
    assert (retried.json["state"], retried.json["waiting"], retried.json["unknown"]) == ("sending", 1, 1)
    assert village("campaign", "resend-unknown", "1").json["waiting"] == 2


def test_the_report_has_a_line_a_person_and_no_address(
    village: Loaso, environment: dict[str, str], tmp_path: Path
) -> None:
    village("campaign", "send", "--text", "Mai họp", "--to", "all")
    settle(environment["LOASO_DATABASE_URL"], *[(DeliveryState.FAILED, Reason.BLOCKED)] * 3)
    file = tmp_path / "report.csv"
    assert village("campaign", "report", "1", "--csv", file).code == 0
    lines = file.read_text("utf-8-sig").splitlines()
    assert lines[0] == "person,unit,channel,state,reason,at"
    assert lines[1].startswith("1,18859,telegram,failed,blocked,2")
    assert len(lines) == 4
    assert "1000" not in file.read_text("utf-8")
    assert sorted(p.name for p in tmp_path.glob("*.csv")) == ["people.csv", "report.csv"]
    assert village("campaign", "report", "1", "--csv", "-").out.count("\n") == 4


def test_a_tip_of_the_pack_is_sent_by_its_id(village: Loaso) -> None:
    from messages.content import packs

    tip = next(iter(packs.load().tips))
    sent = village("campaign", "send", "--item", tip, "--to", "all", "--json")
    assert sent.json["total"] == 3


WRONG = [
    (("campaign", "send", "--to", "all"), 2, "either --text or --item"),
    (("campaign", "send", "--to", "all", "--text", "x", "--item", "y"), 2, "either --text or --item"),
    (("campaign", "send", "--text", "x"), 2, "--to"),
    (("campaign", "send", "--to", "everybody", "--text", "x"), 1, "'everybody' is not an audience"),
    (("campaign", "send", "--to", "all+", "--text", "x"), 1, "is not an audience"),
    (("campaign", "send", "--to", "person:1", "--text", "x"), 1, "is not an audience"),
    (("campaign", "send", "--to", "unit:9", "--text", "x"), 1, "No unit has the code 9"),
    (("campaign", "send", "--to", "group:king", "--text", "x"), 1, "'king' is not a group"),
    (("campaign", "send", "--to", "all", "--text", " \u200b "), 1, "The text is empty"),
    (("campaign", "send", "--to", "all", "--text", "x" * 20_001), 1, "20001 characters"),
    (("campaign", "send", "--to", "all", "--item", "99"), 1, "There is no item 99"),
    (("campaign", "send", "--to", "all", "--item", "9" * 30), 1, "There is no item"),
    (("campaign", "send", "--to", "all", "--item", "no_such_tip"), 1, "no tip 'no_such_tip'"),
    (("campaign", "send", "--to", "all", "--text", "x", "--at", "tomorrow"), 1, "'tomorrow' is not a time"),
    (("campaign", "send", "--to", "all", "--text", "x", "--at", "2020-01-01T09:00"), 1, "has passed"),
    (("campaign", "send", "--to", "all", "--text", "x", "--at", "2999-01-01T09:00"), 1, "more than a year away"),
    (("campaign", "status", "7"), 1, "There is no run 7"),
    (("campaign", "status", "seven"), 2, "'ID'"),
    (("campaign", "status", "-1"), 2, ""),
    (("campaign", "status", "9" * 25), 2, ""),
    (("campaign", "cancel", "7"), 1, "There is no run 7"),
    (("campaign", "report", "7", "--csv", "x.csv"), 1, "There is no run 7"),
    (("campaign", "fly"), 2, "fly"),
]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_is_wrong_is_said_in_one_sentence(village: Loaso) -> None:
    for arguments, code, part in WRONG:
        ended = village(*arguments)
        assert (ended.code, ended.out, ended.err.count("\n")) == (code, "", 1), (arguments, ended)
        assert part in ended.err, (arguments, ended)


CLOCK = Clock(ZoneInfo("Asia/Ho_Chi_Minh"))
NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)  # 09:00


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, NOW),
        ("17:30", datetime(2026, 11, 23, 10, 30, tzinfo=UTC)),
        ("9:00", NOW),
        ("2026-11-24T09:00", datetime(2026, 11, 24, 2, 0, tzinfo=UTC)),
        ("2026-11-24 09:00", datetime(2026, 11, 24, 2, 0, tzinfo=UTC)),
        ("2026-11-24T09:00Z", datetime(2026, 11, 24, 9, 0, tzinfo=UTC)),
        ("2026-11-24T09:00+01:00", datetime(2026, 11, 24, 8, 0, tzinfo=UTC)),
    ],
)
def test_times_are_read_as_people_here_mean_them(text: str | None, expected: datetime) -> None:
    assert sending.read_time(text, CLOCK, NOW) == expected


@pytest.mark.parametrize("text", ["08:30", "25:00", "", "17h", "0001-01-01", "9999-12-31T23:59-12:00"])
def test_times_that_cannot_be_meant_are_refused(text: str) -> None:
    with pytest.raises(UserError):
        sending.read_time(text, CLOCK, NOW)
