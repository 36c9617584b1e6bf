"""How a prompt is cut into units that are rendered and kept on their own.  Pure.

A sentence without anything variable is one unit.  A sentence with variable parts is cut
at its commas, where a speaker pauses anyway: what is fixed between two commas can be
rendered beforehand, what is variable is rendered with its whole clause, so that no joint
falls inside a phrase.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Protocol

from agi_bot.speech.text import check, clause_spans, clean, pause_after, prepared, sayable, sentence_spans


class PartLike(Protocol):
    """A piece of a prompt, as a flow's dialogue gives it out."""

    @property
    def text(self) -> str:
        """The words."""

    @property
    def fixed(self) -> bool:
        """The same in every call."""

    @property
    def protected(self) -> bool:
        """Never cut by the caller."""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a prompt; ``fixed`` text is the same in every call, ``protected`` text is never cut."""

    text: str
    fixed: bool = True
    protected: bool = False


@dataclass(frozen=True, slots=True)
class Unit:
    """What is rendered at one go: words, and the pause after them.

    ``fixed``: the same in every call.  ``protected``: holds words that the caller must not cut.
    """

    text: str
    fixed: bool
    pause_ms: int
    protected: bool = False


Prompt = str | Sequence[PartLike]
"""A text, or its fixed and variable parts."""


def units(prompt: Prompt, language: str) -> list[Unit]:
    """The units of ``prompt`` in order; the last one has no pause.

    A plain text counts as variable.  Raises :class:`SpeechError` as
    :func:`~agi_bot.speech.text.prepared` does.
    """
    parts = [Part(prompt, fixed=False)] if isinstance(prompt, str) else list(prompt)
    text = "".join(part.text for part in parts)
    check(text)
    marks = [(part.fixed, part.protected) for part in parts for _ in part.text]
    made = [
        Unit(prepared(raw, language), fixed, pause_after(raw), protected)
        for start, end in sentence_spans(text)
        for raw, fixed, protected in _clauses(text, start, end, marks)
        if sayable(clean(raw))
    ]
    return [*made[:-1], replace(made[-1], pause_ms=0)]


_Marks = list[tuple[bool, bool]]
"""For each character: fixed, protected."""


def _clauses(text: str, start: int, end: int, marks: _Marks) -> Iterator[tuple[str, bool, bool]]:
    """The sentence ``text[start:end]``, cut where its clauses change their nature."""
    if len(set(marks[start:end])) == 1:
        yield text[start:end], *marks[start]
        return
    spans = [(start + a, start + b) for a, b in clause_spans(text[start:end])]
    for nature, run in groupby(spans, lambda span: _nature(text, span, marks)):
        group = list(run)
        yield text[group[0][0] : group[-1][1]], *nature


def _nature(text: str, span: tuple[int, int], marks: _Marks) -> tuple[bool, bool]:
    """A clause is fixed when all of it is, protected when a word of it is."""
    start, end = span
    fixed = all(mark[0] for mark in marks[start:end])
    protected = any(mark[1] for char, mark in zip(text[start:end], marks[start:end], strict=True) if char.isalnum())
    return fixed, protected
