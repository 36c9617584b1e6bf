"""Dates, times, money, numbers, telephone and ID numbers in colloquial Mandarin and English.

Grammars over tidied text (:func:`agi_bot.nlu.normal.tidy`); no I/O, no clock of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from agi_bot.nlu.entities.found import Found

KINDS = ("date", "time", "datetime", "money", "number", "percent", "phone", "id", "digits")
"""Entities that are understood without training data."""


class Find(Protocol):
    """A language's grammar."""

    def __call__(self, text: str, kind: str, now: datetime, before: Sequence[str] = ()) -> list[Found]:
        """The values of ``kind`` that ``text`` means, in order, on the call's clock ``now`` (with zone).

        ``before`` is what was said in answer to the same question, oldest first.
        """


def finder(language: str) -> Find:
    """The grammar of ``language``: Mandarin for ``zh``, else English."""
    if language.lower().startswith("zh"):
        from agi_bot.nlu.entities.mandarin import find
    else:
        from agi_bot.nlu.entities.english import find
    return find
