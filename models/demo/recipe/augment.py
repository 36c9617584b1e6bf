"""What a telephone line does to speech: gaps, noise, band, level, mu-law."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .corpus import RATE, Item
from .features import SHIFT, WINDOW, frame_count
from .units import INDEX, SILENCE

Floats = npt.NDArray[np.float32]

SUBSAMPLING = 3
"""The net answers every third frame (30 ms)."""

_MU = 255.0


@dataclass(frozen=True)
class Stream:
    """Sound and, for every 30 ms of it, the unit that is heard."""

    samples: Floats
    units: npt.NDArray[np.int64]


def make_stream(items: list[Item], length: int, rng: np.random.Generator) -> Stream:
    """Join random utterances with pauses to ``length`` samples, and put them on the line."""
    samples = np.zeros(length, np.float32)
    units = np.full(label_count(length), INDEX[SILENCE], np.int64)
    position = int(rng.integers(0, RATE // 2))
    while position < length:
        item = items[rng.integers(len(items))]
        end = min(length, position + len(item.samples))
        samples[position:end] = item.samples[: end - position] * _decibels(rng.uniform(-4, 2))
        _put_labels(units, item, position)
        position += len(item.samples) + int(rng.uniform(0.02, 0.9) * RATE)
    return Stream(on_the_line(samples, rng), units)


def label_count(length: int) -> int:
    """How many 30 ms labels ``length`` samples have."""
    return (frame_count(length) + SUBSAMPLING - 1) // SUBSAMPLING


def _put_labels(units: npt.NDArray[np.int64], item: Item, position: int) -> None:
    """Every unit gets at least one label: the decoder cannot skip one."""
    step = SHIFT * SUBSAMPLING
    bounds = np.round((item.starts + position - WINDOW / 2) / step + 0.5).astype(np.int64)
    for index in range(1, len(bounds)):
        bounds[index] = max(bounds[index], bounds[index - 1] + 1)
    ends = np.append(bounds[1:], bounds[-1] + 1)
    for unit, start, end in zip(item.units, bounds, ends, strict=True):
        units[max(0, start) : max(0, end)] = unit


def on_the_line(samples: Floats, rng: np.random.Generator) -> Floats:
    """Colour of the handset, noise, band, level and mu-law, each only sometimes."""
    if rng.random() < 0.5:
        samples = handset(samples, rng)
    if rng.random() < 0.85:
        samples = add_noise(samples, rng.uniform(6, 40), rng, _colour(rng))
    if rng.random() < 0.5:
        samples = band_pass(samples, rng.uniform(100, 330), rng.uniform(3300, 3900))
    samples = samples * _decibels(rng.uniform(-20, 0))
    if rng.random() < 0.7:
        samples = mu_law(samples)
    return np.clip(np.round(samples), -32768, 32767)


def _colour(rng: np.random.Generator) -> float:
    return float(rng.choice([0.0, 0.0, 0.5, 1.0]))


def _decibels(level: float) -> float:
    return float(10 ** (level / 20))


def add_noise(samples: Floats, snr_db: float, rng: np.random.Generator, colour: float = 0.0) -> Floats:
    """Noise of spectrum 1/f**(2*colour), ``snr_db`` below the speech (the loud part of it)."""
    loud = np.abs(samples) > 200
    power = float(np.mean(samples[loud] ** 2)) if loud.any() else 1e4
    spectrum = np.fft.rfft(rng.standard_normal(len(samples)).astype(np.float32))
    if colour:
        spectrum /= np.maximum(np.arange(len(spectrum)), len(spectrum) / 80) ** colour
    noise = np.fft.irfft(spectrum, len(samples))
    noise *= np.sqrt(power / max(1e-9, float(np.mean(noise**2)))) * _decibels(-snr_db)
    return (samples + noise).astype(np.float32)


def band_pass(samples: Floats, low_hz: float, high_hz: float) -> Floats:
    """Keep what a telephone keeps, with soft edges."""
    spectrum = np.fft.rfft(samples)
    hertz = np.fft.rfftfreq(len(samples), 1 / RATE)
    gain = 1 / (1 + np.exp((low_hz - hertz) / 15)) / (1 + np.exp((hertz - high_hz) / 40))
    return np.fft.irfft(spectrum * gain, len(samples)).astype(np.float32)


def handset(samples: Floats, rng: np.random.Generator) -> Floats:
    """Raise and lower parts of the spectrum smoothly, by up to some 8 dB."""
    spectrum = np.fft.rfft(samples)
    levels = np.interp(np.arange(len(spectrum)), np.linspace(0, len(spectrum), 7), rng.normal(0, 4, 7))
    return np.fft.irfft(spectrum * 10 ** (levels / 20), len(samples)).astype(np.float32)


def mu_law(samples: Floats) -> Floats:
    """There and back through G.711 mu-law (its continuous form, 255 steps)."""
    x = np.clip(samples / 32768, -1, 1)
    code = np.round(np.sign(x) * np.log1p(_MU * np.abs(x)) / np.log1p(_MU) * 127) / 127
    back = np.sign(code) * np.expm1(np.abs(code) * np.log1p(_MU)) / _MU
    return np.asarray(back * 32768, np.float32)
