"""Flow coverage: which steps, ways and rungs the tests have taken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from agi_bot.flow.model import Flow
from agi_bot.flow.parts import Way
from agi_bot.flow.places import WayPlace, all_ways
from agi_bot.flow.problem import Spot

Point = tuple[str, str, str]
"""Kind (``step``, ``on``, ``silence``, ...), step (empty: any; with the part's name before it), key."""

LADDERS = ("silence", "unclear")


@dataclass(frozen=True, slots=True)
class Coverage:
    """Points of one flow that can be covered, with their places, and those that were."""

    flow: str
    points: dict[Point, Spot]
    covered: frozenset[Point]

    def missed(self) -> list[tuple[Point, Spot]]:
        """What no test has taken, in the order of the file."""
        left = [(point, spot) for point, spot in self.points.items() if point not in self.covered]
        return sorted(left, key=lambda pair: (pair[1].file, pair[1].line, pair[1].column))

    def of(self, group: str) -> tuple[int, int]:
        """Covered and all points of ``steps``, ``edges`` or ``ladders``."""
        points = [point for point in self.points if group_of(point) == group]
        return sum(point in self.covered for point in points), len(points)

    @property
    def percent(self) -> float:
        """Share of all points, 0..100."""
        return 100 * len(self.covered & self.points.keys()) / max(1, len(self.points))


def group_of(point: Point) -> str:
    """``steps``, ``ladders`` or ``edges``."""
    if point[0] == "step":
        return "steps"
    return "ladders" if point[0] in LADDERS else "edges"


def name_of(point: Point) -> str:
    """A point as a reader calls it: ``greet on affirm``."""
    kind, step, key = point
    return " ".join(filter(None, [step or "anywhere", "" if kind in ("step", "anywhere") else kind, key]))


def coverage(flow: Flow, traces: Iterable[Sequence[Point]]) -> Coverage:
    """What ``traces`` (of dialogues over ``flow``) have taken of it."""
    points = dict(_points(flow, ""))
    covered = {_point(flow, entry) for trace in traces for entry in trace}
    return Coverage(flow.name, points, frozenset(covered & points.keys()))


def _points(flow: Flow, prefix: str) -> Iterator[tuple[Point, Spot]]:
    for name, step in flow.script.steps.items():
        yield ("step", prefix + name, ""), flow.key_spot(("steps", name))
        if step.confirm:
            for answer in ("yes", "no"):
                yield ("confirm", prefix + name, answer), flow.spot(("steps", name, "confirm"))
    places = list(all_ways(flow.script))
    siblings = Counter(place.path[:-1] for place in places)
    for place in places:
        if not _only_way_on(flow, place):
            yield _way_point(place, prefix, siblings[place.path[:-1]]), flow.spot(place.path)
    for name, part in flow.parts.items():
        yield from _points(part, f"{prefix}{name}/")


def _only_way_on(flow: Flow, place: WayPlace) -> bool:
    """A step's single ``next`` without a condition is taken whenever the step is done."""
    return place.edge == "next" and len(flow.script.steps[place.step].next or ()) == 1


def _way_point(place: WayPlace, prefix: str, siblings: int) -> Point:
    index = place.path[-1]
    if place.edge in LADDERS:
        return place.edge, prefix + place.step, str(index)
    return place.edge, prefix + place.step, f"{place.key}#{index}" if siblings > 1 else place.key


def _point(flow: Flow, entry: Point) -> Point:
    """The point of a trace entry: common ways belong to no step."""
    kind, step, key = entry
    if kind not in ("anywhere", "keys", "trouble", "too_long", *LADDERS):
        return entry
    names = step.split("/")
    owners = [flow]
    for name in names[:-1]:
        owners.append(owners[-1].parts[name])
    if kind in ("keys", *LADDERS) and _has_own(owners[-1], kind, names[-1], key):
        return entry
    for depth in range(len(owners) - 1, -1, -1):
        if _has_common(owners[depth], kind, key):
            return kind, "".join(f"{name}/" for name in names[:depth]), key
    return entry


def _has_own(flow: Flow, kind: str, step: str, key: str) -> bool:
    found = flow.script.steps.get(step)
    table: object = getattr(found, kind, None)
    return key.split("#")[0] in table if isinstance(table, dict) else bool(table)


def _has_common(flow: Flow, kind: str, key: str) -> bool:
    table: dict[str, tuple[Way, ...]] | tuple[Way, ...] | None = getattr(flow.script, kind)
    return key.split("#")[0] in table if isinstance(table, dict) else bool(table)
