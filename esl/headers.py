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

from collections.abc import Iterator, Mapping
from urllib.parse import unquote

from esl.errors import RemoteProtocolError

UNDEFINED = "_undef_"
ARRAY_MARK = "ARRAY::"
ARRAY_SEPARATOR = "|:"


class Headers(Mapping[str, str]):
    """An immutable header block.  Look-up ignores case; values are decoded when they are read."""

    __slots__ = ("_encoded", "_folded", "_raw")

    def __init__(self, raw: dict[str, str], *, encoded: bool = False) -> None:
        self._raw = raw
        self._encoded = encoded
        self._folded: dict[str, str] | None = None

    @classmethod
    def parse(cls, text: str, *, encoded: bool = False) -> Headers:
        """Split ``text`` (lines without the blank one) into headers.

        Raises :class:`~esl.errors.RemoteProtocolError` for a line without a colon.
        """
        lines = text.split("\n")
        try:
            raw = dict([line.split(": ", 1) for line in lines])
        except ValueError:
            return cls(_parse_slowly(lines), encoded=encoded)
        if len(raw) != len(lines) or "\r" in text:
            raw = _parse_slowly(lines)
        return cls(raw, encoded=encoded)

    def __getitem__(self, name: str) -> str:
        value = self._raw.get(name)
        if value is None:
            value = self._raw[self._real_name(name)]
        return _decode(value) if self._encoded else value

    def __iter__(self) -> Iterator[str]:
        return iter(self._raw)

    def __len__(self) -> int:
        return len(self._raw)

    def __repr__(self) -> str:
        return f"Headers({dict(self)!r})"

    def decoded(self) -> Headers:
        """The same block with every value url-decoded (a ``connect`` reply)."""
        return Headers(self._raw, encoded=True)

    def array(self, name: str) -> list[str]:
        """The elements of an array header; one element for a plain value, none when it is missing."""
        value = self.get(name)
        if value is None:
            return []
        if not value.startswith(ARRAY_MARK):
            return [value]
        return value.removeprefix(ARRAY_MARK).split(ARRAY_SEPARATOR)

    def _real_name(self, name: str) -> str:
        if self._folded is None:
            self._folded = {}
            for real in self._raw:
                self._folded.setdefault(real.lower(), real)
        try:
            return self._folded[name.lower()]
        except KeyError:
            raise KeyError(name) from None


def _decode(value: str) -> str:
    if "%" in value:
        return unquote(value, errors="replace")
    return "" if value == UNDEFINED else value


def _parse_slowly(lines: list[str]) -> dict[str, str]:
    """Carriage returns, missing spaces after the colon and repeated names: the first one counts."""
    raw: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.removesuffix("\r").partition(":")
        if not colon:
            raise RemoteProtocolError(f"a header line without a colon: {line[:80]!r}")
        raw.setdefault(name, value.lstrip(" "))
    return raw
