"""Knowledge files: questions and their answers, in YAML or CSV.

YAML::

    answers:
    - id: fasting
      questions: [需要空腹吗, 可以吃早饭吗]
      answer: 请空腹前来。           # or answers: several wordings
      follow_ups:
      - questions: [那喝水呢]
        answer: 可以喝少量白开水。

CSV with a head line: ``question,answer`` and, where wanted, ``id``, ``also`` (more wordings
of the question, separated by ``|``) and ``follows`` (the id of the entry it follows).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from agi_bot.nlu.faults import BrokenData, Fault, Spot, yaml_fault
from agi_bot.nlu.files import read_text

_KEYS = frozenset({"id", "questions", "question", "answer", "answers", "follow_ups"})
_COLUMNS = frozenset({"id", "question", "answer", "also", "follows"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing the bot knows.  ``follows`` is the id of the entry it belongs under; empty: none."""

    id: str
    questions: tuple[str, ...]
    answers: tuple[str, ...]
    follows: str
    spot: Spot


def read_knowledge(path: Path) -> list[Entry]:
    """The entries of a ``.yml`` or ``.csv`` file.  Raises :class:`~agi_bot.nlu.faults.BrokenData`."""
    text = read_text(path)
    reader = _Csv(str(path)) if path.suffix.lower() == ".csv" else _Yaml(str(path))
    entries = list(reader.read(text))
    faults = [*reader.faults, *_twice(entries), *_lost(entries)]
    if not entries and not faults:
        faults.append(Fault(Spot(str(path)), "the file answers nothing", "write answers: with questions and answer"))
    if faults:
        raise BrokenData(faults)
    return entries


def _twice(entries: list[Entry]) -> Iterator[Fault]:
    seen: dict[str, Entry] = {}
    for entry in entries:
        if (first := seen.setdefault(entry.id, entry)) is not entry:
            yield Fault(entry.spot, f"the id {entry.id} is already used in line {first.spot.line}", "give another id")


def _lost(entries: list[Entry]) -> Iterator[Fault]:
    known = {entry.id for entry in entries}
    for entry in entries:
        if entry.follows and entry.follows not in known:
            yield Fault(entry.spot, f"{entry.id} follows {entry.follows}, which is no entry", "name an entry's id")


class _Reader:
    def __init__(self, file: str) -> None:
        self.file = file
        self.faults: list[Fault] = []

    def _entry(self, spot: Spot, name: str, questions: list[str], answers: list[str], follows: str) -> Iterator[Entry]:
        if not questions:
            self.faults.append(Fault(spot, "this entry has no question", "write questions: [...]"))
        elif not answers:
            self.faults.append(Fault(spot, f"the question {questions[0]!r} has no answer", "write answer: ..."))
        else:
            yield Entry(name or questions[0], tuple(questions), tuple(answers), follows, spot)


class _Csv(_Reader):
    def read(self, text: str) -> Iterator[Entry]:
        rows = csv.DictReader(io.StringIO(text))
        columns = {(name or "").strip() for name in rows.fieldnames or ()}
        if unknown := sorted(columns - _COLUMNS):
            cure = f"columns are {', '.join(sorted(_COLUMNS))}"
            self.faults.append(Fault(Spot(self.file), f"unknown column {unknown[0]!r}", cure))
            return
        for row in rows:
            cells = {(key or "").strip(): (value or "").strip() for key, value in row.items() if isinstance(value, str)}
            questions = [cells.get("question", ""), *cells.get("also", "").split("|")]
            spot = Spot(self.file, rows.line_num)
            given = [question.strip() for question in questions if question.strip()]
            answers = [cells["answer"]] if cells.get("answer") else []
            yield from self._entry(spot, cells.get("id", ""), given, answers, cells.get("follows", ""))


class _Yaml(_Reader):
    def read(self, text: str) -> Iterator[Entry]:
        try:
            root = yaml.compose(text, Loader=yaml.SafeLoader)
        except (yaml.YAMLError, RecursionError) as error:
            self.faults.append(yaml_fault(error, text, self.file))
            return
        top = self._mapping(root) if isinstance(root, yaml.MappingNode) else {}
        entries = root if isinstance(root, yaml.SequenceNode) else top.get("answers")
        if entries is not None:
            yield from self._listed(entries, "")

    def _listed(self, node: yaml.Node, follows: str) -> Iterator[Entry]:
        if not isinstance(node, yaml.SequenceNode):
            self.faults.append(Fault(self._spot(node), "this is not a list of answers", "begin each entry with a dash"))
            return
        for child in node.value:
            yield from self._one(child, follows)

    def _one(self, node: yaml.Node, follows: str) -> Iterator[Entry]:
        if not isinstance(node, yaml.MappingNode):
            self.faults.append(Fault(self._spot(node), "this entry is not a mapping", "write questions: and answer:"))
            return
        parts = self._mapping(node)
        for key in set(parts) - _KEYS:
            cure = f"keys are {', '.join(sorted(_KEYS))}"
            self.faults.append(Fault(self._spot(parts[key]), f"unknown key {key!r}", cure))
        questions = [*self._texts(parts, "question"), *self._texts(parts, "questions")]
        answers = [*self._texts(parts, "answer"), *self._texts(parts, "answers")]
        name = "".join(self._texts(parts, "id"))
        for entry in self._entry(self._spot(node), name, questions, answers, follows):
            yield entry
            if "follow_ups" in parts:
                yield from self._listed(parts["follow_ups"], entry.id)

    def _texts(self, parts: dict[str, yaml.Node], key: str) -> list[str]:
        node = parts.get(key)
        listed = node.value if isinstance(node, yaml.SequenceNode) else [node] if node else []
        for child in listed:
            if not isinstance(child, yaml.ScalarNode):
                self.faults.append(Fault(self._spot(child), f"{key}: is not text", "write one sentence"))
                return []
        return [child.value.strip() for child in listed if child.value.strip()]

    def _mapping(self, node: yaml.MappingNode) -> dict[str, yaml.Node]:
        return {str(key.value): value for key, value in node.value}

    def _spot(self, node: yaml.Node) -> Spot:
        return Spot(self.file, node.start_mark.line + 1, node.start_mark.column + 1)
