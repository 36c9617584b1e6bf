"""Public fakes for the tests of whoever builds on agi-bot, and an event loop whose time flies.

The fakes keep the promises of :mod:`agi_bot.contracts` (``tests/contracts`` holds them to
it); a test is the person at the other end and the exchange around the call.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from agi_bot.audio import LINE_RATE, Frame
from agi_bot.contracts import Call, Digit, Disposition, Ringing, Status
from agi_bot.errors import CallGone, PbxDown, PbxError


class FakeCall:
    """A call without a line.

    The test speaks with :meth:`speak` and :meth:`press`, hangs up with
    :meth:`caller_hangs_up`, and looks at :attr:`played`, :attr:`results`,
    :attr:`transferred_to` and :attr:`ended_by` (``caller``, ``released``, ``transferred``,
    ``hung up``; empty while the call lasts).
    """

    def __init__(
        self,
        id: str = "",
        *,
        caller: str = "1001",
        called: str = "100",
        rate: int = LINE_RATE,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self.id = id or str(uuid4())
        self.caller = caller
        self.called = called
        self.channel = "Fake/" + self.id[:8]
        self.unique_id = "fake." + self.id[:8]
        self.rate = rate
        self.variables: Mapping[str, str] = dict(variables or {})
        self.played: list[Frame] = []
        self.results: dict[str, str] = {}
        self.transferred_to = ""
        self.ended_by = ""
        self.unheard_ms = 0
        self.lost = ""
        self._inbox: asyncio.Queue[Frame | Digit | None] = asyncio.Queue()
        self._ended = asyncio.Event()
        self._playing = False

    # --- the person's side ---

    def speak(self, *frames: Frame) -> None:
        """The person says ``frames``, all at once."""
        for frame in frames:
            self._inbox.put_nowait(frame)

    def press(self, key: str) -> None:
        """The person presses ``key``."""
        self._inbox.put_nowait(Digit(key))

    def caller_hangs_up(self) -> None:
        """The person hangs up."""
        self._end("caller")

    def sound_breaks(self, reason: str) -> None:
        """The exchange sends no more sound, for ``reason``; nobody hung up."""
        self.lost = reason
        self._end("caller")

    async def ended(self) -> str:
        """Wait for the end of the bot's part; answers :attr:`ended_by`."""
        await self._ended.wait()
        return self.ended_by

    # --- the promise Call ---

    @property
    def due_ms(self) -> int | None:
        """Nobody knows."""
        return None

    async def frames(self) -> AsyncIterator[Frame | Digit]:
        while (item := await self._inbox.get()) is not None:
            yield item
        self._inbox.put_nowait(None)

    async def play(self, frames: AsyncIterable[Frame]) -> None:
        """Takes the sound's own time, from the loop's clock."""
        self._check_gone()
        if self._playing:
            raise PbxError("this call is playing already")
        self._playing = True
        try:
            async for frame in frames:
                await self._pass(frame)
        finally:
            self._playing = False

    async def set_result(self, variables: Mapping[str, str]) -> None:
        self.results.update(variables)

    async def release(self) -> None:
        self._end("released")

    async def transfer(self, to: str) -> None:
        if any(mark in to for mark in "\r\n\0"):
            raise ValueError(f"a line end or NUL in {to!r}")
        if not self.ended_by:
            self.transferred_to = self.results["BOT_TRANSFER"] = to
        self._end("transferred")

    async def hang_up(self) -> None:
        self._end("hung up")

    async def _pass(self, frame: Frame) -> None:
        if frame.rate != self.rate:
            raise ValueError(f"the line carries {self.rate} Hz, not {frame.rate} Hz")
        self._check_gone()
        self.played.append(frame)
        try:
            await asyncio.wait_for(self._ended.wait(), frame.ms / 1000)
        except TimeoutError:
            return
        self._check_gone()

    def _check_gone(self) -> None:
        if self.ended_by:
            raise CallGone(f"the call is over: {self.ended_by}")

    def _end(self, how: str) -> None:
        if not self.ended_by:
            self.ended_by = how
            self._ended.set()
            self._inbox.put_nowait(None)


class FakeRinging:
    """An outbound attempt; the test decides with :meth:`answer` or :meth:`fail` how it ends."""

    def __init__(self, call: FakeCall, number: str, arrive: Callable[[FakeCall], object]) -> None:
        self.call = call
        self.number = number
        self._arrive = arrive
        self._verdict: asyncio.Future[Disposition] = asyncio.get_running_loop().create_future()

    @property
    def call_id(self) -> str:
        return self.call.id

    def answer(self) -> FakeCall:
        """The person answers: the call arrives."""
        self._settle(Disposition(Status.ANSWERED))
        self._arrive(self.call)
        return self.call

    def fail(self, status: Status, *, cause: int = 0, sip: int = 0) -> None:
        """Nobody comes to the telephone."""
        self._settle(Disposition(status, cause, sip))

    async def outcome(self) -> Disposition:
        return await asyncio.shield(self._verdict)

    async def cancel(self) -> None:
        self._settle(Disposition(Status.CANCELLED))

    def _settle(self, verdict: Disposition) -> None:
        if not self._verdict.done():
            self._verdict.set_result(verdict)


class FakePbx:
    """An exchange without lines: the test brings calls with :meth:`arrive`.

    :attr:`attempts` has every outbound attempt; ``answering`` is asked at each one and may
    answer or fail it at once.  :attr:`down` makes the exchange unreachable.
    """

    name = "fake"
    version = "1"

    def __init__(self, answering: Callable[[FakeRinging], object] | None = None) -> None:
        self.attempts: list[FakeRinging] = []
        self.down = False
        self._answering = answering
        self._arriving: asyncio.Queue[FakeCall | None] = asyncio.Queue()
        self._calls: list[FakeCall] = []

    def arrive(self, call: FakeCall) -> FakeCall:
        """Bring ``call``."""
        self._calls.append(call)
        self._arriving.put_nowait(call)
        return call

    async def start(self) -> None:
        if self.down:
            raise PbxDown("the fake exchange is down")

    async def stop(self) -> None:
        self._arriving.put_nowait(None)

    async def close(self) -> None:
        await self.stop()
        for call in self._calls:
            await call.release()

    async def calls(self) -> AsyncIterator[Call]:
        while (call := await self._arriving.get()) is not None:
            yield call
        self._arriving.put_nowait(None)

    async def originate(
        self,
        number: str,
        *,
        call_id: str,
        caller_id: str = "",
        ring_timeout_s: float = 30.0,
        variables: Mapping[str, str] | None = None,
    ) -> Ringing:
        texts = (number, call_id, caller_id, *(variables or {}).values())
        if not number or any(not text.isprintable() for text in texts):
            raise ValueError("a number, caller id or variable with control characters")
        if self.down:
            raise PbxDown("the fake exchange is down")
        if call_id in (attempt.call_id for attempt in self.attempts):
            raise PbxError(f"call {call_id} is placed already")
        call = FakeCall(call_id, caller=number, called=number, variables=variables)
        attempt = FakeRinging(call, number, self.arrive)
        self.attempts.append(attempt)
        if self._answering is not None:
            self._answering(attempt)
        return attempt


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop in which nobody waits: whenever it would sleep, its clock jumps.

    Work in threads (``run_in_executor``) takes no time: the clock stands still until it is
    done.  For tests without sockets and processes, whose time would not pass here: wait for
    them in :meth:`still`; while :attr:`flies` is false (they start), time goes as everywhere.
    """

    def __init__(self) -> None:
        super().__init__(_Impatient(self))
        self.flies = True
        self._now = 0.0
        self._working = 0

    @property
    def working(self) -> bool:
        """Whether a thread still works for this loop."""
        return self._working > 0

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:  # type: ignore[override]
        work = super().run_in_executor(executor, func, *args)
        self._working += 1
        work.add_done_callback(self._worked)
        return work

    def _worked(self, _: object) -> None:
        self._working -= 1

    @contextmanager
    def still(self) -> Iterator[None]:
        """In the block something outside works, for which the clock stands still as for a thread."""
        self._working += 1
        try:
            yield
        finally:
            self._working -= 1

    def time(self) -> float:
        return self._now

    def skip(self, seconds: float) -> None:
        """Let ``seconds`` pass."""
        self._now += seconds


class _Impatient(selectors.DefaultSelector):
    """A selector that lets the loop's clock jump instead of waiting."""

    def __init__(self, loop: VirtualTimeLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        if not self._loop.flies:
            began = time.monotonic()
            ready = super().select(timeout)
            self._loop.skip(time.monotonic() - began)
            return ready
        if self._loop.working and timeout != 0:
            return super().select(None)
        ready = super().select(0)
        if not ready and timeout:
            # At least what the clock can show: a float of hours swallows picoseconds.
            self._loop.skip(max(timeout, 1e-6))
        if not ready and timeout is None:
            raise RuntimeError("the test waits for something that can never happen")
        return ready
