"""The promise :class:`~agi_bot.contracts.Recognizer`, kept with Vosk."""

from __future__ import annotations

import asyncio
import math
import os
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from agi_bot.audio import LINE_RATE, Frame, Resampler
from agi_bot.contracts import Hints, Transcript, Word
from agi_bot.errors import EngineDown, ModelError, SpeechError
from agi_bot.speech.vosk import calibration, engine, results
from agi_bot.speech.vosk.calibration import Calibration
from agi_bot.speech.vosk.folder import ModelFolder, inspect_folder
from agi_bot.speech.vosk.second import Narrow, SecondLook, narrow
from agi_bot.speech.vosk.settings import VoskSettings
from agi_bot.speech.vosk.sound import Quietest, SoundClock
from agi_bot.speech.vosk.threads import LONG_S, Threads
from agi_bot.speech.vosk.trial import try_model
from agi_bot.speech.vosk.vocabulary import Vocabulary, grammar, join

BEHIND = 5
"""How much nicer than the event loop the recogniser's threads are."""

_SMALL_VOCABULARY = 3000
LOOK_S = 0.25
"""Seconds between two looks for threads that hang."""

SECOND_S = 10.0
"""A whole utterance that is heard again may take so long, s."""

_NO_HINTS = Hints()
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A model in memory, with its vocabulary for one language."""

    folder: ModelFolder
    model: Any
    vocabulary: Vocabulary
    language: str = ""
    calibration: Calibration | None = None

    def grammar(self, hints: Hints, settings: VoskSettings) -> str:
        """A grammar of ``hints``, or empty for the model's own language model."""
        if settings.hints != "prefer" or not hints.phrases or not self.folder.grammar:
            return ""
        phrases = hints.phrases[: settings.hints_limit]
        return grammar(self.vocabulary, phrases, whole=len(self.vocabulary.words) <= _SMALL_VOCABULARY)

    def narrow(self, hints: Hints, settings: VoskSettings) -> Narrow:
        """What a second look listens for; nothing where there is none."""
        if settings.hints != "again" or not self.folder.grammar:
            return Narrow()
        return narrow(self.vocabulary, replace(hints, phrases=hints.phrases[: settings.hints_limit]), self.language)


class VoskRecognizer:
    """Vosk models, shared by all calls.

    ``models`` maps a language (``zh-CN``, ``en``) to a model folder; several languages may
    name the same folder.  :meth:`start` loads, :meth:`stop` frees the threads.
    """

    def __init__(self, models: Mapping[str, Path], settings: VoskSettings | None = None) -> None:
        self._paths = {_primary(language): path for language, path in models.items()}
        self._settings = settings or VoskSettings()
        self._loaded: dict[str, _Loaded] = {}
        self._ears = 0
        threads = self._settings.threads or len(os.sched_getaffinity(0))
        self.threads = Threads(threads, "vosk", _step_back)
        self._watching: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        """``vosk:`` and the model folders' names."""
        return "vosk:" + "+".join(dict.fromkeys(path.name for path in self._paths.values()))

    @property
    def languages(self) -> tuple[str, ...]:
        """Primary language tags that can be opened."""
        return tuple(self._paths)

    async def start(self) -> None:
        """Look at, try and load every model.  Raises :class:`~agi_bot.errors.ModelError`."""
        self._watching = self._watching or asyncio.create_task(self._watch())
        models: dict[Path, Any] = {}
        for language, path in self._paths.items():
            folder = inspect_folder(path)
            if path not in models:
                await try_model(path)
                models[path] = await self.work(engine.load, path, limit_s=math.inf)
            vocabulary = await self.work(_vocabulary, folder, language, limit_s=math.inf)
            self._loaded[language] = _Loaded(folder, models[path], vocabulary, language, calibration.load(path))

    async def stop(self) -> None:
        """Free threads and models; open ears cannot be used any more."""
        self._loaded.clear()
        self.threads.stop()
        watching, self._watching = self._watching, None
        if watching is not None:
            watching.cancel()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            self.threads.look()

    async def open(self, *, language: str, hints: Hints = _NO_HINTS) -> VoskHearing:
        """A new ear.

        Raises :class:`~agi_bot.errors.ModelError` for a language without a model,
        :class:`~agi_bot.errors.EngineDown` when the recogniser hangs.
        """
        loaded = self._find(language)
        if self.threads.hangs:
            raise EngineDown(f"the recogniser hangs in {self.threads.stuck} threads", cure="it is started anew")
        rate = loaded.folder.decoding_rate(LINE_RATE)
        words = await self.work(loaded.grammar, hints, self._settings)
        decoder = await self.work(engine.Decoder, loaded.model, rate, words)
        self._ears += 1
        ear = VoskHearing(self, loaded, decoder, rate, self._settings)
        if hints != _NO_HINTS:
            await ear.expect(hints)
        return ear

    @property
    def chunk_ms(self) -> int:
        """Sound of one ear that is decoded at a time now."""
        return self._settings.piece_ms(self._ears)

    def left(self) -> None:
        """An ear was closed."""
        self._ears -= 1

    def cannot_hear(self, language: str, hints: Hints) -> tuple[str, ...]:
        """Those of the hinted phrases that have a word outside of the model's vocabulary."""
        vocabulary = self._find(language).vocabulary
        return tuple(phrase for phrase in hints.phrases if not vocabulary.cut(phrase))

    async def work(
        self, function: Callable[..., _T], *arguments: Any, limit_s: float = LONG_S, urgent: bool = False
    ) -> _T:
        """Run ``function`` in the recogniser's own threads; beyond ``limit_s`` it counts as hanging.

        ``urgent``: a caller waits for it, so it overtakes what goes on while others speak.

        Raises :class:`~agi_bot.errors.SpeechError` when they have been stopped.
        """
        try:
            # By way of the loop: in one of virtual time nothing passes while a thread works for it.
            job = asyncio.get_running_loop().run_in_executor(
                self.threads.within(limit_s, urgent=urgent), function, *arguments
            )
        except RuntimeError as error:
            raise SpeechError(f"the recogniser has been stopped: {error}") from error
        return await job

    def _find(self, language: str) -> _Loaded:
        tag = _primary(language)
        if tag in self._loaded:
            return self._loaded[tag]
        if tag in self._paths:
            raise ModelError(f"the model for {language} is not loaded yet", cure="await start() first")
        known = ", ".join(self._paths) or "none"
        raise ModelError(
            f"no speech model for the language {language} (there are: {known})",
            cure="agi-bot models list shows which model speaks it; name it in agi-bot.yml",
        )


class VoskHearing:
    """One caller's ear.  Calls are made one after another, as frames come."""

    def __init__(
        self, home: VoskRecognizer, loaded: _Loaded, decoder: engine.Decoder, rate: int, settings: VoskSettings
    ) -> None:
        self._home = home
        self._loaded = loaded
        self._decoder = decoder
        self._rate = rate
        self._line_rate = rate
        self._settings = settings
        self._clock = SoundClock()
        self._resampler: Resampler | None = None
        self._waiting = bytearray()
        self._parts: tuple[Word, ...] = ()
        self._partial = ""
        self._quietest = Quietest(rate)
        self._hints: Hints | None = None
        self._second = SecondLook(loaded.model, rate)
        self._closed = False

    async def hear(self, frame: Frame) -> Transcript:
        """Feed ``frame`` of any rate; the utterance's current partial."""
        self._clock.hear(frame.ms)
        self._waiting += self._at_model_rate(frame)
        if len(self._waiting) >= self._rate * self._home.chunk_ms // 1000 * 2:
            await self._decode()
        return self._transcript()

    def skip(self, ms: float) -> None:
        """``ms`` of the call's sound passed that was not fed: the words' times go on."""
        self._clock.skip(ms)

    async def settle(self) -> Transcript:
        """The caller fell silent: the partial as it becomes when that silence lasts."""
        ahead = self._quietest.tile(self._rate * self._settings.settle_ms // 1000 * 2)
        self._waiting += ahead
        await self._decode(urgent=True)
        self._clock.hear(self._settings.settle_ms)
        self._clock.skip(-self._settings.settle_ms)
        return self._transcript()

    async def finish(self) -> Transcript:
        """End the utterance; its final transcript."""
        pcm, self._waiting = bytes(self._waiting) + self._rest(), bytearray()
        self._second.keep(pcm)
        last = await self._home.work(self._decoder.finish, pcm, urgent=True)
        words = self._parts + self._timed(last)
        self._parts, self._partial, self._quietest = (), "", Quietest(self._rate)
        transcript = await self._looked_again(words)
        await self._take_hints()
        return transcript

    async def _looked_again(self, words: tuple[Word, ...]) -> Transcript:
        """What was heard, by a second look where the first was unsure."""
        began = self._decoder.fed_ms - self._second.kept_ms
        sound, judge = self._second.forget(), self._loaded.calibration
        first = results.transcript(words, self._settings, judge)
        if not sound or not self._second.wanted(words):
            return first
        again = await self._home.work(self._second.look, sound, words, limit_s=SECOND_S)
        placed = tuple(self._clock.place(word, began) for word in again)
        return results.transcript(placed, self._settings, judge) if placed else first

    async def expect(self, hints: Hints) -> None:
        """Use ``hints`` from the next utterance on."""
        self._hints = hints
        if not self._partial and not self._parts:
            await self._take_hints()

    async def close(self) -> None:
        """Free the decoder; may be called twice."""
        if not self._closed:
            self._closed = True
            self._home.left()
        await self._home.work(self._decoder.close)

    async def _decode(self, *, urgent: bool = False) -> None:
        pcm, self._waiting = bytes(self._waiting), bytearray()
        self._quietest.push(pcm)
        self._second.keep(pcm)
        ended, partial = await self._home.work(self._decoder.accept, pcm, urgent=urgent)
        self._parts += self._timed(ended)
        self._partial = results.parse_partial(partial)

    async def _take_hints(self) -> None:
        hints, self._hints = self._hints, None
        if hints is not None:
            text = await self._home.work(self._loaded.grammar, hints, self._settings)
            await self._home.work(self._decoder.expect, text)
            self._second.expect(await self._home.work(self._loaded.narrow, hints, self._settings))

    def _timed(self, answer: str) -> tuple[Word, ...]:
        origin = self._decoder.origin_ms
        return tuple(self._clock.place(word, origin) for word in results.parse_words(answer)) if answer else ()

    def _transcript(self) -> Transcript:
        before = results.known([word.text for word in self._parts])
        return Transcript(join([*before, *([self._partial] if self._partial else [])]))

    def _at_model_rate(self, frame: Frame) -> bytes:
        if frame.rate == self._rate:
            return frame.pcm
        if self._resampler is None:
            self._resampler = Resampler(frame.rate, self._rate)
            self._line_rate = frame.rate
        return self._resampler.push(frame).pcm

    def _rest(self) -> bytes:
        resampler, self._resampler = self._resampler, None
        if resampler is None:
            return b""
        return resampler.push(Frame(b"", self._line_rate), last=True).pcm


def _step_back() -> None:
    """Let this thread wait for the event loop's, which paces the sound of all calls."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), os.nice(0) + BEHIND)


def _vocabulary(folder: ModelFolder, language: str) -> Vocabulary:
    if not folder.grammar:
        return Vocabulary(frozenset())
    whole = Vocabulary.parse(folder.words.read_text("utf-8").splitlines())
    own = folder.lists.get(language)
    return whole.only(own.read_text("utf-8").split()) if own else whole


def _primary(language: str) -> str:
    """``zh`` of ``zh-CN``, ``zh_CN`` and ``zh``; ``cn`` is Vosk's own name of ``zh``."""
    tag = language.replace("_", "-").split("-")[0].lower()
    return "zh" if tag == "cn" else tag
