"""Listening instead of reading: the setting, the button, and the voice beside tips and answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.core.events import Media, MediaKind
from tests.conversations.test_tips import with_tip
from tests.support.reader import Voice, give_voice
from tests.support.talk import Speaker, Talk

QUESTION = "quên mật khẩu vneid"


def _voices(speaker: Speaker) -> list[Media]:
    return [m.media[0] for m in speaker.heard if m.media and m.media[0].kind is MediaKind.VOICE]


def _carries(talk: Talk) -> bool:
    return MediaKind.VOICE in talk.channel.capabilities.media


async def _heard(talk: Talk) -> None:
    """What was still to be read has been read and sent."""
    await talk.inbox.reader.idle()  # type: ignore[attr-defined]  # put there below
    await talk.flush()


@pytest.fixture
def machine(talk: Talk, tmp_path: Path) -> Voice:
    found, reader = give_voice(talk, tmp_path)
    talk.inbox.reader = reader  # type: ignore[attr-defined]  # for `_heard`
    return found


async def test_whoever_wants_to_listen_hears_answers_and_tips(talk: Talk, machine: Voice) -> None:
    person = await with_tip(talk)
    assert await person.says("nghe thay vì đọc") == ["voice.will_read" if _carries(talk) else "voice.elsewhere"]
    await _heard(talk)
    assert len(_voices(person)) == _carries(talk)
    assert await person.says(QUESTION) == ["faq.answer"]
    await _heard(talk)
    assert await person.says("/tip") == ["tip.body"]
    await _heard(talk)
    assert len(_voices(person)) == 3 * _carries(talk)
    record = await talk.record("5")
    assert record is not None
    assert record.listens
    if not _carries(talk):
        assert machine.said == []
        return
    assert "vi en i ai đi" in machine.said[1]
    assert any("Giọng máy đọc" in m.text for m in person.heard[-2:]), "a machine says that it is one"


async def test_a_voice_beside_leaves_numbers_and_buttons_as_they_were(talk: Talk, machine: Voice) -> None:
    person = await with_tip(talk)
    await person.says("nghe")
    await _heard(talk)
    await person.says("/tip")
    await _heard(talk)
    assert await person.presses("Chưa hiểu") == ["tip.simple"]
    await _heard(talk)
    assert len(machine.said) == 3 * _carries(talk), "simpler words are heard as well"


async def test_a_button_reads_once_to_whoever_presses(talk: Talk, machine: Voice) -> None:
    person = await with_tip(talk)
    assert await person.says(QUESTION) == ["faq.answer"]
    labels = [b.label for b in person.buttons()]
    assert ("🔊 Nghe tin này" in labels) == _carries(talk)
    assert _voices(person) == []
    if not _carries(talk):
        return
    await person.presses("🔊 Nghe tin này")
    await _heard(talk)
    await person.says("/tip")
    await person.presses("🔊 Nghe tin này")
    await _heard(talk)
    assert len(_voices(person)) == 2
    await person.presses("🔊 Nghe tin này")
    await _heard(talk)
    assert len(_voices(person)) == 3
    assert len(machine.said) == 2, "the second time it was there already"


async def test_reading_again(talk: Talk, machine: Voice) -> None:
    person = await with_tip(talk)
    await person.says("bật nghe")
    await _heard(talk)
    before = len(_voices(person))
    for text in ("đọc thay vì nghe", "NGHE", "doc"):
        await person.says(text)
        await _heard(talk)
    before = len(_voices(person))
    assert await person.says(QUESTION) == ["faq.answer"]
    await _heard(talk)
    assert len(_voices(person)) == before


@pytest.mark.parametrize("text", ["ok nghe", "dạ nghe", "vâng nghe"])
async def test_agreeing_in_dialect_is_no_wish_to_listen(talk: Talk, text: str) -> None:
    person = await with_tip(talk)
    assert "voice.will_read" not in await person.says(text)
    record = await talk.record("5")
    assert record is not None
    assert not record.listens


async def test_the_settings_show_and_change_it(talk: Talk, machine: Voice) -> None:
    person = await with_tip(talk)
    await person.says("/settings")
    offered = "🔊 Nghe thay vì đọc" in [b.label for b in person.buttons()]
    assert offered == _carries(talk)
    if not offered:
        await person.says("nghe")
        await person.says("/settings")
    else:
        assert await person.presses("🔊 Nghe thay vì đọc") == ["settings.overview"]
    assert "🔊 Nghe thay vì đọc" in person.last.text
    await person.says("xóa")
    assert "Thích nghe" in person.last.text
    await person.says("thôi")
    await person.says("/settings")
    assert await person.presses("📖 Đọc thay vì nghe") == ["settings.overview"]
    assert "🔊 Nghe thay vì đọc" not in person.last.text


async def test_without_a_machine_the_wish_is_kept_and_text_comes(talk: Talk) -> None:
    person = await with_tip(talk)
    assert await person.says("nghe") == ["voice.elsewhere"]
    assert await person.says("/tip") == ["tip.body"]
    assert _voices(person) == []
    assert "🔊 Nghe tin này" not in [b.label for b in person.buttons()]
    assert await person.says("/settings") == ["settings.overview"]
    assert "📖 Đọc thay vì nghe" in [b.label for b in person.buttons()]
