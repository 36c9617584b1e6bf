"""A voice that hums at two and a half times the line's speed, in pieces of 100 ms: run as a worker by a test."""

import sys
import time
from collections.abc import Iterator, Mapping
from typing import Any

from agi_bot.speech.worker.serve import serve

RATE = 8000
PIECE_MS, WORK_MS = 100, 40
CHARACTER_MS = 120
LOAD_S = 4.0
"""As long as a large model takes."""


class Slow:
    streams = True

    def describe(self) -> Mapping[str, Any]:
        return {"rate": RATE}

    def make(self, request: Mapping[str, Any]) -> Iterator[bytes]:
        hum = (bytes([0, 32]) * 8 + bytes([0, 224]) * 8) * (RATE * PIECE_MS // 1000 // 16)
        for _ in range(len(str(request["text"])) * CHARACTER_MS // PIECE_MS):
            time.sleep(WORK_MS / 1000)
            yield hum


def load() -> Slow:
    time.sleep(LOAD_S)
    return Slow()


if __name__ == "__main__":
    sys.exit(serve(load))
