"""Which slots are surely filled where: a forward analysis over all ways of a flow.

A slot counts as filled at a step when it is filled on *every* way there.  A condition that
compares a slot, or asks ``filled(slot)``, fills it for the way behind it, because a
comparison with an unknown is false.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from agi_bot.flow.expression import parse_expression
from agi_bot.flow.model import Flow
from agi_bot.flow.parts import Way
from agi_bot.flow.places import WayPlace, common_ways, ways_of_step
from agi_bot.flow.script import Step

Slots = frozenset[str]


@dataclass(slots=True)
class Known:
    """Filled slots on entering each reachable step, the step they came from, and at each end by outcome."""

    entering: dict[str, Slots] = field(default_factory=dict)
    origin: dict[str, str] = field(default_factory=dict)
    ending: dict[str, Slots] = field(default_factory=dict)


def known_slots(flow: Flow) -> Known:
    """The analysis of ``flow``; ends when nothing changes any more."""
    parts = {name: known_slots(part).ending for name, part in flow.parts.items()}
    return _Analysis(flow, parts).run()


def filled_at_start(flow: Flow) -> Slots:
    """Task data that every call surely has."""
    task = flow.script.task.items()
    return frozenset(name for name, spec in task if spec.required or spec.default is not None)


def known_in_way(place: WayPlace, step: Step | None, before: Slots, ending: Mapping[str, Slots]) -> Slots:
    """Slots filled while the texts of the way are spoken; ``before`` are those of the step entered."""
    return known_on_way(place, step, before, ending) | frozenset(place.way.set)


def known_on_way(place: WayPlace, step: Step | None, before: Slots, ending: Mapping[str, Slots]) -> Slots:
    """The same before the way's own ``set``."""
    known = before
    if step is not None:
        known |= _by_edge(place, step, ending)
    if place.way.when:
        known |= implied(parse_expression(place.way.when).body)
    return known


def after_call(step: Step, entering: Slots) -> Slots:
    """Slots filled when a step begins to speak."""
    saved = frozenset(step.call.save) if step.call else frozenset()
    return (entering - frozenset(step.collect)) | saved | frozenset(step.set)


def before_common(place: WayPlace, step: Step, entering: Slots) -> Slots:
    """Slots filled when a way of the whole flow is taken in ``step``; trouble comes before a hook answers, too."""
    speaking = after_call(step, entering)
    return speaking & entering if place.edge in ("trouble", "too_long") else speaking


def implied(node: ast.expr) -> Slots:
    """Slots that are filled whenever the condition is true."""
    match node:
        case ast.BoolOp(op=ast.And()):
            return frozenset().union(*(implied(value) for value in node.values))
        case ast.BoolOp():
            return frozenset.intersection(*(implied(value) for value in node.values))
        case ast.Name():
            return frozenset({node.id})
        case ast.Compare() if not isinstance(node.ops[0], ast.Is | ast.IsNot):
            return frozenset(_compared(node))
        case ast.Call(func=ast.Name(id="filled"), args=[ast.Name(id=name)]):
            return frozenset({name})
        case ast.Call():
            return frozenset().union(*(implied(argument) for argument in node.args))
    return frozenset()


def _compared(node: ast.Compare) -> Iterator[str]:
    """Slots of a comparison, but not those inside a list or behind `filled`."""
    for part in (node.left, *node.comparators):
        if isinstance(part, ast.Name | ast.BinOp):
            yield from (name.id for name in ast.walk(part) if isinstance(name, ast.Name))


def _by_edge(place: WayPlace, step: Step, ending: Mapping[str, Slots]) -> Slots:
    if place.edge == "next":
        returned = _returned(step, ending, None) if step.flow else frozenset()
        return frozenset(step.collect) | returned
    if place.edge == "outcomes":
        return _returned(step, ending, place.key)
    return frozenset()


def _returned(step: Step, ending: Mapping[str, Slots], outcome: str | None) -> Slots:
    ends = [slots for name, slots in ending.items() if outcome in (None, name)]
    inner = frozenset.intersection(*ends) if ends else frozenset()
    return frozenset(own for own, theirs in step.save.items() if theirs in inner)


class _Analysis:
    def __init__(self, flow: Flow, parts: Mapping[str, Mapping[str, Slots]]) -> None:
        self.flow = flow
        self.parts = parts
        self.known = Known()
        self.common = list(common_ways(flow.script))
        self.waiting: list[str] = []

    def run(self) -> Known:
        self.arrive(self.flow.script.start, filled_at_start(self.flow), "")
        while self.waiting:
            self.pass_through(self.waiting.pop())
        return self.known

    def pass_through(self, name: str) -> None:
        step = self.flow.script.steps[name]
        entering = self.known.entering[name]
        speaking = after_call(step, entering)
        if step.leaves:
            self.end(step.end, speaking)
        ending = self.parts.get(step.flow or "", {})
        for place in ways_of_step(name, step):
            before = entering if place.edge == "failed" else speaking
            self.follow(place.way, known_in_way(place, step, before, ending), name)
        for place in self.common:
            if step.listens or place.edge in ("trouble", "too_long"):
                before = before_common(place, step, entering)
                self.follow(place.way, known_in_way(place, None, before, {}), name)

    def follow(self, way: Way, known: Slots, origin: str) -> None:
        if way.next:
            self.arrive(way.next, known, origin)
        elif way.leaves:
            self.end(way.end, known)

    def end(self, outcome: str | None, known: Slots) -> None:
        key = outcome or ""
        self.known.ending[key] = self.known.ending.get(key, known) & known

    def arrive(self, name: str, known: Slots, origin: str) -> None:
        before = self.known.entering.get(name)
        after = known if before is None else before & known
        if before is None or after != before:
            self.known.entering[name] = after
            self.known.origin[name] = origin
            self.waiting.append(name)
