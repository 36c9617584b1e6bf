"""Entities written into an example, as Rasa does: ``[后天](time)`` or ``[后天]{"entity": "time"}``."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

_SPAN = re.compile(r"\[(?P<text>[^\[\]]+)\](?:\((?P<short>[^()]*)\)|(?P<long>\{[^{}]*\})|(?P<list>\[\{.*?\}\]))")
_LONG_KEYS = {"entity", "value", "role", "group"}


class MarkupFault(ValueError):
    """The markup of an example is wrong at character ``offset`` of its line; ``cure`` says what to write."""

    def __init__(self, offset: int, message: str, cure: str) -> None:
        super().__init__(message)
        self.offset = offset
        self.cure = cure


@dataclass(frozen=True, slots=True)
class Annotation:
    """An entity of an example: ``kind`` at ``start``..``end`` of the plain text, ``value`` it stands for."""

    kind: str
    start: int
    end: int
    value: str


def parse(marked: str) -> tuple[str, tuple[Annotation, ...]]:
    """Plain text and entities of ``marked``.  Raises :class:`MarkupFault`."""
    plain, found, last = "", list[Annotation](), 0
    for match in _SPAN.finditer(marked):
        plain += _literal(marked, last, match.start())
        start, last = len(plain), match.end()
        plain += match["text"]
        found.extend(_annotations(match, start, len(plain)))
    plain += _literal(marked, last, len(marked))
    return plain, tuple(found)


def _literal(marked: str, start: int, end: int) -> str:
    for offset in range(start, end):
        if marked[offset] in "[]":
            cure = "write [the words](entity), or leave the bracket out"
            raise MarkupFault(offset, f"the bracket {marked[offset]!r} belongs to no entity", cure)
    return marked[start:end]


def _annotations(match: re.Match[str], start: int, end: int) -> list[Annotation]:
    text = match["text"]
    if match["short"] is not None:
        kind, _, value = match["short"].partition(":")
        return [_annotation(match, kind.strip(), start, end, value.strip() or text)]
    return [
        _annotation(match, str(entry.get("entity", "")), start, end, str(entry.get("value", text)))
        for entry in _long(match)
    ]


def _long(match: re.Match[str]) -> list[dict[str, object]]:
    written = match["long"] or match["list"]
    cure = 'write [the words]{"entity": "name", "value": "meaning"}'
    try:
        entries = json.loads(written)
    except json.JSONDecodeError as error:
        raise MarkupFault(match.end("text") + 1, f"{written} is not JSON: {error.msg.lower()}", cure) from None
    entries = entries if isinstance(entries, list) else [entries]
    for entry in entries:
        if unknown := sorted(set(entry) - _LONG_KEYS):
            raise MarkupFault(match.end("text") + 1, f"unknown key {unknown[0]!r} of an entity", cure)
    return entries


def _annotation(match: re.Match[str], kind: str, start: int, end: int, value: str) -> Annotation:
    if not kind:
        raise MarkupFault(match.start(), f"[{match['text']}] names no entity", "write [the words](entity)")
    return Annotation(kind, start, end, value)
