"""The recogniser's threads: one that hangs is replaced, whoever waits behind it goes on."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from pathlib import Path

import pytest

from agi_bot.speech.vosk.threads import Threads


class Hang:
    """Jobs that hang in the kernel, as in a library: each reads from a pipe into which nobody writes."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "pipe"
        os.mkfifo(self._path)
        self._keep = os.open(self._path, os.O_RDWR)

    def job(self) -> bytes:
        with self._path.open("rb", buffering=0) as pipe:
            return pipe.read(1)

    def end(self, jobs: int) -> None:
        os.write(self._keep, b"x" * jobs)


@pytest.fixture
def hang(tmp_path: Path) -> Iterator[Hang]:
    made = Hang(tmp_path)
    yield made
    made.end(100)


@pytest.fixture
def threads() -> Iterator[Threads]:
    made = Threads(2, "test", most_lost=3)
    yield made
    made.stop()


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end
        time.sleep(0.005)


def hung(threads: Threads, count: int) -> None:
    """Look until ``count`` threads were given up."""

    def given_up() -> bool:
        threads.look()
        return threads.stuck == count

    until(given_up)


def test_jobs_are_done_and_their_errors_told(threads: Threads) -> None:
    assert threads.submit(lambda a, b: a + b, 1, 2).result(30) == 3
    with pytest.raises(ZeroDivisionError):
        threads.submit(lambda: 1 / 0).result(30)
    assert threads.submit(lambda: threading.current_thread().daemon).result(30)


def test_what_is_urgent_overtakes_what_waits() -> None:
    one, go, done = Threads(1, "test"), threading.Event(), list[str]()
    try:
        running = one.submit(go.wait, 30)
        waiting = [
            one.submit(done.append, name, urgent=name.startswith("urgent"))
            for name in ("a", "b", "urgent c", "urgent d")
        ]
        go.set()
        assert running.result(30)
        assert [each.result(30) for each in waiting] == [None] * 4
    finally:
        one.stop()
    assert done == ["urgent c", "urgent d", "a", "b"]


def test_what_is_urgent_is_cancelled_like_all_else_when_the_threads_are_stopped() -> None:
    one, go = Threads(1, "test"), threading.Event()
    one.submit(go.wait, 30)
    waiting = [one.submit(str, 1, urgent=urgent) for urgent in (False, True)]
    one.stop()
    go.set()
    for each in waiting:
        with pytest.raises(CancelledError):
            each.result(30)


def test_a_thread_that_hangs_is_replaced_and_who_waits_goes_on(
    threads: Threads, hang: Hang, caplog: pytest.LogCaptureFixture
) -> None:
    stuck = [threads.submit(hang.job, limit_s=0.05) for _ in range(2)]
    waiting = threads.submit(lambda: "heard")
    hung(threads, 2)
    assert waiting.result(30) == "heard"
    assert (threads.replaced, threads.hangs) == (2, False)
    assert [record.message for record in caplog.records] == ["hearing.thread_replaced"] * 2
    assert not any(job.done() for job in stuck)


def test_a_thread_that_comes_back_tells_its_result_and_ends(threads: Threads, hang: Hang) -> None:
    stuck = threads.submit(hang.job, limit_s=0.05)
    hung(threads, 1)
    hang.end(1)
    assert stuck.result(30) == b"x"
    until(lambda: threads.stuck == 0)
    assert [threads.submit(lambda: 1).result(30) for _ in range(20)] == [1] * 20


def test_a_job_that_may_take_its_time_is_left_alone(threads: Threads, hang: Hang) -> None:
    job = threads.submit(hang.job, limit_s=3600)
    until(lambda: job.running())
    threads.look()
    assert (threads.stuck, threads.replaced) == (0, 0)


def test_where_all_that_is_put_in_its_place_hangs_no_more_is(
    threads: Threads, hang: Hang, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(5):
        threads.submit(hang.job, limit_s=0.01)

    def hopeless() -> bool:
        threads.look()
        return threads.hangs

    until(hopeless)
    assert (threads.replaced, threads.stuck) == (3, 5)
    assert caplog.records[-1].levelno == logging.CRITICAL
    waiting = threads.submit(lambda: "heard")
    hang.end(1)
    assert waiting.result(30) == "heard", "one that comes back works on"
    assert not threads.hangs


def test_what_waits_at_the_end_is_cancelled(hang: Hang) -> None:
    threads = Threads(1, "test")
    running = threads.submit(hang.job)
    until(running.running)
    waiting = threads.submit(lambda: 1)
    threads.stop()
    with pytest.raises(CancelledError):
        waiting.result(30)
    with pytest.raises(RuntimeError, match="stopped"):
        threads.submit(lambda: 1)
