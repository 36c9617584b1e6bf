"""What the benchmarks against greenswitch share: rates by processor time, and greenswitch in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench.results import Figure

ROOT = Path(__file__).parents[2]
RECORDED = ROOT / "tests" / "data" / "esl"


def figure(name: str, value: float, unit: str) -> Figure:
    return Figure(name, round(value, 2), unit)


def best_of(rounds: int, work: Callable[[], int]) -> float:
    """Items per second of processor time, in the best of several rounds: the machine has other work, too."""
    rates = []
    for _ in range(rounds):
        start = time.process_time()
        count = work()
        rates.append(count / (time.process_time() - start))
    return max(rates)


def green(script: str, *arguments: str) -> float:
    """Run greenswitch in a process of its own, as its users do."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), *arguments],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    return float(done.stdout)
