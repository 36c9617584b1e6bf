"""The laboratory without an exchange: the whole conversation with its real engines, in virtual time.

``python -m tests.bench.lab --dry``.  The caller's frames go straight into the bot and the
bot's straight back, 20 ms after 20 ms of a clock that never waits: a call of a minute takes
seconds and is the same each time.  What is missing is the way through the exchange; the
limits of turn-taking are chosen here, and reported from the real one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

from agi_bot.app.workshop import Workshop
from agi_bot.audio import FRAME_MS, LINE_RATE, Frame, Samples, mulaw_decode
from agi_bot.config import Settings
from agi_bot.conversation import Conversation, Limits
from agi_bot.demo.phone.line import TICK_S, Heard, Line
from agi_bot.flow import Dialogue
from agi_bot.flow.catalogue import Catalogue
from agi_bot.pbx.media.playout import Playout
from agi_bot.record import CallRecord
from agi_bot.speech.turns import PRESETS, TurnSettings
from agi_bot.speech.worker.pool import WorkerPool
from agi_bot.testing import FakeCall, VirtualTimeLoop
from tests.bench.lab.background import Behind

FLOWS = Path(__file__).with_name("flows")
BEGINS_S = 1000.0
"""When calls begin, by the loop's clock: however long the engines took to start, each call has the same times."""


class DryCall(FakeCall):
    """A call whose two ends stand side by side: ``line`` is the caller's telephone."""

    def __init__(self, line: DryLine) -> None:
        super().__init__()
        self._line = line
        self._playout = Playout(LINE_RATE)
        self._passed_ms = 0

    @property
    def due_ms(self) -> int:
        return self._passed_ms + self._playout.ahead_ms

    def speak(self, *frames: Frame) -> None:
        super().speak(*(Frame(frame.pcm, frame.rate, self._passed_ms) for frame in frames))

    async def play(self, frames: object) -> None:
        await self._playout.play(frames)  # type: ignore[arg-type]

    def tick(self) -> Frame:
        """The bot's next 20 ms."""
        self._passed_ms += FRAME_MS
        return Frame(self._playout.next() or bytes(2 * LINE_RATE // 50))


class DryLine(Line):
    """The caller's telephone, with nothing between it and the bot."""

    def __init__(self) -> None:
        super().__init__()
        self.call = DryCall(self)
        self._stalled: list[Frame] | None = None

    def stall(self) -> None:
        """From now on what is said stays on the way."""
        self._stalled = []

    def go_on(self) -> None:
        """What stayed on the way arrives, all at once."""
        stalled, self._stalled = self._stalled or [], None
        self.call.speak(*stalled)

    def begin(self) -> None:
        """Begin to send and to hear."""
        self._sender = asyncio.create_task(self._send())

    def _send_one(self, due: float) -> None:
        payload, mark = self._queue.popleft() if self._queue else (b"\xff" * (LINE_RATE // 50), None)
        if mark is not None and not mark.done():
            mark.set_result(due)
        said = mulaw_decode(self._mixed(payload))
        self.sent.add(due, said)
        # What was said within these 20 ms is with the bot at their end.
        self._loop.call_at(due + TICK_S, self._arrive, Frame(said.astype("<i2").tobytes()))
        self._hear(due, self.call.tick().samples)

    def _arrive(self, frame: Frame) -> None:
        slips = self.background.slips if isinstance(self.background, Behind) else None
        frames = [frame] if slips is None else slips.frames(frame)
        if self._stalled is not None:
            self._stalled += frames
        else:
            self.call.speak(*frames)

    def _hear(self, at: float, samples: Samples) -> None:
        self._sequence += 1
        heard = Heard(at, self._sequence, samples)
        self.heard.append(heard)
        self.received.add(at, samples)
        for queue in self._watchers:
            queue.put_nowait(heard)


class DryPhoneCall:
    """What :class:`~agi_bot.demo.phone.softphone.PhoneCall` is on a real line."""

    def __init__(self, line: DryLine, conversation: Conversation, counters: Mapping[str, int]) -> None:
        self.line = line
        self.counters = counters
        """The record's, while the call goes on."""
        self.ended = asyncio.Event()
        self.record: CallRecord | None = None
        self._running = asyncio.create_task(self._run(conversation))

    async def _run(self, conversation: Conversation) -> None:
        self.record = await conversation.run()
        self.ended.set()

    async def hang_up(self) -> None:
        """End the call and wait for the conversation's end."""
        self.line.call.caller_hangs_up()
        await self._running
        self.line.close()


class DryPhone:
    """Calls the bot; ``records`` has what the bot kept of each call."""

    def __init__(self, workshop: Workshop, flows: Catalogue, turns: TurnSettings) -> None:
        self._workshop = workshop
        self._flows = flows
        self._turns = turns
        self.records: list[CallRecord] = []

    async def call(self, called: str, port: int = 0) -> DryPhoneCall:
        """Call flow ``called``."""
        flow = self._flows.get(called)
        assert flow is not None, called
        line = DryLine()
        record = CallRecord(line.call.id, called, flow.language, datetime.now(ZoneInfo("Asia/Shanghai")))
        self.records.append(record)
        engines = await self._workshop.engines(flow)
        limits = Limits(flow.longest_ms / 1000, self._turns)
        conversation = Conversation(line.call, Dialogue(flow, {}, seed=called), engines, record, limits=limits)
        line.begin()
        return DryPhoneCall(line, conversation, record.counters)


@asynccontextmanager
async def dry_phone(
    folder: Path, turns: TurnSettings = PRESETS["normal"], flows: Path = FLOWS, **more: Mapping[str, object]
) -> AsyncIterator[DryPhone]:
    """Engines up; run it in a :class:`VirtualTimeLoop`, whose clock flies inside of the block."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualTimeLoop)
    loop.flies = False
    settings = Settings.model_validate({"flows": {"folder": flows}, "speaking": {"cache": folder / "prompts"}, **more})
    workshop = Workshop(settings)
    try:
        await workshop.start()
        catalogue = Catalogue(flows)
        catalogue.refresh()
        for name in catalogue.names():
            if (flow := catalogue.get(name)) is not None:
                await workshop.understanding.of(flow)
        loop.skip(max(0.0, BEGINS_S - loop.time()))
        loop.flies = True
        with _voices_at_once(loop):
            yield DryPhone(workshop, catalogue, turns)
    finally:
        loop.flies = False
        with suppress(Exception):
            await workshop.close()


@contextmanager
def _voices_at_once(loop: VirtualTimeLoop) -> Iterator[None]:
    """The processes of voices take no time, or each call would be another one."""
    made = WorkerPool.run

    async def run(pool: WorkerPool, request: Mapping[str, Any]) -> AsyncIterator[bytes]:
        async with aclosing(made(pool, request)) as pieces:  # type: ignore[type-var]
            while True:
                with loop.still():
                    piece = await anext(pieces, None)
                if piece is None:
                    return
                yield piece

    with patch.object(WorkerPool, "run", run):
        yield
