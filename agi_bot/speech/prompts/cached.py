"""A Voice around a Voice: what was rendered once is there at once the next time."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agi_bot.audio import Frame, silence
from agi_bot.contracts import Voice
from agi_bot.errors import EngineDown, ModelError, SpeechError
from agi_bot.speech.line import CHAIN, LEVEL_DBFS
from agi_bot.speech.prompts.plan import Prompt, Unit, units
from agi_bot.speech.prompts.recordings import Recordings
from agi_bot.speech.prompts.rendering import Rendering
from agi_bot.speech.prompts.store import PromptStore, prompt_key

_CUT_MS = 100
_DOWN = 3
"""So many texts in a row that find the engine down are no fault of theirs."""


@dataclass(frozen=True, slots=True)
class Progress:
    """One prompt of many is done: ``text`` was number ``index`` (from 1) of ``total``."""

    text: str
    index: int
    total: int
    was_ready: bool


@dataclass(slots=True)
class Rendered:
    """What :meth:`CachedVoice.render` did; ``failed`` holds text and reason."""

    rendered: int = 0
    already: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)
    down: int = 0
    """How many texts in a row found the engine down."""

    def add(self, other: Rendered) -> None:
        """Take what ``other`` did into account as well."""
        self.rendered += other.rendered
        self.already += other.already
        self.failed += other.failed


@dataclass(slots=True)
class Readiness:
    """How often a unit of a prompt was there when it was to be spoken, and how long the others took."""

    ready: int = 0
    waited: int = 0
    waited_ms: float = 0.0

    def late(self, ms: float) -> None:
        """One was not there, and its first frame came after ``ms``."""
        self.waited += 1
        self.waited_ms += ms

    @property
    def share(self) -> float:
        """Share of the units that were ready; 1.0 when none was asked for."""
        total = self.ready + self.waited
        return self.ready / total if total else 1.0


class CachedVoice:
    """Keeps the promise Voice; ``cache_dir`` None keeps prompts in memory only.

    What differs from call to call (a plain text, or a part that is not fixed) may hold
    personal data: it stays in memory and never gets onto the disk unless
    :meth:`render` is told so.  ``recordings`` are spoken in place of their texts.
    """

    def __init__(
        self,
        voice: Voice,
        cache_dir: Path | None,
        max_mb: float = 512,
        *,
        memory_mb: float = 32,
        recordings: Recordings | None = None,
        store: PromptStore | None = None,
    ) -> None:
        self._voice = voice
        self._store = store or PromptStore(cache_dir, max_mb=max_mb, memory_mb=memory_mb)
        self._recordings = recordings or Recordings.none()
        self._language: str = getattr(voice, "language", "zh-CN")
        self._key: str = getattr(voice, "key", voice.name)
        self._running: dict[str, Rendering] = {}
        self.readiness = Readiness()

    @property
    def name(self) -> str:
        """The inner voice's name."""
        return self._voice.name

    @property
    def rate(self) -> int:
        """Sampling rate of the frames, Hz."""
        return self._voice.rate

    @property
    def key(self) -> str:
        """The inner voice's key."""
        return self._key

    @property
    def language(self) -> str:
        """The inner voice's language."""
        return self._language

    async def start(self) -> None:
        """Start the inner voice where it has to be started."""
        await _call(self._voice, "start")

    async def close(self) -> None:
        """Close the inner voice."""
        await _call(self._voice, "close")

    def speak(self, text: str) -> AsyncIterator[Frame]:
        """Frames of at most 100 ms; what is ready costs no waiting."""
        return self.speak_parts(text)

    def plan(self, prompt: Prompt) -> list[Unit]:
        """The units that ``prompt`` is spoken in; a recording of the whole prompt makes it one.

        Raises :class:`SpeechError` for text that cannot be spoken.
        """
        made = units(prompt, self._language)
        if len(made) > 1 and self._recorded(_text(prompt)) is not None:
            return [Unit(_text(prompt), True, 0, any(unit.protected for unit in made))]
        return made

    async def speak_parts(self, prompt: Prompt) -> AsyncIterator[Frame]:
        """As :meth:`speak`, with fixed and variable parts told apart, joined at their clauses."""
        async with aclosing(self.speak_planned(self.plan(prompt))) as sounds:  # type: ignore[type-var]
            async for _, frame in sounds:
                yield frame

    async def ready(self, prompt: Prompt) -> bool:
        """Whether :meth:`speak_parts` would have the whole sound at hand."""
        return all(self.has(unit) for unit in self.plan(prompt))

    async def render(
        self,
        prompts: Iterable[Prompt],
        *,
        keep: bool = True,
        progress: Callable[[Progress], None] | None = None,
    ) -> Rendered:
        """Render what is not there yet, one after another; a text that cannot be spoken is noted.

        With ``keep`` only what is fixed is rendered, and kept on disk (a plain text counts as
        fixed here); without, all of it is rendered into memory, for one call.  Raises
        :class:`ModelError`, and :class:`EngineDown` when three texts in a row find the engine down.
        """
        todo, report = list(prompts), Rendered()
        for index, prompt in enumerate(todo, 1):
            was_ready = await self._render_one(prompt, keep, report)
            if progress:
                progress(Progress(_text(prompt), index, len(todo), was_ready))
        return report

    async def _render_one(self, prompt: Prompt, keep: bool, report: Rendered) -> bool:
        try:
            was_ready = await self._render_units(prompt, keep)
        except SpeechError as error:
            report.down = report.down + 1 if isinstance(error, EngineDown) else 0
            if isinstance(error, ModelError) or report.down == _DOWN:
                raise  # the next text would fail as well, after as long a wait
            report.failed.append((_text(prompt), str(error)))
            return False
        report.down = 0
        report.already += was_ready
        report.rendered += not was_ready
        return was_ready

    async def _render_units(self, prompt: Prompt, keep: bool) -> bool:
        """Tells whether all was there before."""
        plain, all_ready = isinstance(prompt, str), True
        for unit in self.plan(prompt):
            wanted = unit.fixed or plain or not keep
            if wanted and self._recorded(unit.text) is None:
                all_ready &= await self._make(unit, keep)
        return all_ready

    async def _make(self, unit: Unit, keep: bool) -> bool:
        """See to it that ``unit`` is stored; tells whether it was."""
        key = self._unit_key(unit)
        stored = self._store.get(key)
        if stored is not None:
            self._store.put(key, stored, keep=keep)
            return True
        sound = _Sound(self, unit)
        try:
            async for _ in sound.frames(Readiness()):
                pass
        finally:
            sound.release()
        made = self._store.get(key)
        if made is not None:
            self._store.put(key, made, keep=keep)
        return False

    async def speak_planned(
        self, todo: Sequence[Unit], begun: Callable[[int], None] | None = None
    ) -> AsyncIterator[tuple[int, Frame]]:
        """Frames of :meth:`plan`, each with the index of its unit; ``begun`` is told each index first.

        Each unit is opened while the one before it is spoken; its pause belongs to it.
        """
        opened: list[_Sound] = []
        try:
            for index, unit in enumerate(todo):
                while len(opened) < min(index + 2, len(todo)):
                    opened.append(_Sound(self, todo[len(opened)]))
                if begun:
                    begun(index)
                async for frame in opened[index].frames(self.readiness):
                    yield index, frame
                if unit.pause_ms:
                    yield index, silence(unit.pause_ms, self.rate)
        finally:
            for sound in opened:
                sound.release()

    def _recorded(self, text: str) -> bytes | None:
        return self._recordings.find(text)

    def has(self, unit: Unit) -> bool:
        """Whether the sound of ``unit`` is at hand."""
        return self._recorded(unit.text) is not None or self._unit_key(unit) in self._store

    def _unit_key(self, unit: Unit) -> str:
        return prompt_key(unit.text, self._key, self.rate, LEVEL_DBFS, CHAIN)

    def _cut(self, pcm: bytes) -> Iterable[Frame]:
        size = self.rate * _CUT_MS // 1000 * 2
        return (Frame(pcm[start : start + size], self.rate) for start in range(0, len(pcm), size))

    def _lookup(self, unit: Unit) -> bytes | None:
        recorded = self._recorded(unit.text)
        return recorded if recorded is not None else self._store.get(self._unit_key(unit))

    def _join(self, unit: Unit) -> Rendering:
        """The rendering of ``unit`` that is under way, or a new one."""
        key = self._unit_key(unit)
        running = self._running.get(key)
        if running is None:
            running = Rendering(
                self._voice.speak(unit.text),
                done=lambda pcm: self._store.put(key, pcm, keep=unit.fixed),
                gone=lambda: self._drop(key, running),
            )
            self._running[key] = running
        running.join()
        return running

    def _drop(self, key: str, rendering: Rendering | None) -> None:
        if self._running.get(key) is rendering:
            del self._running[key]


class _Sound:
    """One unit on its way to the line: stored, or being rendered."""

    def __init__(self, voice: CachedVoice, unit: Unit) -> None:
        self._voice = voice
        self._stored = voice._lookup(unit)
        self._rendering = voice._join(unit) if self._stored is None else None

    async def frames(self, readiness: Readiness) -> AsyncIterator[Frame]:
        if self._rendering is None:
            readiness.ready += 1
            for frame in self._voice._cut(self._stored or b""):
                yield frame
            return
        asked, first = time.monotonic(), True
        async for frame in self._rendering.follow():
            if first:
                readiness.late((time.monotonic() - asked) * 1000)
                first = False
            yield frame

    def release(self) -> None:
        if self._rendering is not None:
            self._rendering.leave()
            self._rendering = None


def _text(prompt: Prompt) -> str:
    return prompt if isinstance(prompt, str) else "".join(part.text for part in prompt)


async def _call(voice: Voice, method: str) -> None:
    found: Any = getattr(voice, method, None)
    if found is not None:
        await found()
