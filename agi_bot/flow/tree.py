"""YAML text to a tree of nodes that know their place.

Read from PyYAML's events, so that duplicate keys, aliases, tags and depth are ours to
refuse with line and column.  Plain scalars follow the YAML 1.2 core schema: ``yes``,
``no``, ``on`` and ``off`` are text, only ``true`` and ``false`` are booleans; keys of
mappings are always text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from agi_bot.flow.problem import BrokenFlow, Problem, Spot
from agi_bot.written import syntax_slip

DEEPEST = 24
"""Nesting that a flow may have."""

MOST_VALUES = 150_000
"""Names and values that a flow may have: more would keep the program busy for minutes.

16,000 steps; read in 1 s (10 MB of nothing but `a: 1` would take 40 s).
"""

Plain = str | int | float | bool | None | list["Plain"] | dict[str, "Plain"]
Path = tuple[str | int, ...]

_INTEGER = re.compile(r"[-+]?[0-9]{1,18}\Z")
_FLOAT = re.compile(r"[-+]?[0-9]{1,18}\.[0-9]{1,18}\Z")
_CONSTANTS: dict[str, bool | None] = {"": None, "~": None, "null": None, "true": True, "false": False}


@dataclass(slots=True)
class Node:
    """A scalar, a list (``items``) or a mapping (``pairs``, with the place of each key)."""

    spot: Spot
    scalar: str | int | float | bool | None = None
    items: list[Node] | None = None
    pairs: dict[str, tuple[Spot, Node]] | None = None
    source: str = ""

    def plain(self) -> Plain:
        """The value without places."""
        if self.items is not None:
            return [item.plain() for item in self.items]
        if self.pairs is not None:
            return {key: node.plain() for key, (_, node) in self.pairs.items()}
        return self.scalar

    def child(self, key: str | int) -> Node | None:
        """The node below ``key``, or ``None``."""
        if self.pairs is not None and str(key) in self.pairs:
            return self.pairs[str(key)][1]
        if self.items is not None and isinstance(key, int) and key < len(self.items):
            return self.items[key]
        return None

    def find(self, path: Path) -> Node:
        """The node at ``path``, or the deepest one on the way to it.

        ``path`` is one of the full form: an index into what is written without a list, and
        ``texts`` of a wording, are passed over.
        """
        node = self
        for key in path:
            below = node.child(key)
            if below is not None:
                node = below
            elif not (key == "texts" or (isinstance(key, int) and node.items is None)):
                break
        return node

    def key_spot(self, path: Path) -> Spot:
        """Where the key (or list item) that ``path`` names is written."""
        parent = self.find(path[:-1])
        if path and parent.pairs is not None and str(path[-1]) in parent.pairs:
            return parent.pairs[str(path[-1])][0]
        return self.find(path).spot


def parse(text: str, file: str) -> Node:
    """The document in ``text``.  Raises :class:`BrokenFlow`."""
    try:
        return _Builder(file).build(text)
    except yaml.YAMLError as error:
        raise BrokenFlow([_syntax(error, text, file)]) from None


class _Builder:
    """Turns PyYAML's events into nodes and collects what is refused."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self.values = 0

    def build(self, text: str) -> Node:
        events = iter(yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
        root: Node | None = None
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    self.refuse(self.spot(event), "yaml-syntax", "a second document begins here", "one file, one flow")
                    break
                root = self.node(next(events), events, 0)
        if self.problems:
            raise BrokenFlow(self.problems)
        return root or Node(Spot(self.file))

    def node(self, event: Any, events: Iterator[Any], depth: int) -> Node:
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event)
        self.check_event(event, depth)
        if isinstance(event, yaml.ScalarEvent):
            return Node(self.spot(event), scalar=_scalar(event), source=event.value)
        if isinstance(event, yaml.SequenceStartEvent):
            return self.sequence(event, events, depth + 1)
        return self.mapping(event, events, depth + 1)

    def sequence(self, start: Any, events: Iterator[Any], depth: int) -> Node:
        items = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            items.append(self.node(event, events, depth))
        return Node(self.spot(start), items=items)

    def mapping(self, start: Any, events: Iterator[Any], depth: int) -> Node:
        pairs: dict[str, tuple[Spot, Node]] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            key = self.key(event, events, depth)
            value = self.node(next(events), events, depth)
            self.add(pairs, key, value)
        return Node(self.spot(start), pairs=pairs)

    def key(self, event: Any, events: Iterator[Any], depth: int) -> Node:
        node = self.node(event, events, depth)
        if node.items is not None or node.pairs is not None:
            message = "a list or a mapping stands where a name is expected"
            self.refuse(node.spot, "yaml-syntax", message, "write `name: value`; text with { or [ needs quotes")
        return node

    def add(self, pairs: dict[str, tuple[Spot, Node]], key: Node, value: Node) -> None:
        if key.source in pairs:
            first = pairs[key.source][0]
            message = f"`{key.source}` is written twice, first in line {first.line}"
            self.refuse(key.spot, "duplicate-key", message, "rename or remove one of them", key.source)
            return
        pairs[key.source] = (key.spot, value)

    def alias(self, event: Any) -> Node:
        message = f"the alias *{event.anchor} is not allowed"
        cure = "write the text again, or put * in quotes if it is meant as text"
        self.refuse(self.spot(event), "alias", message, cure, f"*{event.anchor}")
        return Node(self.spot(event))

    def check_event(self, event: Any, depth: int) -> None:
        if depth > DEEPEST:
            problem = Problem.at(
                self.spot(event), "too-deep", f"nested deeper than {DEEPEST} levels", "use steps and names instead"
            )
            raise BrokenFlow([problem])
        self.values += 1
        if self.values > MOST_VALUES:
            message = f"the flow has more than {MOST_VALUES:,} names and values"
            cure = "split it into sub-flows (key `flow:` of a step)"
            raise BrokenFlow([Problem.at(self.spot(event), "too-large", message, cure)])
        if event.anchor:
            message = f"the anchor &{event.anchor} is not allowed"
            self.refuse(self.spot(event), "alias", message, "remove it; put & in quotes if it is meant as text")
        if event.tag not in (None, "!"):
            message = f"the YAML tag {event.tag} is not allowed"
            self.refuse(self.spot(event), "yaml-tag", message, "remove it; put ! in quotes if it is meant as text")

    def refuse(self, spot: Spot, rule: str, message: str, cure: str, text: str = "") -> None:
        self.problems.append(Problem.at(spot, rule, message, cure, text=text))

    def spot(self, event: Any) -> Spot:
        return Spot(self.file, event.start_mark.line + 1, event.start_mark.column + 1)


def _scalar(event: Any) -> str | int | float | bool | None:
    text: str = event.value
    if not event.implicit[0]:
        return text
    if text.lower() in _CONSTANTS and text in (text.lower(), text.capitalize(), text.upper()):
        return _CONSTANTS[text.lower()]
    if _INTEGER.match(text) and not _has_leading_zero(text):
        return int(text)
    return float(text) if _FLOAT.match(text) else text


def _has_leading_zero(text: str) -> bool:
    digits = text.lstrip("+-")
    return len(digits) > 1 and digits[0] == "0"


def _syntax(error: yaml.YAMLError, text: str, file: str) -> Problem:
    slip = syntax_slip(error, text)
    lines = text.split("\n")
    line = lines[slip.line - 1].strip() if slip.line <= len(lines) else ""
    return Problem.at(Spot(file, slip.line, slip.column), "yaml-syntax", slip.message, slip.cure, text=line)
