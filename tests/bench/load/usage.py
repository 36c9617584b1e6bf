"""What a process, its threads and its children have used, from Linux's /proc."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Usage:
    """CPU seconds so far: the main thread (event loop), all other threads, all child processes."""

    at: float
    loop_s: float
    threads_s: float
    children_s: float
    memory_mb: float

    @property
    def total_s(self) -> float:
        return self.loop_s + self.threads_s + self.children_s


def read(pid: int) -> Usage:
    """The usage of ``pid`` now."""
    loop = _cpu(Path(f"/proc/{pid}/task/{pid}/stat"))
    below = children(pid)
    return Usage(
        time.perf_counter(),
        loop,
        _cpu(Path(f"/proc/{pid}/stat")) - loop,
        sum(_cpu(Path(f"/proc/{each}/stat")) for each in below),
        sum(map(resident_mb, (pid, *below))),
    )


def children(pid: int) -> list[int]:
    """All processes below ``pid``."""
    direct = [
        int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    ]
    return [*direct, *(below for child in direct for below in children(child))]


def resident_mb(pid: int) -> float:
    """Proportional set size, MB."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")) / 1024


def _cpu(stat: Path) -> float:
    fields = stat.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def shares(before: Usage, after: Usage) -> dict[str, float]:
    """Cores used between the two, by part."""
    took = after.at - before.at
    return {
        "loop": (after.loop_s - before.loop_s) / took,
        "threads": (after.threads_s - before.threads_s) / took,
        "children": (after.children_s - before.children_s) / took,
    }
