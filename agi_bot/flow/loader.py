"""From a file to a :class:`~agi_bot.flow.model.Flow`, with its sub-flows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from agi_bot.flow.encoding import read_text
from agi_bot.flow.model import Flow
from agi_bot.flow.problem import BrokenFlow, Problem, in_order
from agi_bot.flow.reading import read_script
from agi_bot.flow.references import reference_problems
from agi_bot.flow.script import Script
from agi_bot.flow.tree import Node, parse

DEEPEST_PART = 5
"""How deep sub-flows may be nested."""


def load(path: str | Path, *, home: str | Path | None = None) -> Flow:
    """The flow in ``path``; its training data lies in ``home``, by default the file's folder.

    Raises :class:`~agi_bot.flow.problem.BrokenFlow` (a :class:`~agi_bot.errors.FlowError`)
    with every fault that would keep it from running.
    """
    return _load(Path(path), (), str(home or Path(path).parent))


def load_text(text: str, file: str = "flow.yaml") -> Flow:
    """The flow in ``text``; sub-flows are looked for beside ``file``.  Raises like :func:`load`."""
    return _build(text, Path(file), (), str(Path(file).parent))


def _load(path: Path, above: tuple[Path, ...], home: str) -> Flow:
    return _build(read_text(path), path, above, home)


def _build(text: str, path: Path, above: tuple[Path, ...], home: str) -> Flow:
    tree = parse(text, str(path))
    script = read_script(tree, str(path))
    bare = Flow(str(path), "", script, tree, text, home=home)
    problems = list(reference_problems(bare))
    parts = _parts(bare, path, (*above, path.resolve()), problems)
    if problems:
        raise BrokenFlow(in_order(problems))
    return Flow(str(path), _version(text, parts), script, tree, text, parts, home)


def _version(text: str, parts: dict[str, Flow]) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(parts):
        digest.update(parts[name].version.encode())
    return digest.hexdigest()[:12]


def _parts(flow: Flow, path: Path, above: tuple[Path, ...], problems: list[Problem]) -> dict[str, Flow]:
    parts: dict[str, Flow] = {}
    for step, name in _wanted(flow.script):
        if name in parts:
            continue
        try:
            parts[name] = _part(flow, step, name, path, above)
        except BrokenFlow as broken:
            problems.extend(broken.problems)
    return parts


def _wanted(script: Script) -> Iterator[tuple[str, str]]:
    for step, spec in script.steps.items():
        if spec.flow:
            yield step, spec.flow


def _part(flow: Flow, step: str, name: str, path: Path, above: tuple[Path, ...]) -> Flow:
    where = ("steps", step, "flow")
    found = next((place for place in places_of_part(path, name) if place.is_file()), None)
    if found is None:
        cure = f"create {places_of_part(path, name)[0]} or correct the name"
        raise BrokenFlow([flow.problem(where, "unknown-flow", f"there is no sub-flow `{name}`", cure, text=name)])
    if found.resolve() in above or len(above) > DEEPEST_PART:
        message = f"sub-flow `{name}` contains itself"
        raise BrokenFlow(
            [flow.problem(where, "flow-in-itself", message, "go to a step with `next:` instead", text=name)]
        )
    return _load(found, above, flow.home)


def places_of_part(path: Path, name: str) -> list[Path]:
    """Where a sub-flow may lie: beside the flow, in ``parts/``, in the common ``shared/``."""
    folder = path.parent
    return [folder / f"{name}.yaml", folder / "parts" / f"{name}.yaml", folder.parent / "shared" / f"{name}.yaml"]


def document(path: Path) -> Node:
    """The bare tree of a YAML file, for other readers of the house.  Raises :class:`BrokenFlow`."""
    return parse(read_text(path), str(path))
