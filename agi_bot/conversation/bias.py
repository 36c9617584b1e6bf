"""What a step expects, for the ear; and what was heard, in the words of the business."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from agi_bot.contracts import Hints, Transcript
from agi_bot.flow.events import Listen
from agi_bot.speech.bias import Change, Lexicon, changed, digit_changes

MOST_PHRASES = 400
"""Phrases that a step is held against at most: a grammar of more takes longer to make than to use."""

_LEXICONS = 64


def _nothing_known(intents: Sequence[str]) -> tuple[str, ...]:
    return ()


class Bias:
    """For one flow: its language, the words of its business, and its training data.

    ``known``: sentences that are understood as they stand.  ``phrases``: what is said for given intents.
    ``anywhere``: intents that are heard at every step.
    """

    def __init__(
        self,
        language: str = "",
        words: Iterable[str] = (),
        *,
        known: Iterable[str] = (),
        phrases: Callable[[Sequence[str]], tuple[str, ...]] = _nothing_known,
        anywhere: Iterable[str] = (),
    ) -> None:
        self._language = language
        self._words = tuple(words)
        self._known = frozenset(known)
        self._phrases = phrases
        self._anywhere = tuple(anywhere)
        self._examples: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._lexicons: dict[tuple[str, ...], Lexicon] = {}

    def hints(self, asks: Listen) -> Hints:
        """What the recogniser may expect."""
        if not asks.closed:
            return Hints(asks.hints, digits=asks.digits)
        said = self._said(asks.expected)
        return Hints(
            tuple(dict.fromkeys([*asks.hints, *said]))[:MOST_PHRASES], closed=bool(asks.expected or asks.hints)
        )

    def understood_as(self, heard: Transcript, asks: Listen) -> tuple[Transcript, tuple[Change, ...]]:
        """``heard`` with digits and words of the business for what sounds like them, and what was changed."""
        if not self._language or not heard.text:
            return heard, ()
        changes = digit_changes(heard.text, self._language, asks.digits) if asks.spelled else ()
        changes = changes or self._lexicon(asks.hints).changes(heard)
        return changed(heard, changes), changes

    def _said(self, expected: tuple[str, ...]) -> tuple[str, ...]:
        if expected not in self._examples:
            self._examples[expected] = self._phrases((*expected, *self._anywhere))
        return self._examples[expected]

    def _lexicon(self, hints: tuple[str, ...]) -> Lexicon:
        if hints not in self._lexicons:
            if len(self._lexicons) >= _LEXICONS:
                self._lexicons.clear()
            self._lexicons[hints] = Lexicon(self._language, (*self._words, *hints), self._known)
        return self._lexicons[hints]
