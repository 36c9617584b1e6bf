"""Digits in text, however they are written or spoken, joined to the runs that they form.  Pure.

A *run* is digits with nothing between them but separators and the fillers of speech:
``138-1234-5678``, ``１３８ 一二三四 ...``, ``幺三八，嗯，零零一三``, ``one three double eight``,
``三个八``.  Cardinals (``一百二十三万``, ``two hundred``) are no runs: every multiplier ends one.
Dates, amounts of money and IP addresses are left out before runs are looked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

_HAN = dict(zip("零〇○一二三四五六七八九幺两壹贰叁肆伍陆柒捌玖", "000" + "123456789" + "12" + "123456789", strict=True))
_UNITS = {
    "zero": "0", "oh": "0", "o": "0", "nought": "0", "one": "1", "two": "2", "three": "3", "four": "4",
    "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9", "niner": "9",
}  # fmt: skip
_TEENS = {
    "ten": "10", "eleven": "11", "twelve": "12", "thirteen": "13", "fourteen": "14", "fifteen": "15",
    "sixteen": "16", "seventeen": "17", "eighteen": "18", "nineteen": "19",
}  # fmt: skip
_TENS = {
    "twenty": "2", "thirty": "3", "forty": "4", "fourty": "4", "fifty": "5", "sixty": "6", "seventy": "7",
    "eighty": "8", "ninety": "9",
}  # fmt: skip
_TIMES = {"double": 2, "triple": 3, "treble": 3, "quadruple": 4}

_DIGIT = rf"[\d{''.join(_HAN)}]"
_ONE = "|".join(sorted(_UNITS, key=len, reverse=True))
_TOKEN = re.compile(
    rf"""(?P<count>[2-6２-６两二三四五六])个(?P<counted>{_DIGIT})
    | (?P<count2>[7-9７-９七八九])个(?P<counted2>(?![一1１]){_DIGIT})
    | (?P<digit>{_DIGIT})
    | (?<![a-z])(?:
        (?P<times>double|triple|treble|quadruple)[\s-]+(?P<repeated>{_ONE})
      | (?P<tens>{"|".join(_TENS)})(?:[\s-]+(?P<unit>one|two|three|four|five|six|seven|eight|nine))?
      | (?P<teen>{"|".join(_TEENS)})
      | (?P<free>eight\s+hundred)(?=\s+(?:{_ONE})\s+(?:{_ONE})(?![a-z]))
      | (?P<word>{_ONE})
      )(?![a-z])""",
    re.IGNORECASE | re.VERBOSE,
)

_FILLERS = "|".join(
    (
        "嗯|啊|呃|额|诶|哦|噢|那个|这个|然后是|然后|就是|再是|后面是|后面|接着是|接着|接下来是|接下来",
        "横杠|中杠|杠|横线|空格|分机|转",
    )
)
_SPOKEN_FILLERS = "and then|then|um|uh|er|erm|dash|hyphen|space|okay|ok|so|extension|ext"
_MARKS = r"[\s\-‐-―－_.．,，。;；:：|｜·•()（）\[\]+＋/／'\"“”…~～\u00ad\u200b-\u200f\u2060\ufe00-\ufe0f\u20e3\ufeff]"
_GAP = re.compile(rf"(?:{_MARKS}|{_FILLERS}|(?<![a-z])(?:{_SPOKEN_FILLERS})(?![a-z]))*", re.IGNORECASE)
_AND = re.compile(r"\s+and\s+", re.IGNORECASE)

_MONTH, _DAY = r"(?:0?[1-9]|1[0-2])", r"(?:0?[1-9]|[12]\d|3[01])"
_YEAR = r"(?:19|20)\d\d"
_DATE = (
    rf"(?:{_YEAR}(?P<s{{0}}>[-/.]){_MONTH}(?P=s{{0}}){_DAY}"
    rf"|{_DAY}(?P<t{{0}}>[-/.]){_DAY}(?P=t{{0}}){_YEAR}|{_YEAR}[ ](?:0[1-9]|1[0-2])[ ](?:0[1-9]|[12]\d|3[01]))"
)
_CLOCK = r"(?:[T ]\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?"
_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_UNIT_OF_MONEY = (
    r"(?:万|亿)?(?:元|块|圆|美元|美金|人民币|港币|日元|欧元)|[ ]?(?:(?:RMB|CNY|USD|EUR)(?![a-z])|dollars?|yuan|bucks)"
)
_AMOUNT = r"(?:\d{1,3}(?:[,，]\d{3}){1,3}|\d{1,9})(?:\.\d{1,2})?"
_CARVED = re.compile(
    "|".join(
        (
            rf"(?<!\d)(?<!\d[-/.]){_DATE.format(1)}{_CLOCK}(?:\s*[-~～至到—]+\s*{_DATE.format(2)}{_CLOCK})?"
            r"(?!\d)(?![-/.]\d)(?![ ]\d{3})",
            rf"(?<!\d)[¥￥$€£][ ]?{_AMOUNT}(?![\d])",
            rf"(?<![\d,，.\-]){_AMOUNT}(?:{_UNIT_OF_MONEY})",
            r"(?<![\d,，.\-])\d{1,3}(?:,\d{3}){1,3}(?:\.\d{1,2})?(?![\d,.\-])",
            rf"(?<![\d.])(?:{_OCTET}\.){{3}}{_OCTET}(?![\d.])",
            r"(?<![\d:：])(?:[01]?\d|2[0-3])[:：][0-5]\d(?:[:：][0-5]\d)?(?![\d:：])",
        )
    ),
    re.IGNORECASE,
)
_LAST_X = re.compile(r"\s*(?:[xXｘＸ叉]|艾克斯|ex)(?![a-wyz])", re.IGNORECASE)
_ID_BODY = 17
_ONE_OF = re.compile("[共下个起定样直般些会]")
_COUNTED = re.compile("[共下个起定样直般些会点次半遍天块元月年件张份分秒小人楼栋室层岁斤米折十百千万亿]")
_COUNTED_AFTER_PAUSE = re.compile("[号位]")
_MOST_COUNTED = 2
_UNIT = re.compile("[年月日点时分元块楼栋层室期个人天次件岁度]")


@dataclass(frozen=True, slots=True)
class Token:
    """One digit or a spoken group of them: characters ``start:end`` of the text stand for ``digits``."""

    start: int
    end: int
    digits: str
    single: bool


@dataclass(frozen=True, slots=True)
class Run:
    """Digits that belong together.  ``opens``: nothing but fillers
    stands before it, and no unit behind it; ``closes``: nothing but fillers stands behind it."""

    tokens: tuple[Token, ...]
    opens: bool = False
    closes: bool = False

    @property
    def start(self) -> int:
        """First character."""
        return self.tokens[0].start

    @property
    def end(self) -> int:
        """Behind the last character."""
        return self.tokens[-1].end

    @property
    def digits(self) -> str:
        """All digits as 0-9; an identity card's last ``X`` included."""
        return "".join(token.digits for token in self.tokens)


def runs(text: str) -> list[Run]:
    """The runs of ``text`` in order, whatever their length."""
    found: list[list[Token]] = []
    for token in _tokens(text):
        if found and _joined(text, found[-1][-1], token):
            found[-1].append(token)
        else:
            found.append([token])
    return [_run(text, tokens) for whole in found for tokens in _without_count(text, whole)]


def is_gap(text: str) -> bool:
    """Nothing but separators and fillers."""
    return _GAP.fullmatch(text) is not None


def _without_count(text: str, tokens: list[Token]) -> list[list[Token]]:
    """Take off what begins a new thought: ``138...，三点以后``, ``138...，一共两个``."""
    place = len(tokens) - 1
    while place > 0 and tokens[place].start == tokens[place - 1].end and not _script_changes(text, tokens, place):
        place -= 1
    last, behind = tokens[-1], text[tokens[-1].end : tokens[-1].end + 1]
    if text[last.start : last.end] == "一" and _ONE_OF.match(behind):
        place = max(place, len(tokens) - 1)
    elif not _counts(text[tokens[place - 1].end : tokens[place].start], behind):
        return [tokens]
    size = sum(len(token.digits) for token in tokens[place:])
    if place < 1 or not (size <= _MOST_COUNTED or (size == len("2026") and behind == "年")):
        return [tokens]
    return [tokens[:place], tokens[place:]]


def _script_changes(text: str, tokens: list[Token], place: int) -> bool:
    return (text[tokens[place].start] in _HAN) != (text[tokens[place - 1].start] in _HAN)


def _counts(gap: str, behind: str) -> bool:
    paused = any(mark in gap for mark in ",，。;；")
    return bool(_COUNTED.match(behind) or (paused and _COUNTED_AFTER_PAUSE.match(behind)))


def with_last_x(text: str, run: Run, before: int = 0) -> Run:
    """``run`` with the ``X`` that ends an identity card; ``before`` digits were said in earlier utterances."""
    last = _LAST_X.match(text, run.end) if before + len(run.digits) == _ID_BODY else None
    return replace(run, tokens=(*run.tokens, Token(run.end, last.end(), "X", single=True))) if last else run


def _run(text: str, tokens: list[Token]) -> Run:
    opens = is_gap(text[: tokens[0].start]) and not _UNIT.match(text[tokens[-1].end :])
    return with_last_x(text, Run(tuple(tokens), opens, is_gap(text[tokens[-1].end :])))


def _tokens(text: str) -> Iterator[Token]:
    carved = [(match.start(), match.end()) for match in _CARVED.finditer(text)]
    for match in _TOKEN.finditer(text):
        start, end = match.span()
        if not any(begin < end and start < stop for begin, stop in carved):
            yield Token(start, end, _digits(match), single=not (match["tens"] or match["teen"]))


def _digits(match: re.Match[str]) -> str:
    group = {name: value.lower() for name, value in match.groupdict().items() if value}
    if count := group.get("count") or group.get("count2"):
        return _digit(group.get("counted") or group["counted2"]) * int(_digit(count))
    if "digit" in group:
        return _digit(group["digit"])
    if "times" in group:
        return _UNITS[group["repeated"]] * _TIMES[group["times"]]
    if "tens" in group:
        return _TENS[group["tens"]] + _UNITS.get(group.get("unit", "zero"), "0")
    if "free" in group:
        return "800"
    return _TEENS.get(group.get("teen", "")) or _UNITS[group["word"]]


def _digit(character: str) -> str:
    return _HAN.get(character) or str(int(character))


def _joined(text: str, before: Token, then: Token) -> bool:
    gap = text[before.end : then.start]
    if _AND.fullmatch(gap):
        return before.single and then.single
    if not is_gap(gap):
        return False
    # A lone point with one or two digits behind it is a decimal point, not a separator.
    return gap not in (".", "．") or bool(re.match(r"\d{3}", text[then.start :]))
