"""A flow that is fit to be run: what the author wrote, where, and its sub-flows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from agi_bot.contracts import Value
from agi_bot.errors import FlowError
from agi_bot.flow.problem import Problem, Severity, Spot
from agi_bot.flow.script import Script, Step
from agi_bot.flow.tongue import WISHES, Tongue, speaker, wished
from agi_bot.flow.tree import Node, Path
from agi_bot.flow.values import read_value


class TaskError(FlowError):
    """The data of a call task does not fit the flow; ``problems`` has a line for each field."""

    def __init__(self, flow: str, problems: list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(f"task data for flow {flow}: {'; '.join(problems)}", cure="correct the task")


@dataclass(frozen=True, slots=True, eq=False)
class Flow:
    """One version of a flow.

    ``version`` is the start of the SHA-256 of the file and its sub-flows; ``parts`` are the
    sub-flows by name; ``home`` is the folder of the industry, where training data and
    knowledge lie (not that of ``file`` for a published version).  ``tongue`` is what the task
    of one call asks for.
    """

    file: str
    version: str
    script: Script
    tree: Node
    text: str = ""
    parts: Mapping[str, Flow] = field(default_factory=dict)
    home: str = ""
    tongue: Tongue = field(default_factory=Tongue)

    def __deepcopy__(self, memo: object) -> Flow:
        """A flow never changes: copies of a dialogue (to look ahead) share it."""
        return self

    @property
    def name(self) -> str:
        return self.script.flow

    @property
    def title(self) -> str:
        return self.script.title or self.script.flow

    @property
    def language(self) -> str:
        return self.script.language

    @property
    def spoken(self) -> str:
        """The tag of the language or dialect in which this call is heard and spoken."""
        return self.tongue.language or self.script.language

    @property
    def voice(self) -> str:
        return self.script.voice

    def wish(self, raw: Mapping[str, object]) -> Tongue:
        """The language and the voice that the task data ``raw`` ask for.  Raises :class:`TaskError`."""
        try:
            return wished(raw)
        except ValueError as error:
            raise TaskError(self.name, [str(error)]) from None

    def speaker(self, language: str) -> str:
        """Name of the flow that speaks ``language`` for this one.  Raises :class:`TaskError`."""
        try:
            return speaker(self.name, self.script.language, self.script.languages, language)
        except ValueError as error:
            raise TaskError(self.name, [str(error)]) from None

    def in_tongue(self, tongue: Tongue) -> Flow:
        """This flow, for a call that asks for ``tongue``."""
        own = tongue.language.lower() == self.script.language.lower()
        return replace(self, tongue=replace(tongue, language="" if own else tongue.language))

    @property
    def longest_ms(self) -> int:
        """The longest time a call may take, in ms."""
        return self.script.limits.call

    @property
    def intents(self) -> frozenset[str]:
        """Every intent that the flow or a sub-flow mentions."""
        own = {*self.script.anywhere, *self.script.keys_mean.values()}
        for step in self.script.steps.values():
            own.update(step.on)
            if step.confirm or any(spec.type == "boolean" for spec in step.collect.values()):
                own.update(("affirm", "deny"))
        return frozenset(own - {"otherwise"}).union(*(part.intents for part in self.parts.values()))

    def step(self, name: str) -> Step:
        """The step ``name``; ``part/step`` names one of a sub-flow.  Raises :class:`KeyError`."""
        head, _, rest = name.partition("/")
        return self.parts[head].step(rest) if rest else self.script.steps[head]

    @property
    def words(self) -> tuple[str, ...]:
        """Words of the business, the flow's own and its sub-flows'."""
        theirs = (word for part in self.parts.values() for word in part.words)
        return tuple(dict.fromkeys([*self.script.words, *theirs]))

    def hints(self, step: str) -> tuple[str, ...]:
        """Phrases that are likely to be said at ``step``; empty for an unknown step."""
        try:
            found = self.step(step)
        except KeyError:
            return ()
        choices = [pair for spec in found.collect.values() for pair in spec.choices.items()]
        words = [word for value, said in choices for word in (value, *said)]
        return tuple(dict.fromkeys([*found.hints, *words]))

    def spot(self, path: Path) -> Spot:
        """Where ``path`` is written."""
        return self.tree.find(path).spot

    def key_spot(self, path: Path) -> Spot:
        """Where the name of ``path`` is written."""
        return self.tree.key_spot(path)

    def problem(
        self, path: Path, rule: str, message: str, cure: str, *, text: str = "", severity: Severity = Severity.ERROR
    ) -> Problem:
        """A problem at ``path``."""
        return Problem.at(self.spot(path), rule, message, cure, text=text, severity=severity)

    def read_task(self, raw: Mapping[str, object]) -> dict[str, Value]:
        """The typed values of a call task's JSON; ``language`` and ``voice`` need not be declared.

        Raises :class:`TaskError`; unknown fields are refused.
        """
        values: dict[str, Value] = {}
        if self.tongue == Tongue():
            self.speaker(self.wish(raw).language)
        problems = [f"unknown field `{name}`" for name in raw if name not in {*self.script.task, *WISHES}]
        for name, spec in self.script.task.items():
            given = raw.get(name, spec.default)
            if given is None:
                problems += [f"`{name}` is missing"] if spec.required else []
                continue
            try:
                values[name] = read_value(given, spec.type)
            except ValueError as error:
                problems.append(f"`{name}`: {error}")
            if spec.choices and str(given) not in spec.choices:
                problems.append(f"`{name}` must be one of {', '.join(spec.choices)}")
        if problems:
            raise TaskError(self.name, problems)
        return values

    @property
    def slots(self) -> frozenset[str]:
        """What the flow and its sub-flows collect or take from hooks."""
        own: set[str] = set()
        for step in self.script.steps.values():
            own.update(step.collect, step.call.save if step.call else ())
        return frozenset(own).union(*(part.slots for part in self.parts.values()))

    def kind_of(self, slot: str) -> str:
        """The kind that the flow declares for ``slot``, ``text`` where it declares none."""
        if slot in self.script.task:
            return self.script.task[slot].type
        for step in self.script.steps.values():
            if slot in step.collect:
                return step.collect[slot].type
            if step.call and slot in step.call.save:
                return step.call.save[slot]
        return "text"

    def read_defaults(self) -> dict[str, Value]:
        """Task fields that have a default."""
        task = self.script.task.items()
        return {name: read_value(spec.default, spec.type) for name, spec in task if spec.default is not None}

    def example_task(self) -> dict[str, object]:
        """Task data made of the examples that the flow gives."""
        return {name: spec.example for name, spec in self.script.task.items() if spec.example is not None}
