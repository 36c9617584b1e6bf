"""Every kind of value in spoken Mandarin."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from agi_bot.nlu.entities import codes_zh, numbers_zh
from agi_bot.nlu.entities.codes import likeliest
from agi_bot.nlu.entities.found import Found, kept
from agi_bot.nlu.entities.moments import MOMENTS, find_moment
from agi_bot.nlu.entities.times_zh import GRAMMAR

_BEFORE = re.compile(r"(?:不是|不要|别|而不是)$")
_AFTER = re.compile(r"(?:块钱|块|元)?(?:都|也|是)?(?:不行|不对|不可以|太多|太贵|太少|错了)")

_READERS: Mapping[str, Callable[[str], list[Found]]] = {
    "number": numbers_zh.numbers,
    "percent": numbers_zh.percents,
    "money": numbers_zh.money,
    "phone": lambda text: likeliest(codes_zh.phones(text)),
    "id": codes_zh.identities,
    "digits": codes_zh.digits,
}


def find(text: str, kind: str, now: datetime, before: Sequence[str] = ()) -> list[Found]:
    """The values of ``kind`` that ``text`` means, in order; of dates and times only the one that counts."""
    if kind in MOMENTS:
        found = find_moment(text, kind, GRAMMAR, now, before)
        return [found] if found else []
    return kept(text, _READERS[kind](text), _BEFORE, _AFTER)
