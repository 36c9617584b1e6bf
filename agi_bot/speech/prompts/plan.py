"""How a prompt is cut into units that are rendered and kept on their own.  Pure.

A sentence without anything variable is one unit.  A sentence with variable parts is cut
at its commas, where a speaker pauses anyway: what is fixed between two commas can be
rendered beforehand, what is variable is rendered with its whole clause, so that no joint
falls inside a phrase.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Protocol

from agi_bot.errors import SpeechError
from agi_bot.speech.text import clause_spans, pause_after, prepared, sayable, sentence_spans


class PartLike(Protocol):
    """A piece of a prompt, as a flow's dialogue gives it out."""

    @property
    def text(self) -> str:
        """The words."""

    @property
    def fixed(self) -> bool:
        """The same in every call."""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a prompt; ``fixed`` text is the same in every call."""

    text: str
    fixed: bool = True


@dataclass(frozen=True, slots=True)
class Unit:
    """What is rendered at one go: words, whether they are the same in every call, the pause after them."""

    text: str
    fixed: bool
    pause_ms: int


Prompt = str | Sequence[PartLike]
"""A text, or its fixed and variable parts."""


def units(prompt: Prompt, language: str) -> list[Unit]:
    """The units of ``prompt`` in order; the last one has no pause.

    A plain text counts as variable.  Raises :class:`SpeechError` as
    :func:`~agi_bot.speech.text.prepared` does.
    """
    parts = [Part(prompt, fixed=False)] if isinstance(prompt, str) else list(prompt)
    text = "".join(part.text for part in parts)
    prepared(text, language)
    variable = _variable(parts)
    made = [
        Unit(prepared(raw, language), fixed, pause_after(raw))
        for start, end in sentence_spans(text)
        for raw, fixed in _clauses(text, start, end, variable)
        if sayable(raw)
    ]
    if not made:
        raise SpeechError(f"there is nothing to speak in {text[:40]!r}")
    return [*made[:-1], Unit(made[-1].text, made[-1].fixed, 0)]


def _variable(parts: Sequence[PartLike]) -> list[bool]:
    """For each character of the prompt whether it may differ in the next call."""
    return [not part.fixed for part in parts for _ in part.text]


def _clauses(text: str, start: int, end: int, variable: list[bool]) -> Iterator[tuple[str, bool]]:
    """The sentence ``text[start:end]``, cut where its clauses change between fixed and variable."""
    if all(variable[start:end]):
        yield text[start:end], False
        return
    spans = [(start + a, start + b) for a, b in clause_spans(text[start:end])]
    for fixed, run in groupby(spans, lambda span: not any(variable[span[0] : span[1]])):
        group = list(run)
        yield text[group[0][0] : group[-1][1]], fixed
