"""Times as the API tells them: RFC 3339, in UTC, where the store counts seconds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

TIMES = frozenset(
    {"added_at", "at", "consented_at", "created_at", "due_at", "ended_at", "next_at", "not_after"}
    | {"placed_at", "refused_at", "started_at", "until", "updated_at"}
)
"""Fields of our own that are moments."""

_ROWS = frozenset({"attempts"})
"""Fields whose items have such fields, too; what others fill (``data``, ``slots``) is left alone."""


def rfc3339(seconds: float) -> str:
    """``2026-11-24T01:00:00.5+00:00`` for seconds since 1970, to the millisecond."""
    return datetime.fromtimestamp(round(seconds, 3), UTC).isoformat()


def with_times(row: Mapping[str, Any]) -> dict[str, Any]:
    """``row`` of the store with its moments told."""
    return {name: _told(name, value) for name, value in row.items()}


def _told(name: str, value: Any) -> Any:
    if name in TIMES and isinstance(value, int | float):
        return rfc3339(value)
    return [with_times(one) for one in value] if name in _ROWS else value
