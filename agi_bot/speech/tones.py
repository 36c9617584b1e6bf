"""How much of a sound lies at given frequencies: the Goertzel algorithm (G. Goertzel, 1958), as one product.  Pure."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


def goertzel(samples: Floats, rate: int, frequency: float) -> float:
    """Share (0..1) of the energy of ``samples`` that lies at ``frequency`` Hz."""
    return float(_shares(samples, rate, (frequency,))[0])


def _shares(samples: Floats, rate: int, frequencies: tuple[float, ...]) -> Floats:
    energy = float(np.dot(samples, samples))
    if energy <= 0.0 or not len(samples):
        return np.zeros(len(frequencies), np.float32)
    shares: Floats = np.minimum(1.0, powers(samples, rate, frequencies) / np.float32(energy))
    return shares


def powers(samples: Floats, rate: int, frequencies: tuple[float, ...]) -> Floats:
    """How much of the energy of ``samples`` each frequency has."""
    squares = np.square(_kernel(frequencies, len(samples), rate) @ samples)
    found: Floats = squares[: len(frequencies)] + squares[len(frequencies) :]
    return found


@lru_cache(maxsize=16)
def _kernel(frequencies: tuple[float, ...], size: int, rate: int) -> Floats:
    """Cosines, then sines, one row a frequency, scaled so that squares are energy."""
    turns = 2 * np.pi * np.outer(frequencies, np.arange(size)) / rate
    return np.concatenate((np.cos(turns), np.sin(turns))).astype(np.float32) * np.float32(np.sqrt(2 / size))
