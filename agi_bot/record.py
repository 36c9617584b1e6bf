"""What is kept of one call: turns with their times, slots, outcome.

All times are ms on the call's own clock, which starts when the bot has the call.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from agi_bot.contracts import Entity, Value, Word

RECORDINGS = Path("agi-bot-data/recordings")
"""Folder of the recordings, unless the settings name another."""


def place_of(recording: str, folder: Path) -> str:
    """The recording at a path by its place in ``folder``: where that lies on the disk is nobody's business."""
    path = Path(recording)
    inside = path.is_relative_to(folder)
    return recording and str(path.relative_to(folder) if inside else path.name)


@dataclass(slots=True)
class Turn:
    """One exchange: what the bot said, what the caller answered, how long the reply took.

    ``step`` is where the answer led (without one: where the bot was).
    ``reply_ms`` is measured from the end of the caller's speech to the first sample of the
    bot's next sentence; ``None`` where nobody replied.  ``notes`` tells of anything unusual
    (a fallback engine, one-way audio, ...).  ``words`` are the recognised words with their
    times; they are used to silence numbers in the recording and are not stored.
    """

    step: str = ""
    said: str = ""
    said_from_ms: int | None = None
    said_to_ms: int | None = None
    cut_after_words: int | None = None
    heard: str = ""
    keys: str = ""
    heard_from_ms: int | None = None
    heard_to_ms: int | None = None
    recognition_confidence: float | None = None
    intent: str = ""
    confidence: float | None = None
    entities: tuple[Entity, ...] = ()
    endpoint_ms: int | None = None
    interpret_ms: float | None = None
    reply_ms: int | None = None
    notes: list[str] = field(default_factory=list)
    words: tuple[Word, ...] = ()


@dataclass(slots=True)
class CallRecord:
    """The whole call, as it is stored and reported.

    ``ended_by`` is ``bot``, ``caller``, ``transfer``, ``pbx`` or ``error``.  ``answered_by`` is who
    answered a call that we placed (``human``, ``machine``, ``screening``, ``network``; empty: not
    known), ``answered_by_why`` the rule that told it and ``answered_by_ms`` when.
    """

    call_id: str
    flow: str
    language: str
    started_at: datetime
    direction: str = "inbound"
    caller: str = ""
    called: str = ""
    channel: str = ""
    unique_id: str = ""
    ended_at: datetime | None = None
    flow_version: str = ""
    outcome: str = ""
    result_class: str = ""
    answered_by: str = ""
    answered_by_why: str = ""
    answered_by_ms: int | None = None
    ended_by: str = ""
    transfer_to: str = ""
    turns: list[Turn] = field(default_factory=list)
    slots: dict[str, Value] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    task: Mapping[str, Value] = field(default_factory=dict)
    recording: str = ""
    engines: dict[str, str] = field(default_factory=dict)
    counters: dict[str, int] = field(default_factory=dict)
