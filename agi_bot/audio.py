"""Sound on the line: frames of 16-bit mono PCM, resampling and G.711 mu-law.

Everything here is pure.  A :class:`Frame` is the only form in which sound passes from
room to room; 20 ms frames are what a telephone line carries (160 samples, 320 bytes at
8000 Hz).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import soxr

LINE_RATE = 8000
"""Sampling rate of the telephone line, Hz."""

FRAME_MS = 20
"""Length of one frame on the line, ms."""

Samples = npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Frame:
    """A piece of sound: 16-bit little-endian mono PCM ``pcm`` at ``rate`` Hz.

    ``at_ms`` is its place in the line's own time, where that is known: of what was heard, how
    much the line had sent (silence counts) when it came (silence in the place of sound that did not
    come has none); of what is sent, where it will lie.

    Raises :class:`ValueError` for an odd number of bytes or a rate below 1 Hz.
    """

    pcm: bytes
    rate: int = LINE_RATE
    at_ms: int | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if len(self.pcm) % 2:
            raise ValueError(f"a frame of 16-bit samples cannot have {len(self.pcm)} bytes")
        if self.rate < 1:
            raise ValueError(f"a frame cannot have a rate of {self.rate} Hz")

    @property
    def samples(self) -> Samples:
        """The samples as int16, shape (n,)."""
        return np.frombuffer(self.pcm, dtype="<i2")

    @property
    def ms(self) -> float:
        """Duration in ms."""
        return len(self.pcm) * 500 / self.rate


def frame_bytes(rate: int = LINE_RATE, ms: int = FRAME_MS) -> int:
    """Bytes of a frame of ``ms`` milliseconds at ``rate`` Hz."""
    return rate * ms // 1000 * 2


def silence(ms: int = FRAME_MS, rate: int = LINE_RATE) -> Frame:
    """A frame of digital silence."""
    return Frame(bytes(frame_bytes(rate, ms)), rate)


def split(frame: Frame, ms: int = FRAME_MS) -> Iterator[Frame]:
    """Cut ``frame`` into frames of ``ms``; the last one is filled up with silence."""
    size = frame_bytes(frame.rate, ms)
    for start in range(0, len(frame.pcm), size):
        yield Frame(frame.pcm[start : start + size].ljust(size, b"\0"), frame.rate)


def resample(frame: Frame, rate: int) -> Frame:
    """``frame`` at ``rate`` Hz, band-limited (soxr HQ), for a whole utterance.

    For a stream cut into pieces use :class:`Resampler`, which keeps the filter's state.
    """
    if frame.rate == rate:
        return frame
    return _from_float(soxr.resample(_to_float(frame), frame.rate, rate), rate)


class Resampler:
    """Resamples a stream from one rate to another, piece by piece."""

    def __init__(self, source: int, target: int) -> None:
        self._source = source
        self._target = target
        self._stream = soxr.ResampleStream(source, target, 1, dtype="float32")

    def push(self, frame: Frame, *, last: bool = False) -> Frame:
        """What can be given out after ``frame``; pass ``last`` to empty the filter.

        Raises :class:`ValueError` for a frame of another rate.
        """
        if frame.rate != self._source:
            raise ValueError(f"expected {self._source} Hz, got {frame.rate} Hz")
        return _from_float(self._stream.resample_chunk(_to_float(frame), last=last), self._target)


def rms_dbfs(frame: Frame) -> float:
    """Root mean square level in dB below full scale; -120.0 for silence."""
    values = frame.samples.astype(np.float64)
    power = float(np.mean(values * values)) if len(values) else 0.0
    return 10 * float(np.log10(power / 32768.0**2)) if power > 1e-3 else -120.0


def mulaw_encode(samples: Samples) -> bytes:
    """ITU-T G.711 mu-law: one byte a sample."""
    return _ENCODE[samples.astype(np.uint16)].tobytes()


def mulaw_decode(data: bytes) -> Samples:
    """ITU-T G.711 mu-law back to int16 samples."""
    return _DECODE[np.frombuffer(data, dtype=np.uint8)]


def _to_float(frame: Frame) -> npt.NDArray[np.float32]:
    return frame.samples.astype(np.float32) / 32768.0


def _from_float(values: npt.NDArray[np.float32], rate: int) -> Frame:
    clipped = np.clip(np.rint(values * 32768.0), -32768, 32767)
    return Frame(clipped.astype("<i2").tobytes(), rate)


_BIAS = 0x84
_CLIP = 32635


def _decode_table() -> Samples:
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    magnitude = (((code & 0x0F) << 3) + _BIAS << ((code & 0x70) >> 4)) - _BIAS
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


def _encode_table() -> npt.NDArray[np.uint8]:
    linear = np.arange(65536, dtype=np.uint16).astype(np.int16).astype(np.int32)
    sign = np.where(linear < 0, 0x80, 0)
    magnitude = np.minimum(np.abs(linear), _CLIP) + _BIAS
    exponent = np.floor(np.log2(magnitude)).astype(np.int32) - 7
    mantissa = (magnitude >> (exponent + 3)) & 0x0F
    code = ~(sign | (exponent << 4) | mantissa) & 0xFF
    return np.asarray(code, dtype=np.uint8)


_DECODE = _decode_table()
_ENCODE = _encode_table()
