"""A FreeSWITCH that answers at once, for benchmarks: ``python -m tests.bench.esl_peers``.

It parses next to nothing, so that the other side is what is measured, and runs in a process of
its own.  The first line that it prints is the port on which it takes inbound connections;
``calls HOST PORT COUNT`` on its standard input makes it connect ``COUNT`` calls to an
outbound server.
"""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from esl.testing import GREETING, encode_reply, encode_response
from tests.bench.against_green import RECORDED, ROOT

Answerer = Callable[[bytes], bytes]
_LENGTH = re.compile(rb"content-length: (\d+)")
_EVENT_ID = re.compile(rb"Event-UUID: (\S+)")


class Peer(subprocess.Popen[str]):
    """The process."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.bench.esl_peers"]
        super().__init__(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.stdout is not None
        self.port = int(self.stdout.readline())

    def call(self, host: str, port: int, count: int) -> None:
        """Bring ``count`` calls to the outbound server at ``host:port``."""
        assert self.stdin is not None
        print("calls", host, port, count, file=self.stdin, flush=True)


@contextmanager
def peer() -> Iterator[Peer]:
    """The process, ended afterwards."""
    process = Peer()
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def answer_inbound(asked: bytes) -> bytes:
    if asked.startswith(b"auth"):
        return encode_reply("+OK accepted")
    return encode_response("+OK\n") if asked.startswith(b"api") else encode_reply("+OK")


class Outbound:
    """What a real FreeSWITCH 1.10.12 said in a call; only the ids of applications are put in."""

    def __init__(self) -> None:
        stream = next(RECORDED.glob("outbound-*.bin")).read_bytes()
        self._connected = stream[: stream.index(b"\n\n") + 2]
        self._begun = _event(stream, b"CHANNEL_EXECUTE")
        self._ended = _event(stream, b"CHANNEL_EXECUTE_COMPLETE")

    def answer(self, asked: bytes) -> bytes:
        if asked.startswith(b"connect"):
            return self._connected
        if b"execute-app-name: set" not in asked:
            return encode_reply("+OK")
        found = _EVENT_ID.search(asked)
        event_id = found[1] if found else b"e-3"
        return encode_reply("+OK") + _framed(self._begun, event_id) + _framed(self._ended, event_id)


def _event(stream: bytes, name: bytes) -> bytes:
    """The event called ``name`` of the application ``set``, without its frame."""
    for frame in re.finditer(rb"Content-Length: (\d+)\nContent-Type: text/event-plain\n\n", stream):
        event = stream[frame.end() : frame.end() + int(frame[1])]
        if event.startswith(b"Event-Name: " + name + b"\n") and b"\nApplication: set\n" in event:
            return event
    raise LookupError(f"no {name.decode()} of set was recorded")


def _framed(event: bytes, event_id: bytes) -> bytes:
    event = event.replace(b"Application-UUID: e-3\n", b"Application-UUID: " + event_id + b"\n")
    return b"Content-Length: %d\nContent-Type: text/event-plain\n\n" % len(event) + event


def serve(sock: socket.socket, answer: Answerer) -> None:
    """Answer all that comes, until the end."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    held = b""
    try:
        while data := sock.recv(65536):
            answers, held = [], held + data
            while (asked := _next_command(held)) is not None:
                answers.append(answer(asked))
                held = held[len(asked) :]
            sock.sendall(b"".join(answers))
    except OSError:
        return


def _next_command(held: bytes) -> bytes | None:
    end = held.find(b"\n\n") + 2
    if end < 2:
        return None
    length = _LENGTH.search(held, 0, end)
    end += int(length[1]) if length else 0
    return held[:end] if len(held) >= end else None


def _inbound(sock: socket.socket) -> None:
    sock.sendall(GREETING)
    serve(sock, answer_inbound)


def _accept(listener: socket.socket) -> None:
    while True:
        sock, _ = listener.accept()
        threading.Thread(target=_inbound, args=(sock,), daemon=True).start()


def main() -> None:
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    threading.Thread(target=_accept, args=(listener,), daemon=True).start()
    print(listener.getsockname()[1], flush=True)
    said = Outbound()
    for line in sys.stdin:
        _, host, port, count = line.split()
        for _ in range(int(count)):
            sock = socket.create_connection((host, int(port)))
            threading.Thread(target=serve, args=(sock, said.answer), daemon=True).start()


if __name__ == "__main__":
    main()
