"""How much memory another process holds."""

from __future__ import annotations

import os
from pathlib import Path


def rss_mb(pid: int) -> int:
    """Resident memory of process ``pid``, MB; 0 where it cannot be known (gone, or no ``/proc``)."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE") >> 20
