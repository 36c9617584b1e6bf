"""What a running bot knows of itself and the store does not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from agi_bot.speech.prompts import Readiness
from agi_bot.web.meter import Meter


def _none() -> int:
    return 0


def _nothing() -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Live:
    """Answers for the moment: conversations, calls being placed, and what was counted since the start.

    ``outbox`` has the counters of each receiver that letters are sent to (``crm``, ``sms``).
    ``obstacle`` tells why no call can be placed, ``waits`` why the dialer waits (empty: all is well).
    ``prompts`` tells of each voice how often a prompt was ready.  ``hearing`` tells how many threads of
    the recogniser hang now (``stuck``), and how many were replaced since the start (``replaced``).
    """

    calls: Callable[[], int] = _none
    dialling: Callable[[], int] = _none
    dialer: Mapping[str, int] = field(default_factory=dict)
    outbox: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    meter: Meter = field(default_factory=Meter)
    obstacle: Callable[[], str] = _nothing
    waits: Callable[[], str] = _nothing
    prompts: Mapping[str, Readiness] = field(default_factory=dict)
    hearing: Callable[[], Mapping[str, int]] = dict
