"""Speech made fit for the telephone line: band, level, limit.  Pure.

Arrays are float32, shape (n,), full scale 1.0.  Levels are dB below full scale (dBFS).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from agi_bot.audio import LINE_RATE, Frame, Resampler

Wave = npt.NDArray[np.float32]

CHAIN = "line-1"
"""Changes whenever this chain sounds different; part of every prompt's key."""

LEVEL_DBFS = -20.0
"""Root mean square of the active speech after levelling."""

CEILING_DBFS = -3.0
"""No sample gets above it."""

_KNEE_DBFS = -9.0
_LOW_HZ, _HIGH_HZ = 300.0, 3400.0
_TAPS = 161
_SILENCE_DBFS = -55.0
_ACTIVE_DB = 25.0
_MAX_GAIN_DB = 30.0
_WINDOW_MS = 20


def active_level(wave: Wave, rate: int) -> float:
    """RMS in dBFS of the 20 ms windows that hold speech; -120.0 where none does.

    Active are the windows at most 25 dB below the loudest one, after the idea of ITU-T P.56.
    """
    size = rate * _WINDOW_MS // 1000
    count = max(1, len(wave) // size)
    padded = np.zeros(count * size, np.float64)
    used = wave[: count * size]
    padded[: len(used)] = used
    power = np.mean(padded.reshape(count, size) ** 2, axis=1)
    loudest = float(power.max())
    if loudest < 1e-9:
        return -120.0
    return 10 * float(np.log10(power[power > loudest * 10 ** (-_ACTIVE_DB / 10)].mean()))


def limit(wave: Wave) -> Wave:
    """Bend what is above -9 dBFS so that nothing gets above -3 dBFS; quieter sound is untouched."""
    knee, ceiling = _amplitude(_KNEE_DBFS), _amplitude(CEILING_DBFS)
    room = ceiling - knee
    size = np.abs(wave)
    bent = knee + room * np.tanh((size - knee) / room)
    return np.where(size > knee, np.sign(wave) * bent, wave).astype(np.float32)


class Band:
    """Passes 300-3400 Hz at 8 kHz: a linear-phase FIR filter for a stream in pieces.

    The sound comes out as long as it went in: the filter's delay is taken off at the
    start and given back by ``last``.
    """

    def __init__(self) -> None:
        self._past = np.zeros(_TAPS - 1, np.float32)
        self._skip = _TAPS // 2

    def push(self, wave: Wave, *, last: bool = False) -> Wave:
        if last:
            wave = np.concatenate((wave, np.zeros(_TAPS // 2, np.float32)))
        if not len(wave):
            return wave
        joined = np.concatenate((self._past, wave))
        self._past = joined[-(_TAPS - 1) :]
        out = np.convolve(joined, _FIR, mode="valid")
        skip = min(self._skip, len(out))
        self._skip -= skip
        return out[skip:].astype(np.float32)


class Leveller:
    """The gain that brings a voice to -20 dBFS, plus ``extra_db`` of the voice's own setting.

    A whole sentence gets the gain that fits it.  A sentence that is given out in pieces
    gets the running mean of the sentences before it.
    """

    def __init__(self, extra_db: float = 0.0, *, level_dbfs: float = LEVEL_DBFS) -> None:
        self._target = level_dbfs + extra_db
        self._mean: float | None = None

    @property
    def knows(self) -> bool:
        """Whether a sentence was learnt."""
        return self._mean is not None

    def for_whole(self, wave: Wave) -> float:
        """Gain in dB for ``wave`` at 8 kHz."""
        level = active_level(wave, LINE_RATE)
        return self._gain(level) if level > -119 else 0.0

    def for_piece(self, first: Wave) -> float:
        """Gain in dB for a sentence of which only ``first`` is known."""
        return self.for_whole(first) if self._mean is None else self._gain(self._mean)

    def learn(self, wave: Wave) -> None:
        """Take a sentence (before its gain) into the running mean."""
        level = active_level(wave, LINE_RATE)
        if level > -119:
            self._mean = level if self._mean is None else 0.7 * self._mean + 0.3 * level

    def _gain(self, level: float) -> float:
        return min(self._target - level, _MAX_GAIN_DB)


def gained(wave: Wave, gain_db: float) -> Wave:
    """``wave`` louder by ``gain_db`` and limited."""
    return limit(wave * np.float32(_amplitude(gain_db)))


class ToBand:
    """A stream of 16-bit PCM at ``rate`` Hz to the telephone band at 8 kHz, as floats."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._resampler = Resampler(rate, LINE_RATE) if rate != LINE_RATE else None
        self._band = Band()

    def push(self, pcm: bytes, *, last: bool = False) -> Wave:
        frame = Frame(pcm, self._rate)
        if self._resampler is not None:
            frame = self._resampler.push(frame, last=last)
        return self._band.push(to_wave(frame), last=last)


def to_wave(frame: Frame) -> Wave:
    """16-bit samples as floats."""
    return frame.samples.astype(np.float32) / np.float32(32768)


def to_frame(wave: Wave, rate: int = LINE_RATE) -> Frame:
    """Floats as 16-bit samples, cut at full scale."""
    return Frame(np.clip(np.rint(wave * 32768), -32768, 32767).astype("<i2").tobytes(), rate)


def trimmed(wave: Wave, *, lead_ms: int = 10, tail_ms: int = 40) -> Wave:
    """``wave`` at 8 kHz without the silence around it, save ``lead_ms`` and ``tail_ms``; ends faded.

    Silence is what stays 45 dB below the loudest sample.
    """
    size = np.abs(wave)
    loud = np.flatnonzero(size > size.max(initial=0.0) * 10 ** (-45 / 20))
    if not len(loud) or not size.any():
        return wave[:0]
    start = max(0, int(loud[0]) - LINE_RATE * lead_ms // 1000)
    end = min(len(wave), int(loud[-1]) + 1 + LINE_RATE * tail_ms // 1000)
    return faded(wave[start:end])


class Trimmer:
    """Takes the silence off both ends of a stream of speech at 8 kHz, after its level was set.

    Silence inside is held back until speech follows.  Silence is what stays below -55 dBFS.
    """

    def __init__(self, *, lead_ms: int = 10, tail_ms: int = 40) -> None:
        self._lead = LINE_RATE * lead_ms // 1000
        self._tail = LINE_RATE * tail_ms // 1000
        self._held: Wave = np.zeros(0, np.float32)
        self._begun = False

    def push(self, wave: Wave, *, last: bool = False) -> Wave:
        """What can be given out after ``wave``; the silence at the end is dropped with ``last``."""
        joined: Wave = np.concatenate((self._held, wave))
        loud = np.flatnonzero(np.abs(joined) > _amplitude(_SILENCE_DBFS))
        if not len(loud):
            self._held = joined if self._begun else joined[-self._lead :]
            return self._rest() if last and self._begun else joined[:0]
        start = 0 if self._begun else max(0, int(loud[0]) - self._lead)
        end = int(loud[-1]) + 1
        self._begun, self._held = True, joined[end:]
        return np.concatenate((joined[start:end], self._rest())) if last else joined[start:end]

    def _rest(self) -> Wave:
        return self._held[: self._tail]


def begun(wave: Wave, *, ms: int = 5) -> Wave:
    """``wave`` at 8 kHz with its first ``ms`` faded in."""
    count = min(len(wave), LINE_RATE * ms // 1000)
    out = wave.copy()
    out[:count] *= np.linspace(0, 1, count, dtype=np.float32)
    return out


def ended(wave: Wave, *, ms: int = 5) -> Wave:
    """``wave`` at 8 kHz with its last ``ms`` faded."""
    count = min(len(wave), LINE_RATE * ms // 1000)
    out = wave.copy()
    out[len(out) - count :] *= np.linspace(1, 0, count, dtype=np.float32)
    return out


def faded(wave: Wave, *, ms: int = 5) -> Wave:
    """``wave`` at 8 kHz with its first and last ``ms`` faded (raised cosine), so that joints do not click."""
    count = min(len(wave) // 2, LINE_RATE * ms // 1000)
    ramp = (0.5 - 0.5 * np.cos(np.linspace(0, np.pi, count, dtype=np.float32))).astype(np.float32)
    out = wave.copy()
    out[:count] *= ramp
    out[len(out) - count :] *= ramp[::-1]
    return out


def _amplitude(db: float) -> float:
    return float(10 ** (db / 20))


def _fir() -> Wave:
    """Windowed sinc, Kaiser beta 5: about 53 dB down 140 Hz beyond the edges."""
    n = np.arange(_TAPS) - _TAPS // 2
    high = 2 * _HIGH_HZ / LINE_RATE * np.sinc(2 * _HIGH_HZ / LINE_RATE * n)
    low = 2 * _LOW_HZ / LINE_RATE * np.sinc(2 * _LOW_HZ / LINE_RATE * n)
    taps: Wave = ((high - low) * np.kaiser(_TAPS, 5.0)).astype(np.float32)
    return taps


_FIR = _fir()
