"""Bytes of an author's file to text, with a clear word about wrong encodings, tabs and size."""

from __future__ import annotations

from pathlib import Path

from agi_bot.flow.problem import BrokenFlow, Problem, Spot
from agi_bot.written import Slip, encoding_slip, indent_slips

LARGEST = 10_000_000
"""Largest file read, in bytes; a flow of 500 steps has about 100,000."""


def read_text(path: Path) -> str:
    """The text of ``path`` (UTF-8).  Raises :class:`BrokenFlow` with the place and the cure."""
    file = str(path)
    try:
        size = path.stat().st_size
        if size > LARGEST:
            raise BrokenFlow([_too_large(file, size)])
        raw = path.read_bytes()
    except OSError as error:
        raise BrokenFlow([_unreadable(file, error)]) from None
    return decode(raw, file)


def decode(raw: bytes, file: str) -> str:
    """``raw`` as text.  Raises :class:`BrokenFlow` for other encodings than UTF-8, tabs and wide blanks."""
    if len(raw) > LARGEST:
        raise BrokenFlow([_too_large(file, len(raw))])
    if slip := encoding_slip(raw):
        raise BrokenFlow([_problem(slip, "encoding", file)])
    text = raw.decode("utf-8-sig")
    lines = text.split("\n")
    problems = [_problem(slip, "tabs", file, lines[slip.line - 1].strip()) for slip in indent_slips(text)]
    if problems:
        raise BrokenFlow(problems[:20])
    return text


def _problem(slip: Slip, rule: str, file: str, text: str = "") -> Problem:
    return Problem.at(Spot(file, slip.line, slip.column), rule, slip.message, slip.cure, text=text)


def _too_large(file: str, size: int) -> Problem:
    message = f"the file has {size:,} bytes, the largest flow that is read has {LARGEST:,}"
    return Problem.at(Spot(file), "too-large", message, "split it into sub-flows (key `flow:` of a step)")


def _unreadable(file: str, error: OSError) -> Problem:
    reason = (error.strerror or str(error)).lower()
    return Problem.at(Spot(file), "unreadable", f"the file cannot be read: {reason}", "check the path and its rights")
