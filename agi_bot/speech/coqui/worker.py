"""The program that holds a Coqui model: text on its standard input, sound on its output.

A VITS model is run in two parts: text to hidden frames at once, hidden frames to sound in
overlapping chunks, so that the first sound is there before the last is made.  Any other
architecture gives its sentence whole.

Usage: ``python worker.py MODEL_FOLDER``
"""

from __future__ import annotations

import importlib
import sys
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from agi_bot.speech.coqui.folder import ModelFolder, look
from agi_bot.speech.coqui.guard import import_coqui
from agi_bot.speech.worker.serve import serve

_FIRST_FRAMES, _NEXT_FRAMES = 24, 72
_OVERLAP_FRAMES = 12
"""Hidden frames on each side of a chunk; the decoder does not look further."""


class CoquiModel:
    """Coqui's own synthesizer.  Raises :class:`ValueError` for a model that does not load."""

    def __init__(self, folder: ModelFolder) -> None:
        import_coqui()
        self._torch: Any = importlib.import_module("torch")
        synthesizer: Any = importlib.import_module("TTS.utils.synthesizer")
        try:
            made = synthesizer.Synthesizer(tts_checkpoint=folder.checkpoint, tts_config_path=folder.config)
        except Exception as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
            raise ValueError(f"the model in {folder.path} does not load: {reason}") from error
        self._synthesizer = made
        self._model = made.tts_model.eval()
        self._decoder = self._take_decoder()
        self.streams = self._decoder is not None

    def restored(self) -> Any:
        """Coqui's model as it was loaded, its decoder in its place."""
        if self._decoder is not None:
            self._model.waveform_decoder = self._decoder
        return self._model

    def describe(self) -> dict[str, Any]:
        return {
            "rate": int(self._synthesizer.output_sample_rate),
            "architecture": type(self._model).__name__,
            "speakers": self._names("speaker_manager", "speaker_names"),
            "languages": self._names("language_manager", "language_names"),
            "streams": self.streams,
        }

    def make(self, request: Mapping[str, Any]) -> Iterator[bytes]:
        """``text``, ``speaker``, ``language`` (a tag), ``speed``; 16-bit PCM at half of full scale."""
        text = str(request["text"])
        self._torch.manual_seed(zlib.crc32(text.encode()))
        speaker = self._chosen("speakers", str(request["speaker"]))
        language = self._chosen_language(str(request["language"]))
        self._set_speed(float(request["speed"]))
        self._check(text, language)
        if self._decoder is None:
            yield _pcm(self._whole(text, speaker, language))
            return
        self._model.synthesize(text, speaker=speaker, language=language)
        yield from self._chunks()

    def _check(self, text: str, language: str | None) -> None:
        tokenizer = getattr(self._model, "tokenizer", None)
        encode = getattr(tokenizer, "text_to_ids", None)
        if encode is None:
            return
        blank = getattr(getattr(tokenizer, "characters", None), "blank_id", None)
        if not [number for number in encode(text, language=language) if number != blank]:
            raise ValueError(f"nothing in {text[:40]!r} is known to this voice")

    def _take_decoder(self) -> Any:
        """Put a catcher in the place of a VITS decoder, and keep the decoder; None for other models."""
        decoder = getattr(self._model, "waveform_decoder", None)
        if type(self._model).__name__ != "Vits" or decoder is None:
            return None
        self._catcher = _catcher(self._torch)
        self._model.waveform_decoder = self._catcher
        return decoder

    def _chunks(self) -> Iterator[bytes]:
        hidden, speaker = self._catcher.hidden, self._catcher.speaker
        start, size = 0, _FIRST_FRAMES
        total = hidden.shape[-1]
        while start < total:
            end = min(start + size, total)
            yield _pcm(self._decoded(hidden, speaker, start, end))
            start, size = end, _NEXT_FRAMES

    def _decoded(self, hidden: Any, speaker: Any, start: int, end: int) -> Any:
        left, right = max(0, start - _OVERLAP_FRAMES), min(hidden.shape[-1], end + _OVERLAP_FRAMES)
        with self._torch.inference_mode():
            sound = self._decoder(hidden[:, :, left:right], g=speaker).reshape(-1).numpy()
        hop = len(sound) // (right - left)
        return sound[(start - left) * hop : (end - left) * hop]

    def _whole(self, text: str, speaker: str | None, language: str | None) -> Any:
        pad = importlib.import_module("TTS.utils.synthesizer").PAD_SILENCE_SAMPLES
        numpy: Any = importlib.import_module("numpy")
        sound = numpy.asarray(
            self._synthesizer.tts(text, speaker_name=speaker, language_name=language, split_sentences=False),
            dtype="float32",
        )
        return sound[:-pad]

    def _set_speed(self, speed: float) -> None:
        if hasattr(self._model, "length_scale"):
            self._usual = getattr(self, "_usual", self._model.length_scale)
            self._model.length_scale = self._usual / speed

    def _chosen(self, what: str, name: str) -> str | None:
        names: list[str] = self.describe()[what]
        if not names:
            return None
        if name and name not in names:
            raise ValueError(f"the model has no speaker {name!r}; it has {', '.join(names[:10])}")
        return name or names[0]

    def _chosen_language(self, tag: str) -> str | None:
        names: list[str] = self.describe()["languages"]
        if len(names) < 2:
            return None
        family = tag.lower().split("-")[0]
        for name in names:
            if name.lower() == tag.lower() or name.lower().split("-")[0] == family:
                return name
        raise ValueError(f"the model does not speak {tag}; it speaks {', '.join(names)}")

    def _names(self, manager: str, names: str) -> list[str]:
        found = getattr(self._model, manager, None)
        return [str(name) for name in getattr(found, names, None) or []]


def _catcher(torch: Any) -> Any:
    class Catcher(torch.nn.Module):  # type: ignore[misc]
        """Stands where the decoder was, and keeps what it would have got."""

        def forward(self, hidden: Any, g: Any = None) -> Any:
            self.hidden, self.speaker = hidden, g
            return hidden.new_zeros(1, 1, 2)

    return Catcher()


def _pcm(sound: Any) -> bytes:
    data: bytes = (sound * 16384.0).clip(-32768, 32767).astype("<i2").tobytes()
    return data


def _load() -> CoquiModel:
    return CoquiModel(look(Path(sys.argv[1])))


if __name__ == "__main__":
    sys.exit(serve(_load))
