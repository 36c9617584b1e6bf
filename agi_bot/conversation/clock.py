"""The call's own clock."""

from __future__ import annotations

import time


class Clock:
    """Milliseconds since the bot has the call; it never goes back."""

    def __init__(self) -> None:
        self._zero = time.monotonic()

    @property
    def ms(self) -> float:
        """Time since the start, ms."""
        return (time.monotonic() - self._zero) * 1000
