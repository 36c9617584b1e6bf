"""Faults found while a flow is read into its written form: unknown keys, wrong types, bad values."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from agi_bot.flow.limits import TurnLimits
from agi_bot.flow.parts import HookCall, Slot, TaskField, Way
from agi_bot.flow.problem import BrokenFlow, Problem, Spot
from agi_bot.flow.script import Limits, Script, Step
from agi_bot.flow.tree import Node, Path
from agi_bot.flow.values import KINDS

ModelsAt = Callable[[Path], Sequence[type[BaseModel]]]
_Read = TypeVar("_Read")

_SCRIPT = TypeAdapter(Script)
_PLACES: Mapping[str, tuple[type[BaseModel], ...]] = {
    "task": (TaskField,),
    "limits": (Limits,),
    "turns": (TurnLimits,),
    "collect": (Slot,),
    "call": (HookCall,),
}


def read_script(tree: Node, file: str) -> Script:
    """The written form of ``tree``.  Raises :class:`BrokenFlow` with every fault."""
    if tree.pairs is None:
        cure = "begin with `flow: name`"
        message = "the file is empty" if tree.scalar is None else "the file is not a flow"
        if tree.items is not None:
            message = "the file is a list, not a flow"
            cure += "; if these are dialogue tests: they lie in `tests/FLOW.yaml` beside the flow"
        raise BrokenFlow([Problem.at(Spot(file), "not-a-flow", message, cure)])
    return read_as(_SCRIPT, tree, _models)


def read_as(adapter: TypeAdapter[_Read], tree: Node, models: ModelsAt) -> _Read:
    """The tree as what ``adapter`` describes; ``models`` tells what may stand at a path, for suggestions.

    Raises :class:`BrokenFlow` with every fault.
    """
    empty = list(_empty(tree))
    try:
        read = adapter.validate_python(tree.plain())
    except ValidationError as error:
        told = {problem.line for problem in empty}
        faults = [_problem(fault, tree, models) for fault in _causes(error.errors(include_url=False))]
        raise BrokenFlow([*empty, *(fault for fault in faults if fault.line not in told)]) from None
    if empty:
        raise BrokenFlow(empty)
    return read


def _causes(faults: Sequence[Any]) -> Iterator[Any]:
    """Without the lists that are only short because what stands in them is wrong."""
    for fault in faults:
        inner = (other["loc"] for other in faults if other is not fault)
        if fault["type"] != "too_short" or not any(loc[: len(fault["loc"])] == fault["loc"] for loc in inner):
            yield fault


def _empty(node: Node) -> Iterator[Problem]:
    """Names with nothing behind them: the author was interrupted, or indented the next line wrongly."""
    for item in node.items or ():
        yield from _empty(item)
    for name, (spot, value) in (node.pairs or {}).items():
        if value.scalar is None and not value.source and value.items is None and value.pairs is None:
            yield _wide_colon(name, spot) or _nothing_behind(name, spot)
        yield from _empty(value)


def _nothing_behind(name: str, spot: Spot) -> Problem:
    cure = "write its value behind the colon or indented below it, or remove the line"
    return Problem.at(spot, "bad-value", f"`{name}` is empty", cure, text=f"{name}:")


def _wide_colon(name: str, spot: Spot) -> Problem | None:
    """Inside of braces ``{1：bye}`` is a name with nothing behind it."""
    key, colon, _ = name.partition("：")
    if not colon:
        return None
    place = Spot(spot.file, spot.line, spot.column + len(key))
    return Problem.at(
        place, "bad-value", "a full-width colon ends this name", "write `: `, a colon and a blank", text=name
    )


def _problem(fault: Any, tree: Node, models: ModelsAt) -> Problem:
    path: Path = tuple(part for part in fault["loc"] if part != "[key]")
    kind: str = fault["type"]
    if kind == "extra_forbidden":
        return _unknown_key(path, tree, models(path))
    if kind == "missing":
        return _missing(path, tree)
    return _wrong_value(fault, path, tree)


def _unknown_key(path: Path, tree: Node, models: Sequence[type[BaseModel]]) -> Problem:
    key = str(path[-1])
    known = sorted({field.alias or name for model in models for name, field in model.model_fields.items()})
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    cure = f"did you mean `{near[0]}`?" if near else f"allowed here: {', '.join(known)}"
    return Problem.at(
        tree.key_spot(path), "unknown-key", f"`{key}` is not a key of the flow language here", cure, text=key
    )


def _models(path: Path) -> tuple[type[BaseModel], ...]:
    if len(path) == 1:
        return (Script,)
    if len(path) == 3 and path[0] == "steps":
        return (Step,)
    names = 2 if path[0] == "steps" else 0
    for key in reversed(path[names:-1]):
        if key in _PLACES:
            return _PLACES[str(key)]
    return (Way,)


def _missing(path: Path, tree: Node) -> Problem:
    where = f" in `{path[-2]}`" if len(path) > 1 else ""
    spot = tree.key_spot(path[:-1]) if len(path) > 1 else tree.spot
    return Problem.at(spot, "missing-key", f"`{path[-1]}` is missing{where}", f"add `{path[-1]}: ...`")


def _wrong_value(fault: Any, path: Path, tree: Node) -> Problem:
    node = tree.find(path)
    spot = tree.key_spot(path) if "[key]" in fault["loc"] else node.spot
    message = fault["msg"].removeprefix("Value error, ")
    text = str(path[-1]) if "[key]" in fault["loc"] else node.source
    said, cure = _explained(fault["type"], message, text, path, named="[key]" in fault["loc"])
    if node.items is not None and fault["type"] in _MAPPINGS:
        cure = "a list stands here: write `name: value` lines, indented, without `- ` or [ ]"
    return Problem.at(spot, _rule(path), said, cure, text=text)


_MAPPINGS = frozenset({"dict_type", "model_type", "model_attributes_type"})
_EXAMPLES: Mapping[str, tuple[str, str]] = {
    "int_parsing": ("a whole number", "3"),
    "int_type": ("a whole number", "3"),
    "int_from_float": ("a whole number", "3"),
    "bool_parsing": ("yes or no", "true"),
    "bool_type": ("yes or no", "true"),
}
"""Fault -> what is expected, and how it is written."""


def _explained(kind: str, message: str, text: str, path: Path, *, named: bool) -> tuple[str, str]:
    """Fault and cure; ``named`` when the name itself is wrong, not what stands behind it."""
    key = next((part for part in reversed(path) if isinstance(part, str) and part != "texts"), "the flow")
    if kind == "string_pattern_mismatch":
        if named and path[-2] in ("keys", "keys_mean"):
            return _miskeyed(text)
        return _no_kind(text) if key == "type" else _misnamed(text)
    if kind == "string_type":
        return f"`{key}` needs text", "put the text in quotes"
    if kind in _MAPPINGS:
        return f"`{key}` needs `name: value` lines below it", "indent them by two spaces more than the line above"
    if kind in _EXAMPLES:
        expected, example = _EXAMPLES[kind]
        return f"`{text}` is not {expected}", f"write for example `{key}: {example}`"
    if kind == "too_short":
        return f"`{key}` is an empty list", "write at least one into it, or remove the line"
    if kind == "literal_error":
        return f"`{text}` is not allowed for `{key}`", message.replace("Input should be", "write").replace("'", "`")
    if kind == "value_error":
        fault, _, cure = message.partition("; ")
        return fault, cure or "correct the text"
    return f"`{key}`: {message[0].lower()}{message[1:]}", "correct the value"


def _misnamed(text: str) -> tuple[str, str]:
    return f"`{text}` is not a name", "names have letters, digits and _, and begin with a letter"


def _no_kind(text: str) -> tuple[str, str]:
    words = [word for word in (text.replace(" ", ""), *text.split()) if word in KINDS]
    near = words or difflib.get_close_matches(text, list(KINDS), n=1, cutoff=0.5)
    return f"`{text}` is not a kind of value", f"did you mean `{near[0]}`?" if near else f"known: {', '.join(KINDS)}"


def _miskeyed(text: str) -> tuple[str, str]:
    narrow = unicodedata.normalize("NFKC", text)
    hint = f"write `{narrow}` half-width; " if narrow != text else ""
    return f"`{text}` is not a key of a telephone", f"{hint}keys are 0-9, * and #, up to four of them"


def _rule(path: Path) -> str:
    if "when" in path[-1:] or "check" in path[-1:]:
        return "bad-condition"
    return "bad-text" if path[-1:] and isinstance(path[-1], int) and "texts" in path else "bad-value"
