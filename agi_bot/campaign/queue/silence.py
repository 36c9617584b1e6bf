"""Who has fallen silent, by the listener's own clock.  Pure.

Comparing the time that a beat carries with the clock of whoever reads it makes everybody
dead when that clock jumps.  What is measured is how long a beat has not changed (as
Kubernetes' leader election does, client-go/tools/leaderelection).
"""

from __future__ import annotations

from collections.abc import Iterable

from agi_bot.campaign.queue.promise import Claim


class Silence:
    """Remembers when each beat was first seen; ``now`` is of one steady clock, s."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str, float], float] = {}

    def longer_than(self, silent_s: float, held: Iterable[Claim], now: float) -> list[Claim]:
        """Those of ``held`` (all claims there are) whose beat has stood still for ``silent_s``."""
        claims = {(claim.due.task_id, claim.owner, claim.beat_at): claim for claim in held}
        self._seen = {beat: self._seen.get(beat, now) for beat in claims}
        return [claim for beat, claim in claims.items() if now - self._seen[beat] >= silent_s]
