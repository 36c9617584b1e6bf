"""Every kind of value in spoken English."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from agi_bot.nlu.entities import codes_en, numbers_en
from agi_bot.nlu.entities.codes import likeliest
from agi_bot.nlu.entities.found import Found, kept
from agi_bot.nlu.entities.moments import MOMENTS, find_moment
from agi_bot.nlu.entities.times_en import GRAMMAR

_BEFORE = re.compile(r"\b(?:not|isn't|wasn't|instead of) $")
_AFTER = re.compile(r" (?:is|was)? ?(?:no good|not right|wrong|too much|too little|too expensive)\b")

_READERS: Mapping[str, Callable[[str], list[Found]]] = {
    "number": numbers_en.numbers,
    "percent": numbers_en.percents,
    "money": numbers_en.money,
    "phone": lambda text: likeliest(codes_en.phones(text)),
    "id": codes_en.identities,
    "digits": codes_en.digits,
}


def find(text: str, kind: str, now: datetime, before: Sequence[str] = ()) -> list[Found]:
    """The values of ``kind`` that ``text`` means, in order; of dates and times only the one that counts."""
    if kind in MOMENTS:
        found = find_moment(text, kind, GRAMMAR, now, before)
        return [found] if found else []
    return kept(text, _READERS[kind](text), _BEFORE, _AFTER)
