"""Training data of the interpreters: Rasa's nlu.yml files and lists of background speech, read together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agi_bot.nlu.faults import BrokenData, Fault, Spot
from agi_bot.nlu.files import read_text
from agi_bot.nlu.normal import tidy
from agi_bot.nlu.reader import Contents, Example, read


@dataclass(frozen=True, slots=True)
class NluData:
    """Examples in the order of the files; what a caller may say, and what it means.

    ``synonyms`` maps words to the value they stand for, ``patterns`` and ``lookups`` map an
    entity to its regular expressions and to its words, ``background`` is speech that
    belongs to no intent.
    """

    all_examples: tuple[Example, ...] = ()
    synonyms: Mapping[str, str] = field(default_factory=dict)
    patterns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    lookups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    background: tuple[str, ...] = ()

    @classmethod
    def load(cls, paths: Sequence[Path | str]) -> NluData:
        """Read nlu.yml files and, where the name ends in ``.txt``, background speech.

        Raises :class:`~agi_bot.nlu.faults.BrokenData` with every fault of every file.
        """
        files = [Path(path) for path in paths]
        contents = [read(read_text(file), str(file)) for file in files if file.suffix != ".txt"]
        background = [line for file in files if file.suffix == ".txt" for line in _lines(read_text(file))]
        return _joined(contents, background)

    @classmethod
    def parse(cls, text: str, file: str = "nlu.yml") -> NluData:
        """Read the ``text`` of one nlu.yml.  Raises :class:`~agi_bot.nlu.faults.BrokenData`."""
        return _joined([read(text, file)], [])

    @property
    def intents(self) -> tuple[str, ...]:
        """Names of all intents, each once, in the order of the files."""
        return tuple(dict.fromkeys(example.intent for example in self.all_examples))

    @property
    def entities(self) -> tuple[str, ...]:
        """Names of all entities that are annotated, matched by a pattern or looked up."""
        annotated = (entity.kind for example in self.all_examples for entity in example.entities)
        return tuple(dict.fromkeys([*annotated, *self.patterns, *self.lookups]))

    def examples(self, intent: str) -> tuple[Example, ...]:
        """The examples of ``intent``; of all ``intent/...`` where it names a group."""
        return tuple(e for e in self.all_examples if e.intent == intent or e.intent.startswith(f"{intent}/"))

    def phrases(self, intents: Iterable[str], limit: int = 200) -> tuple[str, ...]:
        """What callers say for ``intents``, shortest first: hints for a recogniser."""
        texts = dict.fromkeys(tidy(e.text).text for intent in intents for e in self.examples(intent))
        return tuple(sorted(texts, key=len)[:limit])


def _lines(text: str) -> list[str]:
    stripped = (line.strip() for line in text.split("\n"))
    return [line for line in stripped if line and not line.startswith("#")]


def _joined(contents: Sequence[Contents], background: Sequence[str]) -> NluData:
    if faults := [fault for content in contents for fault in content.faults]:
        raise BrokenData(faults)
    examples = tuple(example for content in contents for example in content.examples)
    if faults := _contradictions(examples):
        raise BrokenData(faults)
    return NluData(
        examples,
        {words: value for content in contents for words, value in content.synonyms.items()},
        _merged([content.patterns for content in contents]),
        _merged([content.lookups for content in contents]),
        tuple(dict.fromkeys(background)),
    )


def _merged(tables: Sequence[Mapping[str, list[str]]]) -> dict[str, tuple[str, ...]]:
    merged: dict[str, list[str]] = {}
    for table in tables:
        for name, entries in table.items():
            merged.setdefault(name, []).extend(entries)
    return {name: tuple(dict.fromkeys(entries)) for name, entries in merged.items()}


def _contradictions(examples: Sequence[Example]) -> list[Fault]:
    seen: dict[str, Example] = {}
    faults = []
    for example in examples:
        first = seen.setdefault(tidy(example.text).text, example)
        if first.intent != example.intent:
            message = f"{example.text!r} stands under {example.intent} and under {first.intent} ({first.spot})"
            faults.append(Fault(example.spot, message, "keep it under one intent"))
    return faults


def data_files(folder: Path, language: str) -> list[Path]:
    """The data of ``language`` in ``folder``: ``nlu.zh-CN.yml``, else ``nlu.zh.yml``; same for background."""
    names = [language, language.split("-")[0]]
    found = []
    for stem, suffix in (("nlu", "yml"), ("background", "txt")):
        candidates = (folder / f"{stem}.{name}.{suffix}" for name in names)
        found += [path for path in candidates if path.is_file()][:1]
    return found


__all__ = ["BrokenData", "Example", "Fault", "NluData", "Spot", "data_files"]
