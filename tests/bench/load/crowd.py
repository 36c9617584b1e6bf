"""The process of the callers: ``python -m tests.bench.load.crowd``, JSON in its arguments, JSON out.

It keeps so many calls going (a caller whose call is over calls again), and looks at what
the bot's process used in exactly the time that it measures.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import random
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from agi_bot.pbx.media.clock import LineClock
from tests.bench.load import sounds, usage
from tests.bench.load.caller import Caller, Tally

RAMP_S = 4.0
WARM_S = 5.0


@dataclass(frozen=True)
class Order:
    """What to do: ``calls`` at once for ``seconds`` after the warm-up, to the bot ``pid`` at AGI port ``port``."""

    port: int
    pid: int
    calls: int
    seconds: float
    flow: str
    sounds: str
    seed: int = 1


@dataclass
class Outcome:
    """What was seen while it was measured; ms, cores, MB."""

    calls: int
    replies: list[float] = field(default_factory=list)
    missed: int = 0
    early: int = 0
    ended: dict[str, int] = field(default_factory=dict)
    gap_ms_p99: float = 0.0
    speech_share: float = 0.0
    cores: dict[str, float] = field(default_factory=dict)
    memory_mb: float = 0.0
    crowd_cores: float = 0.0
    pauses: list[float] = field(default_factory=list)

    def percentile(self, rank: float) -> float:
        """Reply time, ms; infinite where nothing was answered."""
        return float(np.percentile(self.replies, rank)) if self.replies else float("inf")

    @property
    def turns(self) -> int:
        return len(self.replies) + self.missed + self.early

    @property
    def missed_share(self) -> float:
        return self.missed / max(1, self.turns)


async def run(order: Order) -> Outcome:
    """Carry out ``order``."""
    clock, tally = LineClock(), Tally()
    material = sounds.load(Path(order.sounds))
    rng = random.Random(order.seed)
    lines = [asyncio.create_task(_line(order, place, clock, material, tally, rng)) for place in range(order.calls)]
    await asyncio.sleep(min(RAMP_S, order.calls) + WARM_S)
    before, own, since = usage.read(order.pid), time.process_time(), time.perf_counter()
    await asyncio.sleep(order.seconds)
    after, used = usage.read(order.pid), time.process_time() - own
    broken = [line for line in lines if line.done()]
    for line in lines:
        line.cancel()
    await asyncio.gather(*lines, return_exceptions=True)
    for line in broken:
        line.result()
    return _outcome(order, tally, before, after, since, used)


async def _line(
    order: Order, place: int, clock: LineClock, material: sounds.Sounds, tally: Tally, rng: random.Random
) -> None:
    await asyncio.sleep(RAMP_S * place / max(1, order.calls - 1) if order.calls > RAMP_S else place)
    while True:
        caller = Caller(material, tally, random.Random(rng.random()), order.flow)
        clock.add(caller)
        try:
            ended = await caller.run("127.0.0.1", order.port)
        finally:
            clock.remove(caller)
            caller.hang_up()
        tally.ended.append((time.perf_counter(), caller.variables.get("BOT_OUTCOME", ended)))
        await asyncio.sleep(rng.uniform(0.2, 0.8))


def _outcome(order: Order, tally: Tally, before: usage.Usage, after: usage.Usage, since: float, used: float) -> Outcome:
    until = since + order.seconds
    gaps = [gap for at, gap in tally.gaps if since <= at < until]
    spoken = sum(ms for at, ms in tally.spoken if since <= at < until)
    ended = [how for at, how in tally.ended if since <= at < until]
    return Outcome(
        order.calls,
        [reply for at, reply in tally.replies if since <= at < until],
        _count(tally.missed, since, until),
        _count(tally.early, since, until),
        {how: ended.count(how) for how in sorted(set(ended))},
        float(np.percentile(gaps, 99)) if gaps else float("inf"),
        spoken / 1000 / order.seconds / order.calls,
        usage.shares(before, after),
        after.memory_mb,
        used / order.seconds,
        tally.pauses,
    )


def _count(times: Iterable[float], since: float, until: float) -> int:
    return sum(since <= at < until for at in times)


def main() -> None:
    """Carry out the order of the first argument, pinned to the cores of the second."""
    order = Order(**json.loads(sys.argv[1]))
    os.sched_setaffinity(0, set(map(int, sys.argv[2].split(","))))
    gc.disable()
    print(json.dumps(asdict(asyncio.run(run(order)))))


if __name__ == "__main__":
    main()
