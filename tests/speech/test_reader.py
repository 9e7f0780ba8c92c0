"""The reader: what somebody waits to hear, when a voice fails, is recorded, is too much, or is interrupted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest

from bot.core.errors import Reason
from bot.core.events import MediaKind
from bot.db import Database, people
from bot.outreach import voice
from bot.outreach.voice import Aloud, Script
from bot.reader import Reader
from tests.conversations.test_tips import with_tip
from tests.support.quick import quick
from tests.support.reader import Voice, give_voice
from tests.support.talk import Speaker, Talk

QUESTION = "quên mật khẩu vneid"
Scene = tuple[Talk, Voice, Reader]


@pytest.fixture
async def scene(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Scene]:
    database = quick(Database(sqlite_url))
    talk = Talk(database)
    await talk.open()
    yield talk, *give_voice(talk, tmp_path)
    await talk.close()
    await database.close()


def _voices(person: Speaker) -> list[str]:
    """What is said with each voice."""
    return [m.text for m in person.heard if m.media and m.media[0].kind is MediaKind.VOICE]


def _wish(talk: Talk, text: str, contact_id: int = 1) -> Aloud:
    return Aloud(
        account=talk.channel.account, contact_id=contact_id, group=False, reads="vi", script=Script(text, "vi")
    )


async def test_a_voice_that_fails_is_only_missing(scene: Scene) -> None:
    talk, machine, reader = scene
    machine.speech.engine = replace(machine.speech.engine, command=(*machine.command[:3], "-c", "raise SystemExit(2)"))
    person = await with_tip(talk)
    assert await person.says("nghe") == ["voice.will_read"]
    assert await person.says(QUESTION) == ["faq.answer"]
    await reader.idle()
    await talk.flush()
    assert _voices(person) == []


async def test_a_recording_goes_before_the_machine(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    talk, machine, _ = scene
    person = await with_tip(talk)
    key = talk.desk.pack.curricula["resident"][0]
    monkeypatch.setattr("messages.content.packs.PACK_ROOT", tmp_path)
    recording = tmp_path / "vi" / "chao.ogg"
    recording.parent.mkdir()
    recording.write_bytes(b"OggS, spoken by a human")
    tips = dict(talk.desk.pack.tips)
    tips[key] = tips[key].model_copy(update={"voice": recording.name})
    talk.desk.pack = replace(talk.desk.pack, tips=MappingProxyType(tips))
    talk.desk.speech = None
    assert voice.is_there(talk.desk)
    await person.says("/tip")
    await person.presses("🔊 Nghe tin này")
    assert _voices(person) == [""], "no machine's voice, and no label of one"
    assert machine.said == []


async def test_it_takes_no_more_than_it_can_and_the_same_once(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    talk, machine, reader = scene
    person = await with_tip(talk)
    monkeypatch.setattr("bot.reader.MOST", 2)
    wish = _wish(talk, "Một câu.")
    reader.take([wish, wish, replace(wish, script=Script("Hai câu.", "vi")), replace(wish, contact_id=77)])
    await reader.idle()
    await talk.flush()
    assert machine.said == ["Một câu.", "Hai câu."]
    assert _voices(person) == ["🔊 Giọng máy đọc"] * 2


async def test_whoever_is_gone_meanwhile_is_not_written_to(scene: Scene) -> None:
    talk, machine, reader = scene
    person = await with_tip(talk)
    async with talk.database.write() as tx:
        await people.close(tx, 1, Reason.BLOCKED, talk.now)
    reader.take([_wish(talk, "Một câu."), _wish(talk, "Hai câu.", contact_id=999)])
    await reader.idle()
    await talk.flush()
    assert len(machine.said) == 2
    assert _voices(person) == []


async def test_stopping_ends_the_program_that_is_speaking(scene: Scene) -> None:
    talk, machine, reader = scene
    await with_tip(talk)
    reader.take([_wish(talk, "IM LẶNG"), _wish(talk, "Một câu.")])

    async def begun() -> None:
        while not machine.said:  # noqa: ASYNC110  # a program's log tells nobody
            await asyncio.sleep(0.01)

    await asyncio.wait_for(begun(), 10)
    await asyncio.wait_for(reader.stop(), 10)
    assert machine.said == ["IM LẶNG"]
    assert machine.files == []
