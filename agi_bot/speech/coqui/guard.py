"""What has to be put right before coqui-tts 0.28 can be imported and used on a telephone server.

* It refuses to be imported without torchaudio and torchcodec, but only looks whether they
  are there; the registries' torchaudio is built for CUDA and does not load beside a CPU
  torch.  Where they are missing or broken, empty modules take their place; what really
  needs them (voice cloning from a file) then says so.
* Its Chinese phonemiser downloads a segmentation model at first use.  jieba takes its
  place, or none at all.
* Its phonemiser for English and others starts the command ``espeak-ng`` for every few words,
  and fails where there is none.  The library that the embedded voice brings takes its place.
* torch takes all cores for one sentence, which on a busy server is slower than one.

Everything here happens inside the worker process.
"""

from __future__ import annotations

import importlib
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

from agi_bot.speech.coqui.signs import cut_words
from agi_bot.speech.espeak.phonemes import phonemes

_OPTIONAL = ("torchaudio", "torchcodec")
CURE = "pip install 'agi-bot[coqui]'"


def import_coqui() -> ModuleType:
    """The package ``TTS``, with the traps fenced.  Raises :class:`ValueError` with what to do."""
    try:
        torch: Any = importlib.import_module("torch")
    except ImportError:
        raise ValueError(f"a Coqui voice needs torch and coqui-tts, which are not installed ({CURE})") from None
    torch.set_num_threads(1)
    for name in _OPTIONAL:
        _stand_in(name)
    try:
        coqui = importlib.import_module("TTS.api")
    except ImportError as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"coqui-tts cannot be imported: {reason} ({CURE})") from None
    _use_own_segmenter()
    _use_own_espeak()
    return coqui


class _Absent(ModuleType):
    """A module that is there and has nothing."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__spec__ = ModuleSpec(name, None)
        self.__path__: list[str] = []
        self.__version__ = "0"

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        raise ImportError(f"{self.__name__}.{attribute} is needed, but {self.__name__} does not work here")


def _stand_in(name: str) -> None:
    try:
        importlib.import_module(name)
    except Exception:
        for loaded in [module for module in sys.modules if module == name or module.startswith(f"{name}.")]:
            del sys.modules[loaded]
        sys.modules[name] = _Absent(name)


class _Segmenter:
    """``cut`` as spacy_pkuseg has it."""

    def cut(self, text: str) -> list[str]:
        return cut_words(text)


def _use_own_segmenter() -> None:
    try:
        phonemizer: Any = importlib.import_module("TTS.tts.utils.text.chinese_mandarin.phonemizer")
    except ImportError:
        return  # without the Chinese extra there is nothing to put right
    phonemizer._seg = _Segmenter()


def _use_own_espeak() -> None:
    wrapper: Any = importlib.import_module("TTS.tts.utils.text.phonemizers.espeak_wrapper")
    wrapper._DEF_ESPEAK_LIB, wrapper._DEF_ESPEAK_VER = "espeak-ng", "1.52.0"
    wrapper.get_espeakng_version = lambda: "1.52.0"
    wrapper._is_tool = lambda name: name == "espeak-ng"
    wrapper._espeak_exe = lambda program, arguments: _espeak(arguments)


def _espeak(arguments: list[str]) -> list[str]:
    """What the command ``espeak-ng`` prints for ``--voices``, and for ``-v VOICE --ipa=1 -f FILE``."""
    if arguments == ["--voices"]:
        voices = (f" 5 {language} --/M {name}" for language, name in phonemes().voices())
        return ["Pty Language Age/Gender VoiceName", *voices]
    return phonemes().lines(Path(arguments[-1]).read_text(encoding="utf-8"), arguments[1])
