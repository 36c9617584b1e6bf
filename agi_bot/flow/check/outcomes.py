"""Outcomes that a call has of itself: a conversation that ended with one would read as a call that reached nobody."""

from __future__ import annotations

from collections.abc import Iterator

from agi_bot.contracts import Status
from agi_bot.flow.model import Flow
from agi_bot.flow.places import all_ways
from agi_bot.flow.problem import Problem
from agi_bot.flow.tree import Path

OF_CALLS = frozenset({*(status.value for status in Status), "machine", "not_placed", "bad_task"})
"""How an attempt ends without a conversation; retries and reports go by these words."""


def outcome_problems(flow: Flow) -> Iterator[Problem]:
    """Ends of ``flow`` that are named like those; what a sub-flow returns stays inside the flow."""
    if flow.script.part:
        return
    for path, outcome in _ends(flow):
        if outcome in OF_CALLS:
            message = f"`{outcome}` is how a call ends that reached nobody: people would be redialled by it, or never"
            cure = f"name what the person decided, for example `{outcome}_by_customer`"
            yield flow.problem((*path, "end"), "call-outcome", message, cure, text=outcome)


def _ends(flow: Flow) -> Iterator[tuple[Path, str]]:
    for name, step in flow.script.steps.items():
        if step.end is not None:
            yield ("steps", name), step.end
    for place in all_ways(flow.script):
        if place.way.end is not None:
            yield place.path, place.way.end
