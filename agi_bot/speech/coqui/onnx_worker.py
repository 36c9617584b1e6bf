"""The program that holds an exported model: text on its standard input, sound on its output.

Usage: ``python onnx_worker.py FOLDER``, with ``model.onnx`` and ``voice.json`` in it.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from agi_bot.speech.coqui.signs import Signs, has_jieba
from agi_bot.speech.worker.serve import serve


class OnnxModel:
    """One session, one thread.  Raises :class:`ValueError` for a folder that does not load."""

    streams = False

    def __init__(self, folder: Path) -> None:
        runtime: Any = importlib.import_module("onnxruntime")
        self._values = json.loads((folder / "voice.json").read_text(encoding="utf-8"))
        self._signs = Signs(**self._values["signs"])
        if self._signs.words and not has_jieba():
            raise ValueError("this voice was exported with jieba, which is not installed here (pip install jieba)")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        runtime.set_seed(20)
        try:
            self._session = runtime.InferenceSession(str(folder / "model.onnx"), options, ["CPUExecutionProvider"])
        except Exception as error:
            reason = " ".join(str(error).split())[:200]
            raise ValueError(f"{folder / 'model.onnx'} does not load: {reason}") from error

    def describe(self) -> dict[str, Any]:
        return {"rate": self._values["rate"], "speakers": self._values["speakers"], "languages": []}

    def make(self, request: Mapping[str, Any]) -> Iterator[bytes]:
        """``text``, ``speaker``, ``speed``; 16-bit PCM at half of full scale."""
        text = str(request["text"])
        if not self._signs.knows(text):
            raise ValueError(f"nothing in {text[:40]!r} is known to this voice")
        numbers = self._signs.numbers(text)
        noise, length, noise_dp = self._values["scales"]
        inputs = {
            "input": np.array([numbers], np.int64),
            "input_lengths": np.array([len(numbers)], np.int64),
            "scales": np.array([noise, length / float(request["speed"]), noise_dp], np.float32),
            "sid": np.array([self._speaker(str(request["speaker"]))], np.int64),
        }
        wanted = {entry.name for entry in self._session.get_inputs()}
        sound = self._session.run(None, {name: value for name, value in inputs.items() if name in wanted})[0]
        yield (np.ravel(sound) * 16384.0).clip(-32768, 32767).astype("<i2").tobytes()

    def _speaker(self, name: str) -> int:
        speakers: list[str] = self._values["speakers"]
        if name and name not in speakers:
            raise ValueError(f"the model has no speaker {name!r}; it has {', '.join(speakers[:10]) or 'one only'}")
        return speakers.index(name) if name else 0


if __name__ == "__main__":
    sys.exit(serve(lambda: OnnxModel(Path(sys.argv[1]))))
