"""The embedded voice: Mandarin, Cantonese and English, no model to download."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agi_bot.errors import SpeechError
from agi_bot.speech.espeak.library import library, version
from agi_bot.speech.line import CHAIN
from agi_bot.speech.worker.pool import Limits, WorkerPool
from agi_bot.speech.worker.voice import WorkerVoice

VOICES: Mapping[str, str] = {
    "zh": "cmn",
    "zh-cn": "cmn",
    "zh-hk": "yue",
    "yue": "yue",
    "en": "en-us",
    "en-us": "en-us",
    "en-gb": "en-gb",
}
"""Our language tags (lower case) and espeak-ng's voices."""

_WORDS_A_MINUTE = {"cmn": 170, "yue": 170, "en-us": 155, "en-gb": 155}
_SLOWEST, _FASTEST = 0.5, 2.5


def espeak_pool(*, workers: int = 1, limits: Limits | None = None) -> WorkerPool:
    """The helper processes; one pool serves any number of :class:`EspeakVoice`.

    Raises :class:`ModelError` when the library is not there.
    """
    helper = Path(__file__).with_name("helper.py")
    command = [sys.executable, "-P", str(helper), *map(str, library())]
    return WorkerPool(command, name="espeak-ng", size=workers, limits=limits)


class EspeakVoice(WorkerVoice):
    """espeak-ng as a Voice at 8 kHz.

    ``variant``: a speaker of espeak-ng's own (``f1``..``f5``, ``m1``..``m8``, ...; empty: its
    default).  ``speed``: 0.5-2.5 times the usual.  ``pitch`` and ``pitch_range``: 0-99.
    ``pool``: share the helper of other voices; :meth:`close` ends it for all of them.

    Raises :class:`SpeechError` for a language or a setting that it has not.
    """

    def __init__(
        self,
        language: str = "zh-CN",
        *,
        variant: str = "f3",
        speed: float = 1.0,
        pitch: int = 50,
        pitch_range: int = 50,
        gain_db: float = 0.0,
        pool: WorkerPool | None = None,
    ) -> None:
        self._voice = _voice_of(language)
        _check("speed", speed, _SLOWEST, _FASTEST)
        _check("pitch", pitch, 0, 99)
        _check("pitch_range", pitch_range, 0, 99)
        self._manner: Mapping[str, Any] = {
            "voice": self._voice,
            "variant": variant,
            "speed": round(_WORDS_A_MINUTE[self._voice] * speed),
            "pitch": pitch,
            "range": pitch_range,
        }
        name = f"espeak-ng {self._voice}{'+' + variant if variant else ''}"
        super().__init__(
            pool or espeak_pool(),
            name=name,
            key="|".join((version(), *map(str, self._manner.values()), f"{gain_db:g}", CHAIN)),
            language=language,
            gain_db=gain_db,
        )

    def request(self, text: str) -> Mapping[str, Any]:
        return {**self._manner, "text": text}


def _voice_of(language: str) -> str:
    try:
        return VOICES[language.lower()]
    except KeyError:
        known = ", ".join(VOICES)
        raise SpeechError(f"the embedded voice does not speak {language!r}", cure=f"it speaks {known}") from None


def _check(what: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        raise SpeechError(f"{what} {value:g} is out of range", cure=f"{least:g} to {most:g}")
