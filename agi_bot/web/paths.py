"""Requests that lead nowhere, and which one was meant.  Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping

DOCS = "docs/api.md and /openapi.json list all requests"
LONGEST = 200
"""Characters of a path that are looked at."""

NEAR = 0.8


def nowhere(method: str, path: str, known: Mapping[str, Collection[str]]) -> str:
    """Why nobody answers: the methods that ``path`` has, or which of ``known`` (methods by path) is most like it."""
    path = path[:LONGEST]
    filled = {_filled(one, path): one for one in known}
    if path in filled:
        methods = " and ".join(sorted(each.upper() for each in known[filled[path]]))
        return f"{path} takes {methods}, not {method}"
    same = [each for each, one in filled.items() if method.lower() in known[one]]
    near = difflib.get_close_matches(path, same or list(filled), n=1, cutoff=NEAR)
    return f"there is no {path}; " + (f"did you mean {filled[near[0]]}?" if near else DOCS)


def _filled(template: str, path: str) -> str:
    """``/tasks/{task_id}`` with the values that ``path`` has in its places."""
    given = path.split("/")
    parts = enumerate(template.split("/"))
    return "/".join(given[at] if re.match(r"\{", part) and at < len(given) else part for at, part in parts)
