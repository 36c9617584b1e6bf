"""The bot's own voice, found in what comes back and taken out of it.  Pure.

:class:`EchoFinder` looks for the outgoing sound in the incoming one by their normalized
cross-correlation: only an echo has the bot's own waveform, a caller who speaks at the same
time has not.  :class:`Canceller` then takes the echo out with an adaptive filter around the
delay that was found: overlap-save in the frequency domain (J. Shynk, "Frequency-domain and
multirate adaptive filtering", IEEE Signal Processing Magazine 9(1), 1992), with a second
filter that learns and is taken over only where it does better, so that the caller's own
voice spoils nothing (K. Ochiai et al., "Echo canceler with two echo path models", IEEE
Transactions on Communications 25(6), 1977).

Samples are float32, full scale 1, 8000 Hz, blocks of 160 (20 ms).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Wave = npt.NDArray[np.float32]
Spectrum = npt.NDArray[np.complex64]

BLOCK = 160
SPAN = 1600
"""Incoming samples that are compared with what went out: 200 ms."""

LONGEST = 4800
"""Longest delay that is looked for, samples: 600 ms."""

REACH = 640
"""How far an echo is looked for around its place, samples: 80 ms."""

TAPS = 256
LEAD = 48
"""How much before the delay that was found the filter begins, samples."""

_SIZE = 512
_AUDIBLE = 1e-3

_RIPE = 150
"""Blocks after which a filter is trusted: a young one knows only the sounds that it has heard.

One that was moved is half as old.
"""

_BESIDE = 8
"""An echo that moves by no more samples than this sounds the same."""

_LEAST_LEAK = 0.1
"""No echo counts as softer than 20 dB below what it was: lines change."""


class EchoFinder:
    """Where, and how strong, the outgoing sound is in the incoming one.

    ``likeness``: correlation (0..1) from which on it counts.  Two vowels of the same pitch
    are alike for a moment: it must be seen ``times`` in a row at the same delay.
    """

    def __init__(self, likeness: float = 0.5, times: int = 3) -> None:
        self._likeness = likeness
        self._times = times
        self._seen = 0
        self._delay = -1
        self._length = 1 << (SPAN + LONGEST + SPAN - 1).bit_length()

    def look(self, out: Wave, heard: Wave) -> tuple[int, float] | None:
        """Delay (samples) and gain of the echo, once it was seen often enough.

        ``out`` are the last ``LONGEST + SPAN`` samples that went out, ``heard`` the last ``SPAN`` that came.
        """
        power = float(heard @ heard)
        if power < SPAN * (_AUDIBLE / 4) ** 2:
            return None
        product = np.fft.rfft(out, self._length) * np.conj(np.fft.rfft(heard, self._length))
        common = np.fft.irfft(product, self._length)[: LONGEST + 1]
        energy = np.concatenate(([0.0], np.cumsum(out.astype(np.float64) ** 2)))
        energy = energy[SPAN : SPAN + LONGEST + 1] - energy[: LONGEST + 1]
        loud = energy > SPAN * _AUDIBLE**2
        alike = np.where(loud, np.abs(common) / np.sqrt(np.maximum(energy * power, 1e-12)), 0.0)
        best = int(alike.argmax())
        if alike[best] < self._likeness:
            self._seen = 0
            return None
        delay = LONGEST - best
        self._seen = self._seen + 1 if abs(delay - self._delay) <= LEAD // 2 else 1
        self._delay = delay
        return (delay, float(np.abs(common[best]) / energy[best])) if self._seen >= self._times else None


class Canceller:
    """Takes the echo at about ``delay`` samples out of what comes in."""

    def __init__(self, delay: int) -> None:
        self.delay = delay
        self._skip = max(0, delay - LEAD)
        self._used = np.zeros(_SIZE // 2 + 1, np.complex64)
        self._learning = self._used.copy()
        self._power = np.full(_SIZE // 2 + 1, 1e-3, np.float32)
        self._age = 0
        """Loud blocks that were learnt from."""
        self._left = np.zeros(3)
        """Smoothed power of what came, of what is left by the used filter, by the learning one."""
        self.leak = self._leak_before = 1.0
        """Amplitude of the echo that is left, against the echo that came."""

    @property
    def lead(self) -> int:
        """How many outgoing samples :meth:`clean` wants to see."""
        return self._skip + _SIZE

    def shift(self, by: int) -> None:
        """The echo comes ``by`` samples later (earlier, if negative) and is the same otherwise."""
        self.delay = max(0, self.delay + by)
        skip, self._skip = self._skip, max(0, self._skip + by)
        if early := self._skip - skip - by:
            taps = np.fft.irfft(self._used, _SIZE)[:TAPS]
            self._used = np.fft.rfft(taps[early:], _SIZE).astype(np.complex64)
        self._learning, self._left[2] = self._used.copy(), self._left[1]
        if abs(by) > _BESIDE:
            self._age = min(self._age, _RIPE // 2)

    def overlaid(self) -> None:
        """What was left of the last block was no echo: it tells nothing about the leak."""
        self.leak = min(self.leak, self._leak_before)

    def elsewhere(self, out: Wave, heard: Wave) -> tuple[int, float]:
        """By how much later the echo in ``heard`` would come, were it at its most likely place; the power left then.

        ``out`` are the last ``lead + REACH + len(heard)`` samples (or more) that went out.
        """
        size = len(heard) + 2 * REACH
        end = len(out) - max(0, self._skip - REACH)
        missing = max(0, REACH - self._skip)
        length = 1 << (size + TAPS - 1).bit_length()
        taps = np.fft.irfft(self._used, _SIZE)[:TAPS]
        sent = np.fft.rfft(out[end - size + missing - TAPS : end], length)
        foretold = np.fft.irfft(sent * np.fft.rfft(taps, length), length).astype(np.float32)[TAPS:][: size - missing]
        energy = np.concatenate(([0.0], np.cumsum(foretold**2)))
        energy = energy[len(heard) :] - energy[: -len(heard)]
        left = energy - 2 * _correlate(foretold, heard)
        best = int(left.argmin())
        return REACH - best, float(heard @ heard) + float(left[best])

    def clean(self, out: Wave, block: Wave) -> Wave:
        """``block`` without the echo; ``out`` are the last :attr:`lead` samples (or more) that went out."""
        end = len(out) - self._skip
        spectrum = np.fft.rfft(out[end - _SIZE : end]).astype(np.complex64)
        used = block - self._foretold(spectrum, self._used)
        learnt = block - self._foretold(spectrum, self._learning)
        self._adapt(spectrum, learnt)
        self._compare(block, used, learnt)
        return used if used @ used < block @ block else block

    @staticmethod
    def _foretold(spectrum: Spectrum, filter_: Spectrum) -> Wave:
        return np.fft.irfft(spectrum * filter_, _SIZE)[-BLOCK:].astype(np.float32)

    def _adapt(self, spectrum: Spectrum, error: Wave) -> None:
        power = (spectrum * spectrum.conj()).real
        if power.sum() < _SIZE * _SIZE * _AUDIBLE**2 / 4:
            return
        self._power = 0.8 * self._power + 0.2 * power
        self._age += 1
        padded = np.zeros(_SIZE, np.float32)
        padded[-BLOCK:] = error
        step = spectrum.conj() * np.fft.rfft(padded) / (self._power + 0.05 * self._power.mean() + 1e-6)
        taps = np.fft.irfft(step, _SIZE)
        taps[TAPS:] = 0.0
        self._learning = (self._learning + 0.5 * np.fft.rfft(taps)).astype(np.complex64)

    def _compare(self, block: Wave, used: Wave, learnt: Wave) -> None:
        whole, left = float(block @ block), float(used @ used)
        self._left = 0.8 * self._left + 0.2 * np.array([whole, left, learnt @ learnt])
        came, now, then = self._left
        # It falls at once and rises slowly: a caller who speaks is no echo that is left.
        ratio = float(np.sqrt(now / came)) if came > 0 else 1.0
        self._leak_before = self.leak
        least = max(_LEAST_LEAK, 1.0 - self._age / _RIPE)
        rise = 1.02 if left > whole * self.leak**2 else 1.0
        self.leak = max(least, min(1.0, rise * self.leak, ratio))
        if then < 0.8 * now and then < 0.6 * came:
            self._used, self._left[1] = self._learning.copy(), then
        elif then > 2.0 * came or then > 4.0 * now:
            self._learning, self._left[2] = self._used.copy(), now


def _correlate(long: Wave, short: Wave) -> Wave:
    """Their product for each place of ``short`` in ``long``."""
    length = 1 << (len(long) - 1).bit_length()
    product = np.fft.rfft(long, length) * np.conj(np.fft.rfft(short, length))
    return np.fft.irfft(product, length)[: len(long) - len(short) + 1].astype(np.float32)
