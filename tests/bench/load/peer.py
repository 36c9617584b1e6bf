"""vosk-server's ``websocket/asr_server.py``, run unchanged from where the user has it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from agi_bot.demo.ports import free_port
from tests.bench.load import ours
from tests.bench.load.crowd import Outcome
from tests.bench.load.started import listens
from tests.bench.load.streams import Order

FIRST = 16


@dataclass(frozen=True)
class Peer:
    """``script``: asr_server.py.  ``python``: an interpreter with vosk and a websockets that it works with."""

    script: Path
    python: str
    model: Path


@contextmanager
def server(peer: Peer, cores: Sequence[int]) -> Iterator[tuple[int, int]]:
    """The running server's process id and port."""
    port = free_port(socket.SOCK_STREAM)
    environment = {
        **os.environ,
        "VOSK_SERVER_INTERFACE": "127.0.0.1",
        "VOSK_SERVER_PORT": str(port),
        "VOSK_SAMPLE_RATE": "8000",
    }
    process = subprocess.Popen(
        [peer.python, str(peer.script), str(peer.model)],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: os.sched_setaffinity(0, set(cores)),
    )
    try:
        if not listens(port, process):
            raise SystemExit("vosk-server did not start: does its Python have vosk and websockets before version 14?")
        yield process.pid, port
    finally:
        process.terminate()
        process.wait(30)


def measure(peer: Peer, plan: ours.Plan, sounds: Path, pauses: Sequence[float]) -> ours.Load:
    """The largest number of streams; the callers' answers and pauses are those of our own run."""
    with server(peer, plan.cores) as (pid, port):

        def step(streams: int) -> Outcome:
            seconds = plan.long_enough(streams)
            order = Order(port, pid, streams, seconds, str(sounds), tuple(pauses), seed=streams)
            outcome = _streams(order, plan.others)
            print(ours.line(outcome), flush=True)
            return outcome

        return ours.climb(step, replace(plan, only=(), first=FIRST), _still_good)


def _still_good(now: Outcome, base: Outcome) -> bool:
    return ours.still_good(now, base) and not now.ended


def _streams(order: Order, cores: str) -> Outcome:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.load.streams", json.dumps(asdict(order)), cores],
        stdout=subprocess.PIPE,
        check=True,
    )
    return Outcome(**json.loads(done.stdout))
