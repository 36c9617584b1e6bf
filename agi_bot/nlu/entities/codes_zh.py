"""Telephone and ID numbers said digit by digit in Mandarin: 幺三九, 三个八, 叉."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agi_bot.nlu.entities.codes import Spelled, identity, telephone
from agi_bot.nlu.entities.found import Found

_SAID = {"零": "0", "〇": "0", "洞": "0", "幺": "1", "一": "1", "二": "2", "两": "2", "三": "3", "四": "4", "五": "5",
         "六": "6", "七": "7", "拐": "7", "八": "8", "九": "9", "勾": "9"}  # fmt: skip
_COUNTS = {"两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "2": 2, "3": 3, "4": 4}
_DIGIT = rf"[{''.join(_SAID)}\d]"
_PART = re.compile(
    rf"(?P<times>[{''.join(_COUNTS)}])个(?P<repeated>{_DIGIT})"
    rf"|(?P<digit>{_DIGIT})"
    r"|(?P<check>叉|艾克斯|(?<![a-z])x(?![a-z]))"
    r"|(?P<letters>(?<![a-z])[a-z]{1,3}(?=-?\d)|(?<![a-z])[a-z](?![a-z]))"
    r"|(?P<plus>加(?=[八86零])|\+)"
    r"|(?P<filler>[ -]|嗯+|呃|啊|那个|然后|前面|中间|后面|再|接着)"
)


def phones(text: str) -> list[Found]:
    """All telephone numbers of ``text``."""
    return [found for spelled in _spelled(text, letters=False) if (found := telephone(spelled))]


def identities(text: str) -> list[Found]:
    """All ID, passport, member and order numbers of ``text``; an ID card's check digit must be right."""
    found = [one for spelled in _spelled(text, letters=True) if (one := identity(spelled))]
    longest = max((len(str(one.value)) for one in found), default=0)
    return [one for one in found if len(str(one.value)) >= min(longest, 4)]


def digits(text: str) -> list[Found]:
    """All runs of digits of ``text``, leading zeros kept."""
    return [Found("digits", s.value, s.start, s.end) for s in _spelled(text, letters=False) if s.value.isdigit()]


def _spelled(text: str, *, letters: bool) -> Iterator[Spelled]:
    value, start, end, position = "", 0, 0, 0
    while position <= len(text):
        match = _PART.match(text, position) if position < len(text) else None
        said = _read(match, letters) if match else None
        if said is None:
            if value:
                yield Spelled(value, start, end)
            value = ""
            position += 1
            continue
        assert match is not None
        if said:
            start = start if value else position
            value, end = value + said, match.end()
        position = match.end()


def _read(match: re.Match[str], letters: bool) -> str | None:
    """What the part adds; empty for a filler, ``None`` where it ends the run."""
    if match["filler"]:
        return ""
    if match["plus"]:
        return "+"
    if match["digit"]:
        return _SAID.get(match["digit"], match["digit"])
    if match["repeated"]:
        return _SAID.get(match["repeated"], match["repeated"]) * _COUNTS[match["times"]]
    if not letters:
        return None
    return "X" if match["check"] else match["letters"].upper()
