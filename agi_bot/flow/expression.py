"""Conditions and small calculations, safe by construction.

The text is parsed with :mod:`ast` and walked by a whitelist: names are slots and task
fields, there are no attributes, no subscripts, no calls but the functions below, and
numbers are decimals of bounded size, so that no expression can run long or reach Python.

``caller is hesitant`` asks for the caller's mood; it is false until something provides it.
A comparison with a slot that is not filled yet is false.
"""

from __future__ import annotations

import ast
import difflib
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

LONGEST = 300
"""Characters in one expression."""

FUNCTIONS: Mapping[str, int] = {
    "filled": 1, "days": 1, "hours": 1, "minutes": 1, "weekday": 1, "hour": 1, "date": 1, "time": 1,
    "length": 1, "round": 1, "lower": 1, "contains": 2, "min": 2, "max": 2, "last": 2,
}  # fmt: skip
"""Functions and how many arguments each takes."""

_KNOWN = f"there are the functions {', '.join(sorted(FUNCTIONS))}"

BUILTIN_NAMES = frozenset({"now", "today", "caller", "said"})
"""Names that are no slots: the call's clock, its date, the caller's mood, the last words heard."""

_OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Mod)
_COMPARISONS = (ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn, ast.Is, ast.IsNot)


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed expression and the slot names it reads."""

    source: str
    body: ast.expr
    names: tuple[str, ...]
    moods: tuple[str, ...]


@lru_cache(maxsize=20_000)
def parse_expression(source: str) -> Expression:
    """``source`` parsed.  Raises :class:`ValueError` with the fault and the cure."""
    if len(source) > LONGEST:
        raise ValueError(f"the condition has {len(source)} characters, at most {LONGEST} are allowed")
    try:
        body = _parsed(source)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise ValueError(f"`{source}` is not a condition; {_cure(source)}") from None
    reader = _Reader()
    reader.read(body)
    return Expression(source, body, tuple(dict.fromkeys(reader.names)), tuple(dict.fromkeys(reader.moods)))


def _parsed(source: str) -> ast.expr:
    with warnings.catch_warnings():
        warnings.simplefilter("error", SyntaxWarning)  # `1if x`: nobody means what Python makes of it
        return ast.parse(source.strip(), mode="eval").body


def _cure(source: str) -> str:
    wide = next((sign for sign in source if "！" <= sign <= "～" or sign in "“”‘’"), "")
    if wide:
        return f"write `{wide}` half-width"
    plain = _QUOTED.sub("''", source)
    found = next((cure for habit, cure in _HABITS if habit.search(plain)), "")
    return found or "write for example `amount > 100 and filled(day)`"


_QUOTED = re.compile(r"""'[^']*'|"[^"]*\"""")
_HABITS = (
    (re.compile(r"(?<![=!<>])=(?![=>])"), "compare with `==`"),
    (re.compile(r"&&"), "write `and`"),
    (re.compile(r"\|\|"), "write `or`"),
    (re.compile(r"!(?!=)"), "write `not`"),
    (re.compile(r"=>|=<|<>"), "compare with `>=`, `<=` or `!=`"),
)
"""What people write who know other languages, and what it is called here."""

_OTHER_NAMES = {"upper": "lower", "casefold": "lower", "len": "length", "count": "length", "int": "round"}


class _Reader:
    """Walks an expression, refuses what is not on the list, collects names."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.moods: list[str] = []

    def read(self, node: ast.expr) -> None:
        match node:
            case ast.Constant():
                _check_constant(node)
            case ast.Name():
                self._name(node.id)
            case ast.BoolOp() | ast.List() | ast.Tuple():
                self._all(node.values if isinstance(node, ast.BoolOp) else node.elts)
            case ast.UnaryOp(op=ast.Not() | ast.USub()):
                self.read(node.operand)
            case ast.BinOp() if isinstance(node.op, _OPERATORS):
                self._all([node.left, node.right])
            case ast.Compare():
                self._compare(node)
            case ast.Call(func=ast.Name()) if not node.keywords:
                self._call(node)
            case ast.Call(func=ast.Attribute(attr=name, value=of)) | ast.Attribute(attr=name, value=of):
                cure = f"write {_like(name, ast.unparse(of))}"
                raise ValueError(f"`{ast.unparse(node)}` is not allowed in a condition; {cure}")
            case _:
                raise ValueError(f"`{ast.unparse(node)}` is not allowed in a condition; {_KNOWN}")

    def _all(self, nodes: list[ast.expr]) -> None:
        for node in nodes:
            self.read(node)

    def _name(self, name: str) -> None:
        if name == "caller":
            raise ValueError("`caller` is only used as in `caller is hesitant`")
        if name not in BUILTIN_NAMES:
            self.names.append(name)

    def _compare(self, node: ast.Compare) -> None:
        if not all(isinstance(op, _COMPARISONS) for op in node.ops):
            raise ValueError(f"`{ast.unparse(node)}` is not allowed in a condition")
        if any(isinstance(op, ast.Is | ast.IsNot) for op in node.ops):
            self.moods.append(mood_of(node))
            return
        self._all([node.left, *node.comparators])

    def _call(self, node: ast.Call) -> None:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name not in FUNCTIONS:
            raise ValueError(f"there is no function `{name}`; {_like(name)}")
        if len(node.args) != FUNCTIONS[name]:
            raise ValueError(f"`{name}` takes {FUNCTIONS[name]} value(s), not {len(node.args)}")
        self._all(node.args)


def _like(name: str, argument: str = "") -> str:
    """The function that somebody means who writes ``name``, else all there are."""
    near = _OTHER_NAMES.get(name) or next(iter(difflib.get_close_matches(name, FUNCTIONS, n=1)), "")
    if argument:
        return f"`{near}({argument})`" if near else f"it without the dot; {_KNOWN}"
    return f"did you mean `{near}`?" if near else _KNOWN


def mood_of(node: ast.Compare) -> str:
    """``hesitant`` of ``caller is hesitant``.  Raises :class:`ValueError` for any other ``is``."""
    match node:
        case ast.Compare(left=ast.Name(id="caller"), ops=[ast.Is() | ast.IsNot()], comparators=[ast.Name(id=mood)]):
            return mood
    raise ValueError("`is` is only used as in `caller is hesitant`; compare values with `==`")


def _check_constant(node: ast.Constant) -> None:
    if not isinstance(node.value, str | int | float | bool):
        raise ValueError(f"`{ast.unparse(node)}` is not allowed in a condition")
