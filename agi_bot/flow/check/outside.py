"""The flow against the world: training data, voices, transfer targets, knowledge, hooks."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from itertools import combinations

from agi_bot.flow.builtin import AFFIRM, DENY, OTHERWISE
from agi_bot.flow.check.facts import Facts, NluFacts
from agi_bot.flow.model import Flow
from agi_bot.flow.places import all_ways
from agi_bot.flow.problem import Problem, Severity
from agi_bot.flow.references import listed, near, nearest
from agi_bot.flow.tree import Path
from agi_bot.flow.values import KINDS

_MARKUP = re.compile(r"\[([^\[\]]{1,200})\](?:\([^()]{0,200}\)|\{[^{}]{0,400}\})")
_NOISE = re.compile(r"[\W_]+")
_PARTICLES = "吧啊呀呢哦哈嘛了的"


def outside_problems(flow: Flow, facts: Facts) -> Iterator[Problem]:
    """Names that the world does not know."""
    if facts.nlu is not None:
        yield from _intents(flow, facts.nlu)
        yield from _entities(flow, facts.nlu)
        yield from _collisions(flow, facts.nlu)
    if facts.voices is not None:
        yield from _voices(flow, facts.voices)
    if facts.transfers is not None:
        yield from _transfers(flow, facts.transfers)
    yield from _knowledge(flow, facts.knowledge, facts.beside)
    yield from _hooks(flow, facts.hooks)
    yield from (duplicate(flow, other) for other in facts.twins)


def duplicate(flow: Flow, other: str) -> Problem:
    """The file ``other`` has a flow of the same name: calls would get one of the two by chance."""
    message = f"{other} is a flow called `{flow.name}`, too"
    return flow.problem(("flow",), "duplicate-flow", message, "give one of them another name", text=flow.name)


def normalised(example: str) -> str:
    """An example without markup, punctuation, case and final particles."""
    plain = _NOISE.sub("", _MARKUP.sub(r"\1", example).casefold())
    return plain.rstrip(_PARTICLES) or plain


def _intents(flow: Flow, nlu: NluFacts) -> Iterator[Problem]:
    known = {*nlu.examples, OTHERWISE}
    for name, path in _intent_places(flow):
        if name not in known:
            message = f"the training data has no intent `{name}`"
            cure = _meaning(name, nlu) or _intent_cure(flow, name, known)
            yield Problem.at(flow.key_spot(path), "unknown-intent", message, cure, text=name)
    for step_name, step in flow.script.steps.items():
        for needed in (AFFIRM, DENY) if step.confirm else ():
            if needed not in known:
                message = f"`confirm:` needs the intent `{needed}`, the training data has none"
                where: Path = ("steps", step_name, "confirm")
                yield flow.problem(where, "unknown-intent", message, f"add examples for `{needed}`", text=needed)


_OTHER_NAMES = {"yes": AFFIRM, "ok": AFFIRM, "agree": AFFIRM, "no": DENY, "disagree": DENY, "else": OTHERWISE}


def _meaning(name: str, nlu: NluFacts) -> str:
    """A cure for what is no intent, but what callers say (`是的`)."""
    said = normalised(name)
    found = (intent for intent, examples in nlu.examples.items() if said in map(normalised, examples))
    intent = next(found, "")
    return f"write `{intent}`: callers who say `{name}` mean it" if intent else ""


def _intent_cure(flow: Flow, name: str, known: Collection[str]) -> str:
    other = _OTHER_NAMES.get(name.lower(), "")
    if cure := f"did you mean `{other}`?" if other in known else near(name, known):
        return cure
    return f"add examples of it to {flow.home}/nlu.{flow.language}.yml (docs/nlu.md), or use one of: {listed(known)}"


def _intent_places(flow: Flow) -> Iterator[tuple[str, Path]]:
    for name in flow.script.anywhere:
        yield name, ("anywhere", name)
    for key, intent in flow.script.keys_mean.items():
        yield intent, ("keys_mean", key)
    for step_name, step in flow.script.steps.items():
        for name in step.on:
            yield name, ("steps", step_name, "on", name)


def _entities(flow: Flow, nlu: NluFacts) -> Iterator[Problem]:
    known = {*nlu.entities, *KINDS}
    for step_name, step in flow.script.steps.items():
        for slot, spec in step.collect.items():
            if spec.type not in known:
                message = f"`{spec.type}` is neither a kind of value nor an entity of the training data"
                path: Path = ("steps", step_name, "collect", slot, "type")
                yield flow.problem(path, "unknown-entity", message, nearest(spec.type, known), text=spec.type)


def _collisions(flow: Flow, nlu: NluFacts) -> Iterator[Problem]:
    """Two intents that one step tells apart, with the same example."""
    wanted = flow.intents & set(nlu.examples)
    owners: dict[str, dict[str, str]] = {}
    for intent in sorted(wanted):
        for example in nlu.examples[intent]:
            owners.setdefault(normalised(example), {}).setdefault(intent, example)
    shared = {frozenset(pair): said for said, found in owners.items() for pair in combinations(sorted(found), 2)}
    if not shared:
        return
    for step_name, step in flow.script.steps.items():
        if step.on:
            yield from _colliding(flow, step_name, {*step.on, *flow.script.anywhere}, shared)


def _colliding(
    flow: Flow, step_name: str, intents: Collection[str], shared: Mapping[frozenset[str], str]
) -> Iterator[Problem]:
    for pair, example in shared.items():
        if pair <= set(intents):
            first, second = sorted(pair)
            own = first if first in flow.script.steps[step_name].on else second
            path: Path = ("steps", step_name, "on", own)
            path = path if own in flow.script.steps[step_name].on else ("anywhere", first)
            message = f"`{first}` and `{second}` both have the example “{example}”"
            cure = "remove the example from one of them in the training data"
            yield Problem.at(flow.key_spot(path), "colliding-intents", message, cure, text=example)


def _voices(flow: Flow, voices: Collection[str]) -> Iterator[Problem]:
    named: list[tuple[str, Path]] = [(flow.script.voice, ("voice",))] if flow.script.voice else []
    named += [(step.voice, ("steps", name, "voice")) for name, step in flow.script.steps.items() if step.voice]
    for voice, path in named:
        if voice not in voices:
            yield flow.problem(
                path, "unknown-voice", f"there is no voice `{voice}`", nearest(voice, voices), text=voice
            )


def _transfers(flow: Flow, transfers: Collection[str]) -> Iterator[Problem]:
    targets: list[tuple[str, Path]] = [
        (step.transfer, ("steps", name, "transfer")) for name, step in flow.script.steps.items() if step.transfer
    ]
    targets += [
        (place.way.transfer, (*place.path, "transfer")) for place in all_ways(flow.script) if place.way.transfer
    ]
    for target, path in targets:
        if "{" not in target and target not in transfers:
            message = f"there is no extension or queue `{target}`"
            yield flow.problem(path, "unknown-transfer", message, nearest(target, transfers), text=target)


def _knowledge(flow: Flow, known: Collection[str] | None, beside: Collection[str]) -> Iterator[Problem]:
    used = {place.way.knowledge for place in all_ways(flow.script)}
    for place in all_ways(flow.script):
        name = place.way.knowledge
        if name and known is not None and name not in known:
            path = (*place.path, "knowledge")
            message = f"there is no knowledge `{name}`"
            yield flow.problem(path, "unknown-knowledge", message, nearest(name, known), text=name)
    for name in sorted(set(beside) - used):
        message = f"knowledge `{name}` lies beside the flow, but no question leads to it"
        cure = f"add to `anywhere:` `question: {{knowledge: {name}, then: return}}`"
        yield flow.problem((), "unused-knowledge", message, cure, text=name, severity=Severity.WARNING)


def _hooks(flow: Flow, known: Collection[str] | None) -> Iterator[Problem]:
    for name, step in flow.script.steps.items():
        call = step.call
        if call is None:
            continue
        path: Path = ("steps", name, "call")
        if known is not None and call.hook not in known:
            message = f"there is no hook `{call.hook}` under `hooks:` of agi-bot.yml"
            cure = near(call.hook, known) or f"add `{call.hook}: http://...` there, or use one of: {listed(known)}"
            yield flow.problem(path, "unknown-hook", message, cure, text=call.hook)
        if call.failed is None and flow.script.trouble is None and not flow.script.part:
            message = f"nothing is said when the hook `{call.hook}` fails"
            cure = "add `failed: step` to the call, or `trouble:` to the flow"
            severity = Severity.WARNING
            yield flow.problem(path, "hook-without-failure", message, cure, text=call.hook, severity=severity)
