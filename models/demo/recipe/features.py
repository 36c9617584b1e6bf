"""Log mel filterbanks as Kaldi's ``--sample-frequency=8000 --num-mel-bins=40 --low-freq=40
--high-freq=-200 --dither=0 --use-energy=false`` makes them (source: kaldi/src/feat), in batches."""

import numpy as np
import torch
from torch import Tensor

from .corpus import RATE

WINDOW, SHIFT, FFT, BINS = 200, 80, 256, 40
"""25 ms and 10 ms at 8 kHz in samples; points of the transform; mel bins."""

LOW_HZ, HIGH_HZ = 40.0, RATE / 2 - 200.0

CONFIG = f"""--sample-frequency={RATE}
--num-mel-bins={BINS}
--low-freq={LOW_HZ:.0f}
--high-freq=-200
--dither=0
--use-energy=false
"""
"""conf/fbank.conf for the same features in libvosk."""


def frame_count(samples: int) -> int:
    """How many frames ``samples`` give (no frame past the end)."""
    return max(0, 1 + (samples - WINDOW) // SHIFT)


def _mel(hertz: np.ndarray | float) -> np.ndarray | float:
    return 1127.0 * np.log(1.0 + np.asarray(hertz) / 700.0)


def _mel_banks() -> Tensor:
    edges = np.linspace(_mel(LOW_HZ), _mel(HIGH_HZ), BINS + 2)
    mels = np.asarray(_mel(np.arange(FFT // 2) * RATE / FFT))
    banks = np.zeros((BINS, FFT // 2 + 1), np.float32)
    for index in range(BINS):
        left, centre, right = edges[index : index + 3]
        rising = (mels - left) / (centre - left)
        falling = (right - mels) / (right - centre)
        banks[index, :-1] = np.maximum(0.0, np.minimum(rising, falling))
    return torch.from_numpy(banks)


def _povey_window() -> Tensor:
    angle = 2 * np.pi * np.arange(WINDOW) / (WINDOW - 1)
    return torch.from_numpy(((0.5 - 0.5 * np.cos(angle)) ** 0.85).astype(np.float32))


_BANKS, _POVEY = _mel_banks(), _povey_window()


def fbank(samples: Tensor) -> Tensor:
    """(batch, samples) at the scale of int16 to (batch, frames, 40)."""
    frames = samples.unfold(1, WINDOW, SHIFT)
    frames = frames - frames.mean(dim=2, keepdim=True)
    before = torch.cat([frames[:, :, :1], frames[:, :, :-1]], dim=2)
    frames = (frames - 0.97 * before) * _POVEY
    power = torch.fft.rfft(frames, FFT).abs().square()
    return torch.clamp(power @ _BANKS.T, min=torch.finfo(torch.float32).eps).log()
