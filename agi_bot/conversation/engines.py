"""What a conversation works with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from agi_bot.contracts import Interpreter, Recognizer, Value, Voice
from agi_bot.conversation.bias import Bias
from agi_bot.conversation.hooks import Hooks
from agi_bot.flow.events import Action, Event
from agi_bot.speech.turns import TurnSettings
from agi_bot.speech.vad import VadBatcher


class Script(Protocol):
    """The dialogue, as the conversation needs it (:class:`agi_bot.flow.Dialogue` has it)."""

    @property
    def step(self) -> str:
        """Name of the step the dialogue is in."""

    @property
    def slots(self) -> Mapping[str, Value]:
        """What has been collected so far."""

    def receive(self, event: Event) -> list[Action]:
        """What is to be done about ``event``."""


@dataclass(frozen=True, slots=True)
class Engines:
    """What a conversation hears, understands and speaks with; shared by all calls.

    ``voice`` finds a voice by name (empty: the language's default) and language.  ``bias`` is the flow's.
    """

    recognizer: Recognizer
    interpreter: Interpreter
    voice: Callable[[str, str], Voice]
    activity: VadBatcher
    hooks: Hooks
    bias: Bias = field(default_factory=Bias)


@dataclass(frozen=True, slots=True)
class Limits:
    """``max_call_s``: longest call, seconds.  ``turns``: see :class:`~agi_bot.speech.turns.TurnSettings`."""

    max_call_s: float = 600.0
    turns: TurnSettings = field(default_factory=TurnSettings)
