"""A worker that misbehaves on request: run as a program by the tests of the pool."""

import os
import sys
import time
from collections.abc import Iterator, Mapping
from typing import Any

from agi_bot.speech.worker.serve import serve


class Unruly:
    streams = True

    def describe(self) -> Mapping[str, Any]:
        return {"rate": 8000, "pid": os.getpid()}

    def make(self, request: Mapping[str, Any]) -> Iterator[bytes]:
        text = str(request["text"])
        if text == "refuse":
            raise ValueError("I do not say that")
        if text == "bug":
            raise KeyError("oops")
        if text == "die":
            os._exit(3)
        if text == "hang":
            time.sleep(60)
        if text == "chatter":
            print("a library prints on standard output", flush=True)
        if text == "grow":
            self.ballast = bytearray(os.urandom(1 << 20)) * 80
        eaten: list[bytes] = []
        for number in range(int(request.get("pieces", 3))):
            if text == "eat":
                eaten.append(os.urandom(5 << 20))
            marker = request.get("die_once_after")
            if marker and number == 2 and not os.path.exists(marker):
                open(marker, "w").close()
                os._exit(4)
            time.sleep(float(request.get("pause_s", 0)))
            if request.get("log"):
                with open(request["log"], "a", encoding="utf-8") as log:
                    log.write(f"{text} {number}\n")
            yield bytes([number]) * 4 + text.encode().ljust(16, b"\0")


def load() -> Unruly:
    mode = sys.argv[1] if len(sys.argv) > 1 else ""
    if mode == "broken":
        raise ValueError("the model has no config.json")
    if mode == "slow":
        time.sleep(60)
    if mode == "late":
        time.sleep(2.0)
    if mode == "crash":
        print("Segmentation fault (core dumped)", file=sys.stderr, flush=True)
        os._exit(139)
    return Unruly()


if __name__ == "__main__":
    sys.exit(serve(load))
