"""Our side of the load bench: whole calls, until their replies are twice as late as those of a few."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.bench.load import search
from tests.bench.load.bot import bot
from tests.bench.load.crowd import Order, Outcome
from tests.bench.results import Figure

FIRST = 24
MISSED_SHARE = 0.05
"""More missed turns than this are too many, however quick the others are answered."""

BASE_CALLS = 4
"""The p95 of so many is what that of more is compared with."""

LEAST_TURNS = 60
TURNS_A_SECOND = 0.18
"""At least so many of a call that goes on."""


@dataclass(frozen=True)
class Plan:
    """``cores``: of the bot.  ``most``: largest number of calls.  ``seconds``: of each step, at least."""

    cores: tuple[int, ...]
    most: int
    seconds: float
    models: dict[str, Path] = field(default_factory=dict)
    only: tuple[int, ...] = ()
    first: int = FIRST

    @property
    def others(self) -> str:
        """The callers' cores."""
        rest = sorted(os.sched_getaffinity(0) - set(self.cores)) or list(self.cores)
        return ",".join(map(str, rest))

    def long_enough(self, calls: int) -> float:
        """Seconds in which so many calls have turns enough to tell a p95."""
        return max(self.seconds, LEAST_TURNS / (TURNS_A_SECOND * calls))


@dataclass
class Load:
    """A few calls, and each step."""

    base: Outcome
    steps: list[Outcome]
    most: search.Most

    @property
    def calls(self) -> int:
        """So many were held."""
        return self.most.good


def measure(plan: Plan, sounds: Path) -> Load:
    """Find the largest number of calls; Raises SystemExit when the bot does not start."""
    with (
        tempfile.TemporaryDirectory(prefix="agi-bot-load-") as folder,
        bot(Path(folder), plan.cores, plan.models) as (pid, port),
    ):

        def step(calls: int) -> Outcome:
            order = Order(port, pid, calls, plan.long_enough(calls), "load", str(sounds), seed=calls)
            outcome = crowd(order, plan.others)
            print(line(outcome), flush=True)
            return outcome

        return climb(step, plan, still_good)


def climb(step: Callable[[int], Outcome], plan: Plan, good: Callable[[Outcome, Outcome], bool]) -> Load:
    """The base, then the largest number whose outcome is ``good`` against it."""
    base = step(BASE_CALLS)
    steps: list[Outcome] = []

    def holds(calls: int) -> bool:
        steps.append(twice(lambda: step(calls), lambda each: good(each, base)))
        return good(steps[-1], base)

    if plan.only:
        found = search.Most(max((calls for calls in plan.only if holds(calls)), default=0), None)
    else:
        found = search.most(holds, plan.first, plan.most)
    return Load(base, sorted(steps, key=lambda each: each.calls), found)


def twice(step: Callable[[], Outcome], good: Callable[[Outcome], bool]) -> Outcome:
    """The step, tried once more when it fails: other work on the machine may have stalled it."""
    outcome = step()
    return outcome if good(outcome) else step()


def still_good(now: Outcome, base: Outcome) -> bool:
    """Replies come less than twice as late as in a few calls, and all but a few come."""
    return now.percentile(95) <= 2 * base.percentile(95) and now.missed_share <= base.missed_share + MISSED_SHARE


def crowd(order: Order, cores: str) -> Outcome:
    """Let the callers' process carry out ``order``."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.load.crowd", json.dumps(asdict(order)), cores],
        stdout=subprocess.PIPE,
        check=True,
    )
    return Outcome(**json.loads(done.stdout))


def line(outcome: Outcome) -> str:
    """One step for the terminal."""
    cores = outcome.cores
    return (
        f"{outcome.calls:4} calls: reply p50 {outcome.percentile(50):5.0f} p95 {outcome.percentile(95):5.0f} ms"
        f" of {outcome.turns} turns, missed {outcome.missed}, early {outcome.early},"
        f" gap p99 {outcome.gap_ms_p99:.0f} ms, server {sum(cores.values()):.2f} cores"
        f" (loop {cores['loop']:.2f}, threads {cores['threads']:.2f},"
        f" voices {cores['children']:.2f}), {outcome.memory_mb:.0f} MB, callers {outcome.crowd_cores:.2f} cores,"
        f" speech {outcome.speech_share:.2f}, ended {outcome.ended}"
    )


def figures(load: Load, plan: Plan) -> Sequence[Figure]:
    """What load.json holds of it."""
    cores = len(plan.cores)
    found = [
        Figure("calls_per_core", round(load.calls / cores, 1), "calls"),
        Figure("calls_per_core_upto", round(load.most.upto / cores, 1), "calls"),
        Figure("load_cores", cores, "cores"),
    ]
    for outcome in [load.base, *load.steps]:
        found += _step(outcome)
    return [*found, *_at_most(load)]


def _step(outcome: Outcome) -> list[Figure]:
    calls = outcome.calls
    return [
        Figure(f"load_reply_ms_p50_{calls}_calls", round(outcome.percentile(50), 1), "ms"),
        Figure(f"load_reply_ms_p95_{calls}_calls", round(outcome.percentile(95), 1), "ms"),
        Figure(f"load_turns_{calls}_calls", outcome.turns, "turns"),
        Figure(f"load_missed_share_{calls}_calls", round(outcome.missed_share, 4), "share"),
        Figure(f"load_gap_ms_p99_{calls}_calls", round(outcome.gap_ms_p99, 1), "ms"),
        Figure(f"load_cores_used_{calls}_calls", round(sum(outcome.cores.values()), 3), "cores"),
    ]


def _at_most(load: Load) -> list[Figure]:
    """What a call costs where the most are held."""
    best = next((each for each in load.steps if each.calls == load.calls), load.base)
    parts = [
        Figure(f"load_core_share_a_call_{part}", round(cores / best.calls, 5), "cores")
        for part, cores in best.cores.items()
    ]
    grown = (best.memory_mb - load.base.memory_mb) / max(1, best.calls - load.base.calls)
    return [
        *parts,
        Figure("load_memory_mb_a_call", round(grown, 2), "MB"),
        Figure("load_speech_share", round(best.speech_share, 3), "share"),
        Figure("load_callers_cores", round(best.crowd_cores, 3), "cores"),
    ]
