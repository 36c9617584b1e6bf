"""When the caller has been silent for too long, and when the call has lasted too long.  Pure but for the clock."""

from __future__ import annotations

from agi_bot.conversation.clock import Clock

AFTER_NOISE_MS = 800
"""Quiet time that is waited for after sound without words, when the silence is over."""

LAST_TURN_S = 8.0
"""A caller who speaks when the longest call time is over may go on for so long."""

GRACE_S = 20.0
"""A dialogue that does not end within this time after it was told of the longest call is ended for it."""

LOOK_AGAIN_S = 0.2
"""How often the clock looks again while the caller speaks or a hook runs."""


class Silence:
    """How long nobody has said anything."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since = 0.0
        self._noise = 0.0

    def begin(self) -> None:
        """The line became quiet now, or something happened that starts the silence anew."""
        self._since = self._noise = self._clock.ms

    def noise(self) -> None:
        """Sound without words is over; it is no answer, and not the time to ask into it."""
        self._noise = self._clock.ms

    def left_s(self, longest_ms: int) -> float:
        """Until a silence of ``longest_ms`` is over; who coughs may put that off, and by as much again at most."""
        quiet = max(longest_ms, min(self._noise + AFTER_NOISE_MS - self._since, 2 * longest_ms))
        return (self._since + quiet - self._clock.ms) / 1000


class LongestCall:
    """A call of ``longest_s`` is ended, but not while the caller speaks; what ends it may take a while as well."""

    def __init__(self, clock: Clock, longest_s: float) -> None:
        self._clock = clock
        self._longest_ms = longest_s * 1000
        self.told = False

    def tell(self) -> None:
        """The dialogue is told: it has :data:`GRACE_S` to come to an end."""
        self.told = True
        self._longest_ms = self._clock.ms + GRACE_S * 1000

    def left_s(self, *, speaking: bool) -> float:
        """How long there is nothing to do about it; 0 and less: it is time to."""
        left_s = (self._longest_ms - self._clock.ms) / 1000
        if speaking and not self.told and -LAST_TURN_S < left_s < LOOK_AGAIN_S:
            return LOOK_AGAIN_S
        return left_s
