"""Why a YAML reader gave up, where the mistake was made, and the cure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import yaml

from agi_bot.written.slips import Slip, slip_near

_OPENED: Mapping[str, str] = {
    "quoted scalar": "close the quotes",
    "flow sequence": "close the list with ], or put a text with [ or , in quotes",
    "flow mapping": "close the braces with }, or put a text with {, : or , in quotes",
}

_NAMED = re.compile(r"\s*[^\W\d][\w.-]*:(\s|$)")
_VALUED = re.compile(r"\s*(?:- )?[^\W\d][\w.-]*:\s+[^\s|>&#]")


def syntax_slip(error: yaml.YAMLError, text: str) -> Slip:
    """What made the reader of ``text`` give up with ``error``."""
    opened = str(getattr(error, "context", None) or "")
    line, column = _place(error, text, opened)
    if slip := slip_near(text.split("\n"), line):
        return Slip(slip.line, slip.column, f"this is not YAML: {slip.message}", slip.cure)
    if slip := _uneven(text.split("\n"), line):
        return slip
    said = getattr(error, "problem", None) or getattr(error, "reason", None) or "it cannot be read"
    return Slip(line, column, f"this is not YAML: {said}", _cure(f"{opened}: {said}"))


def _place(error: yaml.YAMLError, text: str, opened: str) -> tuple[int, int]:
    mark = getattr(error, "problem_mark", None)
    if any(name in opened for name in _OPENED):
        mark = getattr(error, "context_mark", None) or mark
    if mark:
        return mark.line + 1, mark.column + 1
    offset = min(int(getattr(error, "position", 0) or 0), len(text))
    before = text[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1


def _uneven(lines: Sequence[str], line: int) -> Slip | None:
    """A name that stands a little deeper than the one above it, which has its value already."""
    this, above = (lines[at] if 0 <= at < len(lines) else "" for at in (line - 1, line - 2))
    if not (_NAMED.match(this) and _VALUED.match(above)):
        return None
    deep, wanted = (len(each) - len(each.lstrip()) for each in (this, above))
    if deep <= wanted:
        return None
    said = f"this is not YAML: {deep} spaces indent this line, {wanted} the one above it, which has its value already"
    return Slip(line, deep + 1, said, "indent both alike")


def _cure(said: str) -> str:
    for opened, cure in _OPENED.items():
        if opened in said:
            return cure
    if "mapping values are not allowed" in said:
        return "put the text in quotes: it contains `: `"
    if "cannot start any token" in said or "while scanning" in said:
        return "put the text in quotes: it begins with a sign that YAML reserves"
    if "control characters" in said or "unacceptable character" in said:
        return "remove the invisible control character"
    return "compare the indentation with the lines above; lists begin with `- `, names end with `:`"
