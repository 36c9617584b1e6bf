"""Steady noise taken out of what the network of voice activity is asked about.  Pure.

In noise 10 dB below the voice the network notices soft beginnings (我 ..., 你 ...) 300 ms late.
Each window's spectrum is weighed by how much of it is more than the noise that was learned
between stretches of speech (S. Boll, "Suppression of acoustic noise in speech using spectral
subtraction", IEEE Transactions on Acoustics, Speech, and Signal Processing 27(2), 1979), never
below a floor, and smoothed over neighbouring bins against musical noise.  The recogniser hears
the sound as it came: it was trained with noise.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

LEAST_GAIN = 0.3
"""No bin is made softer than by 10 dB."""

AUDIBLE = 10 ** (-55 / 10)
"""Noise of less power than this (full scale 1) is left alone: -55 dBFS."""

_LEARN = 0.1
_SMOOTH = np.ones(5) / 5


class Denoiser:
    """One call's noise; windows are float32, full scale 1, all of one length."""

    def __init__(self) -> None:
        # None at first, not the first window: who speaks as he lifts the receiver is no noise.
        self._noise: npt.NDArray[np.float64] | float = 0.0

    def clean(self, window: Floats, *, learn: bool) -> Floats:
        """``window`` without its steady noise; the same while there is none to be heard.

        ``learn``: there was no voice just before it.
        """
        spectrum = np.fft.rfft(window)
        power = spectrum.real**2 + spectrum.imag**2
        if learn:
            self._noise = self._noise + _LEARN * (power - self._noise)
        if np.sum(self._noise) < AUDIBLE * len(window) ** 2 / 2:
            return window
        gain = np.sqrt(np.maximum(1 - self._noise / np.maximum(power, 1e-12), LEAST_GAIN**2))
        gain = np.convolve(np.pad(gain, 2, "edge"), _SMOOTH, "valid")
        return np.fft.irfft(spectrum * gain, len(window)).astype(np.float32)
