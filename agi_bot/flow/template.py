"""Texts with ``{slot}`` places.

A template is split once; values are put in afterwards and are never read as templates
themselves, so braces in a customer's name stay text.  ``{{`` and ``}}`` are braces.
``{slot|kind}`` says a value as another kind, for example ``{code|digits}``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

LONGEST = 2_000
"""Characters in one template."""

_PIECE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]|[^{}]+")
_FULL_WIDTH = re.compile(r"｛[^｛｝]*｝?")
_PLACE = re.compile(r"\s*([^\W\d]\w*)\s*(?:\|\s*([a-z_]+)\s*)?\Z")


@dataclass(frozen=True, slots=True)
class Piece:
    """Fixed ``text``, or the place of slot ``slot`` (said as ``kind`` where given)."""

    text: str
    slot: str = ""
    kind: str = ""
    protected: bool = False


@dataclass(frozen=True, slots=True)
class Template:
    """A text cut into pieces, in order."""

    source: str
    pieces: tuple[Piece, ...]

    @property
    def slots(self) -> tuple[str, ...]:
        """Names of the slots it needs."""
        return tuple(dict.fromkeys(piece.slot for piece in self.pieces if piece.slot))


@lru_cache(maxsize=20_000)
def parse_template(source: str) -> Template:
    """``source`` cut into pieces.  Raises :class:`ValueError` with the fault and the cure."""
    if len(source) > LONGEST:
        raise ValueError(f"the text has {len(source)} characters, at most {LONGEST} are allowed")
    if wide := _FULL_WIDTH.search(source):
        raise ValueError(f"`{wide[0]}` has full-width braces and would be read out; write half-width {{ and }}")
    pieces: list[Piece] = []
    for match in _PIECE.finditer(source):
        piece = _piece(match)
        if pieces and not piece.slot and not pieces[-1].slot:
            pieces[-1] = Piece(pieces[-1].text + piece.text)
        else:
            pieces.append(piece)
    return Template(source, tuple(pieces))


def _piece(match: re.Match[str]) -> Piece:
    text = match.group()
    if text in ("{{", "}}"):
        return Piece(text[0])
    if text in ("{", "}"):
        raise ValueError(f"a lone `{text}`; write `{{name}}` for a slot and `{text}{text}` for the sign itself")
    if match.group(1) is None:
        return Piece(text)
    place = _PLACE.match(match.group(1))
    if place is None:
        raise ValueError(f"`{text}` is not a slot; write `{{name}}` or `{{name|kind}}`, nothing else")
    return Piece(text, slot=place.group(1), kind=place.group(2) or "")


@lru_cache(maxsize=20_000)
def protected_pieces(source: str, protect: tuple[str, ...]) -> tuple[Piece, ...]:
    """The pieces of ``source``, cut where a protected text begins and ends.

    Protected texts are written as in the template.  One that does not occur is ignored
    here (the checker reports it).
    """
    template = parse_template(source)
    marks = _marks(_rendered(template.pieces), protect)
    pieces: list[Piece] = []
    start = 0
    for piece in template.pieces:
        pieces.extend(_cut(piece, marks[start : start + len(piece.text)]))
        start += len(piece.text)
    return tuple(pieces)


def _rendered(pieces: Sequence[Piece]) -> str:
    return "".join(piece.text for piece in pieces)


def _marks(text: str, protect: Sequence[str]) -> list[bool]:
    marks = [False] * len(text)
    for part in filter(None, protect):
        start = text.find(part)
        while start >= 0:
            marks[start : start + len(part)] = [True] * len(part)
            start = text.find(part, start + len(part))
    return marks


def _cut(piece: Piece, marks: Sequence[bool]) -> list[Piece]:
    if piece.slot:
        return [Piece(piece.text, piece.slot, piece.kind, any(marks))]
    cuts = [0, *(i for i in range(1, len(marks)) if marks[i] != marks[i - 1]), len(marks)]
    return [Piece(piece.text[a:b], protected=marks[a]) for a, b in pairwise(cuts) if b > a]
