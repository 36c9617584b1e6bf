"""Values in the caller's words, looked for only where the step wants a slot."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from agi_bot.contracts import Context, Entity
from agi_bot.nlu.data import NluData
from agi_bot.nlu.entities import KINDS, finder
from agi_bot.nlu.normal import Tidy, is_han, tidy


class EntityFinder:
    """Finds the kinds that a step wants: by grammar, or by the data's patterns, lookups and synonyms."""

    def __init__(self, data: NluData, language: str) -> None:
        self._find = finder(language)
        self._patterns = {kind: [re.compile(p, re.IGNORECASE) for p in ps] for kind, ps in data.patterns.items()}
        self._words = _words(data)
        self._synonyms = {tidy(words).text: value for words, value in data.synonyms.items()}

    def find(self, text: str, context: Context) -> tuple[Entity, ...]:
        """Entities for the slots of ``context.wanted``: as many of a kind as there are slots for it, the last ones.

        Of ``digits`` all: the dialogue knows how many a code has.
        """
        plain = tidy(text)
        if not plain.text:
            return ()
        slots = Counter(context.wanted.values())
        return tuple(e for kind, count in slots.items() for e in self._of_kind(kind, count, text, plain, context))

    def _of_kind(self, kind: str, slots: int, text: str, plain: Tidy, context: Context) -> Iterator[Entity]:
        if kind == "text":
            start, words = len(text) - len(text.lstrip()), text.strip()
            yield Entity("text", words, words, start, start + len(words))
        elif kind in self._patterns or kind in self._words:
            yield from self._from_data(kind, text, plain)
        elif kind in KINDS:
            found_all = self._find(plain.text, kind, context.now, _tidied(context.before))
            for found in found_all if kind == "digits" else found_all[-slots:]:
                start, end = plain.original(found.start, found.end)
                yield Entity(found.kind, found.value, text[start:end], start, end)

    def _from_data(self, kind: str, text: str, plain: Tidy) -> Iterator[Entity]:
        spans = [match.span() for pattern in self._patterns.get(kind, ()) for match in pattern.finditer(plain.text)]
        if kind in self._words:
            spans += [match.span() for match in self._words[kind].finditer(plain.text)]
        for first, last in _apart(spans):
            start, end = plain.original(first, last)
            words = plain.text[first:last]
            yield Entity(kind, self._synonyms.get(words, words), text[start:end], start, end)


def _tidied(before: Sequence[str]) -> tuple[str, ...]:
    return tuple(tidy(words).text for words in before)


def _apart(spans: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Spans that do not overlap, longest first where they do."""
    taken = 0
    for start, end in sorted(set(spans), key=lambda span: (span[0], -span[1])):
        if start >= taken and end > start:
            taken = end
            yield start, end


def _words(data: NluData) -> Mapping[str, re.Pattern[str]]:
    """One pattern for each entity that has words: its lookup, its annotated examples and their synonyms."""
    words: dict[str, set[str]] = {kind: set(entries) for kind, entries in data.lookups.items()}
    for example in data.all_examples:
        for entity in example.entities:
            if entity.kind not in KINDS:
                words.setdefault(entity.kind, set()).add(example.text[entity.start : entity.end])
    for variant, value in data.synonyms.items():
        for entries in words.values():
            if value in entries:
                entries.add(variant)
    return {kind: _any_of(entries) for kind, entries in words.items()}


def _any_of(entries: set[str]) -> re.Pattern[str]:
    plain = sorted({tidy(entry).text for entry in entries} - {""}, key=len, reverse=True)
    return re.compile("|".join(_bounded(entry) for entry in plain) or r"(?!)")


def _bounded(entry: str) -> str:
    """Latin words must not match inside longer ones; Chinese has no such bounds."""
    before = "" if is_han(entry[0]) else r"(?<![a-z0-9])"
    after = "" if is_han(entry[-1]) else r"(?![a-z0-9])"
    return f"{before}{re.escape(entry)}{after}"
