"""Numbers, percentages and amounts of money in spoken Mandarin.

三百五, 两万三, 七点八, 三十八度五, 一个半, 百分之三点五, 三成五, 三块五, 六十六块六, 五毛.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from decimal import Decimal, InvalidOperation

from agi_bot.nlu.entities.found import Found, plain
from agi_bot.nlu.entities.numerals_zh import DIGITS, number, whole

_D = "零〇幺一二两俩三仨四五六七八九壹贰叁肆伍陆柒捌玖"
_SIGNS = "十百千万亿兆廿拾佰仟"
_ABOUT = "(?:[多几来余](?=[万亿千百]))?"
_RUN = rf"(?:[{_D}十拾廿](?:[{_D}{_SIGNS}]{_ABOUT})*|百万)(?:点[{_D}]+[百千万亿]*)?(?:个亿)?"
_ASCII = rf"\d[\d,]*(?:\.\d+)?(?:[百千万亿]+(?:\d+(?![.:])|[{_D}])?)*"
NUM = rf"(?:{_ASCII}|{_RUN})"
"""Matches a number as it is spoken or written."""
_NOT_A_NUMBER = (
    r"(?<!星期)(?<!礼拜)(?<!周)(?<!万)(?<!统)(?<!唯)"
    r"(?!一(?:下|样|起|定|般|直|会|共|切|些|边|遍|点(?![零一二三四五六七八九])))(?!千万(?!块|元))"
    r"(?!十分(?!之|吧|[，。、！？\s]|$))"
)
_MINUS = r"(?P<minus>负|零下|-)?"

Read = Callable[[re.Match[str]], Decimal]
_Patterns = list[tuple[re.Pattern[str], Read]]


def amount(text: str) -> Decimal:
    """The value of ``text`` (matches :data:`NUM`).  Raises :class:`ValueError`."""
    return number(re.sub("[多几来余]", "", text))


def numbers(text: str) -> list[Found]:
    """All numbers of ``text`` in order; percentages as points."""
    return list(_scan(text, "number", [*_PERCENT[:3], *_NUMBER]))


def percents(text: str) -> list[Found]:
    """All shares of a hundred in ``text``, in points: 三成 is 30, 千分之五 is 0.5."""
    return list(_scan(text, "percent", _PERCENT))


def money(text: str) -> list[Found]:
    """All amounts of ``text`` in its currency's main unit; bare numbers only where no amount has a unit."""
    return list(_scan(text, "money", _MONEY)) or list(_scan(text, "money", _BARE))


def _scan(text: str, kind: str, patterns: _Patterns) -> Iterator[Found]:
    """Matches from left to right; at one place the earlier pattern wins."""
    position = 0
    while position < len(text):
        found = _at(text, position, kind, patterns)
        if found:
            yield found
        position = found.end if found else position + 1


def _at(text: str, position: int, kind: str, patterns: _Patterns) -> Found | None:
    for pattern, read in patterns:
        match = pattern.match(text, position)
        if not match:
            continue
        try:
            return Found(kind, plain(read(match)), match.start(), match.end())
        except (ValueError, InvalidOperation):
            continue
    return None


def _signed(match: re.Match[str]) -> Decimal:
    value = amount(match["value"])
    return -value if match["minus"] or match.groupdict().get("inner") else value


def _with_half(match: re.Match[str]) -> Decimal:
    return _signed(match) + Decimal("0.5")


def _degrees(match: re.Match[str]) -> Decimal:
    tail = "".join(str(DIGITS[c]) if c in DIGITS else c for c in match["tail"])
    return _signed(match) + Decimal(f"0.{tail}")


def _per(divisor: str) -> Read:
    return lambda match: amount(match["value"]) / Decimal(divisor)


def _tenths(match: re.Match[str]) -> Decimal:
    tail = match["tail"]
    return amount(match["value"]) * 10 + (5 if tail == "半" else amount(tail) if tail else 0)


def _points(match: re.Match[str]) -> Decimal:
    return amount(match["value"]) + (Decimal("0.5") if match["half"] else 0)


def _fraction(times: int) -> Read:
    return lambda match: round(amount(match["value"]) * times / _nonzero(amount(match["parts"])), 2 if times > 1 else 4)


def _nonzero(value: Decimal) -> Decimal:
    if not value:
        raise ValueError(value)
    return value


def _rebate(match: re.Match[str]) -> Decimal:
    """八折 is 80, 七五折 is 75."""
    value = amount(match["value"])
    return value if value >= 10 else value * 10


def _fixed(value: int) -> Read:
    return lambda match: Decimal(value)


def _yuan(match: re.Match[str]) -> Decimal:
    total = amount(match["value"])
    dimes, cents, tail = match["dimes"], match["cents"], match["tail"]
    total += Decimal(whole(dimes)) / 10 if dimes else 0
    total += Decimal(whole(cents)) / 100 if cents else 0
    if tail:
        total += Decimal(whole(tail)) / (100 if match["zero"] or dimes else 10 ** len(tail))
    return total


def _dimes(match: re.Match[str]) -> Decimal:
    tail = match["tail"]
    return amount(match["value"]) / 10 + (Decimal(whole(tail)) / 100 if tail else 0)


def _compiled(pattern: str, read: Read) -> tuple[re.Pattern[str], Read]:
    return re.compile(pattern), read


_MEASURES = "个斤度天年元块米里点岁次倍片粒公斤小时"
_PERCENT: _Patterns = [
    _compiled(rf"{_MINUS}百分之(?P<inner>负|-)?(?P<value>{NUM}|百)", lambda m: _hundredth(m)),
    _compiled(r"百分(?:之)?百", _fixed(100)),
    _compiled(rf"{_MINUS}(?P<value>{NUM})%", _signed),
    _compiled(rf"(?P<value>{NUM}) %", lambda m: amount(m["value"])),
    _compiled(rf"千分之(?P<value>{NUM})", _per("10")),
    _compiled(rf"万分之(?P<value>{NUM})", _per("100")),
    _compiled(rf"(?P<value>{NUM})个?(?P<half>半)?(?:百分点|(?<=[个半])点)", _points),
    _compiled(rf"(?P<value>{NUM})成(?P<tail>[一二三四五六七八九半](?!成))?", _tenths),
    _compiled(rf"(?P<value>{NUM})折", _rebate),
    _compiled(rf"(?P<parts>{NUM})分之(?P<value>{NUM})", _fraction(100)),
    _compiled(r"一半|半数", _fixed(50)),
]
_NUMBER: _Patterns = [
    _compiled(rf"(?P<parts>{NUM})分之(?P<value>{NUM})", _fraction(1)),
    _compiled(rf"{_MINUS}(?P<value>{NUM})度(?P<tail>[{_D}\d]{{1,2}})(?![{_D}十百千万])", _degrees),
    _compiled(rf"{_MINUS}(?P<value>[一二两三]|\d)米(?P<tail>[{_D}\d]{{1,2}})(?![{_D}十百千万])", _degrees),
    _compiled(rf"{_MINUS}{_NOT_A_NUMBER}(?P<value>{NUM})(?:公斤|小时|[{_MEASURES}])半", _with_half),
    _compiled(rf"{_MINUS}{_NOT_A_NUMBER}(?P<value>{NUM})", _signed),
]
_MONEY: _Patterns = [
    _compiled(
        rf"(?P<value>{NUM})[多来几]?(?:块|元)钱?(?P<zero>零)?"
        rf"(?:(?P<dimes>[一二两三四五六七八九\d])[毛角]钱?)?(?:(?P<cents>[一二两三四五六七八九\d])分)?"
        rf"(?P<tail>[一二三四五六七八九\d]{{1,2}}(?![百千万十个天]))?",
        _yuan,
    ),
    _compiled(rf"(?P<value>{NUM})[毛角]钱?(?:(?P<tail>[一二两三四五六七八九\d])分?钱?)?", _dimes),
    _compiled(rf"(?P<value>{NUM})分钱", _per("100")),
    _compiled(rf"[¥￥$]\s?(?P<value>{NUM})", lambda m: amount(m["value"])),
]
_BARE: _Patterns = [
    _compiled(
        rf"{_NOT_A_NUMBER}(?P<value>{NUM})(?![号月日天点个次年岁期周楼位分{_D}十百千万])", lambda m: amount(m["value"])
    ),
]


def _hundredth(match: re.Match[str]) -> Decimal:
    return Decimal(100) if match["value"] == "百" else _signed(match)
