"""The built-in caller: a person on a simulated channel, for machines without any exchange."""

from __future__ import annotations

import asyncio

from agi_bot.audio import FRAME_MS, LINE_RATE, Frame, resample, silence, split
from agi_bot.contracts import Digit
from agi_bot.demo.phone.line import Heard, Watch
from agi_bot.demo.phone.tape import Tape
from agi_bot.pbx.simulated import SimulatedChannel

TICK_S = FRAME_MS / 1000
PAUSE_S = 0.1
"""Frames that come later than this after the last one do not follow on it."""


class BuiltinLine:
    """The sound of a simulated channel, as a telephone's line has it."""

    def __init__(self, channel: SimulatedChannel) -> None:
        self._channel = channel
        self._loop = asyncio.get_running_loop()
        self._watchers: set[asyncio.Queue[Heard]] = set()
        self._queue: asyncio.Queue[Frame] = asyncio.Queue()
        self.sent = Tape()
        self.received = Tape()
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._send())]

    async def play(self, sound: Frame) -> tuple[float, float]:
        """Speak ``sound``; when it began and ended, seconds of the loop's clock."""
        began = self._loop.time()
        for frame in split(resample(sound, LINE_RATE)):
            self._queue.put_nowait(frame)
        await self._queue.join()
        return began, self._loop.time()

    async def press(self, keys: str) -> None:
        """Press ``keys`` one after the other."""
        for key in keys:
            self._channel.press(key)
            await asyncio.sleep(0.2)

    def watch(self) -> Watch:
        """A place where frames are seen as they arrive."""
        return Watch(self._watchers)

    def close(self) -> None:
        """Send and hear no more."""
        for task in self._tasks:
            task.cancel()

    async def _listen(self) -> None:
        number, stamp, last = 0, 0, self._loop.time()
        async for item in self._channel.heard():
            if isinstance(item, Digit):
                continue
            number += 1
            heard = Heard(self._loop.time(), number, item.samples)
            if heard.at - last > PAUSE_S:
                stamp += LINE_RATE
            self.received.add(heard.at, heard.samples, stamp)
            stamp, last = stamp + len(heard.samples), heard.at
            for queue in self._watchers:
                queue.put_nowait(heard)

    async def _send(self) -> None:
        due = self._loop.time()
        while True:
            spoken = not self._queue.empty()
            frame = self._queue.get_nowait() if spoken else silence()
            self._channel.speak(frame)
            self.sent.add(due, frame.samples)
            if spoken:
                self._queue.task_done()
            due += TICK_S
            await asyncio.sleep(max(0.0, due - self._loop.time()))


class BuiltinCall:
    """One call of the built-in caller, as a :class:`~agi_bot.demo.phone.patient.Patient` needs it."""

    def __init__(self, channel: SimulatedChannel) -> None:
        self._channel = channel
        self.line = BuiltinLine(channel)
        self.ended = asyncio.Event()

    async def hang_up(self) -> None:
        """End the call."""
        self._channel.hang_up()
        self.ended.set()

    def close(self) -> None:
        """The channel is over."""
        self.line.close()
        self.ended.set()
