"""How long the bot takes to reply, measured from a stereo recording: caller left, bot right.

Speech is found by its level in windows of 5 ms; pauses shorter than ``join_ms`` belong to
it.  A reply time runs from the last loud window of the caller's speech to the first loud
window of the bot's next one, so it is good to 5 ms.
"""

from __future__ import annotations

import wave
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from agi_bot.audio import Frame, Samples

WINDOW_MS = 5


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of speech, ms from the start of the recording."""

    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Reply:
    """What the caller said last, and when the bot's answer began; ``ms`` is between the two."""

    caller: Span
    bot: Span

    @property
    def ms(self) -> int:
        """From the end of the caller's speech to the first sound of the reply, ms."""
        return self.bot.start_ms - self.caller.end_ms


def read(path: Path) -> tuple[Samples, int]:
    """Samples, shape (n, channels), and rate of a 16-bit WAV file.  Raises :class:`ValueError` for another format."""
    with wave.open(str(path), "rb") as file:
        if file.getsampwidth() != 2:
            raise ValueError(f"{path}: {8 * file.getsampwidth()} bits a sample; 16 are needed")
        data = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
        return data.reshape(-1, file.getnchannels()), file.getframerate()


def speech(samples: Samples, rate: int, *, threshold_dbfs: float = -45.0, join_ms: int = 300) -> list[Span]:
    """Stretches of ``samples``, shape (n,), that are louder than ``threshold_dbfs``.

    Stretches with a pause shorter than ``join_ms`` between them count as one.
    """
    loud = np.flatnonzero(_levels(samples, rate) > threshold_dbfs)
    if not len(loud):
        return []
    breaks = np.flatnonzero(np.diff(loud) > join_ms // WINDOW_MS)
    starts = loud[np.concatenate(([0], breaks + 1))]
    ends = loud[np.concatenate((breaks, [len(loud) - 1]))] + 1
    return [Span(int(start) * WINDOW_MS, int(end) * WINDOW_MS) for start, end in zip(starts, ends, strict=True)]


def replies(
    stereo: Samples, rate: int, *, threshold_dbfs: float = -45.0, caller_join_ms: int = 500, bot_join_ms: int = 300
) -> list[Reply]:
    """Every reply in ``stereo``, shape (n, 2), in order.

    A caller's turn has a reply if the bot was silent when it ended, and spoke before the
    caller did again.  ``caller_join_ms`` is the longest pause within a caller's turn.
    """
    callers = speech(stereo[:, 0], rate, threshold_dbfs=threshold_dbfs, join_ms=caller_join_ms)
    bots = speech(stereo[:, 1], rate, threshold_dbfs=threshold_dbfs, join_ms=bot_join_ms)
    found = [_reply(turn, after, bots) for turn, after in pairwise([*callers, None]) if turn]
    return [reply for reply in found if reply]


def reply_times(path: Path) -> list[int]:
    """Reply times in the stereo recording ``path``, ms.  Raises :class:`ValueError` for a mono one."""
    samples, rate = read(path)
    if samples.shape[1] != 2:
        raise ValueError(f"{path}: a stereo recording is needed, caller left and bot right")
    return [reply.ms for reply in replies(samples, rate)]


def combine(caller: Path, bot: Path) -> tuple[Samples, int]:
    """Two mono files that began together (MixMonitor's ``r()`` and ``t()``) as stereo, shape (n, 2), and the rate, Hz.

    Raises :class:`ValueError` where their rates differ.
    """
    (left, rate), (right, other) = read(caller), read(bot)
    if rate != other:
        raise ValueError(f"{caller} has {rate} Hz, {bot} has {other} Hz")
    size = max(len(left), len(right))
    sides = [np.pad(side[:, 0], (0, size - len(side))) for side in (left, right)]
    return np.stack(sides, axis=1), rate


def speech_end_ms(frame: Frame) -> int:
    """When the last loud window of ``frame`` ends, ms from its start; 0 for silence."""
    spans = speech(frame.samples, frame.rate)
    return spans[-1].end_ms if spans else 0


def percentile(times: Sequence[float], share: float) -> float:
    """The value below which ``share`` (0..1) of ``times`` lie; NaN for none."""
    return float(np.quantile(times, share)) if len(times) else float("nan")


def _reply(turn: Span, after: Span | None, bots: Sequence[Span]) -> Reply | None:
    if any(bot.start_ms < turn.end_ms < bot.end_ms for bot in bots):
        return None
    first = next((bot for bot in bots if bot.start_ms >= turn.end_ms), None)
    if first is None or (after is not None and after.start_ms < first.start_ms):
        return None
    return Reply(turn, first)


def _levels(samples: Samples, rate: int) -> npt.NDArray[np.float64]:
    """Level of every window, dBFS."""
    size = rate * WINDOW_MS // 1000
    whole = samples[: len(samples) // size * size].astype(np.float64).reshape(-1, size)
    power = np.mean(whole * whole, axis=1) / 32768.0**2
    return np.asarray(10 * np.log10(np.maximum(power, 1e-12)))
