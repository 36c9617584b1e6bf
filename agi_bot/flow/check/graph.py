"""Ways through a flow: unreachable steps, circles, places without a way on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from agi_bot.flow.model import Flow
from agi_bot.flow.parts import Way
from agi_bot.flow.places import WayPlace, all_ways, common_ways, ways_of_step
from agi_bot.flow.problem import Problem, Severity
from agi_bot.flow.script import Script, Step

_NORMAL = frozenset({"on", "keys", "next", "outcomes"})


def graph_problems(flow: Flow) -> Iterator[Problem]:
    """Faults in where the ways lead."""
    yield from _unreachable(flow)
    yield from _without_end(flow)
    yield from _circles(flow)
    yield from _lists(flow)
    yield from _ladders(flow)


def reachable(script: Script) -> set[str]:
    """Steps that a call can come to."""
    common = _targets(place.way for place in common_ways(script))
    return _closure({name: [*_next_steps(name, step), *common] for name, step in script.steps.items()}, [script.start])


def _unreachable(flow: Flow) -> Iterator[Problem]:
    reached = reachable(flow.script)
    for name in flow.script.steps:
        if name not in reached:
            spot = flow.key_spot(("steps", name))
            cure = "lead a way to it with `next:`, or remove it"
            yield Problem.at(spot, "unreachable-step", f"nothing leads to step `{name}`", cure, text=name)


def _without_end(flow: Flow) -> Iterator[Problem]:
    """Steps from which the conversation, going well, never ends."""
    backward: dict[str, list[str]] = {name: [] for name in flow.script.steps}
    ends = []
    for name, step in flow.script.steps.items():
        normal = [place.way for place in ways_of_step(name, step) if place.edge in _NORMAL]
        for target in _targets(normal):
            backward[target].append(name)
        if step.leaves or any(way.leaves for way in normal):
            ends.append(name)
    good = _closure(backward, ends)
    for name, step in flow.script.steps.items():
        if name not in good:
            yield _never_ends(flow, name, step)


def _never_ends(flow: Flow, name: str, step: Step) -> Problem:
    spot = flow.key_spot(("steps", name))
    if not (step.on or step.keys or step.next or step.outcomes):
        cure = "add `next: step`, `end: outcome` or `transfer: queue`"
        return Problem.at(spot, "no-end", f"step `{name}` has no way on", cure, text=name)
    message = f"no way from step `{name}` ever comes to an `end:` or a `transfer:`"
    return Problem.at(spot, "no-end", message, "let one of its ways lead to a step that ends", text=name)


def _circles(flow: Flow) -> Iterator[Problem]:
    """Circles of steps that nobody's answer and no condition can break."""
    steps = flow.script.steps
    onward = {name: target for name, step in steps.items() if (target := _forced(step))}
    told: set[str] = set()
    for start in onward:
        circle = _circle(start, onward)
        if circle and not told & set(circle):
            told.update(circle)
            message = f"steps {' → '.join([*circle, circle[0]])} go round without waiting for the caller"
            spot = flow.key_spot(("steps", circle[0]))
            yield Problem.at(spot, "endless-circle", message, "let one of them ask something or end")


def _forced(step: Step) -> str | None:
    if step.listens or step.leaves or step.flow or not step.next or step.call:
        return None
    return step.next[0].next if step.next[0].when is None else None


def _circle(start: str, onward: Mapping[str, str]) -> list[str]:
    path = [start]
    while (following := onward.get(path[-1])) is not None:
        if following == start:
            return path
        if following in path:
            return []
        path.append(following)
    return []


def _lists(flow: Flow) -> Iterator[Problem]:
    """Lists of ways: what stands behind an unconditional one, and what is missing at the end."""
    for name, step in flow.script.steps.items():
        base = ("steps", name)
        if step.next and all(way.when for way in step.next):
            message = f"when no condition holds, step `{name}` has no way on"
            cure = "add a last way without `when:`"
            yield flow.problem((*base, "next"), "missing-else", message, cure)
        if step.collect and not step.next:
            message = f"step `{name}` collects values and then has no way on"
            spot = flow.key_spot(("steps", name, "collect"))
            yield Problem.at(spot, "no-end", message, "add `next: step`")
        if step.flow and not step.next and not step.outcomes:
            message = f"after the sub-flow step `{name}` has no way on"
            yield flow.problem((*base, "flow"), "no-end", message, "add `next: step` or `outcomes:`")
    for place in all_ways(flow.script):
        yield from _behind(flow, place)


def _behind(flow: Flow, place: WayPlace) -> Iterator[Problem]:
    index = place.path[-1]
    if not isinstance(index, int) or index == 0 or place.edge in ("silence", "unclear"):
        return
    ways = _list_of(flow, place)
    if any(way.when is None for way in ways[:index]):
        message = "this way is never taken: one without a condition stands before it"
        cure = "give the earlier one a `when:`, or remove this one"
        yield flow.problem(place.path, "dead-way", message, cure, severity=Severity.WARNING)


def _list_of(flow: Flow, place: WayPlace) -> Sequence[Way]:
    ways = ways_of_step(place.step, flow.script.steps[place.step]) if place.step else common_ways(flow.script)
    return [other.way for other in ways if other.path[:-1] == place.path[:-1]]


def _ladders(flow: Flow) -> Iterator[Problem]:
    script = flow.script
    for kind in ("silence", "unclear"):
        common: tuple[Way, ...] | None = getattr(script, kind)
        yield from _ladder(flow, common, (kind,), kind)
        for name, step in script.steps.items():
            own: tuple[Way, ...] | None = getattr(step, kind)
            yield from _ladder(flow, own, ("steps", name, kind), kind)
            if step.listens and not own and not common and not script.part and not _only_waits(step, kind):
                yield _missing(flow, name, kind)


def _only_waits(step: Step, kind: str) -> bool:
    return step.wait is not None and kind == "silence"


def _missing(flow: Flow, name: str, kind: str) -> Problem:
    what = {"silence": "the caller says nothing", "unclear": "nothing is understood"}[kind]
    spot = flow.key_spot(("steps", name))
    message = f"step `{name}` does not say what happens when {what}"
    return Problem.at(spot, f"missing-{kind}", message, f"add `{kind}:` to the flow or to the step", text=name)


def _ladder(flow: Flow, ladder: Sequence[Way] | None, path: tuple[str, ...], kind: str) -> Iterator[Problem]:
    if not ladder:
        return
    last = ladder[-1]
    if last.when is not None or not (last.leaves or last.next):
        message = f"the last rung of `{kind}` does not lead anywhere, the caller would be asked for ever"
        cure = "end it with `{say: ..., end: no_response}` or `{transfer: queue}`"
        yield flow.problem((*path, len(ladder) - 1), "ladder-without-end", message, cure)


def _next_steps(name: str, step: Step) -> list[str]:
    return _targets(place.way for place in ways_of_step(name, step))


def _targets(ways: Iterable[Way]) -> list[str]:
    return [way.next for way in ways if way.next]


def _closure(edges: Mapping[str, Iterable[str]], start: Iterable[str]) -> set[str]:
    seen = set(start)
    waiting = list(seen)
    while waiting:
        for target in edges[waiting.pop()]:
            if target not in seen:
                seen.add(target)
                waiting.append(target)
    return seen
