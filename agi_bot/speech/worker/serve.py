"""The child's side: take requests from standard input, answer with sound, one at a time.

It looks at its input between two pieces of sound, so that a cancelled request stops
there, and ends when its input ends: a worker never outlives its parent.
"""

from __future__ import annotations

import json
import os
import resource
import select
import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from agi_bot.speech.worker.wire import Decoder, Kind, Message

_READ_BYTES = 65536


class Maker(Protocol):
    """An engine inside its worker."""

    def describe(self) -> Mapping[str, Any]:
        """What the parent is told when the engine is ready; holds ``rate`` in Hz."""

    def make(self, request: Mapping[str, Any]) -> Iterator[bytes]:
        """16-bit mono PCM; in several pieces only where the same request always gives the same bytes.

        Raises :class:`ValueError` for a request that cannot be spoken.
        """


class _Gone(Exception):
    """The parent closed the input."""


class _Link:
    """Two file descriptors, the requests that wait and those that were cancelled."""

    def __init__(self, source: int, sink: int) -> None:
        self._source = source
        self._sink = sink
        self._decoder = Decoder()
        self._waiting: deque[Message] = deque()
        self._cancelled: set[int] = set()

    def next(self) -> Message:
        """The next request that was not cancelled; waits for it."""
        while True:
            while self._waiting:
                message = self._waiting.popleft()
                if message.request not in self._cancelled:
                    return message
                self._cancelled.discard(message.request)
            self._cancelled.clear()
            self._read()

    def cancelled(self, request: int) -> bool:
        """Whether the parent has cancelled ``request`` by now."""
        while select.select([self._source], [], [], 0)[0]:
            self._read()
        return request in self._cancelled

    def send(self, kind: Kind, request: int, payload: bytes = b"") -> None:
        data = memoryview(Message(kind, request, payload).encode())
        while data:
            data = data[os.write(self._sink, data) :]

    def _read(self) -> None:
        data = os.read(self._source, _READ_BYTES)
        if not data:
            raise _Gone
        for message in self._decoder.feed(data):
            if message.kind is Kind.CANCEL:
                self._cancelled.add(message.request)
            elif message.kind is Kind.SPEAK:
                self._waiting.append(message)


def serve(load: Callable[[], Maker]) -> int:
    """Load the engine and serve until the input ends; returns the exit status."""
    link = _Link(0, _take_stdout())
    try:
        maker = load()
        link.send(Kind.READY, 0, json.dumps(dict(maker.describe())).encode())
    except Exception as error:
        link.send(Kind.REFUSED, 0, _reason(error))
        return 1
    try:
        while True:
            _answer(link, maker, link.next())
    except (_Gone, BrokenPipeError):
        return 0


def _answer(link: _Link, maker: Maker, message: Message) -> None:
    number = message.request
    link.send(Kind.STARTED, number)
    try:
        for piece in maker.make(json.loads(message.payload)):
            if link.cancelled(number):
                break
            if piece:
                link.send(Kind.SOUND, number, piece)
    except (_Gone, BrokenPipeError, MemoryError):
        raise
    except Exception as error:
        link.send(Kind.REFUSED, number, _reason(error))
        return
    link.send(Kind.ENDED, number, json.dumps({"rss_mb": _rss_mb()}).encode())


def _reason(error: Exception) -> bytes:
    text = str(error) if isinstance(error, ValueError | OSError) else f"{type(error).__name__}: {error}"
    return text.encode()


def _take_stdout() -> int:
    """A descriptor of our own on standard output; what libraries print goes to standard error."""
    sink = os.dup(1)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return sink


def _rss_mb() -> int:
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") >> 20
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
