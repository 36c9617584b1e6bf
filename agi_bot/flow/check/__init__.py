"""The compiler: everything that can be known to be wrong before a customer hears it.

Every rule has its bad and its good example in ``docs/flow-rules.md``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from agi_bot.flow.check.business import business_problems
from agi_bot.flow.check.facts import Facts, NluFacts
from agi_bot.flow.check.graph import graph_problems
from agi_bot.flow.check.kinds import kind_problems
from agi_bot.flow.check.outcomes import outcome_problems
from agi_bot.flow.check.outside import outside_problems
from agi_bot.flow.check.slots import slot_problems
from agi_bot.flow.check.texts import text_problems
from agi_bot.flow.check.tongues import tongue_problems
from agi_bot.flow.model import Flow
from agi_bot.flow.problem import Problem, in_order
from agi_bot.flow.references import nearest

__all__ = ["LOADING_RULES", "RULES", "Facts", "NluFacts", "check"]

RULES = frozenset(
    {
        "call-outcome", "check-without-invalid", "colliding-intents", "dead-way", "duplicate-flow",
        "endless-circle", "forbidden-word", "hook-without-failure", "ladder-without-end", "long-prompt",
        "missing-else", "missing-example", "missing-notice", "missing-opt-out",
        "missing-silence", "missing-unclear", "no-end", "part-argument", "protect-not-found", "sensitive-word",
        "switched-off", "type-mismatch", "unfilled-slot", "unknown-entity", "unknown-hook", "unknown-intent",
        "unknown-knowledge", "unknown-language", "unknown-outcome", "unknown-slot", "unknown-transfer", "unknown-voice",
        "unprotected-notice", "unreachable-step", "unused-data", "unused-knowledge",
        "useless-word",
    }
)  # fmt: skip
"""Rules that a flow may switch off under ``rules:``, each with a reason."""

LOADING_RULES = frozenset(
    {
        "alias", "bad-condition", "bad-text", "bad-value", "contradiction", "duplicate-key", "encoding",
        "flow-in-itself", "missing-key", "no-target", "not-a-flow", "tabs", "too-deep", "too-large", "unknown-flow",
        "unknown-key", "unknown-step", "unreadable", "yaml-syntax", "yaml-tag",
    }
)  # fmt: skip
"""Rules of the loader: a flow that breaks one cannot be run."""


def check(
    flow: Flow,
    *,
    nlu: NluFacts | None = None,
    voices: Collection[str] | None = None,
    transfers: Collection[str] | None = None,
    knowledge: Collection[str] | None = None,
    beside: Collection[str] = (),
    hooks: Collection[str] | None = None,
    flows: Mapping[str, Flow | None] | None = None,
    speak: Mapping[str, Collection[str]] | None = None,
    twins: Collection[str] = (),
) -> list[Problem]:
    """All findings about ``flow`` and its sub-flows, sorted by place.

    What is not given is not checked against; see :class:`Facts`.  Rules named under the flow's ``rules:`` are
    left out.
    """
    facts = Facts(nlu, voices, transfers, knowledge, beside, hooks, flows, speak, twins)
    return in_order(_checked(flow, facts))


def _checked(flow: Flow, facts: Facts) -> Iterator[Problem]:
    off = flow.script.rules
    for problem in _found(flow, facts):
        if problem.rule not in off:
            yield problem
    yield from _switched_off(flow)
    inner = replace(facts, beside=(), twins=())
    for part in flow.parts.values():
        yield from _checked(part, inner)


def _found(flow: Flow, facts: Facts) -> Iterator[Problem]:
    yield from graph_problems(flow)
    yield from slot_problems(flow)
    yield from kind_problems(flow)
    yield from text_problems(flow)
    yield from outcome_problems(flow)
    yield from business_problems(flow)
    yield from outside_problems(flow, facts)
    yield from tongue_problems(flow, facts)


def _switched_off(flow: Flow) -> Iterator[Problem]:
    for rule, reason in flow.script.rules.items():
        spot = flow.key_spot(("rules", rule))
        if rule not in RULES:
            message = f"there is no rule `{rule}` that can be switched off"
            yield Problem.at(spot, "switched-off", message, nearest(rule, RULES), text=rule)
        elif len(reason.strip()) < 5:
            message = f"the rule `{rule}` is switched off without a reason"
            yield Problem.at(spot, "switched-off", message, f"write `{rule}: why`", text=rule)
