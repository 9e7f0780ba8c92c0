"""A neural voice that the operator supplies, as a program: text on standard input, WAV on standard output.

`python -m bot.speech.sherpa FOLDER VOICE`: the folder of a VITS or Piper voice as sherpa-onnx reads them (`*.onnx`,
`tokens.txt`, and `espeak-ng-data/` or `lexicon.txt`); VOICE is the speaker's number where there are several. A process
of its own: what a model takes is given back when it ends, and one that breaks takes nothing with it.
"""

from __future__ import annotations

import importlib
import sys
from array import array
from pathlib import Path
from typing import Any

from bot.speech.sound import Sound


def speak(folder: Path, voice: str, text: str) -> Sound:
    """Raises whatever sherpa-onnx does."""
    onnx: Any = importlib.import_module("sherpa_onnx")
    spoken = onnx.OfflineTts(_config(onnx, folder)).generate(text, sid=int(voice) if voice.isdecimal() else 0)
    loud = array("h", (round(max(-1.0, min(1.0, float(sample))) * 32767) for sample in spoken.samples))
    if sys.byteorder == "big":
        loud.byteswap()
    return Sound(int(spoken.sample_rate), 1, 2, loud.tobytes())


def _config(onnx: Any, folder: Path) -> Any:
    model = next(iter(sorted(folder.glob("*.onnx"))))
    lexicon, speech_data = folder / "lexicon.txt", folder / "espeak-ng-data"
    vits = onnx.OfflineTtsVitsModelConfig(
        model=str(model),
        tokens=str(folder / "tokens.txt"),
        lexicon=str(lexicon) if lexicon.exists() else "",
        data_dir=str(speech_data) if speech_data.exists() else "",
    )
    return onnx.OfflineTtsConfig(model=onnx.OfflineTtsModelConfig(vits=vits, num_threads=1))


def main() -> None:
    folder, voice = sys.argv[1:]
    sys.stdout.buffer.write(speak(Path(folder), voice, sys.stdin.buffer.read().decode()).wav())


if __name__ == "__main__":
    main()
