"""One clock for the sound of all calls.

AudioSocket and unicast neither pace nor buffer: what we send leaves as RTP in the same
millisecond.  So somebody must tick every 20 ms, and one timer for all calls is cheaper
and steadier than a task a call.  Lines are spread over four slots of 5 ms, so that 200
calls do not write all at the same moment.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

TICK_S = 0.020
"""Every line is ticked once in this time, s."""

SLOTS = 4
MAX_BEHIND_S = 0.100
"""After a longer stall of the event loop the clock starts anew instead of catching up in a burst, s."""

log = logging.getLogger(__name__)


class Ticked(Protocol):
    """What the clock drives."""

    def tick(self) -> None:
        """20 ms have passed."""


class LineClock:
    """Ticks every line once each 20 ms; idle (no timer at all) while it has none."""

    def __init__(self) -> None:
        self._slots: list[dict[Ticked, None]] = [{} for _ in range(SLOTS)]
        self._timer: asyncio.TimerHandle | None = None
        self._slot = 0
        self._due = 0.0
        self.restarts = 0

    def __len__(self) -> int:
        return sum(map(len, self._slots))

    def add(self, line: Ticked) -> None:
        """Tick ``line`` from now on."""
        min(self._slots, key=len)[line] = None
        if self._timer is None:
            self._due = asyncio.get_running_loop().time()
            self._schedule()

    def remove(self, line: Ticked) -> None:
        """Tick ``line`` no more; does nothing when it is not there."""
        for slot in self._slots:
            slot.pop(line, None)
        if not len(self) and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _schedule(self) -> None:
        for _ in range(SLOTS):
            self._slot = (self._slot + 1) % SLOTS
            self._due += TICK_S / SLOTS
            if self._slots[self._slot]:
                break
        self._timer = asyncio.get_running_loop().call_at(self._due, self._run)

    def _run(self) -> None:
        self._timer = None
        for line in list(self._slots[self._slot]):
            self._tick(line)
        self._keep_up()
        if len(self):
            self._schedule()

    def _tick(self, line: Ticked) -> None:
        try:
            line.tick()
        except Exception:
            # One broken line must not take the clock from all others.
            log.exception("clock.line_failed")
            self.remove(line)

    def _keep_up(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._due > MAX_BEHIND_S:
            self._due = now
            self.restarts += 1
