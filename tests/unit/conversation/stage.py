"""A stage for one conversation: a scripted dialogue, a scripted ear and a voice that beeps, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np

from agi_bot.audio import Frame
from agi_bot.contracts import Context, Hints, Intent, Transcript, Value
from agi_bot.conversation import Conversation, Engines, HookError, Limits, Plan
from agi_bot.conversation.bias import Bias
from agi_bot.conversation.progress import Progress
from agi_bot.errors import InterpreterDown
from agi_bot.flow.events import Action, Event
from agi_bot.privacy.recording import Recording
from agi_bot.record import CallRecord
from agi_bot.speech.vad import EnergyModel, VadBatcher
from agi_bot.testing import FakeCall, VirtualTimeLoop

VOICE_MS_PER_CHARACTER = 200
NOTHING_EXPECTED = Hints()
QUIET = Frame(bytes(320))
_NOISE = np.random.default_rng(7).normal(0, 6000, 160 * 500).astype("<i2")


def noise(ms: int) -> list[Frame]:
    """Loud sound in 20 ms frames: the stage's caller speaks."""
    return [Frame(_NOISE[at : at + 160].tobytes()) for at in range(0, ms * 8, 160)]


def quiet(ms: int) -> list[Frame]:
    return [QUIET] * (ms // 20)


class Beeper:
    """A voice of 200 ms a character; ``broken`` texts raise."""

    name = "beeper"
    rate = 8000

    def __init__(self, broken: Mapping[str, Exception] | None = None) -> None:
        self.broken = dict(broken or {})
        self.spoken: list[str] = []

    async def speak(self, text: str) -> AsyncIterator[Frame]:
        self.spoken.append(text)
        if text in self.broken:
            raise self.broken[text]
        for _ in text:
            yield Frame(b"\x00\x10" * (8 * VOICE_MS_PER_CHARACTER))


@dataclass
class Says:
    """What the scripted ear hears in one utterance, character by character, 100 ms each."""

    text: str
    confidence: float = 0.9


class ScriptedHearing:
    """Hears ``lines`` one after another, whatever the sound is."""

    def __init__(self, lines: list[Says]) -> None:
        self._lines = lines
        self._heard_ms = 0.0
        self.hints: list[Hints] = []
        self.closed = False
        self.stuck = False
        self.stuck_at: frozenset[str] = frozenset()
        """Methods that never answer, besides :meth:`hear` when :attr:`stuck`."""
        self.failure: Exception | None = None

    async def hear(self, frame: Frame) -> Transcript:
        if self.failure is not None:
            raise self.failure
        if self.stuck:
            await asyncio.sleep(3600)
        self._heard_ms += frame.ms
        return await self.settle()

    async def settle(self) -> Transcript:
        line = self._lines[0].text if self._lines else ""
        return Transcript(line[: int(self._heard_ms // 100)])

    async def finish(self) -> Transcript:
        self._heard_ms = 0.0
        if not self._lines:
            return Transcript("", final=True, confidence=0.0)
        line = self._lines.pop(0)
        return Transcript(line.text, final=True, confidence=line.confidence)

    def skip(self, ms: float) -> None:
        pass

    async def expect(self, hints: Hints) -> None:
        self.hints.append(hints)
        await self._hang("expect")

    async def close(self) -> None:
        self.closed = True
        await self._hang("close")

    async def _hang(self, where: str) -> None:
        if where in self.stuck_at:
            await asyncio.sleep(3600)


class Thoughtful(ScriptedHearing):
    """Needs ``s`` seconds for an utterance's last words."""

    def __init__(self, lines: list[Says], s: float = 0.3) -> None:
        super().__init__(lines)
        self._s = s

    async def finish(self) -> Transcript:
        await asyncio.sleep(self._s)
        return await super().finish()


class OneEar:
    """A recognizer whose every ear is the same."""

    name = "scripted"

    def __init__(self, hearing: ScriptedHearing) -> None:
        self._hearing = hearing

    async def open(self, *, language: str, hints: Hints = NOTHING_EXPECTED) -> ScriptedHearing:
        await self._hearing._hang("open")
        return self._hearing


class Table:
    """An interpreter that looks the words up."""

    name = "table"

    def __init__(self, meanings: Mapping[str, Intent], down: bool = False) -> None:
        self.meanings = meanings
        self.down = down
        self.asked: list[tuple[str, Context]] = []

    async def interpret(self, text: str, context: Context) -> Intent:
        self.asked.append((text, context))
        if self.down:
            raise InterpreterDown("nobody answers")
        return self.meanings.get(text, Intent("", 0.1, engine="table"))


class HookTable:
    """Hooks by name: an answer, or seconds to wait before it."""

    def __init__(self, answers: Mapping[str, tuple[float, Mapping[str, Value]]] | None = None) -> None:
        self._answers = answers or {}

    async def run(self, name: str, arguments: Mapping[str, Value]) -> Mapping[str, Value]:
        if name not in self._answers:
            raise HookError(f"hook {name} has no address")
        wait_s, values = self._answers[name]
        await asyncio.sleep(wait_s)
        return values


class Scripted:
    """A dialogue made of one function; it remembers every event."""

    def __init__(self, react: Callable[[Event], list[Action]]) -> None:
        self._react = react
        self.events: list[Event] = []
        self.step = "here"
        self.slots: dict[str, Value] = {}

    def receive(self, event: Event) -> list[Action]:
        self.events.append(event)
        return self._react(event)

    def __deepcopy__(self, memo: object) -> Scripted:
        return Scripted(self._react)

    def kinds(self) -> list[str]:
        return [type(event).__name__ for event in self.events]


@dataclass
class Stage:
    """Everything of one test conversation, to be played on and looked at."""

    react: Callable[[Event], list[Action]]
    lines: list[Says] = field(default_factory=list)
    meanings: Mapping[str, Intent] = field(default_factory=dict)
    hooks: HookTable = field(default_factory=HookTable)
    limits: Limits = field(default_factory=Limits)
    plan: Plan | None = None
    bias: Bias = field(default_factory=Bias)

    def __post_init__(self) -> None:
        self.call = FakeCall()
        self.script = Scripted(self.react)
        self.hearing = ScriptedHearing(self.lines)
        self.interpreter = Table(self.meanings)
        self.activity = VadBatcher(EnergyModel())
        self.voice = Beeper()
        self.voices_asked: list[str] = []
        self.seen: list[Progress] = []
        self.record = CallRecord(self.call.id, "test", "zh-CN", datetime(2026, 11, 21, tzinfo=UTC))

    def conversation(self, recording: Recording | None = None) -> Conversation:
        engines = Engines(
            OneEar(self.hearing),
            self.interpreter,
            self._find_voice,
            self.activity,
            self.hooks,
            self.bias,
        )
        return Conversation(
            self.call,
            self.script,
            engines,
            self.record,
            limits=self.limits,
            recording=recording,
            watcher=self.seen.append,
            plan=self.plan,
        )

    def _find_voice(self, name: str, _language: str) -> Beeper:
        self.voices_asked.append(name)
        return self.voice

    async def speak(self, *parts: list[Frame]) -> None:
        """The caller's sound, at the line's pace."""
        for frame in (frame for part in parts for frame in part):
            self.call.speak(frame)
            await asyncio.sleep(0.02)

    def play(self, caller: Callable[[Stage], Coroutine[Any, Any, None]] | None = None) -> CallRecord:
        """Run the conversation with ``caller`` at the other end; answers the record."""
        loop = VirtualTimeLoop()
        try:
            return loop.run_until_complete(self._run(caller))
        finally:
            loop.close()

    async def _run(self, caller: Callable[[Stage], Coroutine[Any, Any, None]] | None) -> CallRecord:
        other = asyncio.create_task(caller(self)) if caller else None
        record = await self.conversation().run()
        if other is not None:
            other.cancel()
            await asyncio.gather(other, return_exceptions=True)
        left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        assert not left, f"tasks left behind: {left}"
        return record
