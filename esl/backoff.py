"""How long to wait before connecting again: doubling, with a limit and a spread.  Pure."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Backoff:
    """Delays in seconds: ``first``, doubled up to ``limit``, each times 1 +- ``spread``.

    The spread keeps many clients from coming back in the same moment.
    """

    first: float = 0.2
    limit: float = 10.0
    spread: float = 0.2
    random: random.Random = field(default_factory=random.Random, compare=False, repr=False)

    def delays(self) -> Iterator[float]:
        """Delays without end."""
        delay = self.first
        while True:
            yield delay * (1 + self.spread * self.random.uniform(-1, 1))
            delay = min(self.limit, delay * 2)
