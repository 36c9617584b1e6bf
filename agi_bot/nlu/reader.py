"""One nlu.yml (Rasa 3 format) to examples, synonyms, patterns and lookups, each with its place.

Names are taken as they are written, so that ``intent: yes`` stays the word "yes"
although YAML 1.1 calls it a truth value.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

from agi_bot.nlu.faults import Fault, Spot, yaml_fault
from agi_bot.nlu.markup import Annotation, MarkupFault, parse
from agi_bot.nlu.patterns import pattern_fault

_KINDS = ("intent", "synonym", "regex", "lookup")
_ITEM_KEYS = (*_KINDS, "examples", "metadata")
_TOP_KEYS = ("version", "nlu")
_OTHER_PARTS = {"intents", "entities", "slots", "responses", "stories", "rules", "forms", "actions",
                "session_config", "language", "pipeline", "policies", "recipe", "assistant_id"}  # fmt: skip
_DEEPEST = 20


@dataclass(frozen=True, slots=True)
class Example:
    """One thing a caller may say for ``intent``; ``text`` is plain, without markup."""

    text: str
    intent: str
    entities: tuple[Annotation, ...]
    spot: Spot


@dataclass(slots=True)
class Contents:
    """What one file holds, and what is wrong with it."""

    examples: list[Example] = field(default_factory=list)
    synonyms: dict[str, str] = field(default_factory=dict)
    patterns: dict[str, list[str]] = field(default_factory=dict)
    lookups: dict[str, list[str]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


def read(text: str, file: str) -> Contents:
    """Everything in ``text``; faults are collected, not raised."""
    return _Reader(text, file).read()


class _Reader:
    def __init__(self, text: str, file: str) -> None:
        self._text = text
        self._lines = text.split("\n")
        self._file = file
        self._contents = Contents()

    def read(self) -> Contents:
        try:
            root = yaml.compose(self._text, Loader=yaml.SafeLoader)
        except yaml.YAMLError as error:
            self._contents.faults.append(yaml_fault(error, self._text, self._file))
            return self._contents
        except RecursionError:
            self._fault(Spot(self._file), "the file is nested too deeply", "write a plain list under nlu:")
            return self._contents
        if not isinstance(root, yaml.MappingNode):
            self._fault(Spot(self._file), "the file has no key nlu:", "begin with nlu: and a list of intents")
            return self._contents
        self._top(root)
        return self._contents

    def _top(self, root: yaml.MappingNode) -> None:
        entries = self._entries(root)
        for key, (spot, _) in entries.items():
            if key not in _TOP_KEYS and key not in _OTHER_PARTS:
                self._unknown(spot, key, _TOP_KEYS)
        if "nlu" not in entries:
            if not set(entries) & _OTHER_PARTS:
                self._fault(Spot(self._file), "the file has no key nlu:", "begin with nlu: and a list of intents")
            return
        items = entries["nlu"][1]
        if not isinstance(items, yaml.SequenceNode):
            self._fault(self._spot(items), "nlu: is not a list", "write - intent: NAME under nlu:")
            return
        for item in items.value:
            self._item(item)

    def _item(self, item: yaml.Node) -> None:
        if not isinstance(item, yaml.MappingNode):
            self._fault(self._spot(item), "this entry is not a mapping", "write - intent: NAME with examples: |")
            return
        entries = self._entries(item)
        for key, (spot, _) in entries.items():
            if key not in _ITEM_KEYS:
                self._unknown(spot, key, _ITEM_KEYS)
        kinds = [kind for kind in _KINDS if kind in entries]
        if len(kinds) != 1:
            cure = "each entry has one of intent, synonym, regex, lookup"
            self._fault(self._spot(item), f"this entry has {' and '.join(kinds) or 'no name'}", cure)
            return
        name = self._name(entries[kinds[0]][1], kinds[0])
        if not name:
            return
        if "examples" not in entries:
            self._fault(self._spot(item), f"{kinds[0]} {name} has no examples", "add examples: | and lines - ...")
            return
        self._take(kinds[0], name, list(self._examples(entries["examples"][1])))

    def _name(self, node: yaml.Node, kind: str) -> str:
        if not isinstance(node, yaml.ScalarNode) or not node.value.strip():
            self._fault(self._spot(node), f"{kind}: has no name", f"write {kind}: NAME")
            return ""
        name: str = node.value.strip()
        if kind == "intent" and (" " in name or name.startswith(("/", "_")) or name.endswith("/")):
            cure = "use letters, digits, _ and one / for a retrieval intent"
            self._fault(self._spot(node), f"{name!r} cannot be an intent's name", cure)
            return ""
        return name

    def _take(self, kind: str, name: str, lines: list[tuple[str, Spot]]) -> None:
        if not lines:
            return
        if kind == "intent":
            for line, spot in lines:
                self._example(name, line, spot)
        elif kind == "synonym":
            self._contents.synonyms.update({line: name for line, _ in lines})
        elif kind == "lookup":
            self._contents.lookups.setdefault(name, []).extend(line for line, _ in lines)
        else:
            for line, spot in lines:
                self._pattern(name, line, spot)

    def _pattern(self, name: str, written: str, spot: Spot) -> None:
        if found := pattern_fault(written):
            self._fault(spot, f"regex {name}: {found}", "write a simpler pattern, without repeats inside repeats")
            return
        self._contents.patterns.setdefault(name, []).append(written)

    def _example(self, intent: str, marked: str, spot: Spot) -> None:
        try:
            text, entities = parse(marked)
        except MarkupFault as fault:
            self._fault(Spot(spot.file, spot.line, spot.column + fault.offset), str(fault), fault.cure)
            return
        self._contents.examples.append(Example(text, intent, entities, spot))
        for entity in entities:
            words = text[entity.start : entity.end]
            if entity.value != words:
                self._contents.synonyms.setdefault(words, entity.value)

    def _examples(self, node: yaml.Node) -> Iterator[tuple[str, Spot]]:
        if isinstance(node, yaml.SequenceNode):
            for child in node.value:
                yield from self._listed(child)
        elif isinstance(node, yaml.ScalarNode):
            yield from self._block(node)
        else:
            self._fault(self._spot(node), "examples: is not text", "write examples: | and lines - ...")

    def _listed(self, node: yaml.Node) -> Iterator[tuple[str, Spot]]:
        """One entry of a YAML list of examples: plain text, or a mapping with ``text`` (Rasa's metadata form)."""
        if isinstance(node, yaml.MappingNode):
            node = self._entries(node).get("text", (None, node))[1]
        if not isinstance(node, yaml.ScalarNode):
            self._fault(self._spot(node), "this example is not text", "write one sentence a line")
            return
        lines = [line.strip() for line in node.value.split("\n") if line.strip()]
        for line in lines:
            yield line.removeprefix("- ").strip(), self._spot(node)

    def _block(self, node: yaml.ScalarNode) -> Iterator[tuple[str, Spot]]:
        if node.style != "|":
            cure = "write examples: | and one line - ... for each example"
            self._fault(self._spot(node), "examples: is not a block of lines", cure)
            return
        first = node.start_mark.line + 1
        for number, line in enumerate(node.value.split("\n"), first):
            raw = self._lines[number] if number < len(self._lines) else line
            spot = Spot(self._file, number + 1, len(raw) - len(raw.lstrip()) + 1)
            yield from self._dashed(line.strip(), spot)

    def _dashed(self, line: str, spot: Spot) -> Iterator[tuple[str, Spot]]:
        if not line or line.startswith("#"):
            return
        if not line.startswith("-"):
            self._fault(spot, f"the example {line[:40]!r} does not begin with a dash", "write - before each example")
            return
        text = line[1:].strip()
        if not text:
            self._fault(spot, "this example is empty", "write what a caller says, or delete the line")
            return
        yield text, Spot(spot.file, spot.line, spot.column + line.index(text, 1))

    def _entries(self, node: yaml.MappingNode) -> dict[str, tuple[Spot, yaml.Node]]:
        entries: dict[str, tuple[Spot, yaml.Node]] = {}
        for key, value in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else ""
            if name in entries:
                first = entries[name][0].line
                self._fault(self._spot(key), f"the key {name} is written twice (first in line {first})", "keep one")
            entries[name] = (self._spot(key), value)
        return entries

    def _unknown(self, spot: Spot, key: str, known: tuple[str, ...]) -> None:
        near = difflib.get_close_matches(key, known, 1)
        cure = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
        self._fault(spot, f"unknown key {key!r}", cure)

    def _spot(self, node: yaml.Node) -> Spot:
        return Spot(self._file, node.start_mark.line + 1, node.start_mark.column + 1)

    def _fault(self, spot: Spot, message: str, cure: str) -> None:
        self._contents.faults.append(Fault(spot, message, cure))
