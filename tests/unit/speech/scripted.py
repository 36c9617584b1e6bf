"""A voice for tests: every character is 20 ms of its own level, counted and breakable."""

import asyncio
from collections.abc import AsyncIterator

from agi_bot.audio import Frame
from agi_bot.errors import EngineDown


class ScriptedVoice:
    name = "scripted"
    rate = 8000
    language = "zh-CN"

    def __init__(self, key: str = "scripted-1", *, pause_s: float = 0.0, fail_on: str = "") -> None:
        self.key = key
        self.spoken: list[str] = []
        self.stopped: list[str] = []
        self.running = 0
        self.started = self.closed = 0
        self._pause_s = pause_s
        self._fail_on = fail_on

    async def start(self) -> None:
        self.started += 1

    async def close(self) -> None:
        self.closed += 1

    async def speak(self, text: str) -> AsyncIterator[Frame]:
        self.spoken.append(text)
        try:
            for char in text:
                await asyncio.sleep(self._pause_s)
                if char == self._fail_on:
                    raise EngineDown("the scripted voice failed")
                yield frame_of(char)
        except GeneratorExit:
            self.stopped.append(text)
            raise


def frame_of(char: str) -> Frame:
    return Frame((ord(char) % 30000).to_bytes(2, "little") * 160)


def sound_of(text: str) -> bytes:
    return b"".join(frame_of(char).pcm for char in text)
