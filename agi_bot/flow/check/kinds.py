"""Kinds of values: slots that are two kinds at once, comparisons that can never hold."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from agi_bot.flow.expression import parse_expression
from agi_bot.flow.model import Flow
from agi_bot.flow.places import all_ways, texts
from agi_bot.flow.problem import Problem
from agi_bot.flow.references import nearest
from agi_bot.flow.script import Step
from agi_bot.flow.state import lone_slot
from agi_bot.flow.template import parse_template
from agi_bot.flow.tree import Path
from agi_bot.flow.values import KINDS, NUMERIC

FAMILIES: Mapping[str, str] = {
    **dict.fromkeys(NUMERIC, "number"),
    **dict.fromkeys(("text", "phone", "id", "digits", "choice"), "text"),
    "boolean": "yes or no", "date": "date", "time": "time", "datetime": "date", "duration": "duration",
}  # fmt: skip
"""Kind -> family; only values of one family can be compared."""

_RETURNS: Mapping[str, str] = {
    "filled": "boolean", "days": "duration", "hours": "duration", "minutes": "duration", "weekday": "number",
    "hour": "number", "date": "date", "time": "time", "length": "number", "round": "number", "lower": "text",
    "contains": "boolean", "last": "text",
}  # fmt: skip
_TAKES: Mapping[str, tuple[str, ...]] = {
    "days": ("number",), "hours": ("number",), "minutes": ("number",), "weekday": ("date",), "hour": ("date", "time"),
    "date": ("date",), "time": ("date", "time"), "length": ("text",), "round": ("number",), "lower": ("text",),
    "contains": ("text",), "last": ("text",),
}  # fmt: skip
_NAMES: Mapping[str, str] = {"now": "datetime", "today": "date", "said": "text"}


class Mismatch(Exception):
    """Two kinds that do not go together; the text says which."""


def kind_problems(flow: Flow) -> Iterator[Problem]:
    """Everything about kinds."""
    kinds: dict[str, str] = {name: spec.type for name, spec in flow.script.task.items()}
    for name, step in flow.script.steps.items():
        yield from _declared(flow, name, step, kinds)
    _computed(flow, kinds)
    for text in texts(flow.script):
        yield from _said(flow, text.text, text.path, kinds)
    for source, path in _conditions(flow):
        yield from _expression(flow, source, path, kinds)


def family(kind: str) -> str:
    """The family of a kind; entities of the training data are text, the empty kind is unknown."""
    return FAMILIES.get(kind, "text") if kind else ""


def infer(node: ast.expr, kinds: Mapping[str, str]) -> str:
    """The kind of an expression, empty where unknown.  Raises :class:`Mismatch`."""
    match node:
        case ast.Constant():
            return _constant(node.value)
        case ast.Name():
            return _NAMES.get(node.id) or kinds.get(node.id, "")
        case ast.BoolOp():
            for value in node.values:
                infer(value, kinds)
            return "boolean"
        case ast.UnaryOp():
            inner = infer(node.operand, kinds)
            return "boolean" if isinstance(node.op, ast.Not) else inner
        case ast.BinOp():
            return _arithmetic(node, kinds)
        case ast.Compare():
            return _comparison(node, kinds)
        case ast.Call(func=ast.Name(id=name)):
            return _call(name, node.args, kinds)
    return ""


def _constant(value: object) -> str:
    if isinstance(value, bool):
        return "boolean"
    return "text" if isinstance(value, str) else "number"


def _comparison(node: ast.Compare, kinds: Mapping[str, str]) -> str:
    if isinstance(node.ops[0], ast.Is | ast.IsNot):
        return "boolean"
    left = node.left
    for op, right in zip(node.ops, node.comparators, strict=True):
        others = right.elts if isinstance(right, ast.List | ast.Tuple) else [right]
        for other in others:
            _comparable(left, other, kinds, isinstance(op, ast.Eq | ast.NotEq | ast.In | ast.NotIn))
        left = right
    return "boolean"


def _comparable(left: ast.expr, right: ast.expr, kinds: Mapping[str, str], equality: bool) -> None:
    one, other = family(infer(left, kinds)), family(infer(right, kinds))
    if one and other and one != other:
        raise Mismatch(f"`{ast.unparse(left)}` is a {one} and `{ast.unparse(right)}` a {other}")
    if one == "yes or no" and not equality:
        raise Mismatch(f"`{ast.unparse(left)}` is yes or no and cannot be more or less")


def _arithmetic(node: ast.BinOp, kinds: Mapping[str, str]) -> str:
    left, right = infer(node.left, kinds), infer(node.right, kinds)
    pair = (family(left), family(right))
    if "" in pair:
        return ""
    if isinstance(node.op, ast.Sub) and pair == ("date", "date"):
        return "duration"
    if isinstance(node.op, ast.Add | ast.Sub) and pair == ("date", "duration"):
        return left
    if pair in (("number", "number"), ("duration", "duration")):
        return left if left == right else "money" if "money" in (left, right) else "number"
    raise Mismatch(f"`{ast.unparse(node)}` calculates with a {pair[0]} and a {pair[1]}")


def _call(name: str, arguments: list[ast.expr], kinds: Mapping[str, str]) -> str:
    found = [infer(argument, kinds) for argument in arguments]
    allowed = _TAKES.get(name)
    if allowed and found and found[0] and family(found[0]) not in allowed:
        raise Mismatch(
            f"`{name}` takes a {' or '.join(allowed)}, `{ast.unparse(arguments[0])}` is a {family(found[0])}"
        )
    return _RETURNS.get(name) or found[0]


def _declared(flow: Flow, name: str, step: Step, kinds: dict[str, str]) -> Iterator[Problem]:
    collected = {slot: (spec.type, ("collect", slot)) for slot, spec in step.collect.items()}
    saved = {slot: (kind, ("call", "save", slot)) for slot, kind in (step.call.save if step.call else {}).items()}
    for slot, (kind, path) in {**collected, **saved}.items():
        where: Path = ("steps", name, *path)
        if "save" in path and kind not in KINDS:
            yield flow.problem(where, "bad-value", f"`{kind}` is not a kind of value", nearest(kind, KINDS), text=kind)
            continue
        before = kinds.setdefault(slot, kind)
        if family(before) != family(kind):
            message = f"slot `{slot}` is a {kind} here and a {before} elsewhere"
            yield flow.problem(where, "type-mismatch", message, "use two slots, or one kind", text=slot)


def _computed(flow: Flow, kinds: dict[str, str]) -> None:
    """Kinds of slots that only `set` and sub-flows fill, as far as they can be told."""
    tables = [step.set for step in flow.script.steps.values()]
    tables += [place.way.set for place in all_ways(flow.script)]
    for table in tables:
        for slot, written in table.items():
            kinds.setdefault(slot, _kind_of_written(written, kinds))


def _kind_of_written(written: bool | int | float | str, kinds: Mapping[str, str]) -> str:
    if not isinstance(written, str):
        return _constant(written)
    if not written.startswith("="):
        return kinds.get(lone_slot(written), "") if lone_slot(written) else "text"
    try:
        return infer(parse_expression(written[1:]).body, kinds)
    except Mismatch:
        return ""


def _said(flow: Flow, text: str, path: Path, kinds: Mapping[str, str]) -> Iterator[Problem]:
    for piece in parse_template(text).pieces:
        if not piece.kind:
            continue
        if piece.kind not in KINDS:
            message = f"`{piece.kind}` is not a kind of value"
            yield flow.problem(path, "type-mismatch", message, nearest(piece.kind, KINDS), text=piece.text)
        elif not _sayable(kinds.get(piece.slot, ""), piece.kind):
            message = f"`{piece.slot}` is a {kinds[piece.slot]} and cannot be said as a {piece.kind}"
            yield flow.problem(path, "type-mismatch", message, f"write {{{piece.slot}}}", text=piece.text)


def _sayable(kind: str, as_kind: str) -> bool:
    if not kind or as_kind in ("text", "digits") or family(kind) == family(as_kind):
        return True
    return kind == "datetime" and as_kind == "time"


def _conditions(flow: Flow) -> Iterator[tuple[str, Path]]:
    for place in all_ways(flow.script):
        if place.way.when:
            yield place.way.when, (*place.path, "when")
        yield from _assigned(place.way.set, (*place.path, "set"))
    for name, step in flow.script.steps.items():
        yield from _assigned(step.set, ("steps", name, "set"))
        yield from _assigned(step.with_, ("steps", name, "with"))
        yield from _assigned(step.call.with_ if step.call else {}, ("steps", name, "call", "with"))
        for slot, spec in step.collect.items():
            if spec.check:
                yield spec.check, ("steps", name, "collect", slot, "check")


def _assigned(table: Mapping[str, bool | int | float | str], path: Path) -> Iterator[tuple[str, Path]]:
    for slot, written in table.items():
        if isinstance(written, str) and written.startswith("="):
            yield written[1:], (*path, slot)


def _expression(flow: Flow, source: str, path: Path, kinds: Mapping[str, str]) -> Iterator[Problem]:
    try:
        infer(parse_expression(source).body, kinds)
    except Mismatch as mismatch:
        cure = "compare values of one kind; texts stand in quotes"
        yield flow.problem(path, "type-mismatch", str(mismatch), cure, text=source.strip())
