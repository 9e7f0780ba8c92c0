"""Articles at the command line: by day, a few a month, each of them once, whatever happens meanwhile."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Callable

import pytest

from tests.cli.zalo_office import Office, an_office, zone_where_it_is

__all__ = ["an_office"]

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
CREATE, VERIFY, MESSAGE = "/v2.0/article/create", "/v2.0/article/verify", "/v2.0/oa/message"
SEND = ("zalo", "article", "send", "--title", "Cảnh báo", "--text", "bai.txt", "--cover", "https://x.vn/a.jpg")


@pytest.fixture
async def editor(office: Office) -> Office:
    """Somebody who has written a text, and whose account has two followers."""
    (office.folder / "bai.txt").write_text("Đừng bấm vào đường dẫn lạ.", "utf-8-sig")  # as Windows writes it
    await office.consent()
    for name in ("Lan", "Minh"):
        office.zalo.add_user(name).follow()
    return office


async def states(office: Office) -> list[str]:
    """Of all articles, the latest first."""
    return [row["state"] for row in (await office("zalo", "article", "list", "--json")).json]


def broadcasts(office: Office) -> int:
    return len(office.zalo.broadcasts.all)


async def test_an_article_reaches_every_follower_once(editor: Office) -> None:
    sent = await editor(*SEND, "--json")
    (broadcast,) = editor.zalo.broadcasts.all
    assert (sent.code, sent.err) == (0, "")
    assert sent.json == {"id": 1, "article": broadcast.article.id, "message": broadcast.id}
    assert len(broadcast.user_ids) == 2
    assert broadcast.article.fields["description"] == "Đừng bấm vào đường dẫn lạ."
    assert broadcast.article.fields["body"] == [{"type": "text", "content": "Đừng bấm vào đường dẫn lạ."}]
    assert await editor.refused("zalo", "article", "resume", "1") == "Article 1 has been broadcast already.\n"
    said = await editor(*SEND, "--title", " Cảnh\n\tbáo ", "--cities", "4, 5")
    assert (said.code, said.err) == (0, "Article 2 is on its way to the followers.\n")
    listed = await editor("zalo", "article", "list")
    assert listed.out.splitlines() == ["id\ttitle\tstate", "2\tCảnh báo\tsent", "1\tCảnh báo\tsent"]
    assert broadcasts(editor) == 2


async def test_the_number_of_a_month_holds_and_zalo_is_not_asked_beyond_it(editor: Office) -> None:
    editor.set(zalo_oa_articles_monthly="1")
    assert (await editor(*SEND)).code == 0
    before = len(editor.zalo.journal.calls)
    assert "All 1 broadcasts of this month are used (LOASO_ZALO_OA_ARTICLES_MONTHLY)" in await editor.refused(*SEND)
    assert (len(editor.zalo.journal.calls), broadcasts(editor)) == (before, 1)
    (row,) = (await editor("zalo", "budget", "--json")).json
    assert row["articles"] == "1 of 1"


@on_sqlite
async def test_what_surely_was_not_sent_is_given_back(editor: Office) -> None:
    editor.set(zalo_oa_articles_monthly="1")
    for code in (-211, -234, -224):
        editor.zalo.faults.error(code, path=MESSAGE)
        number = "1" if code != -211 else None
        command = SEND if number is None else ("zalo", "article", "resume", number)
        assert str(code) in await editor.refused(*command)
    assert await states(editor) == ["not sent"]
    assert (await editor("zalo", "article", "resume", "1")).code == 0
    assert (await states(editor), broadcasts(editor)) == (["sent"], 1)


async def test_what_may_have_been_sent_is_never_sent_again(editor: Office) -> None:
    editor.zalo.faults.reset_after(path=MESSAGE)
    unsure = await editor.refused(*SEND)
    assert unsure.startswith("Article 1 may have been broadcast, and may not: look into")
    assert await editor.refused("zalo", "article", "resume", "1") == unsure
    assert (await states(editor), broadcasts(editor)) == (["unsure"], 1)


@on_sqlite
async def test_nothing_is_sent_at_night(editor: Office) -> None:
    editor.set(timezone=zone_where_it_is(0))
    for command in (SEND, ("zalo", "article", "resume", "1")):
        assert "from 06:05 to 21:30 only: send it by day" in await editor.refused(*command)
    assert not editor.zalo.journal.calls


async def test_zalo_may_take_its_time(editor: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.commands.zalo_articles._LOOK", 0.005)
    editor.zalo.articles.ready_after = 3
    assert (await editor(*SEND)).code == 0
    editor.zalo.articles.ready_after = None
    monkeypatch.setattr("bot.commands.zalo_articles._WAIT", 0.01)
    assert await editor.refused(*SEND) == "Zalo is still making it: 'loaso zalo article resume 2' later.\n"
    assert await states(editor) == ["not sent", "sent"]
    editor.zalo.articles.finish()
    assert (await editor("zalo", "article", "resume", "2", "--json")).json["id"] == 2
    assert broadcasts(editor) == 2


async def calls(office: Office, path: str, count: int = 1) -> None:
    """Wait until so many calls have come."""
    async with asyncio.timeout(30):
        while sum(call.path == path for call in office.zalo.journal.calls) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@on_sqlite
async def test_a_command_that_is_killed_sends_nothing_twice(
    editor: Office, process: Callable[..., subprocess.Popen[str]]
) -> None:
    """Once while Zalo makes the article, once while it is asked to broadcast it."""
    editor.zalo.articles.ready_after = None
    making = process(*SEND)
    await calls(editor, VERIFY)
    making.kill()
    editor.zalo.articles.finish()
    stalled = editor.zalo.faults.stall(30, path=MESSAGE)
    sending = process("zalo", "article", "resume", "1")
    async with asyncio.timeout(30):
        while not stalled.hits:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    sending.kill()
    stalled.lift()
    for killed in (making, sending):
        out, err = await asyncio.to_thread(killed.communicate)
        assert (out, "Traceback" in err) == ("", False)
    assert await states(editor) == ["unsure"]
    assert "may have been broadcast" in await editor.refused("zalo", "article", "resume", "1")
    assert broadcasts(editor) == 0


WRONG = [
    (("--title", ""), "title has 1 to 150 characters"),
    (("--title", "x" * 151), "title has 1 to 150 characters"),
    (("--description", "x" * 301), "description has at most 300 characters"),
    (("--text", "missing.txt"), "missing.txt cannot be read as UTF-8 text (FileNotFoundError)"),
    (("--text", "latin.txt"), "latin.txt cannot be read as UTF-8 text (UnicodeDecodeError)"),
    (("--text", "empty.txt"), "text has 1 to 20,000 characters"),
    (("--cover", "a.jpg"), "give its public address with --cover https://"),
    (("--cities", "Huế"), "--cities takes numbers from 0 to 63"),
    (("--cities", "64"), "--cities takes numbers from 0 to 63"),
]


@on_sqlite
async def test_what_is_wrong_is_said_before_zalo_is_asked(editor: Office) -> None:
    (editor.folder / "latin.txt").write_bytes("Đây".encode("utf-16"))
    (editor.folder / "empty.txt").touch()
    for arguments, part in WRONG:
        assert part in await editor.refused(*SEND, *arguments), arguments
    assert "There is no article 9: see" in await editor.refused("zalo", "article", "resume", "9")
    assert (await editor("zalo", "article", "resume", "9" * 25)).code == 2
    assert not editor.zalo.journal.calls
    assert (await editor("zalo", "article", "list")).out == "id\ttitle\tstate\n"
