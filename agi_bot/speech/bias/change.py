"""A heard sentence with some of its words replaced.  Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from agi_bot.contracts import Transcript, Word


@dataclass(frozen=True, slots=True)
class Change:
    """Characters ``start``..``end`` of the heard text, ``heard``, were taken for ``meant``."""

    start: int
    end: int
    heard: str
    meant: str


def changed(heard: Transcript, changes: Sequence[Change]) -> Transcript:
    """``heard`` with ``changes`` (apart from one another); its words keep their times."""
    text = heard.text
    for change in sorted(changes, key=lambda change: -change.start):
        text = text[: change.start] + change.meant + text[change.end :]
    return replace(heard, text=text, words=tuple(_words(heard, changes))) if changes else heard


def spans(heard: Transcript) -> Iterator[tuple[int, int, Word]]:
    """Where each word stands in the text; ends where a word cannot be found."""
    position = 0
    for word in heard.words:
        start = heard.text.find(word.text, position)
        if start < 0:
            return
        position = start + len(word.text)
        yield start, position, word


def _words(heard: Transcript, changes: Sequence[Change]) -> Iterator[Word]:
    """Words that a change touches become one."""
    open_change: Change | None = None
    for start, end, word in spans(heard):
        change = next((one for one in changes if one.start < end and start < one.end), None)
        if change is None:
            yield word
        elif change is not open_change:
            yield _merged(heard, change)
        open_change = change


def _merged(heard: Transcript, change: Change) -> Word:
    touched = [word for start, end, word in spans(heard) if change.start < end and start < change.end]
    sure = min(word.confidence for word in touched)
    return Word(change.meant, touched[0].start_ms, touched[-1].end_ms, sure)
