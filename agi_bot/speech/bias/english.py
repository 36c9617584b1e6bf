"""How English words sound, roughly: letters that stand for one sound are one.  Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agi_bot.speech.bias.sounds import Sound

_WORD = re.compile(r"[A-Za-z0-9']+")
_SPELLINGS = (
    ("ph", "f"), ("ght", "t"), ("ck", "k"), ("qu", "kw"), ("wh", "w"), ("wr", "r"), ("kn", "n"), ("x", "ks"),
    ("sch", "sk"), ("tch", "c"), ("ch", "c"), ("sh", "s"), ("th", "t"), ("ce", "se"), ("ci", "si"), ("cy", "si"),
    ("c", "k"), ("z", "s"), ("y", "i"), ("v", "f"), ("d", "t"), ("g", "k"), ("b", "p"),
)  # fmt: skip
_VOWELS = re.compile(r"[aeiou]+")
_TWICE = re.compile(r"(.)\1+")


def english(text: str) -> tuple[Sound, ...]:
    """The words of ``text`` by their sound.

    >>> [sound.key for sound in english("air fryer")]
    ['ar', 'frar']
    """
    return tuple(Sound(_key(match[0].lower()), match.start(), match.end()) for match in _WORD.finditer(text))


def letters(keys: Sequence[str]) -> list[str]:
    """The sounds of several words as one run: where words part is not heard."""
    return list("".join(keys))


def _key(word: str) -> str:
    plain = word.replace("'", "")
    for spelling, sound in _SPELLINGS:
        plain = plain.replace(spelling, sound)
    # All vowels are one: callers and recognisers differ most in them.
    return _TWICE.sub(r"\1", _VOWELS.sub("a", plain))
