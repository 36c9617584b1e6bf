"""Dates, times, money, numbers, telephone and ID numbers in colloquial Mandarin and English.

Grammars over tidied text (:func:`agi_bot.nlu.normal.tidy`); no I/O, no clock of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from agi_bot.nlu.entities.found import Found

KINDS = ("date", "time", "datetime", "money", "number", "percent", "phone", "id", "digits")
"""Entities that are understood without training data."""

Find = Callable[[str, str, datetime], list[Found]]
"""Text, kind and the call's clock to the values that the text means, in order."""


def finder(language: str) -> Find:
    """The grammar of ``language``: Mandarin for ``zh``, else English."""
    if language.lower().startswith("zh"):
        from agi_bot.nlu.entities.mandarin import find
    else:
        from agi_bot.nlu.entities.english import find
    return find
