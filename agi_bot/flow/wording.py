"""From written texts to spans of speech: which wording, slots said as people say them."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from functools import lru_cache

from agi_bot.contracts import Value
from agi_bot.flow.builtin import DEFAULTS
from agi_bot.flow.events import Span
from agi_bot.flow.parts import Wording
from agi_bot.flow.template import parse_template, protected_pieces
from agi_bot.spoken import say_value, speakable

Speaker = Callable[[Value, str], str]
"""``(value, kind) -> words``, for one call: its language and its clock."""

_SAID_AS: Mapping[str, str] = {"digits": "code", "integer": "number", "choice": "text"}


def choose(wording: Wording, turn: int, seed: str) -> int:
    """Index of the text to use: in turn, or for an A/B test always the one of ``seed``."""
    if wording.names:
        return zlib.crc32(seed.encode()) % len(wording.texts)
    return turn % len(wording.texts)


def spans(
    text: str,
    protect: tuple[str, ...],
    values: Mapping[str, Value],
    kinds: Mapping[str, str],
    language: str,
    now: datetime,
) -> list[Span]:
    """``text`` with its slots filled in; empty pieces are left out."""
    everything = protect == ("all",)
    speak = speaker(language, now)
    made = []
    for piece in protected_pieces(text, () if everything else protect):
        if not piece.slot:
            said = fixed_words(piece.text, language)
        else:
            value = values.get(piece.slot)
            said = "" if value is None else speak(value, piece.kind or kinds.get(piece.slot) or kind_of(value))
        if said:
            made.append(Span(said, everything or piece.protected, fixed=not piece.slot))
    return made


def raw_text(text: str, values: Mapping[str, Value]) -> str:
    """``text`` with its slots as they are stored, for numbers to dial and arguments."""
    pieces = parse_template(text).pieces
    return "".join(_stored(values.get(piece.slot)) if piece.slot else piece.text for piece in pieces)


def kind_of(value: Value) -> str:
    """The kind of a value whose slot declares none."""
    for kind, types in _KINDS_OF_TYPES:
        if isinstance(value, types):
            return kind
    return "text"


_KINDS_OF_TYPES: tuple[tuple[str, tuple[type, ...]], ...] = (
    ("boolean", (bool,)),
    ("number", (int, float, Decimal)),
    ("datetime", (datetime,)),
    ("date", (date,)),
    ("time", (time,)),
)


@lru_cache(maxsize=10_000)
def fixed_words(text: str, language: str) -> str:
    """Written text of the flow as words: digits, dates and amounts of the author are said, too."""
    return speakable(text, language)


def speaker(language: str, now: datetime) -> Speaker:
    """How values are said in ``language`` at ``now``."""

    def speak(value: Value, kind: str) -> str:
        if isinstance(value, bool):
            return DEFAULTS[language].yes if value else DEFAULTS[language].no
        try:
            return say_value(value, _SAID_AS.get(kind, kind), language, now)
        except (ValueError, TypeError, ArithmeticError):
            return _stored(value)

    return speak


def _stored(value: Value | None) -> str:
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, date | time) else str(value)
