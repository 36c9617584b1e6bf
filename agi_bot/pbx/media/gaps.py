"""When the caller's sound stops coming: how much silence to hear in its place.  Sans-IO.

The time of a conversation is counted in what the caller is heard to say or not to say, and
telephones that suppress silence, that are muted or on hold, send nothing at all.
"""

from __future__ import annotations

from agi_bot.audio import FRAME_MS

GAP_MS = 100
"""So long without a packet is a gap; packets of 60 ms and the usual unevenness of a network are none."""

STALL_MS = 300
"""The same where the caller's voice broke off: telephones send the end of a word before they suppress silence, so
that is a network or machine that stalls, and silence put there would end the caller's turn in mid-sentence."""

FIRST_MS = 500
"""The first sound, which tells the rate, may take so long."""

AHEAD_MS = 1000
"""Sound that comes late after all is counted against the next gaps, up to this much."""


class Gaps:
    """Told of every sound and every 20 ms that pass."""

    def __init__(self) -> None:
        self._quiet_ms = 0.0
        self._behind_ms = 0.0

    def heard(self, ms: float) -> None:
        """Sound of ``ms`` came."""
        self._quiet_ms = 0.0
        self.filled(ms)

    def filled(self, ms: float) -> None:
        """Silence of ``ms`` was put in the place of sound."""
        # No min and max: this runs a hundred times a second for each call.
        behind = self._behind_ms - ms
        self._behind_ms = behind if behind > -AHEAD_MS else -AHEAD_MS

    def passed(self, *, begun: bool) -> bool:
        """20 ms went by; answers whether this is a gap.  ``begun``: sound has come before."""
        quiet = self._quiet_ms = self._quiet_ms + FRAME_MS
        behind, most = self._behind_ms + FRAME_MS, quiet if quiet > GAP_MS else GAP_MS
        self._behind_ms = behind if behind < most else most
        return quiet >= (GAP_MS if begun else FIRST_MS)

    @property
    def may_be_stall(self) -> bool:
        """In a gap: too short yet to be one where a voice broke off."""
        return self._quiet_ms < STALL_MS

    @property
    def due(self) -> bool:
        """In a gap: whether another 20 ms of silence are due."""
        return self._behind_ms >= FRAME_MS
