"""What a running bot knows of itself and the store does not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


def _none() -> int:
    return 0


@dataclass(frozen=True, slots=True)
class Live:
    """Answers for the moment: conversations, calls being placed, and the counters of dialer and outbox."""

    calls: Callable[[], int] = _none
    dialling: Callable[[], int] = _none
    dialer: Mapping[str, int] = field(default_factory=dict)
    outbox: Mapping[str, int] = field(default_factory=dict)
