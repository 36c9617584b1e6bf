"""agi-bot.yml as a document: its text, its tree with places, and what keeps it from being one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from agi_bot.errors import ConfigError, ConfigErrors
from agi_bot.written import Slip, all_slips, encoding_slip, indent_slips, slip_near, syntax_slip

Location = tuple[int | str, ...]
_FORM = "agi-bot config shows the form"


@dataclass(frozen=True, slots=True)
class Place:
    """Line and column, from 1, of what stands at a :data:`Location`; ``node`` is its value, where there is one."""

    line: int
    column: int
    node: yaml.Node | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A file that was read: ``root`` is ``None`` for an empty one."""

    file: Path
    text: str = ""
    root: yaml.MappingNode | None = None
    data: dict[str, Any] = field(default_factory=dict)

    def find(self, loc: Location) -> Place | None:
        """Where the key or item ``loc`` stands; the nearest parent that the file has."""
        node: yaml.Node | None = self.root
        place = None
        for part in loc:
            if isinstance(node, yaml.MappingNode):
                pair = next(((key, value) for key, value in node.value if key.value == str(part)), None)
                if pair is None:
                    return place
                place, node = _place(pair[0], pair[1]), pair[1]
            elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
                node = node.value[part]
                place = _place(node, node)
        return place

    def slip(self, place: Place) -> Slip | None:
        """The slip of the keyboard that made plain text of what should have been ``name: value`` at ``place``."""
        if not isinstance(place.node, yaml.ScalarNode) or not place.node.value:
            return None
        first = place.node.start_mark.line + 1
        found = slip_near(self.text.split("\n")[:first], first)
        return found if found and found.line >= place.line else None


def _place(at: yaml.Node, node: yaml.Node) -> Place:
    return Place(at.start_mark.line + 1, at.start_mark.column + 1, node)


def read(file: Path) -> Document:
    """``file`` as a document.  Raises :class:`~agi_bot.errors.ConfigError` with places and cures."""
    text = _text(file)
    _refuse(file, list(indent_slips(text)))
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError) as error:
        raise _unread(file, text, error) from error
    if root is None:
        return Document(file)
    if not isinstance(root, yaml.MappingNode):
        slip = slip_near(text.split("\n"), root.start_mark.line + 1) or Slip(1, 1, "not a list of sections", _FORM)
        raise _error(file, slip)
    _refuse(file, list(_twice(root)))
    return Document(file, text, root, _data(file, text, root))


def _data(file: Path, text: str, root: yaml.MappingNode) -> dict[str, Any]:
    try:
        return dict(yaml.SafeLoader("").construct_document(root))
    except yaml.YAMLError as error:
        raise _unread(file, text, error) from error
    except ValueError as error:
        raise ConfigError(f"{file}: not a value of YAML: {error}", cure="put dates and times in quotes") from error


def _text(file: Path) -> str:
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}", cure="agi-bot config > agi-bot.yml writes one") from error
    if slip := encoding_slip(raw):
        raise _error(file, slip)
    return raw.decode("utf-8-sig")


def _unread(file: Path, text: str, error: yaml.YAMLError | RecursionError) -> ConfigError:
    if isinstance(error, RecursionError):
        return ConfigError(f"{file}: nested too deeply", cure=_FORM)
    told = syntax_slip(error, text)
    others = [slip for slip in all_slips(text.split("\n")) if slip.line != told.line]
    return all_of([_error(file, slip) for slip in sorted([told, *others], key=lambda slip: slip.line)])


def _twice(node: yaml.Node) -> Iterator[Slip]:
    """Names that are written twice in one section: YAML would silently keep the last."""
    first: dict[str, int] = {}
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        line, name = key.start_mark.line + 1, str(key.value)
        if name in first:
            said = f"'{name}' is written twice, first in line {first[name]}"
            yield Slip(line, key.start_mark.column + 1, said, "keep one of them, with the options of both")
        first.setdefault(name, line)
        yield from _twice(value)


def _error(file: Path, slip: Slip) -> ConfigError:
    return ConfigError(f"{file}:{slip.line}:{slip.column}: {slip.message}", cure=slip.cure)


def _refuse(file: Path, slips: Sequence[Slip]) -> None:
    if slips:
        raise all_of([_error(file, slip) for slip in slips[:20]])


def all_of(errors: Sequence[ConfigError]) -> ConfigError:
    """One error for ``errors``, of which there is at least one."""
    return errors[0] if len(errors) == 1 else ConfigErrors(errors)
