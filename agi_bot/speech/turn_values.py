"""What a judge of turns is told, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from agi_bot.contracts import Intent


class Asks(Protocol):
    """What the step waits for; :class:`agi_bot.flow.events.Listen` has these fields."""

    @property
    def expected(self) -> tuple[str, ...]:
        """The step's own intents."""

    @property
    def needed(self) -> tuple[str, ...]:
        """Entity kinds that the step asks for."""

    @property
    def patience_ms(self) -> int:
        """0: the settings' own."""

    @property
    def turns(self) -> Mapping[str, int]:
        """Single limits of :class:`~agi_bot.speech.turn_settings.TurnSettings` by name, ms, over the patience's."""

    @property
    def backchannel(self) -> tuple[str, ...]:
        """Words that do not interrupt, besides those of the language."""


@dataclass(frozen=True, slots=True)
class Question:
    """An :class:`Asks` of one's own, for tests and tools."""

    expected: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()
    patience_ms: int = 0
    turns: Mapping[str, int] = field(default_factory=dict)
    backchannel: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Now:
    """What is known at ``now_ms``.

    ``speech``: the caller makes sound of speech now; ``rising``: there is sound that may be the
    beginning of it; ``certain``: no doubt that the sound is a voice (all three:
    :class:`agi_bot.speech.vad.Segment`).  ``partial``: the utterance's words so far.
    ``intent`` was understood from the text ``intent_of`` (None: not yet).
    ``bot_speaking``: sound of a prompt goes out, or it is paused.  ``interruptible``: the
    prompt may be cut here.  ``left_ms``: how much of the prompt is still unspoken (0 also
    when that is not known).  ``bot_text``: what the bot is saying; words of it that come back
    are its echo.  ``echo``: the line is known to have one, so that sound alone proves nothing.
    """

    now_ms: int
    speech: bool
    partial: str = ""
    intent: Intent | None = None
    intent_of: str = ""
    bot_speaking: bool = False
    interruptible: bool = True
    left_ms: int = 0
    bot_text: str = ""
    echo: bool = False
    rising: bool = False
    certain: bool = False


class Act(StrEnum):
    """What is to be done."""

    NOTHING = "nothing"
    PAUSE = "pause"
    """The bot falls silent at once; whether it stays so is not yet known."""
    STOP = "stop"
    """The caller took the turn: what was not spoken of the prompt is cut."""
    GO_ON = "go_on"
    """The caller says 嗯: the bot goes on; the utterance stays open, for more may follow."""
    RESUME = "resume"
    """It was nothing (a cough, 嗯): the bot goes on.  The utterance is finished and dropped."""
    END = "end"
    """The caller's turn is over: finish the utterance and answer."""
    DROP = "drop"
    """Sound without words is over and nobody was interrupted: finish the utterance and drop it."""
    TOO_LONG = "too_long"
    """The caller speaks without end: finish the utterance and answer."""


@dataclass(frozen=True, slots=True)
class Decision:
    """``act`` and, for the record, ``why`` and the silence that was waited for.

    ``understand``: text that is stable and worth interpreting now, before the turn ends
    (empty: nothing new).  ``from_ms``/``to_ms``: the caller's first and last sound.
    """

    act: Act = Act.NOTHING
    why: str = ""
    understand: str = ""
    silence_ms: int = 0
    from_ms: int = -1
    to_ms: int = -1
