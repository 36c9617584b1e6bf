"""Header blocks: names to values, decoded only after they were split.

Rules and their sources (FreeSWITCH 1.10.12):

* ``switch_event_serialize`` (src/switch_event.c) writes ``Name: value\\n``, the value
  url-encoded, an empty value as ``_undef_``.  So lines are split first and values decoded
  afterwards: ``%0AHangup-Cause: FAKED`` in a caller's name stays inside its value.
* Only ``\\n`` (with an optional ``\\r`` before it) ends a line.  ``str.splitlines`` would also
  split at U+2028, U+0085 and \\x1c.
* ``switch_event_get_header`` compares names without regard to case and answers the first match.
* An array is written ``ARRAY::a|:b`` (``switch_event_add_array``).
* Headers of replies (mod_event_socket.c, ``listener_run``) are not encoded.
* The encoder leaves ``%XX`` alone that stands in the value itself (``switch_url_encode``
  without double encoding), so a literal ``%0A`` of a caller cannot be told from a newline
  in the value.  It cannot become a header.
"""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping
from typing import TypeVar, overload
from urllib.parse import unquote, unquote_to_bytes

from esl.errors import RemoteProtocolError

T = TypeVar("T")

_LOWER = {ord(letter): letter.lower() for letter in string.ascii_uppercase}

UNDEFINED = "_undef_"
ARRAY_MARK = "ARRAY::"
ARRAY_SEPARATOR = "|:"


class Headers(Mapping[str, str]):
    """An immutable header block.  Look-up ignores case.

    A block is split when somebody needs more than a few of its values, and values are decoded
    when they are read: a listener looks at five headers of the hundred that an event has.
    """

    __slots__ = ("_encoded", "_folded", "_lower", "_raw", "_text")

    def __init__(self, raw: dict[str, str] | None, *, encoded: bool = False, text: str = "") -> None:
        self._raw = raw
        self._text = text
        """The block with a newline before every name; the truth while ``_raw`` is None."""
        self._lower: str | None = None
        self._encoded = encoded
        self._folded: dict[str, str] | None = None

    @classmethod
    def parse(cls, text: str) -> Headers:
        """The headers of a frame (lines without the blank one), split at once.

        Raises :class:`~esl.errors.RemoteProtocolError` for a line without a colon.
        """
        return cls(_split_carefully(text, strict=True))

    @classmethod
    def lazy(cls, text: str) -> Headers:
        """The url-encoded headers of an event; a line without a colon carries no header."""
        if "\r" in text:
            return cls(_split_carefully(text, strict=False), encoded=True)
        return cls(None, encoded=True, text=f"\n{text}")

    def __getitem__(self, name: str) -> str:
        value = self._find(name)
        if value is None:
            raise KeyError(name)
        return _decode(value) if self._encoded else value

    @overload
    def get(self, name: str) -> str | None: ...
    @overload
    def get(self, name: str, default: str) -> str: ...
    @overload
    def get(self, name: str, default: T) -> str | T: ...
    def get(self, name: str, default: object = None) -> object:
        """The value of ``name``, or ``default``."""
        value = self._find(name)
        if value is None:
            return default
        return _decode(value) if self._encoded else value

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._find(name) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self._split())

    def __len__(self) -> int:
        return len(self._split())

    def __repr__(self) -> str:
        return f"Headers({self.to_dict()!r})"

    def to_dict(self) -> dict[str, str]:
        """All names with their decoded values; the fast way to read everything."""
        raw = self._split()
        return dict(zip(raw, _decode_all(list(raw.values())), strict=True)) if self._encoded else dict(raw)

    def decoded(self) -> Headers:
        """The same block with every value url-decoded (a ``connect`` reply)."""
        return Headers(self._split(), encoded=True)

    def array(self, name: str) -> list[str]:
        """The elements of an array header; one element for a plain value, none when it is missing."""
        value = self.get(name)
        if value is None:
            return []
        if not value.startswith(ARRAY_MARK):
            return [value]
        return value.removeprefix(ARRAY_MARK).split(ARRAY_SEPARATOR)

    def _find(self, name: str) -> str | None:
        """The raw value, of the first header that has this name; None when there is none."""
        if self._raw is not None:
            value = self._raw.get(name)
            return value if value is not None else self._raw.get(self._real_name(name))
        start = self._text.find(f"\n{name}: ")
        if start < 0 and (start := self._search_without_case(name)) < 0:
            return None
        start += len(name) + 3
        end = self._text.find("\n", start)
        return self._text[start:] if end < 0 else self._text[start:end]

    def _search_without_case(self, name: str) -> int:
        """Where the line of ``name`` begins; -1 when there is none."""
        if self._lower is None:
            # Only ASCII surely keeps its length, and nothing may move.
            text = self._text
            self._lower = text.lower() if text.isascii() else text.translate(_LOWER)
        return self._lower.find(f"\n{name.lower()}: ")

    def _split(self) -> dict[str, str]:
        if self._raw is None:
            self._raw = _split_quickly(self._text[1:])
        return self._raw

    def _real_name(self, name: str) -> str:
        if self._folded is None:
            self._folded = {}
            for real in self._split():
                self._folded.setdefault(real.lower(), real)
        return self._folded.get(name.lower(), name)


def _decode(value: str) -> str:
    if "%" in value:
        return unquote(value, errors="replace")
    return "" if value == UNDEFINED else value


def _decode_all(values: list[str]) -> list[str]:
    """Decode many values in one go; they are split before and cannot grow together.

    The values hold no newline, so one joins them; an encoded newline is kept aside as NUL.
    """
    joined = "\n".join(values)
    if "%" not in joined or "%0a" in joined or "%00" in joined or "\0" in joined:
        return [_decode(value) for value in values]
    plain = unquote_to_bytes(joined.replace("%0A", "\0")).decode("utf-8", errors="replace")
    pieces = plain.split("\n")
    if "\0" in plain:
        pieces = [piece.replace("\0", "\n") for piece in pieces]
    return ["" if piece == UNDEFINED else piece for piece in pieces]


def _split_quickly(text: str) -> dict[str, str]:
    """Lines as FreeSWITCH writes them; the first of a repeated name counts."""
    try:
        pairs = [line.split(": ", 1) for line in text.split("\n")]
        raw = dict(pairs)
        return raw if len(raw) == len(pairs) else dict(reversed(pairs))
    except ValueError:
        return _split_carefully(text, strict=False)


def _split_carefully(text: str, *, strict: bool) -> dict[str, str]:
    """Carriage returns, missing spaces after the colon, repeated names, lines that are none."""
    raw: dict[str, str] = {}
    for line in text.split("\n"):
        name, colon, value = line.removesuffix("\r").partition(":")
        if colon:
            raw.setdefault(name, value.lstrip(" "))
        elif strict:
            raise RemoteProtocolError(f"a header line without a colon: {line[:80]!r}")
    return raw
