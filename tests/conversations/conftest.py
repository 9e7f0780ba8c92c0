"""Every conversation runs as on Telegram and on both platforms of Zalo, those that need it on PostgreSQL, too."""

from __future__ import annotations

import shutil
import zlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from bot.db import Database
from tests.support.reused import Reused
from tests.support.talk import Talk
from tests.support.talk_zalo_bot import ZaloBotTalk
from tests.support.talk_zalo_oa import ZaloOaTalk

PLATFORMS: dict[str, type[Talk]] = {"sqlite": Talk, "postgres": Talk, "zalo_bot": ZaloBotTalk, "zalo_oa": ZaloOaTalk}
BOT, OA = ("zalo_bot",), ("zalo_oa",)
BOTH = BOT + OA


@dataclass(frozen=True)
class Left:
    """Tests that make no sense on a platform: `file.py::name`, where * stands for anything."""

    tests: str
    platforms: tuple[str, ...]
    reason: str


LEFT_OUT = (
    Left("test_two_bots.py::*", BOTH, "the second bot of these tests is a Telegram one"),
    Left("test_linking.py::*", BOTH, "these tests bring a Telegram and a Zalo of their own"),
    Left("test_forged_buttons.py::*", BOT, "nobody can send the data of a button"),
    Left("*::test_an_area_s_last_page_*", BOT, "nobody can send the data of a button"),
    Left("*::test_odd_*buttons*", BOT, "nobody can send the data of a button"),
    Left("*::test_old_and_odd_buttons", BOT, "nobody can send the data of a button"),
    Left("*::test_an_album_*", BOTH, "the platform tells of no albums"),
    Left("*::test_a_photo_or_an_album_*", BOTH, "the platform tells of no albums"),
    Left("*::test_anything_can_be_sent_of_*", BOT, "the platform tells only that there was something"),
    Left("*::test_what_cannot_be_sent_on_is_refused", BOTH, "the platform tells no size of a film"),
    Left("*::test_formatting_*", BOTH, "nobody can format a text"),
    Left("*::test_progress_is_told_in_one_message_*", BOTH, "no message can be changed"),
    Left("*::test_edits_come_*", BOTH, "no message can be changed"),
    Left("*::test_a_forwarded_stop_*", BOTH, "the platform does not tell what was forwarded"),
    Left("*::test_a_foreigner_reads_english", BOTH, "the platform does not tell anybody's language"),
    Left("*::test_a_place_on_the_map", BOT, "nobody can send a place"),
    Left("*::test_a_resident_gets_a_link_of_their_own", BOTH, "no link can carry a payload"),
    Left("*::test_somebody_who_has_not_agreed_gets_a_link_*", BOTH, "no link can carry a payload"),
    Left("*::test_a_link_in_a_group_credits_*", BOTH, "no link can carry a payload"),
    Left("*::test_inviting", BOTH, "no link can carry a payload"),
    Left("*::test_a_group_is_greeted_and_its_adder_*", BOTH, "the platform does not tell who added the bot"),
    Left("*::test_nobody_else_turns_them_on", BOTH, "the platform does not tell who added the bot"),
    Left("test_voice.py::test_a_*", OA, "the platform carries no voice"),
    Left("test_voice.py::test_reading_again", OA, "the platform carries no voice"),
    Left("*::test_a_removed_bot_*", BOT, "the platform does not tell that the bot was removed"),
    Left("*::test_a_block_*", BOT, "the platform does not tell that somebody blocked the bot"),
)


VARIANTS = 1
"""So many of the values with which a conversation is held are tried away from SQLite: what is spelled how does not
depend on the platform."""

ON_ONE_ZALO = ("approvals", "broadcast", "events", "forward")
"""Conversations of the few who write to many: on one of Zalo's platforms each, in turn by their names. Whether choices
are pressed or typed is what differs, and what residents say is tried on both."""

ON_POSTGRES = (
    *("test_linking.py::*", "test_optout.py::*", "test_questions.py::*", "test_two_bots.py::*"),
    *("*::*_at_once_*", "*::*_once", "*::*_twice*"),
)
"""Conversations in which rows are claimed, locked, merged or erased: on PostgreSQL, too."""

EVERY_VARIANT = ("*::test_anything_can_be_sent", "*::test_media_without_words", "test_numbers.py::*")
"""Where it does."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Marks what is left out, and keeps a few variants of each conversation on each platform."""
    mine = [item for item in items if isinstance(item, pytest.Function) and hasattr(item, "callspec")]
    alike: dict[tuple[str, str], list[pytest.Function]] = {}
    elsewhere: set[pytest.Item] = set()
    for item in mine:
        place = item.callspec.params.get("platform")
        if place is None or not item.path.is_relative_to(Path(__file__).parent):
            continue
        name = f"{item.path.name}::{item.originalname}"
        for left in LEFT_OUT:
            if place in left.platforms and fnmatchcase(name, left.tests):
                item.add_marker(pytest.mark.skip(reason=left.reason))
        if place in BOTH and item.path.stem.removeprefix("test_") in ON_ONE_ZALO and not _its_turn(name, place):
            elsewhere.add(item)
        if place == "postgres" and not any(fnmatchcase(name, kept) for kept in ON_POSTGRES):
            elsewhere.add(item)
        if place != "sqlite" and not any(fnmatchcase(name, every) for every in EVERY_VARIANT):
            alike.setdefault((name, str(place)), []).append(item)
    dropped = elsewhere | {
        item for found in alike.values() for item in sorted(found, key=lambda i: i.nodeid)[VARIANTS:]
    }
    if dropped:
        items[:] = [item for item in items if item not in dropped]
        config.hook.pytest_deselected(items=list(dropped))


def _its_turn(name: str, place: str) -> bool:
    """Whether a conversation is held on that platform of Zalo: the other one if it makes no sense here."""
    able = [p for p in BOTH if not any(p in left.platforms and fnmatchcase(name, left.tests) for left in LEFT_OUT)]
    return not able or place == able[zlib.crc32(name.encode()) % len(able)]


@pytest.fixture(params=PLATFORMS)
def platform(request: pytest.FixtureRequest) -> str:
    """On which platform people talk, and with which database."""
    found: str = request.param
    return found


@pytest.fixture
def database_url(platform: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A migrated database; the platforms of Zalo are tried with SQLite alone."""
    if platform == "postgres":
        reused: Reused = request.getfixturevalue("reused_postgres")
        yield reused.url
        reused.clean()
        return
    path = tmp_path / "loaso.db"
    shutil.copy(request.getfixturevalue("sqlite_template"), path)
    yield f"sqlite+aiosqlite:///{path}"


@pytest.fixture
async def talk(database: Database, platform: str) -> AsyncIterator[Talk]:
    """Conversations through the real inbox, handlers, database and words."""
    found = PLATFORMS[platform](database)
    await found.open()
    yield found
    await found.close()
