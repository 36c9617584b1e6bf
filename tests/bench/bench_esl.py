"""How fast the event socket library is, against greenswitch on the same bytes in the same run.

``python -m tests.bench esl`` prints the figures and writes ``bench-results/esl.json``.  Rates
are per second of this process's processor time, which other work on the machine does not change.
The figures that need a real FreeSWITCH are added by ``python -m tests.bench freeswitch``.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import esl
from esl.protocol import Connection, Role
from esl.testing import FakeCall
from tests.bench.against_green import RECORDED, best_of, figure, green
from tests.bench.esl_commands import command_figures
from tests.bench.results import Figure, save

READ = ("Event-Name", "Unique-ID", "Caller-Caller-ID-Number", "Channel-State", "variable_uuid")
"""What a typical application reads of an event; greenswitch has decoded everything by then."""


def recorded_event() -> bytes:
    """The frame of the largest event that a real FreeSWITCH sent."""
    stream = next(RECORDED.glob("outbound-*.bin")).read_bytes()
    best = b""
    for piece in stream.split(b"Content-Length: ")[1:]:
        digits, mark, rest = piece.partition(b"\nContent-Type: text/event-plain\n\n")
        if mark and digits.isdigit() and int(digits) > len(best):
            best = rest[: int(digits)]
    return b"Content-Length: %d\nContent-Type: text/event-plain\n\n" % len(best) + best


# --- parsing, without a socket


def ours_parsed(stream: bytes, whole: bool) -> Callable[[], int]:
    def work() -> int:
        connection = Connection(Role.INBOUND)
        seen = 0
        for start in range(0, len(stream), 65536):
            connection.feed(stream[start : start + 65536])
            for event in connection.messages():
                assert isinstance(event, esl.Event)
                event.headers.to_dict() if whole else [event.get(name) for name in READ]
                seen += 1
        return seen

    return work


GREEN_PARSE = """
    import io, sys, time, gevent
    from greenswitch.esl import ESLProtocol
    stream = open(sys.argv[1], "rb").read()
    names = sys.argv[2].split(",")

    class Reader(ESLProtocol):
        def __init__(self):
            super().__init__()
            self.sock_file = io.BytesIO(stream)
            self.connected = True
            self.seen = 0

        def handle_event(self, event):
            super().handle_event(event)
            headers = self._esl_event_queue.get().headers
            for name in names:
                headers.get(name)
            self.seen += 1

    best = 0
    for _ in range(5):
        reader = Reader()
        start = time.process_time()
        reader.receive_events()
        best = max(best, reader.seen / (time.process_time() - start))
    print(best)
"""


def parsing(folder: Path) -> list[Figure]:
    event = recorded_event()
    stream = event * 5000
    (folder / "stream.bin").write_bytes(stream)
    ours = best_of(5, ours_parsed(stream, whole=False))
    whole = best_of(5, ours_parsed(stream, whole=True))
    theirs = green(GREEN_PARSE, str(folder / "stream.bin"), ",".join(READ))
    return [
        figure("event_bytes", len(event), "bytes"),
        figure("events_per_s", ours, "1/s"),
        figure("events_per_s_every_value_read", whole, "1/s"),
        figure("events_per_s_greenswitch", theirs, "1/s"),
        figure("events_ratio_to_greenswitch", ours / theirs, "x"),
        figure("events_ratio_every_value_read", whole / theirs, "x"),
    ]


# --- connect to application


async def connect_ms(transport: str) -> list[float]:
    times: list[float] = []

    async def handler(session: esl.Session) -> None:
        times.append((time.perf_counter() - float(session.variable("started"))) * 1000)

    async with esl.Server(handler, port=0, transport=esl.backend(transport)) as server:
        host, port = await server.start()
        for _ in range(50):
            call = FakeCall({"variable_started": repr(time.perf_counter())})
            await call.connect(host, port)
            await call.closed.wait()
    return times


def connect_figures() -> list[Figure]:
    ours = asyncio.run(connect_ms("native"))
    fenced = asyncio.run(connect_ms("greenswitch"))
    return [
        figure("connect_to_handler_ms_p50_fake", statistics.median(ours), "ms"),
        figure("connect_to_handler_ms_p50_fake_fenced_greenswitch", statistics.median(fenced), "ms"),
    ]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        figures = parsing(Path(folder)) + command_figures(Path(folder)) + connect_figures()
    save("esl.json", figures, ("greenswitch",))


if __name__ == "__main__":
    main()
