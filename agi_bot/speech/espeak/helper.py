"""The program that holds libespeak-ng: text on its standard input, sound on its output.

It is run as a process of its own because the library is under the GPL, keeps its state
process-wide and may crash without taking calls with it.  It imports nothing but the
standard library and our worker's wire.  Numbers and structures: ``espeak-ng/speak_lib.h``
of espeak-ng 1.52.

Usage: ``python helper.py LIBRARY DATA_DIRECTORY``
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from agi_bot.speech.worker.serve import serve

_SYNCHRONOUS = 2
_CHARS_UTF8 = 1
_RATE, _VOLUME, _PITCH, _RANGE = 1, 2, 3, 4
_PIECE_BYTES = 8 << 20

_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)


class Espeak:
    """The library, opened once in this process.  Raises :class:`OSError` where it cannot be."""

    streams = False

    def __init__(self, library: str, data: str) -> None:
        self._library = ctypes.CDLL(library)
        self._rate: int = self._library.espeak_Initialize(_SYNCHRONOUS, 0, data.encode(), 0)
        if self._rate <= 0:
            raise OSError(f"libespeak-ng cannot read its data in {data}")
        self._variants = {path.name for path in (Path(data) / "voices" / "!v").iterdir()}
        self._sound = bytearray()
        self._callback = _Callback(self._collect)
        self._library.espeak_SetSynthCallback(self._callback)

    def describe(self) -> dict[str, Any]:
        self._library.espeak_Info.restype = ctypes.c_char_p
        version = self._library.espeak_Info(None).decode()
        return {"rate": self._rate, "version": version}

    def make(self, request: Mapping[str, Any]) -> Iterator[bytes]:
        """``voice``, ``variant``, ``speed`` (words a minute), ``pitch``, ``range`` (0-100), ``text``."""
        self._choose(str(request["voice"]), str(request["variant"]))
        for parameter, value in ((_RATE, "speed"), (_PITCH, "pitch"), (_RANGE, "range")):
            self._library.espeak_SetParameter(parameter, int(request[value]), 0)
        self._library.espeak_SetParameter(_VOLUME, 50, 0)  # half scale: loud voices clip at 100
        self._sound.clear()
        data = str(request["text"]).encode()
        self._library.espeak_Synth(data, len(data) + 1, 0, 1, 0, _CHARS_UTF8, None, None)
        sound = bytes(self._sound)
        for start in range(0, len(sound), _PIECE_BYTES):
            yield sound[start : start + _PIECE_BYTES]

    def _choose(self, voice: str, variant: str) -> None:
        if variant and variant not in self._variants:
            raise ValueError(f"espeak-ng has no voice variant {variant!r}")
        name = f"{voice}+{variant}" if variant else voice
        if self._library.espeak_SetVoiceByName(name.encode()) != 0:
            raise ValueError(f"espeak-ng has no voice {voice!r}")

    def _collect(self, wave: int | None, count: int, _events: int | None) -> int:
        if wave and count > 0:
            self._sound += ctypes.string_at(wave, 2 * count)
        return 0


if __name__ == "__main__":
    sys.exit(serve(lambda: Espeak(sys.argv[1], sys.argv[2])))
