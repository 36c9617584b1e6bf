"""The ground of a dialogue: all that it remembers, and its mouth."""

from __future__ import annotations

from collections.abc import Mapping

from agi_bot.contracts import Value
from agi_bot.flow.builtin import DEFAULTS, Defaults
from agi_bot.flow.evaluation import Scope
from agi_bot.flow.events import Action
from agi_bot.flow.model import Flow
from agi_bot.flow.mouth import Mouth
from agi_bot.flow.parts import Wording
from agi_bot.flow.script import Step
from agi_bot.flow.state import Asking, LastHeard, Level, State, Waiting, first_level


class Ground:
    """State of one dialogue; what can be read of it from outside has no underscore."""

    def __init__(self, flow: Flow, task: Mapping[str, Value] | None = None, *, seed: str = "") -> None:
        self.flow = flow
        self.outcome = ""
        self.result_class = ""
        self.transfer_to = ""
        self.tags: list[str] = []
        self.trace: list[tuple[str, str, str]] = []
        self.moods: frozenset[str] = frozenset()
        self._mouth = Mouth(flow.language, seed)
        self._levels = [first_level(flow, task or {})]
        self._state = State.NEW
        self._asking = Asking()
        self._heard = LastHeard()
        self._waiting: Waiting | None = None
        self._target: str | None = None
        self._answer_id = ""
        self._spoken = 0
        """The last prompt that was spoken to its end."""
        self._answered_on: frozenset[str] = frozenset()
        """Intents that the question had which was answered last."""
        self._moves = self._hooks = self._answers = 0
        self._actions: list[Action] = []

    @property
    def slots(self) -> dict[str, Value]:
        """What was collected, computed or answered by hooks so far; task data only where it was changed."""
        level = self._levels[0]
        return {name: value for name, value in level.values.items() if name in level.filled}

    def kind_of(self, slot: str) -> str:
        """The kind that the flow gives ``slot``, ``text`` where it gives none."""
        return self._levels[0].kinds.get(slot) or self.flow.kind_of(slot)

    @property
    def step(self) -> str:
        """Where the dialogue is; ``part/step`` inside a sub-flow."""
        return "/".join([*(level.flow.name for level in self._levels[1:]), self._level.step_name])

    @property
    def ended(self) -> bool:
        return self._state is State.ENDED

    @property
    def variants(self) -> Mapping[str, str]:
        """Which text of each A/B test was said: place (``step.say``) -> name of the text."""
        return self._mouth.variants

    @property
    def _level(self) -> Level:
        return self._levels[-1]

    @property
    def _step(self) -> Step:
        return self._level.step

    @property
    def _defaults(self) -> Defaults:
        return DEFAULTS[self.flow.language]

    def _scope(self, level: Level | None = None, more: Mapping[str, Value] | None = None) -> Scope:
        values = (level or self._level).values
        return Scope({**values, **more} if more else values, self._mouth.now, self.moods, self._heard.text)

    def _say(
        self, wording: Wording | None, key: str, protect: tuple[str, ...] = (), level: Level | None = None
    ) -> None:
        self._mouth.say(wording, f"{self.step}.{key}", protect, level or self._level)

    def _flush(self) -> None:
        self._actions.extend(self._mouth.flush(self._level, self.flow.voice))

    def _do(self, action: Action) -> None:
        self._flush()
        self._actions.append(action)

    def _note(self, kind: str, key: str) -> None:
        self.trace.append((kind, self.step, key))
