"""Telephone and ID numbers spelled in English: double oh seven, twelve thirty four, b for bravo."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from agi_bot.nlu.entities.codes import Spelled, identity, telephone
from agi_bot.nlu.entities.found import Found
from agi_bot.nlu.entities.numerals_en import SMALL
from agi_bot.nlu.entities.words_en import Word

_PIECE = re.compile(r"\+|[a-z0-9']+")
_ZERO = frozenset({"zero", "oh", "o"})
_TIMES = {"double": 2, "triple": 3, "treble": 3, "quadruple": 4}
_FILLERS = frozenset({"um", "uh", "er", "then", "dash", "hyphen", "area", "code", "and", "space"})
_NATO_WORDS = (
    "alpha alfa bravo charlie delta echo foxtrot golf hotel india juliet kilo lima mike november oscar papa quebec "
    "romeo sierra tango uniform victor whiskey xray yankee zulu"
)
_NATO = {word: word[0] for word in _NATO_WORDS.split()}
_SPELLED = re.compile(r"\b([a-z]) (?:as in|for|like|like in) [a-z]+\b")

_HYPHENED = re.compile(r"\b([a-z]{1,3})-(\d+)")


def phones(text: str) -> list[Found]:
    """All telephone numbers of ``text``."""
    return [found for spelled in _runs(text, letters=False) if (found := telephone(spelled))]


def identities(text: str) -> list[Found]:
    """All ID, member and order numbers of ``text``."""
    spelled = _SPELLED.sub(lambda match: match[1].ljust(len(match[0])), text)
    spelled = _HYPHENED.sub(lambda match: f"{match[1]}{match[2]}".rjust(len(match[0])), spelled)
    found = [one for run in _runs(spelled, letters=True) if (one := identity(run))]
    longest = max((len(str(one.value)) for one in found), default=0)
    return [one for one in found if len(str(one.value)) >= min(longest, 4)]


def digits(text: str) -> list[Found]:
    """All runs of digits of ``text``, leading zeros kept."""
    return [Found("digits", s.value, s.start, s.end) for s in _runs(text, letters=False) if s.value.isdigit()]


def _runs(text: str, *, letters: bool) -> Iterator[Spelled]:
    words = [Word(match[0], match.start(), match.end()) for match in _PIECE.finditer(text)]
    value, start, end, place = "", 0, 0, 0
    while place < len(words):
        said, used = _read(words, place, letters)
        if used == 0:
            if value:
                yield Spelled(value, start, end)
            value, used = "", 1
        elif said:
            start = start if value else words[place].start
            value, end = value + said, words[place + used - 1].end
        place += used
    if value:
        yield Spelled(value, start, end)


def _read(words: Sequence[Word], place: int, letters: bool) -> tuple[str, int]:
    """What the words at ``place`` add and how many they are; 0 words where the run ends."""
    word = words[place].text
    following = words[place + 1].text if place + 1 < len(words) else ""
    if word in _FILLERS:
        return "", 1
    if word in ("plus", "+"):
        return "+", 1
    if word in _TIMES:
        one = _digit(following) or (following.upper() if letters and len(following) == 1 else "")
        return one * _TIMES[word], 2 if one else 0
    if word in SMALL and SMALL[word] >= 10:
        return _tens(words, place, letters)
    if one := _digit(word):
        return _hundreds(one, following, words, place, letters)
    return _letters(word, letters)


def _digit(word: str) -> str:
    if word in _ZERO:
        return "0"
    if word.isdigit():
        return word
    return str(SMALL[word]) if word in SMALL and SMALL[word] < 10 else ""


def _tens(words: Sequence[Word], place: int, letters: bool) -> tuple[str, int]:
    value, used = SMALL[words[place].text], 1
    following = words[place + 1].text if place + 1 < len(words) else ""
    if value >= 20 and 0 < SMALL.get(following, 0) < 10:
        value, used = value + SMALL[following], 2
        following = words[place + 2].text if place + 2 < len(words) else ""
    said, more = _hundreds(str(value), following, words, place + used - 1, letters)
    return said, used + more - 1


def _hundreds(said: str, following: str, words: Sequence[Word], place: int, letters: bool) -> tuple[str, int]:
    """Eight *hundred*, six *thousand*; in an ID "nine hundred twelve" is 912."""
    if following not in ("hundred", "thousand"):
        return said, 1
    zeros = "00" if following == "hundred" else "000"
    after = words[place + 2].text if place + 2 < len(words) else ""
    if letters and zeros == "00" and 10 <= SMALL.get(after, 0) < 100:
        tail, used = _tens(words, place + 2, letters)
        return said + tail, 2 + used
    return said + zeros, 2


def _letters(word: str, letters: bool) -> tuple[str, int]:
    if not letters:
        return "", 0
    if word in _NATO:
        return _NATO[word].upper(), 1
    if len(word) == 1 or re.fullmatch(r"[a-z]{1,3}\d+[a-z]?|\d+[a-z]", word):
        return word.upper(), 1
    return "", 0
