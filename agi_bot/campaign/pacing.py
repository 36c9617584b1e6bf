"""How fast a trunk may be dialled: calls per second as a leaky bucket.  Pure.

The generic cell rate algorithm (ITU-T I.371, appendix I) needs one number per trunk, the
*theoretical arrival time*, so that it can live in one database row that several dialers
update.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """``per_second`` calls on average, at most ``burst`` at once.  Raises :class:`ValueError`."""

    per_second: float
    burst: int = 1

    def __post_init__(self) -> None:
        if self.per_second <= 0 or self.burst < 1:
            raise ValueError("a pace needs more than 0 calls per second and a burst of at least 1")

    def take(self, arrival: float, now: float, wanted: int) -> tuple[int, float]:
        """How many of ``wanted`` calls may go out at ``now``, and the next theoretical arrival time.

        ``arrival`` is what the last :meth:`take` answered (0 at first); seconds since the epoch.
        """
        interval = 1 / self.per_second
        # Further ahead than a whole burst it cannot be, unless the clock was set back.
        arrival = now if arrival > now + self.burst * interval + 1e-3 else max(arrival, now)
        room = (now - arrival) / interval + self.burst
        # Rounding must never cost a call that is due by the clock.
        taken = min(wanted, max(0, int(room + 1e-9)))
        return taken, arrival + taken * interval

    def wait(self, arrival: float, now: float) -> float:
        """Seconds until the next call may go out."""
        return max(0.0, arrival - (self.burst - 1) / self.per_second - now)


@dataclass(slots=True)
class Breaker:
    """Leaves a trunk alone after ``failures`` congestions in a row, for ``rest_s``, then tries one call."""

    failures: int = 5
    rest_s: float = 60.0
    _row: int = 0
    _until: float = 0.0

    def room(self, now: float, wanted: int) -> int:
        """How many of ``wanted`` calls may go out."""
        if self._row < self.failures:
            return wanted
        return min(1, wanted) if now >= self._until else 0

    def failed(self, now: float) -> None:
        """The trunk had no line for a call."""
        self._row += 1
        self._until = now + self.rest_s

    def worked(self) -> None:
        """A call got through, whoever answered."""
        self._row = 0
