"""The process of vosk-server's clients: ``python -m tests.bench.load.streams``, JSON in, JSON out.

Each client sends a caller's sound in real time, in pieces of 200 ms as vosk-server's own
example client does, and notes when the final result of each answer arrives.  The protocol
(https://alphacephei.com/vosk/server): a JSON message ``{"config": {"sample_rate": 8000}}``,
then binary messages of 16-bit sound; each is answered by one JSON message, which has
``partial``, or ``text`` when an utterance ended.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import websockets

from agi_bot.audio import FRAME_MS, LINE_RATE
from tests.bench.load import sounds, usage
from tests.bench.load.crowd import RAMP_S, WARM_S, Outcome

PIECE_FRAMES = 10
"""200 ms."""

PIECE_S = PIECE_FRAMES * FRAME_MS / 1000
BEHIND_S = 5.0
"""A server whose answers are later than this cannot keep up."""


@dataclass(frozen=True)
class Order:
    """``streams`` at once for ``seconds`` to the server ``pid`` on ``port``; ``pauses``: s between two answers."""

    port: int
    pid: int
    streams: int
    seconds: float
    sounds: str
    pauses: tuple[float, ...]
    seed: int = 1


class Stream:
    """One client.  Times are ``time.perf_counter``."""

    def __init__(self, order: Order, material: sounds.Sounds, rng: random.Random) -> None:
        self._order = order
        self._material = material
        self._rng = rng
        self._asked_at = 0.0
        self.replies: list[tuple[float, float]] = []
        self.missed: list[float] = []
        self.spoken: list[tuple[float, float]] = []
        self.sent = self.answered = 0

    async def run(self) -> None:
        """Send until cancelled."""
        async with websockets.connect(f"ws://127.0.0.1:{self._order.port}", compression=None) as socket:
            await socket.send(json.dumps({"config": {"sample_rate": LINE_RATE}}))
            hearing = asyncio.create_task(self._hear(socket))
            try:
                await self._speak(socket)
            finally:
                hearing.cancel()

    async def _speak(self, socket: websockets.ClientConnection) -> None:
        frames = self._frames()
        due = time.perf_counter()
        while True:
            due += PIECE_S
            await asyncio.sleep(due - time.perf_counter())
            await socket.send(b"".join(self._frame(*next(frames), due, place) for place in range(PIECE_FRAMES)))
            self.sent += 1

    def _frame(self, pcm: bytes, ended: sounds.Answer | None, due: float, place: int) -> bytes:
        """``pcm``; where it ends an answer, that is noted.  The piece is sent when its last sample was spoken."""
        if ended is not None:
            at = due - (PIECE_FRAMES - 1 - place) * FRAME_MS / 1000
            if self._asked_at:
                self.missed.append(at)
            self._asked_at = at - ended.tail_ms / 1000
            self.spoken.append((at, len(ended.frames) * FRAME_MS))
        return pcm

    def _frames(self) -> Iterator[tuple[bytes, sounds.Answer | None]]:
        place = 0
        while True:
            for _ in range(round(self._rng.choice(self._order.pauses) * 1000 / FRAME_MS)):
                place = (place + 1) % len(self._material.noise)
                yield self._material.noise[place], None
            answer = self._rng.choice(self._material.answers)
            yield from ((pcm, None) for pcm in answer.frames[:-1])
            yield answer.frames[-1], answer

    async def _hear(self, socket: websockets.ClientConnection) -> None:
        async for message in socket:
            now = time.perf_counter()
            self.answered += 1
            if json.loads(message).get("text") and self._asked_at:
                self.replies.append((now, (now - self._asked_at) * 1000))
                self._asked_at = 0.0


async def run(order: Order) -> Outcome:
    """Carry out ``order``."""
    material = sounds.load(Path(order.sounds))
    rng = random.Random(order.seed)
    streams = [Stream(order, material, random.Random(rng.random())) for _ in range(order.streams)]
    tasks = [asyncio.create_task(_later(place, order.streams, each)) for place, each in enumerate(streams)]
    await asyncio.sleep(min(RAMP_S, order.streams) + WARM_S)
    before, own, since = usage.read(order.pid), time.process_time(), time.perf_counter()
    await asyncio.sleep(order.seconds)
    after, used = usage.read(order.pid), time.process_time() - own
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    outcome = _outcome(order, streams, since, usage.shares(before, after))
    outcome.memory_mb, outcome.crowd_cores = after.memory_mb, used / order.seconds
    return outcome


async def _later(place: int, streams: int, stream: Stream) -> None:
    await asyncio.sleep(RAMP_S * place / max(1, streams - 1))
    await stream.run()


def _outcome(order: Order, streams: list[Stream], since: float, cores: dict[str, float]) -> Outcome:
    until = since + order.seconds
    late = sum((each.sent - each.answered) * PIECE_S > BEHIND_S for each in streams)
    missed = sum(since <= at < until for each in streams for at in each.missed)
    spoken = sum(ms for each in streams for at, ms in each.spoken if since <= at < until)
    return Outcome(
        order.streams,
        [ms for each in streams for at, ms in each.replies if since <= at < until],
        missed,
        ended={"cannot_keep_up": late} if late else {},
        speech_share=spoken / 1000 / order.seconds / order.streams,
        cores=cores,
    )


def main() -> None:
    """Carry out the order of the first argument, pinned to the cores of the second."""
    order = Order(**json.loads(sys.argv[1]))
    os.sched_setaffinity(0, set(map(int, sys.argv[2].split(","))))
    gc.disable()
    print(json.dumps(asdict(asyncio.run(run(order)))))


if __name__ == "__main__":
    main()
