"""A circuit breaker without a clock of its own: stop asking a server that does not answer, try again later."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Breaker:
    """Opens after ``limit`` failures in a row; every ``rest_s`` seconds one request may try again.

    Times are seconds of any steady clock.
    """

    limit: int = 3
    rest_s: float = 5.0
    _failures: int = 0
    _next_try: float = 0.0

    @property
    def open(self) -> bool:
        """Whether requests are being held back."""
        return self._failures >= self.limit

    def allows(self, now: float) -> bool:
        """Whether a request may be sent; while open, one request in each ``rest_s``."""
        if not self.open:
            return True
        if now < self._next_try:
            return False
        self._next_try = now + self.rest_s
        return True

    def succeeded(self) -> None:
        """An answer came."""
        self._failures = 0

    def failed(self, now: float) -> None:
        """No answer, or nonsense."""
        self._failures += 1
        self._next_try = now + self.rest_s
