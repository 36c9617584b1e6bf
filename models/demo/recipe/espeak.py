"""espeak-ng 1.52 (from the wheel ``espeakng-loader``) with the time of every phoneme.

The library keeps its state per process, so there is one :class:`Espeak` a process.
Structures and numbers: ``espeak-ng/speak_lib.h``.
"""

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import espeakng_loader
import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.int16]

_AUDIO_OUTPUT_SYNCHRONOUS = 2
_PHONEME_EVENTS = 1
_EVENT_PHONEME = 7
_PARAMETER_RATE, _PARAMETER_PITCH, _PARAMETER_RANGE = 1, 3, 4
_CHARS_UTF8 = 1


class _EventId(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    ]


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


@dataclass(frozen=True)
class Sound:
    """One phoneme as espeak-ng spoke it."""

    mnemonic: str
    """espeak-ng's own name, without stress marks; ``_`` first means a pause."""
    character: int
    """0-based position in the text of the word that it belongs to."""
    start_ms: int


@dataclass(frozen=True)
class Utterance:
    samples: Samples
    sounds: list[Sound]
    rate: int
    """Hz."""


@dataclass(frozen=True)
class Manner:
    """Who speaks and how: espeak-ng's voice name, words a minute, pitch and range 0-100."""

    voice: str
    speed: int = 175
    pitch: int = 50
    pitch_range: int = 50


class Espeak:
    """The library, opened once a process: use :func:`espeak`."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        data = espeakng_loader.get_data_path().encode()
        self.rate: int = self._library.espeak_Initialize(_AUDIO_OUTPUT_SYNCHRONOUS, 0, data, _PHONEME_EVENTS)
        self._chunks: list[bytes] = []
        self._sounds: list[Sound] = []
        self._callback: Callable[..., int] = _Callback(self._collect)
        self._library.espeak_SetSynthCallback(self._callback)

    def _collect(self, wave: Any, count: int, events: Any) -> int:
        if count > 0:
            self._chunks.append(ctypes.string_at(wave, 2 * count))
        index = 0
        while events[index].type:
            self._note(events[index])
            index += 1
        return 0

    def _note(self, event: Any) -> None:
        if event.type != _EVENT_PHONEME:
            return
        mnemonic = event.id.string.decode(errors="replace").lstrip("',%=")
        self._sounds.append(Sound(mnemonic, event.text_position - 1, event.audio_position))

    def say(self, text: str, manner: Manner) -> Utterance:
        """Speak ``text``. Raises ValueError for a voice that espeak-ng does not have."""
        if self._library.espeak_SetVoiceByName(manner.voice.encode()) != 0:
            raise ValueError(f"espeak-ng has no voice {manner.voice!r}")
        for parameter, value in (
            (_PARAMETER_RATE, manner.speed),
            (_PARAMETER_PITCH, manner.pitch),
            (_PARAMETER_RANGE, manner.pitch_range),
        ):
            self._library.espeak_SetParameter(parameter, value, 0)
        self._chunks, self._sounds = [], []
        data = text.encode()
        self._library.espeak_Synth(data, len(data) + 1, 0, 1, 0, _CHARS_UTF8, None, None)
        samples = np.frombuffer(b"".join(self._chunks), np.int16)
        return Utterance(samples, self._sounds, self.rate)


@cache
def espeak() -> Espeak:
    """The one instance of this process."""
    return Espeak()
