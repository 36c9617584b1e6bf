"""Regular expressions of authors: refused when they are wrong or could take forever."""

from __future__ import annotations

import re
from collections.abc import Iterator
from re import _constants, _parser  # type: ignore[attr-defined]
from typing import Any

_LONGEST = 500
_REPEATS = {_constants.MAX_REPEAT, _constants.MIN_REPEAT}
_MANY = 16


def pattern_fault(pattern: str) -> str:
    """Why ``pattern`` cannot be used; empty when it can."""
    if len(pattern) > _LONGEST:
        return f"the pattern has {len(pattern)} characters, at most {_LONGEST} are allowed"
    try:
        re.compile(pattern)
        tree = _parser.parse(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        return f"not a regular expression: {error}"
    if _nested(tree, inside=False):
        return "a repeat inside a repeat can take forever on some sentences"
    return ""


def _nested(node: Any, *, inside: bool) -> bool:
    for operator, argument in _pairs(node):
        many = operator in _REPEATS and argument[1] >= _MANY
        if many and inside:
            return True
        if any(_nested(child, inside=inside or many) for child in _children(argument)):
            return True
    return False


def _pairs(node: Any) -> Iterator[tuple[Any, Any]]:
    for item in node:
        if isinstance(item, tuple) and len(item) == 2:
            yield item


def _children(argument: Any) -> Iterator[Any]:
    if isinstance(argument, _parser.SubPattern):
        yield argument
    elif isinstance(argument, (tuple, list)):
        for part in argument:
            yield from _children(part)
