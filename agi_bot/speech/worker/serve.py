"""The child's side: take requests from standard input, answer with sound.

Requests are worked on piece by piece: the one that has got the fewest pieces comes first, so
that a new caller hears the beginning of a sentence before others hear the end of theirs.
Between two pieces the input is looked at: a cancelled request stops there, and the worker
ends when its input ends, so that it never outlives its parent.
"""

from __future__ import annotations

import json
import os
import resource
import select
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol

from agi_bot.speech.worker.wire import Decoder, Kind, Message

_READ_BYTES = 65536


class Maker(Protocol):
    """An engine inside its worker.  ``streams``: its pieces are worth having one by one."""

    streams: bool

    def describe(self) -> Mapping[str, Any]:
        """What the parent is told when the engine is ready; holds ``rate`` in Hz."""

    def make(self, request: Mapping[str, Any]) -> Iterator[bytes]:
        """16-bit mono PCM, made when it is asked for; other requests come between two pieces.

        There are several pieces only where the same request always gives the same bytes.

        Raises :class:`ValueError` for a request that cannot be spoken.
        """


class _Gone(Exception):
    """The parent closed the input."""


class _Link:
    """Two file descriptors, and the requests that were cancelled."""

    def __init__(self, source: int, sink: int) -> None:
        self._source = source
        self._sink = sink
        self._decoder = Decoder()
        self._cancelled: set[int] = set()

    def arrived(self, *, wait: bool) -> list[Message]:
        """New requests; with ``wait`` there is at least one message to read first."""
        found: list[Message] = []
        while wait or select.select([self._source], [], [], 0)[0]:
            found += self._read()
            wait = False
        return found

    def forget(self, jobs: list[_Job]) -> list[_Job]:
        """``jobs`` without those that were cancelled."""
        left = [job for job in jobs if job.number not in self._cancelled]
        self._cancelled.clear()
        return left

    def send(self, kind: Kind, request: int, payload: bytes = b"") -> None:
        data = memoryview(Message(kind, request, payload).encode())
        while data:
            data = data[os.write(self._sink, data) :]

    def _read(self) -> list[Message]:
        data = os.read(self._source, _READ_BYTES)
        if not data:
            raise _Gone
        messages = self._decoder.feed(data)
        self._cancelled.update(message.request for message in messages if message.kind is Kind.CANCEL)
        return [message for message in messages if message.kind is Kind.SPEAK]


@dataclass(slots=True)
class _Job:
    """A request that is being worked on; ``given``: pieces sent so far."""

    number: int
    pieces: Iterator[bytes]
    given: int = 0


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
        _work(link, maker)
    except (_Gone, BrokenPipeError):
        return 0


def _work(link: _Link, maker: Maker) -> NoReturn:
    jobs: list[_Job] = []
    while True:
        new = link.arrived(wait=not jobs)
        jobs += [_Job(message.request, maker.make(json.loads(message.payload))) for message in new]
        jobs = link.forget(jobs)
        if not jobs:
            continue
        job = min(jobs, key=lambda job: job.given)
        more = _step(link, job)
        while more and not maker.streams:
            more = _step(link, job)
        if not more:
            jobs.remove(job)


def _step(link: _Link, job: _Job) -> bool:
    """Make and send the next piece of ``job``; tells whether there may be another one."""
    link.send(Kind.STARTED, job.number)
    try:
        piece = next(job.pieces, None)
    except MemoryError:
        raise
    except Exception as error:
        link.send(Kind.REFUSED, job.number, _reason(error))
        return False
    if piece is None:
        link.send(Kind.ENDED, job.number, json.dumps({"rss_mb": _rss_mb()}).encode())
        return False
    job.given += 1
    if piece:
        link.send(Kind.SOUND, job.number, piece)
    return True


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
