"""A Coqui VITS model as ONNX, which speaks without torch and coqui-tts.

Writes ``model.onnx`` (by coqui's own ``export_onnx``) and ``voice.json`` (what stands around
it: signs, rate, speakers).  Usage: ``python export.py MODEL_FOLDER OUT_FOLDER``, in the
environment that has the extra ``coqui``.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from agi_bot.errors import SpeechError
from agi_bot.speech.coqui.folder import look
from agi_bot.speech.coqui.signs import CLEANERS, ESPEAK, MANDARIN, PHONEMISERS, Signs, has_jieba
from agi_bot.speech.coqui.worker import CoquiModel
from agi_bot.speech.worker.process import environment

_SAMPLES = (
    "您好，这里是市一医院！",
    "银行行长重新开始了。",
    "hello, it's me.",
    "A B C",
    "（好）、“行”",
    "Please come on Tuesday: the X-ray (left knee) is at nine thirty; can you?",
    "To",
)


def export(model: Path, out: Path) -> Path:
    """Export the model in folder ``model`` to folder ``out``, in a process of its own.

    Raises :class:`SpeechError` with the reason when it cannot be.
    """
    look(model)
    command = [sys.executable, "-P", __file__, str(model), str(out)]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip() or "no reason was given").splitlines()[-1]
        raise SpeechError(f"{model} cannot be exported: {last}")
    return out


def _main(model: Path, out: Path) -> None:
    coqui = CoquiModel(look(model))
    vits: Any = coqui.restored()
    if type(vits).__name__ != "Vits":
        raise ValueError(f"only VITS models can be exported, this is {type(vits).__name__}")
    signs = _signs(vits)
    _compare(signs, vits)
    out.mkdir(parents=True, exist_ok=True)
    with contextlib.redirect_stdout(sys.stderr):
        vits.export_onnx(str(out / "model.onnx"), verbose=False)
    told = coqui.describe()
    values = {
        "rate": told["rate"],
        "speakers": told["speakers"],
        "language": look(model).language,
        "scales": [vits.inference_noise_scale, vits.length_scale, vits.inference_noise_scale_dp],
        "signs": {name: getattr(signs, name) for name in Signs.__dataclass_fields__},
    }
    (out / "voice.json").write_text(json.dumps(values, ensure_ascii=False, indent=1), encoding="utf-8")


def _signs(vits: Any) -> Signs:
    tokenizer = vits.tokenizer
    cleaner = getattr(tokenizer.text_cleaner, "__name__", "")
    phonemiser = tokenizer.phonemizer.name() if tokenizer.use_phonemes else ""
    if cleaner not in CLEANERS or phonemiser not in PHONEMISERS:
        raise ValueError(f"models with {cleaner or 'no cleaner'} and {phonemiser or 'letters'} cannot be exported")
    characters = tokenizer.characters
    return Signs(
        signs={char: characters.char_to_id(char) for char in characters.vocab if len(char) == 1},
        cleaner=cleaner,
        phonemiser=phonemiser,
        pinyin=_pinyin() if phonemiser == MANDARIN else None,
        words="jieba" if phonemiser == MANDARIN and has_jieba() else "",
        blank=characters.blank_id if tokenizer.add_blank else None,
        start=characters.bos_id if tokenizer.use_eos_bos else None,
        end=characters.eos_id if tokenizer.use_eos_bos else None,
        voice=tokenizer.phonemizer.language if phonemiser == ESPEAK else "",
        marks=tokenizer.phonemizer._punctuator.puncs if phonemiser == ESPEAK else "",
    )


def _pinyin() -> dict[str, str]:
    table: Any = importlib.import_module("TTS.tts.utils.text.chinese_mandarin.pinyinToPhonemes")
    return {syllable: phonemes[0] for syllable, phonemes in table.PINYIN_DICT.items()}


def _compare(signs: Signs, vits: Any) -> None:
    for text in _SAMPLES:
        if signs.numbers(text) != list(vits.tokenizer.text_to_ids(text)):
            raise ValueError(f"its text is treated in a way that is not known here ({text!r})")


if __name__ == "__main__":
    try:
        _main(Path(sys.argv[1]), Path(sys.argv[2]))
    except Exception as error:
        print(" ".join(str(error).split()) or type(error).__name__, file=sys.stderr)
        sys.exit(1)
