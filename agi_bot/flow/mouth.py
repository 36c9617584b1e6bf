"""The dialogue's mouth: gathers texts into numbered prompts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from agi_bot.flow.events import Say, Span
from agi_bot.flow.model import Flow
from agi_bot.flow.parts import Wording
from agi_bot.flow.state import Level
from agi_bot.flow.wording import choose, fixed_words, spans


class Mouth:
    """Texts said in a row become one :class:`~agi_bot.flow.events.Say`.

    ``variants`` tells which text of an A/B test was used where; ``mute`` drops everything.
    """

    def __init__(self, language: str, seed: str) -> None:
        self.now = datetime(2000, 1, 1, tzinfo=UTC)
        self.mute = False
        self.variants: dict[str, str] = {}
        self._language = language
        self._seed = seed
        self._turns: Counter[str] = Counter()
        self._speech: list[Span] = []
        self._turn: list[Span] = []
        self._said: list[Span] = []
        self._now: list[Span] = []
        self._last: list[Span] = []
        self._passing = False
        self._prompts = 0

    @property
    def last_prompt(self) -> int:
        """Number of the last prompt, 0 before the first."""
        return self._prompts

    def begin_turn(self) -> None:
        """The caller did something: what was said until now is what `repeat` repeats."""
        if self._turn and not self._passing:
            self._said = self._turn
        self._turn, self._passing = [], False

    def begin_event(self) -> None:
        """Something happened: what is said from now on belongs to it."""
        if self._now:
            self._last, self._now = self._now, []

    def say_again(self) -> None:
        """Say what was said at the last event that made the bot speak."""
        self.add(list(self._last))

    def pass_by(self) -> None:
        """What is said in this turn ("can you hear me?") is not worth repeating."""
        self._passing = True

    def repeat(self) -> None:
        """Say again what was said last."""
        self.add(list(self._said))

    def say(self, wording: Wording | None, key: str, protect: tuple[str, ...], level: Level) -> None:
        """Add the text of ``wording`` whose turn it is; ``key`` names the place for turns and A/B tests."""
        if wording is None:
            return
        index = choose(wording, self._turns[key], f"{self._seed}:{key}")
        self._turns[key] += 1
        if wording.names:
            self.variants[key] = wording.names[index]
        self.speak(wording.texts[index], protect, level)

    def speak(self, text: str, protect: tuple[str, ...], level: Level) -> None:
        """Add ``text`` with the slots of ``level``."""
        self.add(self.filled_in(text, level, protect))

    def filled_in(self, text: str, level: Level, protect: tuple[str, ...] = ()) -> list[Span]:
        """``text`` as spans, its slots said as words."""
        return spans(text, protect, level.values, level.kinds, self._language, self.now)

    def add(self, new: Sequence[Span]) -> None:
        """Add ready spans."""
        if self.mute or not new:
            return
        for speech in (self._speech, self._turn, self._now):
            if speech and self._language == "en":
                speech.append(Span(" "))
            speech.extend(new)

    def answer(self, text: str) -> None:
        """Add a text that comes from outside the flow."""
        self.add([Span(fixed_words(text, self._language), fixed=False)])

    def flush(self, level: Level, voice: str) -> list[Say]:
        """What was gathered, as one numbered prompt in the manner of the step of ``level``."""
        if not self._speech:
            return []
        self._prompts += 1
        prompt = Say(self._prompts, tuple(self._speech), *manner(level, level.step_name, voice))
        self._speech = []
        return [prompt]


def manner(level: Level, step_name: str, voice: str) -> tuple[bool, str]:
    """Whether ``step_name`` may be interrupted, and its voice."""
    step = level.flow.script.steps.get(step_name)
    return step is None or step.barge_in, voice_at(level.flow, step_name, voice)


def voice_at(flow: Flow, step_name: str, outer: str) -> str:
    """The voice of ``step_name``, else that of ``flow``, else that of the flow which called it."""
    step = flow.script.steps.get(step_name)
    return (step.voice if step else None) or flow.voice or outer
