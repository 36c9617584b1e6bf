"""Bytes of a data file to text, with a clear word about wrong encodings and size."""

from __future__ import annotations

from pathlib import Path

from agi_bot.nlu.faults import BrokenData, Fault, Spot
from agi_bot.written import encoding_slip

LARGEST = 10_000_000
"""Largest data file read, in bytes; 100,000 examples have about 3,000,000."""


def read_text(path: Path) -> str:
    """The text of ``path`` (UTF-8).  Raises :class:`BrokenData` with the place and the cure."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise _broken(Spot(str(path)), f"the file cannot be read: {reason}", "check the path and its rights") from None
    return decode(raw, str(path))


def decode(raw: bytes, file: str) -> str:
    """``raw`` as text.  Raises :class:`BrokenData` for other encodings than UTF-8."""
    if len(raw) > LARGEST:
        message = f"the file has {len(raw):,} bytes, the largest that is read has {LARGEST:,}"
        raise _broken(Spot(file), message, "split the data into several files")
    if slip := encoding_slip(raw):
        raise _broken(Spot(file, slip.line, slip.column), slip.message, slip.cure)
    return raw.decode("utf-8-sig")


def _broken(spot: Spot, message: str, cure: str) -> BrokenData:
    return BrokenData([Fault(spot, message, cure)])
