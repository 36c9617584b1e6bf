"""Other languages and dialects of a flow: who speaks them, with whose data and which voice."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from agi_bot.flow.check.facts import Facts
from agi_bot.flow.model import Flow
from agi_bot.flow.problem import Problem
from agi_bot.flow.references import nearest
from agi_bot.flow.tongue import WISHES, family

_OF_FLOWS = ("zh", "en")
"""Languages that flows are written in; any other is spoken over a flow in one of these."""


def tongue_problems(flow: Flow, facts: Facts) -> Iterator[Problem]:
    """Languages that the flow promises and nobody keeps."""
    for tag, name in flow.script.languages.items():
        if name != flow.name and facts.flows is not None:
            yield from _stand_in(flow, tag, name, facts.flows)
        elif name == flow.name and facts.speak is not None:
            yield from _voices(flow, tag, facts.speak.get(tag, ()))


def _stand_in(flow: Flow, tag: str, name: str, flows: Mapping[str, Flow | None]) -> Iterator[Problem]:
    other = flows.get(name)
    if other is None:
        known = [known for known, found in flows.items() if found]
        yield _problem(flow, tag, f"there is no flow `{name}` to speak {tag}", nearest(name, known))
        return
    if family(tag) in _OF_FLOWS and family(other.language) != family(tag):
        yield _problem(flow, tag, f"the flow `{name}` speaks {other.language}, not {tag}", "name one that does")
    asks = {field for field, spec in other.script.task.items() if spec.required and spec.default is None}
    for field in sorted(asks - set(flow.script.task) - WISHES):
        cure = f"declare `{field}` under `task:` here too, or give it a default there"
        yield _problem(flow, tag, f"the flow `{name}` wants `{field}`, which a task for this one does not bring", cure)


def _voices(flow: Flow, tag: str, known: Collection[str]) -> Iterator[Problem]:
    named = dict.fromkeys((flow.voice, *(step.voice or "" for step in flow.script.steps.values())))
    missing = [voice for voice in named if voice and voice not in known]
    if not known:
        yield _problem(flow, tag, f"there is no voice for {tag}", "add one to your voices.yml (speaking.voices)")
    elif missing:
        cure = f"for {tag} there are: {', '.join(sorted(known))}; your voices.yml can give one of them that name"
        yield _problem(flow, tag, f"the voice `{missing[0]}` does not speak {tag}", cure)


def _problem(flow: Flow, tag: str, message: str, cure: str) -> Problem:
    return Problem.at(flow.key_spot(("languages", tag)), "unknown-language", message, cure, text=tag)
