"""Faults inside one flow that make it impossible to run: names that lead nowhere, contradictions."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator

from agi_bot.flow.model import Flow
from agi_bot.flow.parts import Way
from agi_bot.flow.places import WayPlace, all_ways
from agi_bot.flow.problem import Problem
from agi_bot.flow.script import Step
from agi_bot.flow.tree import Path
from agi_bot.flow.values import KINDS, read_value

LISTED = 24
"""Known words that are listed for somebody who wrote an unknown one."""


def reference_problems(flow: Flow) -> Iterator[Problem]:
    """Everything that would leave a running call without a next move."""
    steps = flow.script.steps
    if flow.script.start not in steps:
        yield _unknown_step(flow, ("start",), flow.script.start)
    for place in all_ways(flow.script):
        yield from _way_problems(flow, place)
    for name, step in steps.items():
        yield from _step_problems(flow, name, step)
    yield from _task_problems(flow)


def nearest(word: str, known: Collection[str]) -> str:
    """A cure that names the nearest known word."""
    return near(word, known) or f"known: {listed(known)}"


def near(word: str, known: Collection[str]) -> str:
    """A question for the nearest known word, empty where none is near."""
    found = difflib.get_close_matches(word, sorted(known), n=1, cutoff=0.5)
    return f"did you mean `{found[0]}`?" if found else ""


def listed(known: Collection[str]) -> str:
    """Known words for a cure; where there are too many, it says so."""
    shown = ", ".join(sorted(known)[:LISTED]) or "none"
    return f"{shown}, … ({len(known)} in all)" if len(known) > LISTED else shown


def _way_problems(flow: Flow, place: WayPlace) -> Iterator[Problem]:
    way = place.way
    if way.next is not None and way.next not in flow.script.steps:
        yield _unknown_step(flow, (*place.path, "next"), way.next)
    targets = [key for key in ("next", "then", "end", "transfer") if getattr(way, key) is not None]
    if len(targets) > 1:
        yield _contradiction(flow, place.path, targets)
    if place.edge in ("next", "trouble", "too_long", "failed", "outcomes") and _stays(way):
        message = f"`{place.edge}` needs a place to go to"
        yield flow.problem(place.path, "no-target", message, "add `next: step`, `end: outcome` or `transfer: queue`")


def _stays(way: Way) -> bool:
    return way.next is None and not way.leaves


def _step_problems(flow: Flow, name: str, step: Step) -> Iterator[Problem]:
    path: Path = ("steps", name)
    ends = [key for key in ("end", "transfer", "next") if getattr(step, key) is not None]
    if len(ends) > 1:
        yield _contradiction(flow, path, ends)
    if step.listens and step.leaves:
        message = f"step `{name}` waits for an answer and ends the call at once"
        yield flow.problem(path, "contradiction", message, f"move `{ends[0]}` to a step of its own")
    if step.confirm and not step.collect:
        message = f"step `{name}` confirms, but collects nothing"
        yield flow.problem((*path, "confirm"), "contradiction", message, "add `collect:` or remove `confirm:`")
    if step.flow and (step.listens or step.leaves):
        message = f"step `{name}` runs a sub-flow and does something else as well"
        yield flow.problem((*path, "flow"), "contradiction", message, "give the sub-flow a step of its own")
    yield from _slot_problems(flow, step, path)


def _slot_problems(flow: Flow, step: Step, path: Path) -> Iterator[Problem]:
    for slot, spec in step.collect.items():
        if spec.type == "choice" and not spec.choices:
            message = f"slot `{slot}` is a choice without choices"
            yield flow.problem((*path, "collect", slot), "bad-value", message, "add `choices: {value: [words]}`")
        if slot in flow.script.task and spec.type != flow.script.task[slot].type:
            message = f"slot `{slot}` is a {spec.type} here and a {flow.script.task[slot].type} in the task"
            yield flow.problem(
                (*path, "collect", slot), "type-mismatch", message, "use another slot name or the same kind"
            )


def _task_problems(flow: Flow) -> Iterator[Problem]:
    for name, spec in flow.script.task.items():
        path: Path = ("task", name)
        if spec.type not in KINDS:
            message = f"`{spec.type}` is not a kind of value"
            yield flow.problem((*path, "type"), "bad-value", message, nearest(spec.type, KINDS), text=spec.type)
            continue
        for key in ("example", "default"):
            raw = getattr(spec, key)
            try:
                if raw is not None:
                    read_value(raw, spec.type)
            except ValueError as error:
                fault, _, cure = str(error).partition("; ")
                yield flow.problem((*path, key), "type-mismatch", f"{key} of `{name}`: {fault}", cure, text=str(raw))


def _unknown_step(flow: Flow, path: Path, step: str) -> Problem:
    message = f"there is no step `{step}`"
    return flow.problem(path, "unknown-step", message, nearest(step, flow.script.steps), text=step)


def _contradiction(flow: Flow, path: Path, keys: list[str]) -> Problem:
    message = f"`{'`, `'.join(keys)}` contradict one another"
    return flow.problem(path, "contradiction", message, "keep one of them")
