"""Is this sound the caller, or the bot's own voice coming back?  Pure.

On a line without echo cancellation the bot hears itself, some 20-500 ms later and 10-40 dB
down.  :class:`EchoGuard` knows an echo by its waveform
(:class:`~agi_bot.speech.canceller.EchoFinder`), takes it out
(:class:`~agi_bot.speech.canceller.Canceller`), and compares what is left with the energy of
what the bot sent: sound that is not louder than what the echo may leave cannot be the
caller.  An echo that was found once is kept while the caller speaks into it, until loud
outgoing sound comes back without one.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import islice
from math import log10, sqrt

import numpy as np

from agi_bot.audio import LINE_RATE, Frame
from agi_bot.speech.canceller import BLOCK, LEAD, LONGEST, SPAN, Canceller, EchoFinder, Wave
from agi_bot.speech.timeline import Alignment, Timeline

_AUDIBLE = 1e-3
"""Amplitude (full scale 1) of sound that is no noise of the line: -60 dBFS."""

_KEPT = LONGEST + 2 * SPAN
"""Samples of outgoing sound that are remembered."""

_EXPLAINED = (0.8, 0.55, 0.4)
"""Share of the power of what is left that an echo which moved must explain, by the frames that are compared."""

_FOREIGN = 0.25
"""Of which less is explained is the caller."""

_LOST = 0.5
"""Share of frames that are no echo as foretold, or of the echo that is left, from which on it is looked for."""

_RECENT = 15
"""Frames within which a lost packet is noticed by its time, too."""

_STILL = 2
"""Samples within which two places are the same."""


@dataclass(frozen=True, slots=True)
class EchoSettings:
    """Limits of the guard; frames are 20 ms.

    ``margin_db``: the caller must be this much louder than what may be left of the echo.
    ``look_frames``: how often an echo is looked for, ``seldom_frames``: how often once
    ``learn_frames`` of outgoing speech showed none.  ``assume_db``: echo taken for granted
    until ``learn_frames`` of outgoing speech have passed.  ``spread_frames``: how far an echo
    may stray from its delay (buffers on the way breathe).  ``absent_frames``: loud frames
    without echo after which it is gone.
    """

    margin_db: float = 5.0
    look_frames: int = 10
    seldom_frames: int = 50
    learn_frames: int = 40
    assume_db: float = -12.0
    spread_frames: int = 8
    absent_frames: int = 25


class EchoGuard:
    """One call's guard.  Feed the outgoing frames as they are sent, and every incoming one."""

    def __init__(self, settings: EchoSettings | None = None) -> None:
        self._settings = settings or EchoSettings()
        self._place = Alignment()
        self._sent = Timeline(_KEPT)
        self._in = _Last(SPAN)
        self._left: deque[float] = deque(maxlen=len(_EXPLAINED))
        self._strange = self._shift = 0
        """Frames in a row that were no echo as foretold; where the echo was seen last, against its place."""
        self._lost = 0.0
        """Smoothed share of such frames."""
        self._moved_by = self._since_move = 0
        """The last move, samples, and the frames since."""
        self.moves = 0
        """How often the echo was found at another delay than before."""
        self._levels: deque[float] = deque([0.0] * (_KEPT // BLOCK), maxlen=_KEPT // BLOCK)
        """Amplitude of each outgoing frame, the newest first."""
        self._sounding = 0
        """Frames until nothing of what went out can come back."""
        self._loud = self._absent = self._since_look = 0
        self._finder = EchoFinder()
        self._canceller: Canceller | None = None
        self._gain = 0.0
        self.clean: Frame = Frame(b"")
        """The last incoming frame without the echo."""

    def outgoing(self, frame: Frame) -> None:
        """``frame`` was handed to the line, which may take several at once and plays one every 20 ms."""
        self._sent.add(_wave(frame), frame.at_ms)

    def hushed(self, at_ms: int | None) -> None:
        """What was handed to the line and would lie at ``at_ms`` or later is not played; None: nobody knows."""
        if self._sent.waiting and at_ms is not None:
            self._sent.forget(at_ms * LINE_RATE // 1000)

    def incoming(self, frame: Frame) -> bool:
        """True when ``frame`` is no louder than the bot's own echo would be; :attr:`clean` is without it."""
        self.clean = frame
        before, size = self._place.end, round(frame.ms * LINE_RATE / 1000)
        end = self._place.heard(size, frame.at_ms)
        if frame.at_ms is None and self._place.known:  # it stands for sound that did not come
            return False
        self._since_move += 1
        if not self._sounding and not self._sent.waiting:
            self._sent.skip(end)
            return False
        heard = _wave(frame)
        self._take_back(end - before - size)
        self._remember(end, heard)
        self._look()
        expected = self.expected()
        if not expected:
            self._strange = 0
            return False
        self._miss(heard, expected)
        left = self._cleaned(frame, heard)
        return self._soft(left, expected) or self._moved(frame, heard, expected)

    def expected(self) -> float:
        """Amplitude (rms, full scale 1) of the echo foretold for the last incoming frame."""
        if self._canceller is None:
            unknown = self._loud < self._settings.learn_frames
            return max(islice(self._levels, 12)) * 10 ** (self._settings.assume_db / 20) if unknown else 0.0
        delay, spread = self._canceller.delay // BLOCK, self._settings.spread_frames
        return max(islice(self._levels, max(0, delay - spread), delay + spread + 1)) * self._gain

    @property
    def may_return(self) -> bool:
        """Whether the bot's sound may be in what comes in now."""
        unknown = self._loud < self._settings.learn_frames
        return self._sounding > 0 and (self._canceller is not None or unknown)

    @property
    def found(self) -> bool:
        """An echo was found; before that it is only taken for granted for a while."""
        return self._canceller is not None

    @property
    def return_loss_db(self) -> float | None:
        """Level of the echo against the outgoing sound, dB; None while unknown or absent."""
        return 20 * log10(self._gain) if self._canceller and self._gain > 0 else None

    @property
    def left_db(self) -> float | None:
        """Level of what is left of the echo against the outgoing sound, dB; None where there is none."""
        loss = self.return_loss_db
        return loss + 20 * log10(max(self._canceller.leak, 1e-3)) if self._canceller and loss is not None else None

    @property
    def _out(self) -> Wave:
        """What went out until the last frame came."""
        return self._sent.until(self._place.end)

    def _remember(self, end: int, heard: Wave) -> None:
        sent = self._sent.move(end)[-_KEPT:]
        self._in.push(heard)
        for start in range(0, len(sent), BLOCK):
            self._level(_amplitude(sent[start : start + BLOCK]))

    def _level(self, level: float) -> None:
        self._levels.appendleft(level)
        self._loud += level > _AUDIBLE
        self._sounding = _KEPT // BLOCK if level > 0 else max(0, self._sounding - 1)

    @property
    def _astray(self) -> bool:
        """The echo is not where it was."""
        return self._canceller is not None and max(self._lost, self._canceller.leak) > _LOST

    def _look(self) -> None:
        self._since_look += 1
        unknown = self._canceller is None and self._loud <= 3 * self._settings.learn_frames
        searching = unknown or self._astray
        if self._since_look < (self._settings.look_frames if searching else self._settings.seldom_frames):
            return
        self._since_look = 0
        found = self._finder.look(self._out[-LONGEST - SPAN :], self._in.wave)
        if found is None:
            return
        delay, gain = found
        if self._canceller is None:
            self._canceller, self._absent = Canceller(delay), 0
        elif self._astray and abs(delay - self._canceller.delay) > LEAD // 2:
            self._move(delay - self._canceller.delay)
        self._gain = gain

    def _miss(self, heard: Wave, expected: float) -> None:
        """Count loud frames that came back without their echo."""
        if self._canceller is None or expected < _AUDIBLE:
            return
        self._absent = self._absent + 1 if _amplitude(heard) < expected / 4 else 0
        if self._absent >= self._settings.absent_frames:
            self._canceller, self._absent = None, 0

    def _soft(self, left: Wave, expected: float) -> bool:
        leak = self._canceller.leak if self._canceller else 1.0
        soft = _amplitude(left) <= expected * leak * 10 ** (self._settings.margin_db / 20)
        self._strange = 0 if soft else self._strange + 1
        if expected > _AUDIBLE:
            self._lost += 0.05 * ((not soft) - self._lost)
        self._left.append(float(left @ left))
        return soft

    def _moved(self, frame: Frame, heard: Wave, expected: float) -> bool:
        """What is left is the echo, which comes earlier or later than before."""
        if self._canceller is None or expected < _AUDIBLE or len(heard) != BLOCK:
            return False
        frames = min(self._strange, len(_EXPLAINED))
        shift, rest = self._canceller.elsewhere(self._out, self._in.wave[-frames * BLOCK :])
        explained = 1 - rest / max(sum(islice(reversed(self._left), frames)), 1e-9)
        if explained < _FOREIGN and self._left[-1] > BLOCK * (expected / 2) ** 2:
            self._canceller.overlaid()
        if explained < _EXPLAINED[frames - 1]:
            return False
        if shift and abs(shift - self._shift) <= _STILL:
            self._move(shift)
            self._cleaned(frame, heard)
        else:
            self._shift = shift
        return True

    def _take_back(self, by: int) -> None:
        """What is heard lies ``by`` samples further on than was thought: an echo that moved for that moves back."""
        if by and self._canceller and self._since_move < _RECENT and abs(self._moved_by + by) <= _STILL:
            self._canceller.shift(by)

    def _move(self, by: int) -> None:
        assert self._canceller is not None
        self._canceller.shift(by)
        self._moved_by, self._since_move = by, 0
        self._shift = self._strange = 0
        self._lost = 0.0
        self.moves += 1

    def _cleaned(self, frame: Frame, heard: Wave) -> Wave:
        """Take the echo out of ``frame``; what is left."""
        if self._canceller is None or frame.rate != LINE_RATE or len(heard) != BLOCK:
            return heard
        left = self._canceller.clean(self._out, heard)
        self.clean = Frame(np.clip(np.rint(left * 32768), -32768, 32767).astype("<i2").tobytes())
        return left


class _Last:
    """The last ``size`` samples, for which none is moved but once in a while."""

    def __init__(self, size: int) -> None:
        self._size = self._end = size
        self._samples: Wave = np.zeros(4 * size, np.float32)

    def push(self, new: Wave) -> None:
        """Add ``new`` at the end."""
        new = new[-self._size :]
        if self._end + len(new) > len(self._samples):
            self._samples[: self._size] = self.wave
            self._end = self._size
        self._samples[self._end : self._end + len(new)] = new
        self._end += len(new)

    @property
    def wave(self) -> Wave:
        """A view of them, good until the next push."""
        return self._samples[self._end - self._size : self._end]


def _wave(frame: Frame) -> Wave:
    """Full scale 1, at the line's rate; a wider band is averaged down to it, which is enough to compare."""
    samples = frame.samples.astype(np.float32) / np.float32(32768)
    step = frame.rate // LINE_RATE
    if step > 1:
        samples = samples[: len(samples) // step * step].reshape(-1, step).mean(axis=1)
    return samples


def _amplitude(wave: Wave) -> float:
    return sqrt(float(wave @ wave) / max(1, len(wave)))
