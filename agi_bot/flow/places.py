"""Walking a flow: every way out of every step, every text, with its path in the file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from agi_bot.flow.parts import Way, Wording
from agi_bot.flow.script import Script, Step
from agi_bot.flow.tree import Path


@dataclass(frozen=True, slots=True)
class WayPlace:
    """One way: ``step`` it leaves (empty: any step), the ``edge`` (``on``, ``keys``, ``silence``, ...), its ``key``."""

    step: str
    edge: str
    key: str
    way: Way
    path: Path


@dataclass(frozen=True, slots=True)
class TextPlace:
    """One text that is spoken, and what is protected of it."""

    step: str
    text: str
    protect: tuple[str, ...]
    path: Path


def ways_of_step(name: str, step: Step) -> Iterator[WayPlace]:
    """Every way written in the step."""
    base: Path = ("steps", name)
    for edge, table in (("on", step.on), ("keys", step.keys), ("outcomes", step.outcomes)):
        for key, ways in table.items():
            yield from _each(name, edge, key, ways, (*base, edge, key))
    for edge, ladder in (("silence", step.silence), ("unclear", step.unclear), ("next", step.next)):
        yield from _each(name, edge, "", ladder or (), (*base, edge))
    if step.call and step.call.failed:
        yield from _each(name, "failed", "", step.call.failed, (*base, "call", "failed"))


def common_ways(script: Script) -> Iterator[WayPlace]:
    """Every way that is open at all steps."""
    for edge, table in (("anywhere", script.anywhere), ("keys", script.keys)):
        for key, ways in table.items():
            yield from _each("", edge, key, ways, (edge, key))
    ladders = (("silence", script.silence), ("unclear", script.unclear))
    for edge, ladder in (*ladders, ("trouble", script.trouble), ("too_long", script.too_long)):
        yield from _each("", edge, "", ladder or (), (edge,))


def all_ways(script: Script) -> Iterator[WayPlace]:
    """Every way of the flow."""
    for name, step in script.steps.items():
        yield from ways_of_step(name, step)
    yield from common_ways(script)


def texts(script: Script) -> Iterator[TextPlace]:
    """Every text that the bot may speak."""
    for name, step in script.steps.items():
        yield from _step_texts(name, step)
    for place in all_ways(script):
        yield from _wording(place.step, place.way.say, place.way.protect, (*place.path, "say"))


def _step_texts(name: str, step: Step) -> Iterator[TextPlace]:
    base: Path = ("steps", name)
    for key, wording in (("say", step.say), ("ask", step.ask), ("again", step.again), ("confirm", step.confirm)):
        yield from _wording(name, wording, step.protect, (*base, key))
    for slot, spec in step.collect.items():
        for key, wording in (("ask", spec.ask), ("invalid", spec.invalid)):
            yield from _wording(name, wording, (), (*base, "collect", slot, key))
    if step.call and step.call.filler:
        yield TextPlace(name, step.call.filler, (), (*base, "call", "filler"))


def _wording(step: str, wording: Wording | None, protect: tuple[str, ...], path: Path) -> Iterator[TextPlace]:
    for index, text in enumerate(wording.texts if wording else ()):
        key = wording.names[index] if wording and wording.names else index
        yield TextPlace(step, text, protect, (*path, key))


def _each(step: str, edge: str, key: str, ways: tuple[Way, ...], path: Path) -> Iterator[WayPlace]:
    for index, way in enumerate(ways):
        yield WayPlace(step, edge, key, way, (*path, index))
