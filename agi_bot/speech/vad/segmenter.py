"""Probabilities of speech into stretches of speech.  Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WINDOW_MS = 32
"""Length of the window that a probability belongs to."""

CERTAIN = 0.9
"""From this chance on the network has no doubt that it hears a voice."""

SILENT_DB = -120.0
"""Level of digital silence, dB below full scale."""


@dataclass(frozen=True, slots=True)
class VadSettings:
    """Limits of the segmenter: ms, probabilities, dB.

    Speech begins after ``onset_ms`` of windows above ``onset``.  It ends when windows stay
    below ``offset``, or nearly as soft as the line's noise, for ``hold_ms``: the network
    alone notices the end some 100 ms late, the level knows it to 8 ms.  Nearly as soft:
    ``fall_db`` below the stretch's peak or ``floor_db`` above the noise, whichever is
    louder, but never less than ``least_fall_db`` below the peak.
    ``rise_fall_db``, ``rise_floor_db``: sound no softer than this below the last stretch's peak
    and above the noise may be a voice that goes on, which the network knows 100-160 ms late.
    ``pre_roll_ms`` of sound before the onset belongs to it (given to the recogniser).
    ``silent_db``: sound softer than this is no voice on any line; the network is not asked.
    ``gather_ms``: how long the batcher waits for windows of other calls once more than
    ``gather_above`` calls are open.
    """

    onset: float = 0.5
    offset: float = 0.35
    onset_ms: int = 64
    hold_ms: int = 96
    fall_db: float = 30.0
    floor_db: float = 4.0
    least_fall_db: float = 15.0
    rise_fall_db: float = 20.0
    rise_floor_db: float = 8.0
    pre_roll_ms: int = 300
    silent_db: float = -60.0
    gather_ms: int = 8
    gather_above: int = 8


@dataclass(frozen=True, slots=True)
class Segment:
    """What is known after a window; times in ms of the stream.

    ``speech``: the caller is speaking now.  ``from_ms``/``to_ms``: begin and last sound of
    the present or the last stretch of speech (-1: none yet).  ``rising``: there is no speech,
    but sound that may be its beginning.
    """

    speech: bool = False
    from_ms: int = -1
    to_ms: int = -1
    chance: float = 0.0
    rising: bool = False

    @property
    def certain(self) -> bool:
        """The network has no doubt that there is a voice, even where noise hides its level."""
        return self.chance >= CERTAIN


class Segmenter:
    """Probabilities of 32 ms windows into stretches of speech, with hysteresis.  Pure."""

    def __init__(self, settings: VadSettings | None = None) -> None:
        self._settings = settings or VadSettings()
        self._rising_from = -1
        self._peak = self._last_peak = self._floor = SILENT_DB
        self._rose = False
        self.segment = Segment()

    def push(self, chance: float, now_ms: int, levels: Sequence[float] = (0.0,)) -> Segment:
        """``chance`` of speech in the window that ended at ``now_ms``.

        ``levels``: level of each equal part of the window, dB below full scale.
        """
        now = self.segment
        if now.speech:
            self.segment = self._during(now, chance, now_ms, levels)
        else:
            self.segment = self._before(now, chance, now_ms, levels)
        return self.segment

    def _before(self, now: Segment, chance: float, now_ms: int, levels: Sequence[float]) -> Segment:
        rising = self._rises(levels)
        if chance < self._settings.offset:
            self._learn_floor(levels)
        if chance < self._settings.onset:
            self._rising_from = -1
            return Segment(False, now.from_ms, now.to_ms, chance, rising)
        if self._rising_from < 0:
            self._rising_from = now_ms - WINDOW_MS
        sound_ms = self._last_sound(now_ms, levels)
        if sound_ms < 0:
            self._rising_from = -1
        if sound_ms < 0 or now_ms - self._rising_from < self._settings.onset_ms:
            return Segment(False, now.from_ms, now.to_ms, chance, rising)
        begin, self._rising_from = self._rising_from, -1
        return Segment(True, begin, max(sound_ms, begin), chance)

    def _during(self, now: Segment, chance: float, now_ms: int, levels: Sequence[float]) -> Segment:
        sound_ms = self._last_sound(now_ms, levels) if chance >= self._settings.offset else -1
        if sound_ms >= 0:
            return Segment(True, now.from_ms, sound_ms, chance)
        speech = now_ms - now.to_ms < self._settings.hold_ms
        if not speech:
            self._last_peak, self._rose = self._peak, False
        return Segment(speech, now.from_ms, now.to_ms, chance)

    def _rises(self, levels: Sequence[float]) -> bool:
        """Half of this window or of the one before is about as loud as the caller spoke.

        The network is not asked: it still remembers the voice that ended.
        """
        least = max(self._last_peak - self._settings.rise_fall_db, self._floor + self._settings.rise_floor_db)
        spoken = self._last_peak > SILENT_DB
        loud = spoken and 2 * sum(level > least for level in levels) >= len(levels)
        before, self._rose = self._rose, loud
        return before or loud

    def _last_sound(self, now_ms: int, levels: Sequence[float]) -> int:
        """End of the window's last part that is loud enough, ms; -1 when none is."""
        self._peak = max(self._peak, *levels)
        loud = [index for index, level in enumerate(levels) if level > self._threshold()]
        return now_ms - WINDOW_MS + WINDOW_MS * (loud[-1] + 1) // len(levels) if loud else -1

    def _threshold(self) -> float:
        known = self._settings
        soft = max(self._peak - known.fall_db, self._floor + known.floor_db)
        return min(soft, self._peak - known.least_fall_db)

    def _learn_floor(self, levels: Sequence[float]) -> None:
        """Between stretches; what was the peak before is forgotten."""
        self._peak = SILENT_DB
        level = sum(levels) / len(levels)
        self._floor = level if self._floor == SILENT_DB else 0.9 * self._floor + 0.1 * level
