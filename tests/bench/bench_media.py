"""The path of sound: 200 AudioSocket calls at once, against a bare asyncio echo server in the same run.

``python -m tests.bench.bench_media`` prints the figures and writes ``bench-results/media.json``.
Each call sends and gets 50 frames a second; the server runs in its own process, whose CPU
time is what is told.  Gaps are measured where the frames arrive, so they contain the
receiving process's own delays; the two servers share those.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import numpy as np

from agi_bot.audio import Frame
from agi_bot.pbx.agi.protocol import Parser as AgiParser
from agi_bot.pbx.audiosocket.protocol import Hello, Parser, encode
from agi_bot.pbx.media.clock import LineClock
from tests.bench.results import Figure, save

FRAME = encode(Frame(bytes((0, 8)) * 160))
WARM_UP_S = 3.0
DATA = Path(__file__).parents[1] / "data/asterisk"


@dataclass(eq=False)
class Caller(asyncio.Protocol):
    """One call: counts what comes and when."""

    got: int = 0
    arrivals: list[float] = field(default_factory=list)
    transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(encode(Hello(uuid4())))

    def data_received(self, data: bytes) -> None:
        self.got += len(data)
        self.arrivals.append(time.perf_counter())

    def tick(self) -> None:
        """Send 20 ms of sound."""
        assert self.transport is not None
        self.transport.write(FRAME)


@dataclass
class Run:
    """What one server did: share of one core, gaps between arrivals in ms, share of the frames that came."""

    cpu: float
    gaps: np.ndarray
    frames: float


async def run(kind: str, calls: int, seconds: float) -> Run:
    """``calls`` calls for ``seconds`` on a server of ``kind``."""
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.media_server", kind),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert server.stdout is not None
    assert server.stdin is not None
    port = int(await server.stdout.readline())
    loop = asyncio.get_running_loop()
    callers = [(await loop.create_connection(Caller, "127.0.0.1", port))[1] for _ in range(calls)]
    clock = LineClock()
    for caller in callers:
        clock.add(caller)
    await asyncio.sleep(WARM_UP_S)
    result = await _measure(server.pid, callers, seconds)
    for caller in callers:
        clock.remove(caller)
        assert caller.transport is not None
        caller.transport.abort()
    server.stdin.close()
    await server.wait()
    return result


async def _measure(pid: int, callers: list[Caller], seconds: float) -> Run:
    for caller in callers:
        caller.got = 0
        caller.arrivals.clear()
    began, used = time.perf_counter(), _cpu_seconds(pid)
    await asyncio.sleep(seconds)
    took, used = time.perf_counter() - began, _cpu_seconds(pid) - used
    gaps = np.concatenate([np.diff(caller.arrivals) for caller in callers]) * 1000
    frames = sum(caller.got for caller in callers) / len(FRAME)
    return Run(used / took, gaps, frames / (len(callers) * took * 50))


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def median(runs: list[Run]) -> Run:
    """The run in the middle, by the 99th percentile of its gaps: other work on the machine comes and goes."""
    return sorted(runs, key=lambda each: float(np.percentile(each.gaps, 99)))[len(runs) // 2]


def figures_of(name: str, result: Run) -> list[Figure]:
    """The figures of one server."""
    p50, p99 = np.percentile(result.gaps, [50, 99])
    return [
        Figure(f"media_{name}_cpu_of_a_core", round(100 * result.cpu, 1), "%"),
        Figure(f"media_{name}_gap_p50", round(float(p50), 2), "ms"),
        Figure(f"media_{name}_gap_p99", round(float(p99), 2), "ms"),
        Figure(f"media_{name}_frames_arrived", round(100 * result.frames, 2), "%"),
    ]


def goals(result: Run) -> list[Figure]:
    """The two figures that have a goal, as ``load.json`` calls them."""
    return [
        Figure("media_200_calls_core_share", round(result.cpu, 3), "cores"),
        Figure("media_gap_ms_p99", round(float(np.percentile(result.gaps, 99)), 2), "ms"),
    ]


def parser_speed() -> list[Figure]:
    """Frames a second through the AudioSocket parser, AGI replies a second through the AGI parser."""
    return [
        Figure("audiosocket_parser", round(max(_audio_rate() for _ in range(5))), "frames/s"),
        Figure("agi_parser", round(max(_agi_rate() for _ in range(5))), "replies/s"),
    ]


def _audio_rate(count: int = 50_000) -> float:
    parser = Parser()
    parser.receive(encode(Hello(uuid4())))
    list(parser.messages())
    began = time.perf_counter()
    for _ in range(count):
        parser.receive(FRAME)
        for _ in parser.messages():
            pass
    return count / (time.perf_counter() - began)


def _agi_rate(count: int = 30_000) -> float:
    parser = AgiParser()
    parser.receive(b"agi_network: yes\n\n")
    list(parser.events())
    began = time.perf_counter()
    for _ in range(count):
        parser.receive(b"200 result=1 (value)\n")
        for _ in parser.events():
            pass
    return count / (time.perf_counter() - began)


async def main() -> None:
    """Measure everything."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--calls", type=int, default=200)
    arguments.add_argument("--seconds", type=float, default=8.0)
    arguments.add_argument("--rounds", type=int, default=3)
    chosen = arguments.parse_args()
    runs: dict[str, list[Run]] = {"echo": [], "ours": []}
    for _ in range(chosen.rounds):
        for kind, done in runs.items():
            done.append(await run(kind, chosen.calls, chosen.seconds))
    echo, ours = median(runs["echo"]), median(runs["ours"])
    figures = [Figure("media_calls", chosen.calls, "calls"), *figures_of("ours", ours), *figures_of("echo", echo)]
    figures.append(Figure("media_cpu_ours_to_echo", round(ours.cpu / echo.cpu, 2), "x"))
    save("media.json", [*figures, *parser_speed()])
    if chosen.calls == 200:
        save("load.json", goals(ours))


if __name__ == "__main__":
    asyncio.run(main())
