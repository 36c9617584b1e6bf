"""What is said on a flow's behalf outside of its dialogue: to an answering machine, to a call screener.

It is written like a text of the flow, or is the name of a step, whose ``say`` is meant.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from agi_bot.contracts import Value
from agi_bot.flow.events import Span
from agi_bot.flow.model import Flow
from agi_bot.flow.template import parse_template
from agi_bot.flow.wording import spans


def aside(flow: Flow, text: str, task: Mapping[str, Value], now: datetime) -> tuple[Span, ...]:
    """``text`` ready to be said, with the ``task``'s values."""
    kinds = {name: field.type for name, field in flow.script.task.items()}
    return tuple(spans(_written(flow, text), (), task, kinds, flow.language, now))


def fault_in_aside(flow: Flow, text: str) -> str:
    """Why ``text`` cannot be said for ``flow``; empty when it can."""
    step = flow.script.steps.get(text)
    if step is not None and step.say is None:
        return f"step '{text}' of {flow.name} says nothing: give it a `say`, or write the text here"
    try:
        needed = parse_template(_written(flow, text)).slots
    except ValueError as error:
        return str(error)
    unknown = [name for name in needed if name not in flow.script.task]
    if not unknown:
        return ""
    known = ", ".join(flow.script.task) or "none"
    return f"{{{unknown[0]}}} is not in the task of {flow.name} (it has: {known})"


def _written(flow: Flow, text: str) -> str:
    step = flow.script.steps.get(text)
    return step.say.texts[0] if step is not None and step.say is not None else text
