"""A flow as a picture: mermaid text, or SVG and PNG by Graphviz where it is installed."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

from agi_bot.errors import FlowError
from agi_bot.flow.model import Flow
from agi_bot.flow.places import WayPlace, all_ways
from agi_bot.flow.script import Step

FORMATS = ("mermaid", "svg", "png", "dot")
LONGEST_LABEL = 40
TIMEOUT_S = 30


@dataclass(frozen=True, slots=True)
class Arrow:
    """One way: names of the nodes, and what leads along it."""

    source: str
    target: str
    label: str


def draw(flow: Flow, form: str) -> bytes:
    """The picture in ``form`` (``mermaid``, ``dot``, ``svg``, ``png``).

    Raises :class:`~agi_bot.errors.FlowError` where Graphviz is needed and is not there.
    """
    if form == "mermaid":
        return mermaid(flow).encode()
    text = dot(flow)
    return text.encode() if form == "dot" else _by_graphviz(text, form)


def arrows(flow: Flow) -> list[Arrow]:
    """All ways between steps and ends; those of `anywhere` begin at the node `anywhere`."""
    found = [arrow for name, step in flow.script.steps.items() for arrow in _ends(name, step)]
    for place in all_ways(flow.script):
        target = _target(place)
        if target:
            found.append(Arrow(place.step or "anywhere", target, _label(place)))
    return list(dict.fromkeys(found))


def mermaid(flow: Flow) -> str:
    """A mermaid flowchart."""
    lines = ["flowchart TD"]
    names = {name: f"n{number}" for number, name in enumerate(_nodes(flow))}
    for name, key in names.items():
        lines.append(f"  {key}{_mermaid_shape(flow, name)}")
    for arrow in arrows(flow):
        label = f'|"{_mermaid_text(arrow.label)}"|' if arrow.label else ""
        lines.append(f"  {names[arrow.source]} -->{label} {names[arrow.target]}")
    return "\n".join(lines) + "\n"


def dot(flow: Flow) -> str:
    """The Graphviz source."""
    head = f'digraph "{_dot_text(flow.name)}" {{'
    style = '  node [shape=box, style="rounded,filled", fillcolor="#f4f6fb", fontname="sans-serif", fontsize=11];'
    lines = [head, style, '  edge [fontname="sans-serif", fontsize=9];']
    for name in _nodes(flow):
        lines.append(f'  "{_dot_text(name)}" [label="{_dot_label(flow, name)}"{_dot_shape(flow, name)}];')
    for arrow in arrows(flow):
        ends = f'"{_dot_text(arrow.source)}" -> "{_dot_text(arrow.target)}"'
        lines.append(f'  {ends} [label="{_dot_text(arrow.label)}"];')
    return "\n".join([*lines, "}", ""])


def _ends(name: str, step: Step) -> Iterator[Arrow]:
    if step.end is not None:
        yield Arrow(name, f"end: {step.end}", "")
    if step.transfer is not None:
        yield Arrow(name, f"transfer: {step.transfer}", "")


def _target(place: WayPlace) -> str | None:
    way = place.way
    if way.next:
        return way.next
    if way.transfer:
        return f"transfer: {way.transfer}"
    return f"end: {way.end}" if way.end else None


def _label(place: WayPlace) -> str:
    edge = {"next": "", "on": "", "anywhere": "", "keys": "key"}.get(place.edge, place.edge)
    condition = f"[{place.way.when}]" if place.way.when else ""
    return _short(" ".join(filter(None, [edge, place.key, condition])))


def _nodes(flow: Flow) -> list[str]:
    found = arrows(flow)
    return list(
        dict.fromkeys([*flow.script.steps, *(name for arrow in found for name in (arrow.source, arrow.target))])
    )


def _words(flow: Flow, name: str) -> str:
    step = flow.script.steps.get(name)
    if step is None:
        return ""
    wording = step.say or step.ask
    return _short(wording.texts[0]) if wording else _short(f"flow: {step.flow}" if step.flow else "")


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= LONGEST_LABEL else f"{flat[: LONGEST_LABEL - 1]}…"


def _mermaid_shape(flow: Flow, name: str) -> str:
    text = "<br/>".join(_mermaid_text(part) for part in (name, _words(flow, name)) if part)
    if name not in flow.script.steps:
        return f'(["{text}"])'
    return f'[["{text}"]]' if name == flow.script.start else f'["{text}"]'


def _mermaid_text(text: str) -> str:
    return re.sub(r'["<>#&;|\[\]{}`]', lambda match: f"#{ord(match.group())};", text)


def _dot_label(flow: Flow, name: str) -> str:
    return "\\n".join(_dot_text(part) for part in (name, _words(flow, name)) if part)


def _dot_shape(flow: Flow, name: str) -> str:
    if name not in flow.script.steps:
        return ', shape=oval, fillcolor="#e8f5e9"'
    return ", penwidth=2" if name == flow.script.start else ""


def _dot_text(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")


def _by_graphviz(text: str, form: str) -> bytes:
    program = shutil.which("dot")
    if program is None:
        cure = "install graphviz (apt-get install graphviz), or use --format mermaid"
        raise FlowError(f"{form} needs the program `dot` of Graphviz, and it is not installed", cure=cure)
    try:
        command = [program, f"-T{form}"]
        done = subprocess.run(command, input=text.encode(), capture_output=True, timeout=TIMEOUT_S, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise FlowError(f"Graphviz could not draw the flow: {error}", cure="use --format mermaid") from None
    return done.stdout
