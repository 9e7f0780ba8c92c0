"""`loaso check` says a word in the voice that is set."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from bot.commands.checkup import voice
from bot.settings import Settings
from tests.support.reader import Voice


async def _said(**settings: Any) -> list[str]:
    return [str(finding) async for finding in voice(Settings(_env_file=None, **settings))]


async def test_a_voice_that_cannot_speak_says_what_to_do() -> None:
    assert await _said() == [], "nobody is asked to read"
    (missing,) = await _said(speech="command", speech_command="/no/such/voice")
    assert missing.startswith("✗ voice: there is no program /no/such/voice: LOASO_SPEECH_COMMAND")


@pytest.mark.skipif(shutil.which("opusenc") is None, reason="needs opus-tools: apt install opus-tools")
async def test_a_voice_is_tried(tmp_path: Path) -> None:
    machine = Voice(tmp_path)
    (good,) = await _said(speech="command", speech_command=" ".join(machine.command))
    assert good.startswith("✓ voice: command speaks, OGG by opusenc")
    assert set(machine.said) == {"Chào bà con."}
    assert await _said(speech="command", speech_command="/bin/false") == [
        "✗ voice: command says nothing: /bin/false ended with 1"
    ]


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"speech": "command"}, "LOASO_SPEECH=command needs LOASO_SPEECH_COMMAND"),
        ({"speech": "command", "speech_command": "say 'it"}, "LOASO_SPEECH=command needs LOASO_SPEECH_COMMAND"),
        ({"speech": "sherpa"}, "LOASO_SPEECH=sherpa needs LOASO_SPEECH_MODEL"),
        ({"speech": "espeak", "speech_voice": "-w/etc/passwd"}, "speech_voice"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings: dict[str, str], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        Settings(_env_file=None, **settings)  # type: ignore[arg-type]  # read as an environment is
