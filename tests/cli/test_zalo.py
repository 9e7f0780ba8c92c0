"""`loaso zalo` and what else an operator types where people are on Zalo: consent, budgets, groups, campaigns, roles."""

from __future__ import annotations

import io
import sys
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from bot.channels.zalo_oa_consent import make_state
from bot.core.clock import utc_now
from bot.db import Database, accounts, people
from bot.db.tables import Person
from bot.sandbox.zalo_oa import TOKEN_PATH, OaUser
from tests.cli.conftest import Loaso
from tests.cli.zalo_office import Office, an_office

__all__ = ["an_office"]

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
BOT = "12345689:abc-xyz_fAkE_000000000000000000"
KEY = b"secret of the tests"


def query_of(address: str) -> dict[str, str]:
    return {name: value[0] for name, value in parse_qs(urlsplit(address).query).items()}


async def test_an_administrator_consents_and_the_pair_is_kept(office: Office) -> None:
    begun = await office("zalo", "connect")
    address = begun.out.removesuffix("\n")
    asked = query_of(address)
    assert (begun.code, "\n" in address, address.startswith(office.zalo.url)) == (0, False, True)
    assert f"callback address  {office.zalo.redirect_uri}\n" in begun.err
    assert f"code_challenge    {asked['code_challenge']}\n" in begun.err
    assert await office.kept() is None

    back = await office.sent_back(address)
    ended = await office("zalo", "connect", back)
    said = f"{office.key} is connected; its tokens are renewed by themselves from now on.\n"
    assert (ended.code, ended.out, ended.err) == (0, "", said)
    kept = await office.kept()
    assert kept is not None
    assert office.zalo.oauth.judge(kept.access_token) == 0

    refused = await office.refused("zalo", "connect", back)
    assert refused.startswith("Zalo refuses: Zalo grants no token (")
    assert "loaso zalo connect" in refused
    assert query_of(back)["code"] not in refused
    assert await office.kept() == kept


@on_sqlite
async def test_a_code_may_be_handed_over_in_any_form(office: Office) -> None:
    address = (await office("zalo", "connect")).out.strip()
    for form in (lambda back: back, lambda back: urlsplit(back).query, lambda back: f" {query_of(back)['code']}\n"):
        back = await office.sent_back(address)
        assert (await office("zalo", "connect", form(back))).code == 0


class Typing(io.StringIO):
    """A terminal at which somebody types."""

    def isatty(self) -> bool:
        return True


@on_sqlite
async def test_a_code_may_be_typed_where_it_is_asked_for(office: Office) -> None:
    for typed in ("", "\n"):
        office.patch.setattr(sys, "stdin", Typing(typed))
        assert (await office("zalo", "connect")).code == 0
        assert await office.kept() is None
    office.patch.setattr(sys, "stdin", Typing(office.zalo.oauth.issue_code() + "\n"))
    ended = await office("zalo", "connect")
    assert (ended.code, "is connected" in ended.err, await office.kept() is None) == (0, True, False)


@on_sqlite
async def test_an_answer_that_is_not_ours_is_refused_unasked(office: Office) -> None:
    now = utc_now()
    states = (make_state(KEY, now - timedelta(minutes=31)), make_state(b"another", now), "x")
    for state in states:
        said = await office.refused("zalo", "connect", f"http://127.0.0.1/zalo/callback?code=abc&state={state}")
        assert said == "That address is older than half an hour, or not ours: run 'loaso zalo connect' again.\n"
    office.zalo.oauth.refuse_consent = True
    declined = await office.sent_back((await office("zalo", "connect")).out.strip())
    for answer in (declined, "http://127.0.0.1/zalo/callback?code=&oa_id=1", "http://[::1", "https://oa.zalo.me/"):
        assert "There is no code in that address" in await office.refused("zalo", "connect", answer)
    assert not office.zalo.journal.count(TOKEN_PATH)
    assert await office.kept() is None


@on_sqlite
async def test_while_zalo_does_not_answer_a_code_may_be_tried_again(office: Office) -> None:
    back = await office.sent_back((await office("zalo", "connect")).out.strip())
    office.zalo.faults.html(502, path=TOKEN_PATH)
    assert "502): try again in a while" in await office.refused("zalo", "connect", back)
    await office.zalo.stop()
    assert "try again in a while" in await office.refused("zalo", "connect", back)
    await office.zalo.start()
    assert (await office("zalo", "connect", back)).code == 0


@on_sqlite
async def test_what_is_missing_is_named(office: Office) -> None:
    office.set(public_url="")
    said = await office.refused("zalo", "connect")
    assert said == "Set LOASO_PUBLIC_URL first: Zalo sends the administrator back to an address of ours.\n"
    office.set(zalo_oa_app_secret="")
    assert "LOASO_ZALO_OA_APP_SECRET: set it" in await office.refused("zalo", "connect")
    for name in ("zalo_oa_app_id", "zalo_oa_oa_secret"):
        office.set(**{name: ""})
    for command in (("connect",), ("connect", "x"), ("article", "resume", "1")):
        said = await office.refused("zalo", *command)
        assert said.startswith("No Official Account is set: LOASO_ZALO_OA_APP_ID, LOASO_ZALO_OA_APP_SECRET, ")


@on_sqlite
async def test_without_consent_it_is_said_what_to_do(office: Office) -> None:
    assert "nobody has consented yet" in await office.refused("zalo", "group", "18859", "--name", "T", "--member", "1")
    await office.consent()
    office.zalo.oauth.revoke()
    assert "consent again with 'loaso zalo connect'" in await office.refused(
        "zalo", "group", "18859", "--name", "T", "--member", "1"
    )


async def member(office: Office, *, admin: bool = False) -> OaUser:
    user = office.zalo.add_user("Lan")
    user.follow()
    user.oa_admin = admin
    return user


async def test_a_village_gets_a_group_that_it_can_be_written_to_in(office: Office) -> None:
    await office.consent()
    head, other = await member(office, admin=True), await member(office)
    make = ("zalo", "group", "18859", "--name", "Thôn Một", "--member", head.id, "--member", other.id)
    made = await office(*make)
    (group,) = office.zalo.groups.all.values()
    assert (made.code, made.out) == (0, f"{group.link}\n")
    assert set(group.members) == {head.id, other.id}
    database = Database(office.url)
    async with database.read() as tx:
        account = await accounts.ensure_known(tx, office.key)
        contact = await people.contact(tx, account.id, group.id)
        assert contact is not None
        person = await tx.get_one(Person, contact.person_id)
    await database.close()
    assert (contact.kind, contact.title, person.kind, person.unit_id is None) == ("group", "Thôn Một", "group", False)
    assert "No paid place for a group is free" in await office.refused(*make)
    office.zalo.groups.add_asset("gmf10")
    assert (await office(*make)).code == 0
    asset = office.zalo.groups.add_asset("gmf1000")
    assert (await office(*make, "--asset", asset.id)).code == 0
    assert asset.group_id


@on_sqlite
async def test_a_group_that_cannot_be_made_is_said_plainly(office: Office) -> None:
    await office.consent()
    other = await member(office)
    group = ("zalo", "group", "18859", "--name", "T", "--member")
    assert "member_user_ids is invalid" in await office.refused(*group, other.id)
    assert "No unit has the code '9'" in await office.refused("zalo", "group", "9", "--name", "T", "--member", "1")
    many = [word for n in range(100) for word in ("--member", str(n))]
    assert "begins with at most 99 members" in await office.refused("zalo", "group", "18859", "--name", "T", *many)
    assert not office.zalo.groups.all
    assert (await office("zalo", "group", "18859", "--name", "T")).code == 2


def bring(loaso: Loaso, folder: Path, channel: str, count: int) -> None:
    """People who have agreed elsewhere."""
    rows = "".join(f"{channel},{1000 + n},x,18859,resident,vi,2026-01-02\n" for n in range(count))
    file = folder / "people.csv"
    file.write_text("channel,external_id,name,unit,group,language,consented_at\n" + rows, "utf-8")
    assert loaso("people", "import", file).json == {"added": count, "updated": 0, "unchanged": 0, "refused": 0}


SEND = ("campaign", "send", "--text", "Mai họp thôn", "--to", "all")


def test_a_run_that_a_month_cannot_hold_is_refused_unless_it_is_urgent(
    loaso: Loaso, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LOASO_ZALO_BOT_TOKEN", BOT)
    monkeypatch.setenv("LOASO_ZALO_BOT_MONTHLY", "2")
    bring(loaso, tmp_path, "zalo_bot", 3)
    refused = loaso(*SEND)
    assert (refused.code, refused.out, refused.err.count("\n")) == (1, "", 1)
    assert refused.err.startswith("zalo_bot:12345689 may send 2 more messages in this month and this run needs 3: ")
    assert loaso("campaign", "list", "--json").json == []
    assert loaso(*SEND, "--urgent", "--json").json["total"] == 3
    monkeypatch.setenv("LOASO_ZALO_BOT_MONTHLY", "3")
    assert loaso(*SEND, "--again", "--json").json["total"] == 3
    (row,) = loaso("zalo", "budget", "--json").json
    assert (row["account"], row["messages"], row["people"]) == ("zalo_bot:12345689", "0 of 3", "3 of 50")
    assert row["planned"] == 6


@on_sqlite
def test_budgets_are_shown_of_every_account(loaso: Loaso, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    nothing = loaso("zalo", "budget")
    assert (nothing.code, nothing.out, nothing.err) == (0, "", "No channel is set.\n")
    assert loaso("zalo", "budget", "--json").json == []
    settings = {"ZALO_BOT_TOKEN": BOT, "ZALO_OA_APP_ID": "77", "ZALO_OA_APP_SECRET": "a", "ZALO_OA_SECRET": "o"}
    for name, value in {**settings, "TELEGRAM_TOKEN": "123456:AAaaBBbbCCccDDddEEeeFFff"}.items():
        monkeypatch.setenv(f"LOASO_{name}", value)
    bring(loaso, tmp_path, "zalo_oa", 2)
    rows = {row["account"]: row for row in loaso("zalo", "budget", "--json").json}
    assert set(rows) == {"telegram:123456", "zalo_bot:12345689", "zalo_oa:77"}
    telegram, bot, official = (rows[key] for key in sorted(rows))
    assert {telegram[name] for name in ("messages", "people", "paid", "articles")} == {"-"}
    assert (bot["messages"], bot["people"], bot["paid"]) == ("0 of 3000", "0 of 50", "-")
    assert (official["messages"], official["paid"], official["articles"]) == ("-", "0 of 500", "0 of 4")
    table = loaso("zalo", "budget").out.splitlines()
    assert (table[0].split("\t")[0], len(table)) == ("account", 4)
    assert len({line.count("\t") for line in table}) == 1


def test_people_on_zalo_are_brought_in_and_given_roles(
    loaso: Loaso, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = {"ZALO_BOT_TOKEN": BOT, "ZALO_OA_APP_ID": "77", "ZALO_OA_APP_SECRET": "a", "ZALO_OA_SECRET": "o"}
    for name, value in settings.items():
        monkeypatch.setenv(f"LOASO_{name}", value)
    file = tmp_path / "people.csv"
    file.write_text(
        "channel,external_id,name,unit,group,language,consented_at\n"
        "zalo_bot,a1b2c3,Lan,18859,elderly,vi,2026-01-02\n"
        "zalo_oa,388613280878808645,Minh,18871,worker,vi,2026-01-02\n"
        "zalo,1,Hoa,18871,worker,vi,2026-01-02\n",
        "utf-8",
    )
    brought = loaso("people", "import", file)
    assert brought.json == {"added": 2, "updated": 0, "unchanged": 0, "refused": 1}
    assert brought.err.startswith("line 4: ")
    assert loaso("people", "import", file).json["unchanged"] == 2
    for who in ("zalo_oa:388613280878808645", "zalo_bot:a1b2c3", "zalo_oa:555"):
        granted = loaso("roles", "grant", who, "village_head", "18859")
        assert (granted.code, granted.err) == (0, f"{who} is now village_head of 18859 Phường Đồng Thuận.\n")
    listed = loaso("roles", "list", "18859", "--json").json
    assert sorted(who for role in listed for who in role["who"]) == [
        "zalo_bot:a1b2c3",
        "zalo_oa:388613280878808645",
        "zalo_oa:555",
    ]
    assert loaso("roles", "revoke", "zalo_oa:555", "village_head", "18859").code == 0
    assert loaso("campaign", "send", "--text", "Họp", "--to", "channel:zalo_oa", "--json").json["total"] >= 1
