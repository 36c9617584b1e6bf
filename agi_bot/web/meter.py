"""What a running bot counts: how calls ended, how fast it replied and fell silent.  Pure.

Counted as calls end, not read from the store: a counter must never fall, and retention
deletes calls.  Prometheus knows that counters begin at zero when a process starts.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from agi_bot.record import CallRecord, Turn

REPLY_S = (0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0)
BARGE_IN_S = (0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0, 1.5, 2.0)
TALK_S = (5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0)

ENGINE_FAILED = "engine_failed."
FALLBACK = "fallback."
"""Beginnings of a call's counters that are about engines."""


class Histogram:
    """How many values, s, were not above each of ``bounds``."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = tuple(bounds)
        self.total = 0.0
        self._counts = [0] * (len(self.bounds) + 1)

    def observe(self, value: float) -> None:
        """Count ``value``."""
        self._counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    @property
    def buckets(self) -> list[tuple[str, int]]:
        """(upper bound, how many values up to it), as Prometheus wants them."""
        names = [*(str(bound) for bound in self.bounds), "+Inf"]
        return list(zip(names, accumulate(self._counts), strict=True))


@dataclass(slots=True)
class Meter:
    """Everything since the process started; ``calls`` is by (outcome, direction)."""

    calls: Counter[tuple[str, str]] = field(default_factory=Counter)
    engines: Counter[str] = field(default_factory=Counter)
    reply: Histogram = field(default_factory=lambda: Histogram(REPLY_S))
    barge_in: Histogram = field(default_factory=lambda: Histogram(BARGE_IN_S))
    talk: Histogram = field(default_factory=lambda: Histogram(TALK_S))

    def ended(self, record: CallRecord) -> None:
        """A conversation is over."""
        self.calls[record.outcome or "none", record.direction] += 1
        if record.ended_at is not None:
            self.talk.observe((record.ended_at - record.started_at).total_seconds())
        for turn in record.turns:
            self._turn(turn)
        for name, count in record.counters.items():
            if name.startswith((ENGINE_FAILED, FALLBACK)):
                self.engines[name] += count

    def _turn(self, turn: Turn) -> None:
        if turn.reply_ms is not None:
            self.reply.observe(turn.reply_ms / 1000)
        silent = silent_after_ms(turn)
        if silent is not None:
            self.barge_in.observe(silent / 1000)


def silent_after_ms(turn: Turn) -> int | None:
    """From the first sound of a caller who interrupts until the bot has stopped; ``None``: nobody interrupted."""
    if turn.cut_after_words is None or turn.said_to_ms is None or turn.heard_from_ms is None:
        return None
    return max(0, turn.said_to_ms - turn.heard_from_ms)
