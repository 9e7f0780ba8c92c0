"""Speech: made once, small, never too long, and never waited for without end."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bot.speech import program, sound
from bot.speech.encoders import Encoder
from bot.speech.engines import make
from bot.speech.forms import Form, SpeechFailed
from bot.speech.options import SpeechOptions
from bot.speech.shelf import Shelf
from bot.speech.speech import begin
from tests.support.reader import Voice

PYTHON = (sys.executable, "-I", "-S", "-c")


async def test_the_same_words_are_read_once(tmp_path: Path) -> None:
    voice = Voice(tmp_path)
    first, again = await asyncio.gather(*(voice.speech.make("Chào bà con.", "vi", Form.OGG) for _ in range(2)))
    assert first == again
    assert first.read_bytes().startswith(b"OggS")
    assert voice.speech.ready("Chào bà con.", "vi", Form.OGG) == first
    other = await voice.speech.make("Chào bà con.", "vi", Form.AAC)
    assert other.suffix == ".aac"
    assert voice.said == ["Chào bà con."] * 2
    assert voice.speech.ready("Chào cô bác.", "vi", Form.OGG) is None
    assert voice.files == sorted([first, other]), "nothing half made is left"


async def test_another_voice_says_it_anew(tmp_path: Path) -> None:
    voice = Voice(tmp_path)
    first = await voice.speech.make("Chào bà con.", "vi", Form.OGG)
    voice.speech.engine = replace(voice.speech.engine, voice="nam")
    assert await voice.speech.make("Chào bà con.", "vi", Form.OGG) != first


async def test_a_minute_at_most_and_whole_sentences(tmp_path: Path) -> None:
    voice = Voice(tmp_path, pace=400)
    text = "\n".join(f"Câu thứ {n} của một bài dài." for n in range(20))
    path = await voice.speech.make(text, "vi", Form.OGG)
    assert int(path.read_bytes()[4:].split(b"\0")[0].removesuffix(b"RIFF")[:6]) <= 60 * 16000 + 44
    assert len(voice.said) == 2
    assert text.replace("\n", " ").startswith(voice.said[1])
    assert voice.said[1].endswith("dài.")


async def test_one_sentence_that_is_too_long_is_not_read(tmp_path: Path) -> None:
    voice = Voice(tmp_path, pace=1000)
    with pytest.raises(SpeechFailed, match="more than a minute"):
        await voice.speech.make("một câu không có dấu chấm " * 5, "vi", Form.OGG)
    assert voice.files == []


def test_the_beginning_of_a_text() -> None:
    text = "Một hai. Ba bốn!\nNăm sáu?"
    assert begin(text, 0.7) == "Một hai.\nBa bốn!"
    assert begin(text, 0.1) == ""


async def test_a_program_that_breaks_or_hangs_is_ended(tmp_path: Path) -> None:
    voice = Voice(tmp_path, patience=0.4)
    with pytest.raises(SpeechFailed, match="took longer than 0"):
        await voice.speech.make("IM LẶNG", "vi", Form.OGG)
    voice.speech.engine = replace(voice.speech.engine, patience=20)
    with pytest.raises(SpeechFailed, match="ended with 3"):
        await voice.speech.make("HỎNG", "vi", Form.OGG)
    assert (await voice.speech.make("Tốt", "vi", Form.OGG)).exists()


BROKEN: tuple[tuple[str, str, str], ...] = (
    ("no WAV", "print('xin chào')", "no WAV"),
    ("nothing", "pass", "no WAV"),
    ("no sound", "import sys; sys.stdout.write('RIFF____WAVE')", "holds no sound"),
    ("for ever", "import sys\nwhile True: sys.stdout.write('x' * 65536)", "does not stop talking"),
)


@pytest.mark.parametrize(("script", "problem"), [row[1:] for row in BROKEN], ids=[row[0] for row in BROKEN])
async def test_what_is_no_speech_is_refused(tmp_path: Path, script: str, problem: str) -> None:
    voice = Voice(tmp_path)
    voice.speech.engine = replace(voice.speech.engine, command=(*PYTHON, script))
    with pytest.raises(SpeechFailed, match=problem):
        await voice.speech.make("Chào", "vi", Form.OGG)


async def test_a_program_that_is_not_there_is_named() -> None:
    with pytest.raises(SpeechFailed, match=r"/no/such/voice"):
        await program.run(["/no/such/voice"], b"", 5)


async def test_a_program_sees_none_of_our_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOASO_TELEGRAM_TOKEN", "1:secret")
    monkeypatch.setenv("MIEN", "trung")
    script = "import os; print(sorted(n for n in os.environ if n.startswith('LOASO_') or n == 'MIEN'))"
    assert (await program.run([*PYTHON, script], b"never read", 10)).split() == [b"['MIEN']"]


async def test_an_encoder_that_makes_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpeechFailed, match="made no OGG"):
        await Encoder(Form.OGG, (*PYTHON, "print('hm')")).encode(b"")


def test_a_language_without_a_voice_is_not_spoken(tmp_path: Path) -> None:
    voice = Voice(tmp_path)
    assert voice.speech.speaks("vi", Form.OGG)
    assert not voice.speech.speaks("en", Form.OGG)


def _old(shelf: Shelf, name: str, hours: float) -> Path:
    path = shelf.folder / name
    path.write_bytes(bytes(1000))
    moment = path.stat().st_mtime - hours * 3600
    os.utime(path, (moment, moment))
    return path


def test_the_longest_unused_goes_first_and_what_is_in_use_stays(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, 2500)
    oldest, older, used = (_old(shelf, f"{n}.ogg", hours) for n, hours in ((1, 90), (2, 80), (3, 100)))
    assert shelf.take(used)
    shelf.put(tmp_path / "new.ogg", bytes(1000))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["3.ogg", "new.ogg"]
    assert not shelf.take(oldest)
    assert not older.exists()
    shelf.put(tmp_path / "big.ogg", bytes(9000))
    assert len(list(tmp_path.iterdir())) == 3, "what was asked for lately is never taken away"


def _wav(bits: int = 16, coding: int = 1, size: int | None = None, samples: bytes = b"\1\2\3\4\5") -> bytes:
    made = sound.Sound(8000, 1, 2, samples).wav()
    body = len(samples) if size is None else size
    head = made[:20] + coding.to_bytes(2, "little") + made[22:34] + bits.to_bytes(2, "little")
    return head + b"data" + body.to_bytes(4, "little") + samples


@pytest.mark.parametrize("size", [0, 5, 2**31 - 4096, 2**32 - 1], ids=["unsaid", "true", "espeak", "ffmpeg"])
def test_a_header_may_lie_about_how_much_follows(size: int) -> None:
    heard = sound.read(_wav(size=size))
    assert (heard.samples, heard.seconds) == (b"\1\2\3\4", 2 / 8000)


@pytest.mark.parametrize("wrong", [lambda: _wav(coding=3), lambda: _wav(bits=12), lambda: _wav(samples=b"")])
def test_a_wav_that_is_not_understood_is_refused(wrong: Callable[[], bytes]) -> None:
    with pytest.raises(SpeechFailed):
        sound.read(wrong())


def test_engines_say_what_they_lack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "apt install espeak-ng" in make(SpeechOptions.model_validate({"speech": "espeak"})).problem()
    missing = make(SpeechOptions.model_validate({"speech": "command", "speech_command": "'/no such/voice' -x"}))
    assert missing.command == ("/no such/voice", "-x")
    assert "/no such/voice" in missing.problem()
    sherpa = make(SpeechOptions.model_validate({"speech": "sherpa", "speech_model": str(tmp_path)}))
    assert "loaso[voice]" in sherpa.problem()
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "sherpa_onnx.py").write_text("")
    assert "LOASO_SPEECH_MODEL" in sherpa.problem()
    (tmp_path / "voice.onnx").write_bytes(b"")
    assert sherpa.problem() == ""
