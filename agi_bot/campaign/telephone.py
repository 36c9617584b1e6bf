"""One telephone has many spellings: 13800138000, 013800138000 and 008613800138000 ring at one person.  Pure.

Numbers are kept and dialled as they were given.  What is known of a person (lists, consent,
refusals, calls) is looked up under all spellings, so that neither an old list nor another
setting of the prefixes makes two people of one.
"""

from __future__ import annotations

from collections.abc import Sequence

PREFIXES = ("0", "86", "086", "0086")
"""What may stand before a number in China: its trunk prefix 0, and the country's code (ITU-T E.164, E.123)."""

SHORTEST = 7
"""Digits of what is left behind a prefix; shorter ones are numbers of their own (86123456 is in Beijing)."""


def spellings(number: str, prefixes: Sequence[str] = PREFIXES) -> tuple[str, ...]:
    """All the ways to write ``number`` (digits only), its own among them."""
    bare = _bare(number, prefixes)
    if len(bare) < SHORTEST:
        return (number,)
    return tuple(dict.fromkeys([number, bare, *(prefix + bare for prefix in prefixes)]))


def _bare(number: str, prefixes: Sequence[str]) -> str:
    """``number`` without its prefix; one that has two (00 and another country's code) keeps them."""
    for prefix in sorted(prefixes, key=len, reverse=True):
        rest = number.removeprefix(prefix)
        if rest != number and len(rest) >= SHORTEST and _bare(rest, prefixes) == rest:
            return rest
    return number
