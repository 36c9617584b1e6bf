"""What a dialogue remembers: one level for the flow and one for each sub-flow that runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum, auto

from agi_bot.contracts import Entity, Value
from agi_bot.flow.evaluation import Result, Scope, evaluate
from agi_bot.flow.expression import parse_expression
from agi_bot.flow.model import Flow
from agi_bot.flow.parts import HookCall, Way
from agi_bot.flow.script import Step
from agi_bot.flow.template import parse_template
from agi_bot.flow.wording import raw_text

REMEMBERED = 4
"""Answers to one question that are remembered."""


class State(Enum):
    """Where a dialogue stands."""

    NEW = auto()
    LISTENING = auto()
    HOOK = auto()
    ENDED = auto()


@dataclass(slots=True)
class Level:
    """One flow that runs, with its own slots."""

    flow: Flow
    values: dict[str, Value]
    kinds: dict[str, str] = field(default_factory=dict)
    step_name: str = ""
    visits: Counter[str] = field(default_factory=Counter)
    filled: set[str] = field(default_factory=set)

    @property
    def step(self) -> Step:
        return self.flow.script.steps[self.step_name]

    def put(self, name: str, value: Value | None, kind: str = "") -> None:
        """Remember ``value`` (``None``: forget) under ``name``."""
        if value is None:
            self.values.pop(name, None)
            return
        self.values[name] = value
        self.filled.add(name)
        if kind:
            self.kinds[name] = kind

    def put_computed(self, name: str, written: bool | int | float | str, scope: Scope) -> None:
        """Remember what ``written`` computes to; a copied slot keeps its kind."""
        self.put(name, computed(written, scope), self._kind(written))

    def _kind(self, written: bool | int | float | str) -> str:
        slot = lone_slot(written)
        return self.kinds.get(slot, "") if slot else ""


@dataclass(slots=True)
class Asking:
    """The question that is open: what is still unknown, how often it went wrong."""

    confirming: bool = False
    denials: int = 0
    silence: int = 0
    unclear: int = 0
    halves: dict[str, date | time] = field(default_factory=dict)
    before: tuple[str, ...] = ()
    new: bool = True
    """Nobody has answered it: what was begun before it could be heard is no answer to it."""
    cut: bool = False
    """The caller cut it."""
    ahead: int = 0
    """Times somebody spoke who cannot have heard it."""

    def remember(self, words: str) -> None:
        """Keep ``words`` of an answer: the next one may need them (tomorrow evening; at eight)."""
        if words:
            self.before = (*self.before, words)[-REMEMBERED:]


@dataclass(slots=True)
class Waiting:
    """The hook that is being called, for a step's ``call`` or a way's ``knowledge``."""

    hook: int
    call: HookCall | None = None
    way: Way | None = None
    level: int = 0


@dataclass(slots=True)
class LastHeard:
    """The caller's last words; their entities are carried to the step they lead to."""

    text: str = ""
    entities: tuple[Entity, ...] = ()


def first_level(flow: Flow, values: Mapping[str, Value]) -> Level:
    """A level at the beginning of ``flow``."""
    kinds = {name: spec.type for name, spec in flow.script.task.items()}
    defaults = flow.read_defaults()
    return Level(flow, {**defaults, **values}, kinds)


def computed(written: bool | int | float | str, scope: Scope) -> Value | None:
    """``= expression``, a template or a constant as a value; ``None`` where it cannot be known."""
    if not isinstance(written, str):
        return written
    if written.startswith("="):
        return as_value(evaluate(parse_expression(written[1:]), scope))
    slot = lone_slot(written)
    return scope.slots.get(slot) if slot else raw_text(written, scope.slots)


def lone_slot(written: bool | int | float | str) -> str:
    """The slot of a text that is nothing but ``{slot}``."""
    if not isinstance(written, str) or written.startswith("="):
        return ""
    pieces = parse_template(written).pieces
    return pieces[0].slot if len(pieces) == 1 else ""


def as_value(result: Result) -> Value | None:
    """A calculated result as a value of a slot: whole numbers as integers, spans of time as minutes."""
    if isinstance(result, Decimal):
        return int(result) if result == result.to_integral_value() and abs(result) < 10**15 else result
    if isinstance(result, timedelta):
        return int(result.total_seconds() // 60)
    return None if isinstance(result, list) else result
