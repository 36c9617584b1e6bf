"""Text to IPA by libespeak-ng, exactly as the command ``espeak-ng -q -b 1 -v VOICE --ipa=1`` prints it.

What models of phonemes were trained on.  The library keeps its state process-wide and is
under the GPL: this runs inside worker processes only.  Numbers and structures:
``espeak-ng/speak_lib.h`` of espeak-ng 1.52; the flags are those of the command.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from agi_bot.speech.espeak.library import library

_SYNCHRONOUS = 2
_UTF8_PHONEMES_END_PAUSE = 0x1 | 0x100 | 0x1000
_IPA_SEPARATED = 0x02 | ord("_") << 8
_OK = 0

_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)


class _Voice(ctypes.Structure):
    """``espeak_VOICE``; ``languages`` is a byte of priority and a tag."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_char_p),
        ("identifier", ctypes.c_char_p),
        ("gender", ctypes.c_ubyte),
        ("age", ctypes.c_ubyte),
        ("variant", ctypes.c_ubyte),
        ("xx1", ctypes.c_ubyte),
        ("score", ctypes.c_int),
        ("spare", ctypes.c_void_p),
    )


class Phonemes:
    """The library, opened once in this process.  Raises :class:`OSError` where it cannot be."""

    def __init__(self, path: Path, data: Path) -> None:
        self._library = ctypes.CDLL(str(path))
        if self._library.espeak_Initialize(_SYNCHRONOUS, 0, str(data).encode(), 0) <= 0:
            raise OSError(f"libespeak-ng cannot read its data in {data}")
        self._silent = _Callback(lambda wave, count, events: 0)
        self._library.espeak_SetSynthCallback(self._silent)
        self._library.espeak_SetPhonemeTrace.argtypes = [ctypes.c_int, ctypes.c_void_p]
        self._library.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_Voice))

    def lines(self, text: str, voice: str) -> list[str]:
        """A line of phonemes for each clause, ``_`` between phonemes.

        Raises :class:`ValueError` for a voice that espeak-ng has not.
        """
        self._choose(voice)
        with_trace = _Memory()
        self._library.espeak_SetPhonemeTrace(_IPA_SEPARATED, with_trace.stream)
        data = text.encode()
        self._library.espeak_Synth(data, len(data) + 1, 0, 1, 0, _UTF8_PHONEMES_END_PAUSE, None, None)
        self._library.espeak_SetPhonemeTrace(0, None)
        return [line.strip() for line in with_trace.text().split("\n") if line.strip()]

    def voices(self) -> Iterator[tuple[str, str]]:
        """The language and the name of each voice, as ``espeak-ng --voices`` lists them."""
        listed = self._library.espeak_ListVoices(None)
        index = 0
        while listed[index]:
            voice = listed[index].contents
            yield voice.languages[1:].decode(), voice.name.decode().replace(" ", "_")
            index += 1

    def _choose(self, voice: str) -> None:
        if self._library.espeak_SetVoiceByName(voice.encode()) == _OK:
            return
        if voice not in dict(self.voices()):  # asked by properties, the library takes any voice for a wrong one
            raise ValueError(f"espeak-ng has no voice {voice!r}")
        self._library.espeak_SetVoiceByProperties(ctypes.byref(_Voice(languages=voice.encode())))


class _Memory:
    """A C stream that writes to memory."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None)
        self._libc.open_memstream.restype = ctypes.c_void_p
        self._libc.fclose.argtypes = self._libc.free.argtypes = [ctypes.c_void_p]
        self._data, self._size = ctypes.c_void_p(), ctypes.c_size_t()
        self.stream = self._libc.open_memstream(ctypes.byref(self._data), ctypes.byref(self._size))

    def text(self) -> str:
        """What was written; the stream is closed."""
        self._libc.fclose(self.stream)
        written = ctypes.string_at(self._data, self._size.value) if self._data else b""
        self._libc.free(self._data)
        return written.decode("utf-8", "replace")


@cache
def phonemes() -> Phonemes:
    """The library of this process."""
    return Phonemes(*library())
