"""Bytes of an author's file to text, with a clear word about wrong encodings, tabs and size."""

from __future__ import annotations

from pathlib import Path

from agi_bot.flow.problem import BrokenFlow, Problem, Spot

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
    """``raw`` as text.  Raises :class:`BrokenFlow` for other encodings than UTF-8 and for tabs."""
    if len(raw) > LARGEST:
        raise BrokenFlow([_too_large(file, len(raw))])
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise BrokenFlow([_wrong_encoding(Spot(file), "UTF-16")])
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BrokenFlow([_wrong_encoding(_spot(raw, error.start, file), _guess(raw))]) from None
    problems = [problem for number, line in enumerate(text.split("\n"), 1) for problem in _tab(line, number, file)]
    if problems:
        raise BrokenFlow(problems[:20])
    return text


def _spot(raw: bytes, offset: int, file: str) -> Spot:
    line_start = raw.rfind(b"\n", 0, offset) + 1
    before = raw[line_start:offset].decode("utf-8", errors="replace")
    return Spot(file, raw.count(b"\n", 0, offset) + 1, len(before) + 1)


def _guess(raw: bytes) -> str:
    try:
        raw.decode("gb18030")
    except UnicodeDecodeError:
        return "not UTF-8"
    return "GBK (GB18030)"


def _wrong_encoding(spot: Spot, guess: str) -> Problem:
    said = f"the file is written in {guess}" if guess != "not UTF-8" else "the file is not UTF-8 text"
    return Problem.at(spot, "encoding", f"{said}, flows are UTF-8", "save the file again as UTF-8 in your editor")


def _tab(line: str, number: int, file: str) -> list[Problem]:
    indent = line[: len(line) - len(line.lstrip())]
    if "\t" not in indent or not line.strip():
        return []
    spot = Spot(file, number, indent.index("\t") + 1)
    return [Problem.at(spot, "tabs", "a tab indents this line", "indent with spaces (two a level)", text=line.strip())]


def _too_large(file: str, size: int) -> Problem:
    message = f"the file has {size:,} bytes, the largest flow that is read has {LARGEST:,}"
    return Problem.at(Spot(file), "too-large", message, "split it into sub-flows (key `flow:` of a step)")


def _unreadable(file: str, error: OSError) -> Problem:
    reason = (error.strerror or str(error)).lower()
    return Problem.at(Spot(file), "unreadable", f"the file cannot be read: {reason}", "check the path and its rights")
