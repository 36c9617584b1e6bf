"""How fast the event socket library is, against greenswitch on the same bytes in the same run.

``python -m tests.bench esl`` prints the figures and writes ``bench-results/esl.json``.  Rates
are per second of this process's processor time, which other work on the machine does not change.
The figures that need a real FreeSWITCH are added by ``python -m tests.bench freeswitch``.
"""

from __future__ import annotations

import asyncio
import socket
import statistics
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path

import esl
from esl import commands
from esl.protocol import Connection, Role
from esl.testing import GREETING, FakeCall, encode_reply, encode_response
from tests.bench.results import Figure, save

ROOT = Path(__file__).parents[2]
RECORDED = ROOT / "tests" / "data" / "esl"
READ = ("Event-Name", "Unique-ID", "Caller-Caller-ID-Number", "Channel-State", "variable_uuid")
"""What a typical application reads of an event; greenswitch has decoded everything by then."""


def figure(name: str, value: float, unit: str) -> Figure:
    return Figure(name, round(value, 2), unit)


def recorded_event() -> bytes:
    """The frame of the largest event that a real FreeSWITCH sent."""
    stream = next(RECORDED.glob("outbound-*.bin")).read_bytes()
    best = b""
    for piece in stream.split(b"Content-Length: ")[1:]:
        digits, mark, rest = piece.partition(b"\nContent-Type: text/event-plain\n\n")
        if mark and digits.isdigit() and int(digits) > len(best):
            best = rest[: int(digits)]
    return b"Content-Length: %d\nContent-Type: text/event-plain\n\n" % len(best) + best


def best_of(rounds: int, work: Callable[[], int]) -> float:
    """Items per second of processor time, in the best of several rounds: the machine has other work, too."""
    rates = []
    for _ in range(rounds):
        start = time.process_time()
        count = work()
        rates.append(count / (time.process_time() - start))
    return max(rates)


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


# --- commands over a socket, against the same peer


class Peer(threading.Thread):
    """A FreeSWITCH that answers at once, in a process of its own thread and without a parser."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def run(self) -> None:
        while True:
            sock, _ = self.listener.accept()
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.sendall(GREETING)
        rest = b""
        while data := sock.recv(65536):
            *asked, rest = (rest + data).split(b"\n\n")
            sock.sendall(b"".join(map(_answer, asked)))


def _answer(asked: bytes) -> bytes:
    if asked.startswith(b"auth"):
        return encode_reply("+OK accepted")
    if asked.startswith(b"api"):
        return encode_response("+OK\n")
    return encode_reply("+OK")


PEER_PROCESS = """
    import sys, time
    sys.path.insert(0, sys.argv[1])
    from tests.bench.bench_esl import Peer
    peer = Peer(); peer.start(); print(peer.port, flush=True)
    time.sleep(600)
"""

GREEN_COMMANDS = """
    import sys, time, gevent
    from greenswitch.esl import InboundESL
    peer = InboundESL("127.0.0.1", int(sys.argv[1]), "x")
    peer.connect()
    callers, each = int(sys.argv[2]), int(sys.argv[3])

    def work():
        for _ in range(each):
            peer.send("api uuid_exists 7")

    best = 0
    for _ in range(5):
        start = time.process_time()
        gevent.joinall([gevent.spawn(work) for _ in range(callers)])
        best = max(best, callers * each / (time.process_time() - start))
    print(best)
"""


async def our_commands(port: int, callers: int, each: int, transport: str = "native") -> float:
    rates = []
    async with esl.Client("127.0.0.1", port, "x", transport=esl.backend(transport)) as client:

        async def work() -> None:
            for _ in range(each):
                await client.api("uuid_exists 7")

        for _ in range(5):
            start = time.process_time()
            await asyncio.gather(*[work() for _ in range(callers)])
            rates.append(callers * each / (time.process_time() - start))
    return max(rates)


def command_figures() -> list[Figure]:
    script = textwrap.dedent(PEER_PROCESS)
    peer = subprocess.Popen([sys.executable, "-c", script, str(ROOT)], stdout=subprocess.PIPE, text=True)
    assert peer.stdout is not None
    try:
        port = int(peer.stdout.readline())
        ours = asyncio.run(our_commands(port, 100, 200))
        alone = asyncio.run(our_commands(port, 1, 5000))
        fenced = asyncio.run(our_commands(port, 100, 50, "greenswitch"))
        theirs = green(GREEN_COMMANDS, str(port), "100", "200")
        theirs_alone = green(GREEN_COMMANDS, str(port), "1", "5000")
    finally:
        peer.terminate()
    return [
        figure("commands_over_socket_per_s", ours, "1/s"),
        figure("commands_over_socket_per_s_greenswitch", theirs, "1/s"),
        figure("commands_over_socket_ratio_to_greenswitch", ours / theirs, "x"),
        figure("commands_per_s_one_after_another", alone, "1/s"),
        figure("commands_per_s_one_after_another_greenswitch", theirs_alone, "1/s"),
        figure("commands_per_s_fenced_greenswitch", fenced, "1/s"),
    ]


GREEN_PAIRING = """
    import io, sys, time, gevent, gevent.event
    from greenswitch.esl import ESLProtocol
    stream = open(sys.argv[1], "rb").read()
    count = int(sys.argv[2])

    class Nowhere:
        def send(self, data):
            return len(data)

    class Reader(ESLProtocol):
        def __init__(self):
            super().__init__()
            self.sock, self.sock_file, self.connected = Nowhere(), io.BytesIO(stream), True

        def say(self, data):  # the first half of ESLProtocol.send
            waiting = gevent.event.AsyncResult()
            self._commands_sent.append(waiting)
            self.sock.send((data + self._EOL * 2).encode("utf-8"))

    best = 0
    for _ in range(5):
        reader = Reader()
        start = time.process_time()
        for _ in range(count):
            reader.say("api uuid_exists 7")
        reader.receive_events()
        assert not reader._commands_sent
        best = max(best, count / (time.process_time() - start))
    print(best)
"""


def protocol_figures(folder: Path) -> list[Figure]:
    """Commands to bytes and replies to commands, without a socket, on the same bytes."""
    count = 10_000
    replies = encode_response("+OK\n") * count
    (folder / "replies.bin").write_bytes(replies)
    theirs = green(GREEN_PAIRING, str(folder / "replies.bin"), str(count))
    ours = best_of(5, lambda: paired(replies, count))
    return [
        figure("commands_per_s", ours, "1/s"),
        figure("commands_per_s_greenswitch", theirs, "1/s"),
        figure("commands_ratio_to_greenswitch", ours / theirs, "x"),
    ]


def paired(replies: bytes, count: int) -> int:
    connection = Connection(Role.INBOUND)
    connection.feed(GREETING)
    list(connection.messages())
    connection.send(commands.auth("x"))
    connection.feed(encode_reply("+OK accepted"))
    list(connection.messages())
    for _ in range(count):
        connection.send(commands.api("uuid_exists 7"))
    connection.feed(replies)
    assert sum(1 for _ in connection.messages()) == count
    return count


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
        figures = parsing(Path(folder)) + protocol_figures(Path(folder)) + command_figures() + connect_figures()
    save("esl.json", figures, ("greenswitch",))


if __name__ == "__main__":
    main()
