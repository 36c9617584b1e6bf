"""What went out and what came in, on one line of time.  Pure; places are samples at 8000 Hz.

A frame that is heard tells how much the line had sent when it came
(:attr:`agi_bot.audio.Frame.at_ms`), but networks and busy machines bring frames late and in
bursts: :class:`Alignment` gives each its place after the one before, and follows only what
lasts, as a lost packet does.  :class:`Timeline` holds what was sent, and what will be.
"""

from __future__ import annotations

from collections import deque

import numpy as np
import numpy.typing as npt

from agi_bot.audio import LINE_RATE

Wave = npt.NDArray[np.float32]

_MS = LINE_RATE // 1000

_LASTING = 10
"""Times 20 ms that frames must all have come too late, or too early, before that is taken for their time."""

_ALIKE = 80
"""Samples by which frames may be off and are in time."""

_WAITING = 1500
"""Pieces that may wait to be sent: 30 s, as some exchanges are handed whole files."""


class Alignment:
    """The place of each frame that is heard."""

    def __init__(self) -> None:
        self.end = 0
        """Where the last frame ends."""
        self.known = False
        """Whether frames tell their time."""
        self._at = 0
        self._off: deque[int] = deque(maxlen=_LASTING)

    def heard(self, size: int, at_ms: int | None) -> int:
        """A frame of ``size`` samples came when ``at_ms`` had been sent (None: not known); its end's place.

        Where the others tell their time, one that does not has no place: it fills a gap, and what belongs
        there may come late.
        """
        if at_ms is not None:
            self.end += size
            self._correct(at_ms * _MS)
        elif not self.known:
            self.end += size
        return self.end

    def _correct(self, at: int) -> None:
        if not self.known:
            self.known, self.end = True, at
        off = at - self.end
        if abs(off) <= _ALIKE:
            self._off.clear()
            return
        # Of frames that come all at once after a stall the last one tells how late they are.
        if self._off and at == self._at:
            self._off.pop()
        self._at = at
        self._off.append(off)
        if len(self._off) == _LASTING and (min(self._off) > 0 or max(self._off) < 0):
            self.end += min(self._off, key=abs)
            self._off.clear()


class Timeline:
    """The sound that goes out.  The last ``kept`` samples before any place of late can be looked at."""

    def __init__(self, kept: int, back: int = 10 * 160) -> None:
        self._kept = kept
        self._size = kept + back
        self._samples: Wave = np.zeros(4 * self._size, np.float32)
        self._last = self._size
        """Where in ``_samples`` the sound ends."""
        self._end = 0
        """The place of that."""
        self._waiting: deque[tuple[int, Wave]] = deque(maxlen=_WAITING)

    @property
    def end(self) -> int:
        """Up to here the sound is known for good."""
        return self._end

    @property
    def waiting(self) -> bool:
        """Whether sound is still to come."""
        return bool(self._waiting)

    def add(self, wave: Wave, at_ms: int | None) -> None:
        """``wave`` will lie at ``at_ms`` (None: right behind what waits); what waits there or later is replaced."""
        behind = self._waiting[-1][0] + len(self._waiting[-1][1]) if self._waiting else self._end
        start = behind if at_ms is None else at_ms * _MS
        self.forget(start)
        if (late := self._end - start) > 0:
            self._mend(late, wave[:late])
            start, wave = self._end, wave[late:]
        if len(wave):
            self._waiting.append((start, wave))

    def forget(self, start: int) -> None:
        """What waits and would lie at ``start`` or later will not be sent."""
        while self._waiting and self._waiting[-1][0] >= start:
            self._waiting.pop()

    def move(self, end: int) -> Wave:
        """Go on to ``end``; the sound that lies in what was passed."""
        size = max(0, end - self._end)
        new = self._next(size) if size else np.zeros(0, np.float32)
        self._push(new[-self._size :])
        self._end += size
        return new

    def skip(self, end: int) -> None:
        """Go on to ``end`` where for longer than can be looked back there was silence, and there is."""
        self._end = max(self._end, end)

    def until(self, end: int) -> Wave:
        """A view of the ``kept`` samples before ``end``, good until the next move."""
        last = self._last - min(max(0, self._end - end), self._size - self._kept)
        return self._samples[last - self._kept : last]

    def _mend(self, back: int, wave: Wave) -> None:
        """What is told late has gone out ``back`` samples ago."""
        if back <= self._size:
            self._samples[self._last - back : self._last - back + len(wave)] = wave

    def _next(self, size: int) -> Wave:
        """The next ``size`` samples; usually that is the piece that waits."""
        if self._waiting and self._waiting[0][0] == self._end and len(self._waiting[0][1]) == size:
            return self._waiting.popleft()[1]
        new, end = np.zeros(size, np.float32), self._end + size
        while self._waiting and self._waiting[0][0] < end:
            start, wave = self._waiting.popleft()
            wave = wave[max(0, self._end - start) :]
            start = max(start, self._end) - self._end
            new[start : start + len(wave)] = wave[: size - start]
            if start + len(wave) > size:
                self._waiting.appendleft((end, wave[size - start :]))
        return new

    def _push(self, new: Wave) -> None:
        if self._last + len(new) > len(self._samples):
            self._samples[: self._size] = self._samples[self._last - self._size : self._last]
            self._last = self._size
        self._samples[self._last : self._last + len(new)] = new
        self._last += len(new)
