"""A simulated person on the telephone: listens, answers when the bot has ended, presses keys, interrupts, hangs up."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from agi_bot.audio import Frame, rms_dbfs
from agi_bot.demo.phone.line import Watch

SPEECH_DBFS = -45.0
"""Louder is the bot's speech, quieter is the line."""


@dataclass(frozen=True, slots=True)
class Say:
    """Wait until the bot has ended, then speak ``sound``."""

    sound: Frame
    text: str = ""


@dataclass(frozen=True, slots=True)
class Interrupt:
    """Speak ``sound`` when the bot has been speaking for ``after_ms``."""

    sound: Frame
    after_ms: int = 800
    text: str = ""


@dataclass(frozen=True, slots=True)
class Press:
    """Wait until the bot has ended, then press ``keys``."""

    keys: str


@dataclass(frozen=True, slots=True)
class Listen:
    """Let the bot end once and say nothing."""


@dataclass(frozen=True, slots=True)
class HangUp:
    """Hang up; ``after_ms`` of the bot's speech if given, else when it has ended."""

    after_ms: int | None = None


Act = Say | Interrupt | Press | Listen | HangUp


class SpeakingLine(Protocol):
    """The sound of a telephone call."""

    async def play(self, sound: Frame) -> tuple[float, float]: ...

    async def press(self, keys: str) -> None: ...

    def watch(self) -> Watch: ...


class PhoneCall(Protocol):
    """A call that a person can be played on (:class:`agi_bot.demo.phone.softphone.PhoneCall`)."""

    @property
    def line(self) -> SpeakingLine: ...

    @property
    def ended(self) -> asyncio.Event: ...

    async def hang_up(self) -> None: ...


@dataclass(slots=True)
class Patient:
    """Carries out ``acts`` in order on one call, then listens until the bot hangs up.

    ``pause_ms`` is how long the bot must have been quiet before it counts as ended.
    ``spoken`` fills with what was said and from when to when (seconds of the loop's clock).
    """

    acts: Sequence[Act]
    pause_ms: int = 700
    spoken: list[tuple[str, float, float]] = field(default_factory=list)

    async def talk(self, call: PhoneCall) -> None:
        """Play the part on ``call`` until it is over."""
        acting = asyncio.create_task(self._act(call))
        over = asyncio.create_task(call.ended.wait())
        try:
            await asyncio.wait({acting, over}, return_when=asyncio.FIRST_COMPLETED)
            if acting.done():
                acting.result()
            await over
        finally:
            acting.cancel()
            over.cancel()

    async def _act(self, call: PhoneCall) -> None:
        for act in self.acts:
            match act:
                case Say(sound, text):
                    await bot_ended(call, self.pause_ms)
                    await self._speak(call, sound, text)
                case Interrupt(sound, after_ms, text):
                    await bot_speaks(call, after_ms)
                    await self._speak(call, sound, text)
                case Press(keys):
                    await bot_ended(call, self.pause_ms)
                    await call.line.press(keys)
                case Listen():
                    await bot_ended(call, self.pause_ms)
                case HangUp(after_ms):
                    await (bot_ended(call, self.pause_ms) if after_ms is None else bot_speaks(call, after_ms))
                    await call.hang_up()

    async def _speak(self, call: PhoneCall, sound: Frame, text: str) -> None:
        began, ended = await call.line.play(sound)
        self.spoken.append((text, began, ended))


async def bot_speaks(call: PhoneCall, for_ms: int) -> None:
    """Wait until the other side has spoken for ``for_ms`` in all."""
    with call.line.watch() as packets:
        loud = 0.0
        while loud < max(for_ms, 1):
            heard = Frame((await packets.get()).samples.tobytes())
            loud += heard.ms if rms_dbfs(heard) > SPEECH_DBFS else 0.0


async def bot_ended(call: PhoneCall, pause_ms: int) -> None:
    """Wait until the other side has spoken and has then been quiet for ``pause_ms``."""
    await bot_speaks(call, 100)
    loop = asyncio.get_running_loop()
    with call.line.watch() as packets:
        quiet_since = loop.time()
        while (left := quiet_since + pause_ms / 1000 - loop.time()) > 0:
            try:
                heard = await asyncio.wait_for(packets.get(), left)
            except TimeoutError:
                return  # no packets at all are quiet too
            if rms_dbfs(Frame(heard.samples.tobytes())) > SPEECH_DBFS:
                quiet_since = loop.time()
