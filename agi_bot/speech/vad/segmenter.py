"""Probabilities of speech into stretches of speech.  Pure."""

from __future__ import annotations

from dataclasses import dataclass

WINDOW_MS = 32
"""Length of the window that a probability belongs to."""


@dataclass(frozen=True, slots=True)
class VadSettings:
    """Limits of the segmenter, ms and probabilities.

    Speech begins after ``onset_ms`` of windows above ``onset``; it ends when windows stay
    below ``offset`` for ``hold_ms``.  ``pre_roll_ms`` of sound before the onset belongs to
    it (given to the recogniser).  ``gather_ms``: how long the batcher waits for windows of
    other calls once more than ``gather_above`` calls are open.
    """

    onset: float = 0.5
    offset: float = 0.35
    onset_ms: int = 64
    hold_ms: int = 64
    pre_roll_ms: int = 300
    gather_ms: int = 8
    gather_above: int = 8


@dataclass(frozen=True, slots=True)
class Segment:
    """What is known after a window; times in ms of the stream.

    ``speech``: the caller is speaking now.  ``from_ms``/``to_ms``: begin and last sound of
    the present or the last stretch of speech (-1: none yet).
    """

    speech: bool = False
    from_ms: int = -1
    to_ms: int = -1
    chance: float = 0.0


class Segmenter:
    """Probabilities of 32 ms windows into stretches of speech, with hysteresis.  Pure."""

    def __init__(self, settings: VadSettings | None = None) -> None:
        self._settings = settings or VadSettings()
        self._rising_from = -1
        self.segment = Segment()

    def push(self, chance: float, now_ms: int) -> Segment:
        """``chance`` of speech in the window that ended at ``now_ms``."""
        now = self.segment
        self.segment = self._during(now, chance, now_ms) if now.speech else self._before(now, chance, now_ms)
        return self.segment

    def _before(self, now: Segment, chance: float, now_ms: int) -> Segment:
        if chance < self._settings.onset:
            self._rising_from = -1
            return Segment(False, now.from_ms, now.to_ms, chance)
        if self._rising_from < 0:
            self._rising_from = now_ms - WINDOW_MS
        if now_ms - self._rising_from < self._settings.onset_ms:
            return Segment(False, now.from_ms, now.to_ms, chance)
        begin, self._rising_from = self._rising_from, -1
        return Segment(True, begin, now_ms, chance)

    def _during(self, now: Segment, chance: float, now_ms: int) -> Segment:
        if chance >= self._settings.offset:
            return Segment(True, now.from_ms, now_ms, chance)
        return Segment(now_ms - now.to_ms < self._settings.hold_ms, now.from_ms, now.to_ms, chance)
