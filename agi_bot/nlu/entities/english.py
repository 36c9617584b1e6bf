"""Every kind of value in spoken English."""

from __future__ import annotations

from datetime import datetime

from agi_bot.nlu.entities.found import Found
from agi_bot.nlu.entities.moments import find_moment
from agi_bot.nlu.entities.times_en import GRAMMAR


def find(text: str, kind: str, now: datetime) -> Found | None:
    """The value of ``kind`` that ``text`` names, ``None`` where it names none."""
    return find_moment(text, kind, GRAMMAR, now)
