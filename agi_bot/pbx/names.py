"""Names, texts and numbers as they travel between a PBX and us.  Pure."""

from __future__ import annotations

import re
from uuid import UUID

_NAME = re.compile(r"_{0,2}[^\W\d]\w*")


def check_name(name: str) -> str:
    """``name`` when it is a possible name of a channel variable, else :class:`ValueError`."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not a name for a channel variable")
    return name


def check_text(text: str) -> str:
    """``text`` when no character in it ends a line, else :class:`ValueError`."""
    if any(mark in text for mark in "\r\n\0"):
        raise ValueError(f"a line end or NUL in {text[:60]!r}")
    return text


def one_line(value: str) -> str:
    """``value`` with every line end and control character made a space."""
    return "".join(mark if mark.isprintable() else " " for mark in value)


def is_uuid(text: str) -> bool:
    """Whether ``text`` is a UUID in its usual form of 36 characters."""
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False


def known_number(text: str) -> str:
    """``text``, but empty where a PBX has a word of its own for a caller that it does not know."""
    return "" if text in _NOBODY else text


_NOBODY = ("unknown", "<unknown>", "anonymous", "0000000000")
