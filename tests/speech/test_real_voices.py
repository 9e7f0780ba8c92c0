"""eSpeak NG and the encoders as they are installed; sherpa-onnx as far as its interface goes, without a model."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bot.speech import program
from bot.speech.encoders import COMMANDS, Encoder
from bot.speech.forms import Form
from bot.speech.options import SpeechOptions
from bot.speech.sound import Sound, read
from bot.speech.speech import make

_ESPEAK = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="needs espeak-ng: apt install espeak-ng")
HALF_A_MINUTE = "Bà con mở ứng dụng vi en i ai đi, chạm quên mật khẩu rồi làm theo từng bước trên màn hình.\n" * 6


@_ESPEAK
@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg: apt install ffmpeg")
async def test_half_a_minute_is_small_in_the_larger_form(tmp_path: Path) -> None:
    speech = make(SpeechOptions.model_validate({"speech": "espeak"}), tmp_path)
    assert speech is not None
    assert speech.problem() == ""
    seconds = (await speech.engine.say(HALF_A_MINUTE, "vi")).seconds
    path = await speech.make(HALF_A_MINUTE, "vi", Form.AAC)
    assert 25 < seconds < 40
    assert path.stat().st_size / seconds < 300_000 / 60


@_ESPEAK
async def test_english_has_a_voice_of_its_own(tmp_path: Path) -> None:
    speech = make(SpeechOptions.model_validate({"speech": "espeak"}), tmp_path)
    assert speech is not None
    vietnamese, english = [(await speech.engine.say("Hello", code)).samples for code in ("vi", "en")]
    assert vietnamese != english


@pytest.mark.parametrize(
    ("form", "command"), [(form, command) for form, commands in COMMANDS.items() for command in commands]
)
async def test_each_encoder_takes_what_a_pipe_brings(form: Form, command: tuple[str, ...]) -> None:
    if not program.found(command[0]):
        pytest.skip(f"needs {command[0]}")
    silence = Sound(22050, 1, 2, bytes(9000))
    assert len(await Encoder(form, command).encode(silence.wav())) > 50


_SHERPA = """
from types import SimpleNamespace
def OfflineTtsVitsModelConfig(**given): return given
def OfflineTtsModelConfig(**given): return given
def OfflineTtsConfig(**given): return given
class OfflineTts:
    def __init__(self, config): self.config = config
    def generate(self, text, sid=0):
        vits = self.config["model"]["vits"]
        assert vits["model"].endswith("giong.onnx") and vits["tokens"].endswith("tokens.txt")
        assert vits["data_dir"].endswith("espeak-ng-data") and not vits["lexicon"]
        return SimpleNamespace(samples=[0.0, 1.0, -2.0, 0.5] * len(text), sample_rate=22050 + sid)
"""


def test_a_neural_voice_is_a_program_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sherpa_onnx.py").write_text(_SHERPA)
    (tmp_path / "espeak-ng-data").mkdir()
    (tmp_path / "giong.onnx").write_bytes(b"")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{Path(__file__).parents[2]}")
    command = [sys.executable, "-m", "bot.speech.sherpa", str(tmp_path), "2"]
    heard = read(subprocess.run(command, input="Chào".encode(), capture_output=True, check=True).stdout)
    assert (heard.rate, heard.channels, heard.width) == (22052, 1, 2)
    assert heard.samples[:8] == b"\0\0\xff\x7f\x01\x80\0\x40"
