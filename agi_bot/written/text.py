"""Bytes and blanks of a file: other encodings than UTF-8, tabs and wide blanks in the indentation."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from agi_bot.written.slips import Slip

_SPACES = "indent with spaces (two a level)"
_TAB = re.compile(r"[^\S\t]*(?P<slip>\t)\s*\S")
_WIDE = re.compile(r"[ \t]*(?P<slip>[\u3000\u00a0])\s*(?:-\s|[^\s:：]+\s*[:：])")
_FULL_WIDTH = re.compile("[\uff01-\uff5e\u3000]")


def encoding_slip(raw: bytes) -> Slip | None:
    """Where ``raw`` stops being UTF-8 and what it seems to be; ``None``: it is UTF-8."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _encoded(1, 1, "UTF-16")
    try:
        raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[raw.rfind(b"\n", 0, error.start) + 1 : error.start].decode("utf-8", errors="replace")
        return _encoded(raw.count(b"\n", 0, error.start) + 1, len(before) + 1, _guess(raw))
    return None


def _guess(raw: bytes) -> str:
    try:
        raw.decode("gb18030")
    except UnicodeDecodeError:
        return ""
    return "GBK (GB18030)"


def _encoded(line: int, column: int, guess: str) -> Slip:
    said = f"the file is written in {guess}, not in UTF-8" if guess else "the file is not UTF-8 text"
    return Slip(line, column, said, "save the file again as UTF-8 in your editor")


def indent_slips(text: str) -> Iterator[Slip]:
    """The lines that something else than spaces indents."""
    for number, line in enumerate(text.split("\n"), 1):
        if found := _TAB.match(line):
            yield Slip(number, found.start("slip") + 1, "a tab indents this line", _SPACES)
        elif found := _WIDE.match(line):
            width = "full-width" if found["slip"] == "\u3000" else "non-breaking"
            yield Slip(number, found.start("slip") + 1, f"a {width} blank indents this line", _SPACES)


def narrow(text: str) -> str:
    """``text`` with half-width signs where it has full-width ones (``４５７３：`` → ``4573:``), else empty."""
    return unicodedata.normalize("NFKC", text).strip() if _FULL_WIDTH.search(text) else ""
