"""The acoustic net: a small time-delay network, trained with cross-entropy on known times."""

import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from .augment import SUBSAMPLING, Stream, make_stream
from .corpus import RATE, Item
from .features import BINS, fbank
from .units import UNITS

NORM_EPSILON = 1e-5


@dataclass(frozen=True)
class Shape:
    """Width and the offsets of each layer: frames for the first two, 30 ms steps after."""

    width: int = 240
    offsets: tuple[tuple[int, ...], ...] = (
        (-2, -1, 0, 1, 2),
        (-1, 0, 1),
        (-1, 0, 1),
        (-2, -1, 0, 1),
        (-2, -1, 0, 1),
        (-3, 0),
    )

    @property
    def left_steps(self) -> int:
        """How many 30 ms labels at the start have no answer."""
        frames = -self.offsets[0][0] - self.offsets[1][0]
        steps = -sum(layer[0] for layer in self.offsets[2:])
        return steps + -(-frames // SUBSAMPLING)


class Tdnn(nn.Module):
    """(batch, frames, 40) to (batch, steps, units), log probabilities."""

    mean: Tensor
    scale: Tensor

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.register_buffer("mean", torch.zeros(BINS))
        self.register_buffer("scale", torch.ones(BINS))
        self.convolutions = nn.ModuleList()
        self.norms = nn.ModuleList()
        width = BINS
        for index, offsets in enumerate(shape.offsets):
            step = offsets[1] - offsets[0]
            stride = SUBSAMPLING if index == 1 else 1
            layer = nn.Conv1d(width, shape.width, len(offsets), stride=stride, dilation=step)
            self.convolutions.append(layer)
            self.norms.append(nn.BatchNorm1d(shape.width, NORM_EPSILON, affine=False))
            width = shape.width
        self.output = nn.Conv1d(width, len(UNITS), 1)

    def forward(self, features: Tensor) -> Tensor:
        hidden = ((features - self.mean) * self.scale).transpose(1, 2)
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            hidden = norm(torch.relu(convolution(hidden)))
        return torch.log_softmax(self.output(hidden), dim=1).transpose(1, 2)


@dataclass(frozen=True)
class Schedule:
    minutes: float
    batch: int = 24
    seconds: float = 5.0
    rate: float = 2e-3
    smoothing: float = 0.02
    seed: int = 1


@dataclass
class Trained:
    net: Tdnn
    priors: npt.NDArray[np.float64]
    """How often each unit was the label, (units,)."""


def train(items: list[Item], shape: Shape, schedule: Schedule) -> Trained:
    """Train for ``schedule.minutes`` of the clock on one thread; prints its progress."""
    torch.set_num_threads(1)
    torch.manual_seed(schedule.seed)
    rng = np.random.default_rng(schedule.seed)
    net = Tdnn(shape)
    _measure_input(net, items, rng)
    optimizer = torch.optim.Adam(net.parameters(), schedule.rate)
    counts = np.zeros(len(UNITS))
    started, step, wrong = time.monotonic(), 0, []
    while (done := (time.monotonic() - started) / 60 / schedule.minutes) < 1:
        for group in optimizer.param_groups:
            group["lr"] = schedule.rate * min(1.0, 2.02 - 2 * done)
        streams = _streams(items, schedule, rng)
        counts += np.bincount(np.concatenate([s.units for s in streams]), minlength=len(UNITS))
        wrong.append(_step(net, optimizer, streams, schedule.smoothing))
        step += 1
        if step % 50 == 0:
            print(f"{done:6.1%} step {step}: {np.mean(wrong[-50:]):.1%} of the labels wrong", flush=True)
    net.eval()
    return Trained(net, counts / counts.sum())


def _streams(items: list[Item], schedule: Schedule, rng: np.random.Generator) -> list[Stream]:
    length = int(schedule.seconds * RATE)
    return [make_stream(items, length, rng) for _ in range(schedule.batch)]


def _measure_input(net: Tdnn, items: list[Item], rng: np.random.Generator) -> None:
    streams = _streams(items, Schedule(1, batch=40), rng)
    features = fbank(torch.from_numpy(np.stack([s.samples for s in streams]))).flatten(0, 1)
    net.mean.copy_(features.mean(dim=0))
    net.scale.copy_(1 / features.std(dim=0))


def _step(net: Tdnn, optimizer: torch.optim.Optimizer, streams: list[Stream], smoothing: float) -> float:
    """One step of the optimiser. Returns the share of wrong 30 ms labels."""
    features = fbank(torch.from_numpy(np.stack([s.samples for s in streams])))
    answers = net(features)
    labels = torch.from_numpy(np.stack([s.units for s in streams]))
    labels = labels[:, net.shape.left_steps :][:, : answers.shape[1]]
    loss = nn.functional.cross_entropy(answers.flatten(0, 1), labels.flatten(), label_smoothing=smoothing)
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    return float((answers.argmax(dim=2) != labels).float().mean())
