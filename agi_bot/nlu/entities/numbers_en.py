"""Numbers, percentages and amounts of money in spoken English."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal

from agi_bot.nlu.entities.found import Found, plain
from agi_bot.nlu.entities.numerals_en import ORDINAL, SMALL, ordinal
from agi_bot.nlu.entities.words_en import Numeral, Word, read, split

_UNITS = frozenset({"dollars", "dollar", "bucks", "buck", "pounds", "pound", "quid", "euros", "euro", "yuan", "rmb"})
_CENTS = frozenset({"cents", "cent", "pence"})
_PRONOUN_BEFORE = frozenset({"the", "that", "this", "which", "no", "any", "another", "some", "every", "right", "last"})
_TIMES = {"once": 1, "twice": 2, "both": 2}
_NINETY = re.compile(r"\b(one|two|three|four|five|six|seven|eight|nine) (ninety (?:nine|five))\b")
_NOT_MONEY = frozenset({"percent", "days", "weeks", "months", "years", "hours", "minutes", "o'clock", "pm", "am"})


def numbers(text: str) -> list[Found]:
    """All numbers of ``text`` in order: cardinals, ordinals, "twice", "a half"."""
    words = split(text)
    found = [_found("number", numeral.value, words, numeral) for numeral in _all(words)]
    singles = [*_ordinals(text), *_small_words(words), *_halves(text)]
    free = [one for one in singles if all(one.end <= other.start or one.start >= other.end for other in found)]
    return sorted([*found, *free], key=lambda one: one.start)


def percents(text: str) -> list[Found]:
    """All shares of a hundred in ``text``, in points: "a quarter of a percent" is 0.25, "half of it" is 50."""
    words = split(text)
    found = [one for numeral in _all(words) if (one := _percent(words, numeral))]
    found += [one for pattern, value in _SHARES if (one := _share(text, pattern, value))]
    found.sort(key=lambda one: (one.start, -one.end))
    return [one for number, one in enumerate(found) if all(one.start >= other.end for other in found[:number])]


def money(text: str) -> list[Found]:
    """All amounts of ``text`` in its currency's main unit; bare numbers only where no amount has a unit."""
    words = split(_NINETY.sub(lambda m: _cents_text(m), text))
    numerals = _all(words)
    amounts = list(_amounts(words, numerals))
    return amounts or [_bare(words, numerals, i) for i in _firsts(words, numerals)]


def _all(words: Sequence[Word]) -> list[Numeral]:
    found: list[Numeral] = []
    place = 0
    while place < len(words):
        numeral = None if _pronoun(words, place) else read(words, place)
        if numeral:
            found.append(_signed(words, numeral))
        place = numeral.last if numeral else place + 1
    return found


def _pronoun(words: Sequence[Word], place: int) -> bool:
    """The third *one*, that *one*."""
    if words[place].text != "one" or not place:
        return False
    before = words[place - 1].text
    return before in _PRONOUN_BEFORE or re.fullmatch(ORDINAL, before) is not None


def _signed(words: Sequence[Word], numeral: Numeral) -> Numeral:
    if numeral.first and words[numeral.first - 1].text in ("minus", "negative", "-"):
        return Numeral(-numeral.value, numeral.first - 1, numeral.last)
    return numeral


def _found(kind: str, value: Decimal, words: Sequence[Word], numeral: Numeral) -> Found:
    return Found(kind, plain(value), words[numeral.first].start, words[numeral.last - 1].end)


def _ordinals(text: str) -> Iterator[Found]:
    for match in re.finditer(rf"\b{ORDINAL}\b", text):
        yield Found("number", ordinal(match[0]), match.start(), match.end())


def _small_words(words: Sequence[Word]) -> Iterator[Found]:
    for word in words:
        if word.text in _TIMES:
            yield Found("number", _TIMES[word.text], word.start, word.end)


def _halves(text: str) -> Iterator[Found]:
    for match in re.finditer(r"\ba half\b", text):
        yield Found("number", Decimal("0.5"), match.start(), match.end())


# --- shares of a hundred ---------------------------------------------------------------

_SIGN = r"(?:percent|per cent|%)"
_DIRECT = re.compile(rf"(?:something )?(?:{_SIGN}|percentage points?|points?\b)")
_THREE_QUARTERS = {"half": "0.5", "a half": "0.5", "a quarter": "0.25", "three quarters": "0.75", "one tenth": "0.1",
                   "a tenth": "0.1", "one half": "0.5", "one quarter": "0.25"}  # fmt: skip
_WHOLES = "|".join(word for word, value in SMALL.items() if value)
_SHARES: Sequence[tuple[re.Pattern[str], Callable[[re.Match[str]], Decimal]]] = (
    (
        re.compile(rf"\b(?P<part>{'|'.join(_THREE_QUARTERS)})(?: of)?(?: a)? {_SIGN}"),
        lambda m: Decimal(_THREE_QUARTERS[m["part"]]),
    ),
    (re.compile(r"\bthe whole amount|\ball of it|\beverything\b"), lambda m: Decimal(100)),
    (re.compile(rf"\bhundred {_SIGN}"), lambda m: Decimal(100)),
    (re.compile(r"\btwo thirds"), lambda m: Decimal("66.67")),
    (re.compile(r"\b(?:a|one) third"), lambda m: Decimal("33.33")),
    (re.compile(r"\bthree quarters"), lambda m: Decimal(75)),
    (re.compile(r"\b(?:a|one) quarter"), lambda m: Decimal(25)),
    (re.compile(r"\b(?:a|one) tenth"), lambda m: Decimal(10)),
    (re.compile(r"\b(?:one |a )?half\b"), lambda m: Decimal(50)),
    (
        re.compile(rf"\b(?P<some>{'|'.join(SMALL)}) (?:in|out of) (?P<all>{_WHOLES})\b"),
        lambda m: round(Decimal(SMALL[m["some"]] * 100) / SMALL[m["all"]], 2),
    ),
)


def _percent(words: Sequence[Word], numeral: Numeral) -> Found | None:
    """The numeral with its sign, and with "and three quarters" before it."""
    rest = " ".join(word.text for word in words[numeral.last : numeral.last + 3])
    match = _DIRECT.match(rest)
    if not match:
        return None
    last = numeral.last + len(match[0].split())
    return Found("percent", plain(numeral.value), words[numeral.first].start, words[last - 1].end)


def _share(text: str, pattern: re.Pattern[str], value: Callable[[re.Match[str]], Decimal]) -> Found | None:
    matches = list(pattern.finditer(text))
    if not matches or (" percent" in text and "cent" not in matches[-1][0]):
        return None
    return Found("percent", plain(value(matches[-1])), matches[-1].start(), matches[-1].end())


# --- money -----------------------------------------------------------------------------


def _cents_text(match: re.Match[str]) -> str:
    """Nine ninety nine is a price: 9.99; as long as before, so that places stay."""
    value = f"{SMALL[match[1]]}.{90 + SMALL[match[2].split()[1]]}"
    return value.ljust(len(match[0]))


def _amounts(words: Sequence[Word], numerals: Sequence[Numeral]) -> Iterator[Found]:
    used = -1
    for number, numeral in enumerate(numerals):
        if numeral.first < used:
            continue
        following = numerals[number + 1] if number + 1 < len(numerals) else None
        found = _amount(words, numeral, following)
        if found:
            used = found[1]
            yield Found("money", plain(found[0]), words[found[2]].start, words[found[1] - 1].end)
    for place, word in enumerate(words):
        if word.text == "dollar" and place and words[place - 1].text == "a":
            yield _a_dollar(words, place)


def _amount(words: Sequence[Word], numeral: Numeral, following: Numeral | None) -> tuple[Decimal, int, int] | None:
    """Value, word after it, first word."""
    last = numeral.last
    if _text(words, last) == "something":
        last += 1
    unit = _text(words, last)
    if unit in _CENTS:
        return numeral.value / 100, last + 1, numeral.first
    before = words[numeral.first - 1].text if numeral.first else ""
    if unit not in _UNITS and before not in "$£€¥":
        return None
    if unit not in _UNITS:
        return (numeral.value, last, numeral.first - 1) if before else None
    cents, end = _cents(words, last + 1, following)
    return numeral.value + cents, end, numeral.first


def _cents(words: Sequence[Word], place: int, following: Numeral | None) -> tuple[Decimal, int]:
    """What follows a unit: "and sixty cents", "fifty"."""
    start = place + 1 if _text(words, place) == "and" else place
    if following is None or following.first != start or not 0 < following.value < 100:
        return Decimal(0), place
    if _text(words, following.last) in _CENTS:
        return following.value / 100, following.last + 1
    return following.value / 100, following.last


def _a_dollar(words: Sequence[Word], place: int) -> Found:
    following = read(words, place + 1) if place + 1 < len(words) else None
    cents, end = _cents(words, place + 1, following)
    return Found("money", plain(1 + cents), words[place - 1].start, words[end - 1].end)


def _firsts(words: Sequence[Word], numerals: Sequence[Numeral]) -> list[int]:
    """Numbers of the numerals that begin an amount; the second of "sixty six sixty" does not."""
    firsts = []
    for number, numeral in enumerate(numerals):
        joined = number and number - 1 in firsts and _pair(numerals[number - 1], numeral)
        if not joined and _text(words, numeral.last) not in _NOT_MONEY:
            firsts.append(number)
    return firsts


def _pair(first: Numeral, second: Numeral) -> bool:
    """Sixty six sixty: two numbers of two digits side by side are a price."""
    return first.last == second.first and 10 <= first.value < 100 and 10 <= second.value < 100


def _bare(words: Sequence[Word], numerals: Sequence[Numeral], number: int) -> Found:
    numeral = numerals[number]
    if number + 1 < len(numerals) and _pair(numeral, numerals[number + 1]):
        cents = numerals[number + 1]
        value = numeral.value + cents.value / 100
        return Found("money", plain(value), words[numeral.first].start, words[cents.last - 1].end)
    return _found("money", numeral.value, words, numeral)


def _text(words: Sequence[Word], place: int) -> str:
    return words[place].text if place < len(words) else ""
