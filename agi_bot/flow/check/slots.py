"""Slots: unknown ones, and those that are spoken before they are filled."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from agi_bot.flow.check.known import (
    Known,
    Slots,
    after_call,
    before_common,
    filled_at_start,
    known_in_way,
    known_on_way,
    known_slots,
)
from agi_bot.flow.expression import parse_expression
from agi_bot.flow.model import Flow
from agi_bot.flow.places import WayPlace, all_ways, common_ways, ways_of_step
from agi_bot.flow.problem import Problem, Severity
from agi_bot.flow.references import nearest
from agi_bot.flow.script import Step
from agi_bot.flow.template import parse_template
from agi_bot.flow.tree import Path

Use = tuple[str, Path]
Written = bool | int | float | str


def slot_problems(flow: Flow) -> Iterator[Problem]:
    """Slots that nothing fills, or not on every way."""
    filled = fillable(flow)
    for name, path in _all_uses(flow):
        if name not in filled:
            yield _unknown(flow, name, path, filled)
    known = known_slots(flow)
    for step_name, entering in known.entering.items():
        yield from _step(flow, known, step_name, entering, filled)
    yield from _task(flow)
    yield from _parts(flow)
    yield from _refused_without_reason(flow)


def fillable(flow: Flow) -> Slots:
    """Every slot that something can fill."""
    names = set(flow.script.task)
    for name, step in flow.script.steps.items():
        names.update(step.collect, step.set, step.save, step.call.save if step.call else ())
        names.update(slot for place in ways_of_step(name, step) for slot in place.way.set)
    names.update(slot for place in common_ways(flow.script) for slot in place.way.set)
    return frozenset(names)


def _refused_without_reason(flow: Flow) -> Iterator[Problem]:
    """A caller who was heard well must not be told that the bot did not hear."""
    for step_name, step in flow.script.steps.items():
        for slot, spec in step.collect.items():
            if spec.check and spec.invalid is None:
                message = f"a refused `{slot}` is answered by the ladder `unclear`, as if the caller was not understood"
                cure = "add `invalid:` and say what would fit"
                path: Path = ("steps", step_name, "collect", slot, "check")
                severity = Severity.WARNING
                yield flow.problem(path, "check-without-invalid", message, cure, text=spec.check, severity=severity)


def slots_of(written: Written) -> tuple[str, ...]:
    """Slots that a computed value needs."""
    if not isinstance(written, str):
        return ()
    return parse_expression(written[1:]).names if written.startswith("=") else parse_template(written).slots


def _step(flow: Flow, known: Known, name: str, entering: Slots, filled: Slots) -> Iterator[Problem]:
    step = flow.script.steps[name]
    speaking = after_call(step, entering)
    yield from _missing(flow, known, name, _call_uses(name, step), entering, filled)
    yield from _missing(flow, known, name, _set_uses(name, step), speaking - _own(step, entering), filled)
    yield from _missing(flow, known, name, _text_uses(name, step), speaking, filled)
    collected = speaking | frozenset(step.collect)
    yield from _missing(flow, known, name, _wording_uses(step.confirm, ("steps", name, "confirm")), collected, filled)
    ending = known_slots(flow.parts[step.flow]).ending if step.flow else {}
    for place in ways_of_step(name, step):
        before = entering if place.edge == "failed" else speaking
        on_way = known_on_way(place, step, before, ending)
        yield from _missing(flow, known, name, _way_set_uses(place), on_way, filled)
        within = known_in_way(place, step, before, ending)
        yield from _missing(flow, known, name, _way_uses(place), within, filled)
    for place in common_ways(flow.script):
        if step.listens or place.edge in ("trouble", "too_long"):
            before = before_common(place, step, entering)
            yield from _missing(flow, known, name, _way_set_uses(place), known_on_way(place, None, before, {}), filled)
            within = known_in_way(place, None, before, {})
            yield from _missing(flow, known, name, _way_uses(place), within, filled)


def _own(step: Step, entering: Slots) -> Slots:
    """Slots that only this step's `set` fills: they are not known while it computes."""
    return frozenset(step.set) - entering - frozenset(step.call.save if step.call else ())


def _missing(flow: Flow, known: Known, step: str, uses: Iterable[Use], have: Slots, filled: Slots) -> Iterator[Problem]:
    for name, path in uses:
        if name not in have and name in filled:
            origin = known.origin.get(step, "")
            way = f"coming from step `{origin}`" if origin else "at the beginning of the call"
            message = f"`{name}` may not be filled yet in step `{step}`, {way}"
            cure = f"collect it before, or use a way with `when: filled({name})`"
            yield flow.problem(path, "unfilled-slot", message, cure, text=name)


def _unknown(flow: Flow, name: str, path: Path, filled: Slots) -> Problem:
    near = nearest(name, filled)
    cure = near if near.startswith("did") else f"add it to `task:` or collect it ({near})"
    return flow.problem(path, "unknown-slot", f"nothing fills `{name}`", cure, text=name)


def _all_uses(flow: Flow) -> Iterator[Use]:
    for name, step in flow.script.steps.items():
        base: Path = ("steps", name)
        yield from _call_uses(name, step)
        yield from _set_uses(name, step)
        yield from _text_uses(name, step)
        yield from _wording_uses(step.confirm, (*base, "confirm"))
        for slot, spec in step.collect.items():
            if spec.check:
                yield from _expression_uses(spec.check, (*base, "collect", slot, "check"))
    for place in all_ways(flow.script):
        yield from _way_set_uses(place)
        yield from _way_uses(place, conditions=True)


def _call_uses(name: str, step: Step) -> Iterator[Use]:
    if step.call:
        base: Path = ("steps", name, "call")
        for argument, written in step.call.with_.items():
            yield from ((slot, (*base, "with", argument)) for slot in slots_of(written))
        if step.call.filler:
            yield from ((slot, (*base, "filler")) for slot in parse_template(step.call.filler).slots)


def _set_uses(name: str, step: Step) -> Iterator[Use]:
    yield from _computed_uses(step.set, ("steps", name, "set"))


def _way_set_uses(place: WayPlace) -> Iterator[Use]:
    yield from _computed_uses(place.way.set, (*place.path, "set"))


def _computed_uses(table: Mapping[str, Written], path: Path) -> Iterator[Use]:
    """Slots that a `set` needs; those it has filled a line before are there."""
    made: set[str] = set()
    for slot, written in table.items():
        yield from ((used, (*path, slot)) for used in slots_of(written) if used not in made)
        made.add(slot)


def _text_uses(name: str, step: Step) -> Iterator[Use]:
    base: Path = ("steps", name)
    for key in ("say", "ask", "again"):
        yield from _wording_uses(getattr(step, key), (*base, key))
    for slot, spec in step.collect.items():
        yield from _wording_uses(spec.ask, (*base, "collect", slot, "ask"))
        yield from _wording_uses(spec.invalid, (*base, "collect", slot, "invalid"))
    for argument, written in step.with_.items():
        yield from ((slot, (*base, "with", argument)) for slot in slots_of(written))
    if step.transfer:
        yield from ((slot, (*base, "transfer")) for slot in parse_template(step.transfer).slots)


def _way_uses(place: WayPlace, *, conditions: bool = False) -> Iterator[Use]:
    way, path = place.way, place.path
    yield from _wording_uses(way.say, (*path, "say"))
    if way.transfer:
        yield from ((slot, (*path, "transfer")) for slot in parse_template(way.transfer).slots)
    if conditions and way.when:
        yield from _expression_uses(way.when, (*path, "when"))


def _wording_uses(wording: object, path: Path) -> Iterator[Use]:
    texts = getattr(wording, "texts", ())
    names = getattr(wording, "names", ()) or range(len(texts))
    for key, text in zip(names, texts, strict=True):
        yield from ((slot, (*path, key)) for slot in parse_template(text).slots)


def _expression_uses(source: str, path: Path) -> Iterator[Use]:
    return ((name, path) for name in parse_expression(source).names)


def _task(flow: Flow) -> Iterator[Problem]:
    used = {name for name, _ in _all_uses(flow)}
    for name, spec in flow.script.task.items():
        spot = flow.key_spot(("task", name))
        if name not in used and not flow.script.part:
            yield Problem.at(
                spot, "unused-data", f"task field `{name}` is never used", "use it or remove it", text=name,
                severity=Severity.WARNING,
            )  # fmt: skip
        if spec.example is None and spec.required and not flow.script.part:
            cure = "add `example:`, rehearsals and drawings use it"
            yield Problem.at(
                spot, "missing-example", f"task field `{name}` has no example", cure, text=name,
                severity=Severity.WARNING,
            )  # fmt: skip


def _parts(flow: Flow) -> Iterator[Problem]:
    """Arguments and results of sub-flows."""
    for name, step in flow.script.steps.items():
        if step.flow is None:
            continue
        part = flow.parts[step.flow]
        base: Path = ("steps", name)
        for missing in sorted(filled_at_start(part) - set(step.with_) - set(part.read_defaults())):
            message = f"sub-flow `{step.flow}` needs `{missing}`"
            cure = f'add `with: {{{missing}: "{{slot}}"}}`'
            yield flow.problem((*base, "flow"), "part-argument", message, cure, text=missing)
        for argument in step.with_:
            if argument not in part.script.task:
                message = f"sub-flow `{step.flow}` takes no `{argument}`"
                cure = nearest(argument, part.script.task)
                yield flow.problem((*base, "with", argument), "part-argument", message, cure, text=argument)
        yield from _results(flow, part, step, base)


def _results(flow: Flow, part: Flow, step: Step, base: Path) -> Iterator[Problem]:
    inner = fillable(part)
    for own, theirs in step.save.items():
        if theirs not in inner:
            message = f"sub-flow `{step.flow}` has no slot `{theirs}`"
            yield flow.problem((*base, "save", own), "part-argument", message, nearest(theirs, inner), text=theirs)
    ends = set(known_slots(part).ending) - {""}
    for outcome in step.outcomes:
        if outcome not in ends:
            message = f"sub-flow `{step.flow}` never ends with `{outcome}`"
            spot = flow.key_spot((*base, "outcomes", outcome))
            yield Problem.at(spot, "unknown-outcome", message, nearest(outcome, ends), text=outcome)
    if step.outcomes and not step.next and ends - set(step.outcomes):
        left = ", ".join(sorted(ends - set(step.outcomes)))
        message = f"the outcomes {left} of sub-flow `{step.flow}` have no way on"
        yield flow.problem((*base, "outcomes"), "missing-else", message, "add them, or `next:` for all others")
