"""Evaluating expressions over slots; never raises.

Numbers are decimals (28 digits), dates and times are naive in the call's own zone.
``None`` stands for "not known", which every calculation with an unknown gives.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal, DecimalException

from agi_bot.contracts import Value
from agi_bot.flow.expression import Expression, mood_of

Result = str | bool | Decimal | date | time | datetime | timedelta | list["Result"] | None

_ARITHMETIC: Mapping[type, Callable[..., Result]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.Mod: operator.mod,
}  # fmt: skip
_COMPARE: Mapping[type, Callable[..., bool]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le,
    ast.Gt: operator.gt, ast.GtE: operator.ge,
}  # fmt: skip
_FAULTS = (TypeError, ValueError, ArithmeticError, DecimalException, AttributeError, RecursionError)


@dataclass(frozen=True, slots=True)
class Scope:
    """What an expression can see: slots, the call's clock, the caller's moods, the last words heard."""

    slots: Mapping[str, Value]
    now: datetime
    moods: frozenset[str] = frozenset()
    said: str = field(default="")


def evaluate(expression: Expression, scope: Scope) -> Result:
    """The value of ``expression``, ``None`` where it cannot be known."""
    try:
        return _value(expression.body, scope)
    except _FAULTS:
        return None


def holds(expression: Expression, scope: Scope) -> bool:
    """Whether the condition is true; an unknown is false."""
    return bool(evaluate(expression, scope))


def local(value: Value, now: datetime) -> Result:
    """``value`` as expressions see it: numbers as decimals, datetimes naive in the zone of ``now``."""
    if isinstance(value, bool | str | Decimal):
        return value
    if isinstance(value, int | float):
        return Decimal(str(value))
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(now.tzinfo).replace(tzinfo=None)
    return value


def _value(node: ast.expr, scope: Scope) -> Result:
    match node:
        case ast.Constant():
            constant = node.value
            return local(constant, scope.now) if isinstance(constant, str | int | float | bool) else None
        case ast.Name():
            return _name(node.id, scope)
        case ast.BoolOp():
            return _logic(node, scope)
        case ast.UnaryOp(op=ast.Not()):
            return not _value(node.operand, scope)
        case ast.UnaryOp():
            return _arithmetic(operator.neg, _value(node.operand, scope))
        case ast.BinOp():
            return _arithmetic(_ARITHMETIC[type(node.op)], _value(node.left, scope), _value(node.right, scope))
        case ast.Compare():
            return _compare(node, scope)
        case ast.List() | ast.Tuple():
            return [_value(item, scope) for item in node.elts]
        case ast.Call(func=ast.Name(id=name)):
            return _call(name, [_value(argument, scope) for argument in node.args])
    return None


def _name(name: str, scope: Scope) -> Result:
    if name == "now":
        return scope.now.replace(tzinfo=None)
    if name == "today":
        return scope.now.date()
    if name == "said":
        return scope.said
    return local(scope.slots[name], scope.now) if name in scope.slots else None


def _logic(node: ast.BoolOp, scope: Scope) -> Result:
    results = (bool(_value(value, scope)) for value in node.values)
    return all(results) if isinstance(node.op, ast.And) else any(results)


def _arithmetic(function: Callable[..., Result], *operands: Result) -> Result:
    if any(operand is None or isinstance(operand, str | bool | list) for operand in operands):
        return None
    return function(*operands)


def _compare(node: ast.Compare, scope: Scope) -> bool:
    if isinstance(node.ops[0], ast.Is | ast.IsNot):
        return (mood_of(node) in scope.moods) == isinstance(node.ops[0], ast.Is)
    left = _value(node.left, scope)
    for op, comparator in zip(node.ops, node.comparators, strict=True):
        right = _value(comparator, scope)
        if left is None or right is None or not _pair(op, left, right):
            return False
        left = right
    return True


def _pair(op: ast.cmpop, left: Result, right: Result) -> bool:
    if isinstance(op, ast.In | ast.NotIn):
        found = isinstance(right, list | str) and left in right
        return found == isinstance(op, ast.In)
    if isinstance(op, ast.Eq | ast.NotEq):
        return bool(_COMPARE[type(op)](left, right))
    return bool(_COMPARE[type(op)](*_same_kind(left, right)))


def _same_kind(left: Result, right: Result) -> tuple[Result, Result]:
    """A date beside a datetime counts as its midnight."""
    if isinstance(left, datetime) != isinstance(right, datetime):
        return _midnight(left), _midnight(right)
    return left, right


def _midnight(value: Result) -> Result:
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day)
    return value


def _call(name: str, values: list[Result]) -> Result:
    if name == "filled":
        return values[0] is not None
    if any(value is None for value in values):
        return None
    return _FUNCTIONS[name](*values)


def _timedelta(unit: str) -> Callable[[Decimal], timedelta]:
    return lambda amount: timedelta(**{unit: float(amount)})


def _date(value: datetime | date) -> date:
    return value.date() if isinstance(value, datetime) else value


def _time(value: datetime | time) -> time:
    return value.time() if isinstance(value, datetime) else value


_FUNCTIONS: Mapping[str, Callable[..., Result]] = {
    "days": _timedelta("days"),
    "hours": _timedelta("hours"),
    "minutes": _timedelta("minutes"),
    "weekday": lambda day: Decimal(day.isoweekday()),
    "hour": lambda moment: Decimal(moment.hour),
    "date": _date,
    "time": _time,
    "length": lambda text: Decimal(len(text)),
    "round": lambda number: number.quantize(Decimal(1)),
    "lower": lambda text: text.lower(),
    "contains": lambda text, part: part in text,
    "min": min,
    "max": max,
    "last": lambda text, count: text[-int(count) :] if count > 0 else "",
}
