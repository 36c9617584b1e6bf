"""What a version of Asterisk can do; measured and read from its change logs.  Pure."""

from __future__ import annotations

import re

Version = tuple[int, int]

DIGITS = {20: 14, 21: 9, 22: 4}
"""First minor release of each branch that sends keys over AudioSocket, and where a clean
end of the connection continues the dialplan."""

TECH_CAUSE = {20: 17, 22: 7}
"""First that tells the SIP status in Hangup events (``TechCause``)."""


def parse(text: str) -> Version | None:
    """Major and minor of ``22.10.1~dfsg``, ``certified/20.7-cert1``, ...; ``None`` when it has none."""
    found = re.search(r"(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else None


def has(text: str, first: dict[int, int]) -> bool:
    """Whether version ``text`` is at or after ``first`` of its branch; later branches have everything."""
    version = parse(text)
    if version is None:
        return False
    major, minor = version
    return major > max(first) or minor >= first.get(major, minor + 1)


def digits_over_audiosocket(text: str) -> bool:
    """Whether keys come over AudioSocket; an unknown version is taken for a new one."""
    return parse(text) is None or has(text, DIGITS)
