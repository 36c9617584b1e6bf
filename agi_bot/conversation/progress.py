"""What a watcher of a live conversation is told: the demo's terminal, the console, metrics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from agi_bot.record import CallRecord, Turn


@dataclass(frozen=True, slots=True)
class BotSpeaks:
    """The first sample of a prompt went out; ``reply_ms`` after the caller's last sound, if it answers one."""

    text: str
    reply_ms: int | None


@dataclass(frozen=True, slots=True)
class BotInterrupted:
    """The caller cut a prompt after ``words`` words."""

    words: int


@dataclass(frozen=True, slots=True)
class PartlyHeard:
    """What the recogniser has so far."""

    text: str


@dataclass(frozen=True, slots=True)
class CallerSpoke:
    """A turn of the caller, understood."""

    turn: Turn


@dataclass(frozen=True, slots=True)
class Over:
    """The bot's part ended."""

    record: CallRecord


Progress = BotSpeaks | BotInterrupted | PartlyHeard | CallerSpoke | Over
Watcher = Callable[[Progress], None]


def nobody(_: Progress) -> None:
    """A watcher that does not look."""
