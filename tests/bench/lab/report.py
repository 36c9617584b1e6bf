"""The laboratory's report: JSON, a table, a page with a plot."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tests.bench.lab.caller import Tape
from tests.bench.lab.verdict import Event, Turn, events, turns
from tests.bench.results import FOLDER, Figure, save

WIDTH, HEIGHT = 640, 240
LONGEST_MS = 1500


def write(tapes: Sequence[Tape], asterisk: str, note: str) -> None:
    """bench-results/lab.json and lab.html, and the figures on the terminal."""
    answered = [turn for tape in tapes for turn in turns(tape)]
    over = [event for tape in tapes for event in events(tape)]
    broken = sum(bool(tape.broken) for tape in tapes)
    figures = overall(answered, over) + by_condition(answered, over)
    figures.append(Figure("broken_calls", broken, "calls"))
    notes = (f"Asterisk {asterisk}", f"{len(tapes)} calls, {len(answered)} answers, {len(over)} events", note)
    save("lab.json", figures, ("vosk", "onnxruntime"), notes)
    (FOLDER / "lab.html").write_text(page(figures, answered, notes), "utf-8")


def overall(answered: list[Turn], over: list[Event]) -> list[Figure]:
    """The figures of all conditions together."""
    return [*reply_figures(answered, ""), *event_figures(over, "")]


def by_condition(answered: list[Turn], over: list[Event]) -> list[Figure]:
    """The same for each line."""
    figures: list[Figure] = []
    for name in dict.fromkeys(turn.condition for turn in answered):
        figures += reply_figures([turn for turn in answered if turn.condition == name], f"_{name}")
        figures += event_figures([event for event in over if event.condition == name], f"_{name}")
    return figures


def reply_figures(answered: list[Turn], suffix: str) -> list[Figure]:
    replies = [turn.reply_ms for turn in answered if turn.reply_ms is not None]
    return [
        *(_percentile(f"reply_ms_p{rank}{suffix}", replies, rank) for rank in (50, 95, 99)),
        _share(f"early_cutoff_share{suffix}", answered, lambda turn: turn.early),
        _share(f"missed_turn_share{suffix}", answered, lambda turn: turn.reply_ms is None and not turn.early),
    ]


def event_figures(over: list[Event], suffix: str) -> list[Figure]:
    real = [event for event in over if event.kind == "interrupt"]
    false = [event for event in over if event.kind != "interrupt"]
    stops = [event.stop_ms for event in real if event.stop_ms is not None]
    halted = [event for event in false if event.stop_ms is not None]
    return [
        _percentile(f"barge_in_ms_p50{suffix}", stops, 50),
        _percentile(f"barge_in_ms_p95{suffix}", stops, 95),
        _share(f"barge_in_missed_share{suffix}", real, lambda event: event.stop_ms is None),
        _share(f"false_stop_share{suffix}", false, lambda event: event.stop_ms is not None),
        *(_share(f"false_stop_share_{kind}{suffix}", [e for e in false if e.kind == kind], _stopped)
          for kind in ("backchannel", "cough", "noise")),
        _share(f"resume_share{suffix}", halted, lambda event: event.resumed),
    ]  # fmt: skip


def _stopped(event: Event) -> bool:
    return event.stop_ms is not None


def _percentile(name: str, values: Sequence[float], rank: int) -> Figure:
    return Figure(name, round(float(np.percentile(values, rank)), 1) if values else -1.0, "ms")


def _share(name: str, items: Sequence[Any], fits: Callable[[Any], bool]) -> Figure:
    return Figure(name, round(sum(map(fits, items)) / len(items), 4) if items else -1.0, "share")


def page(figures: Sequence[Figure], answered: list[Turn], notes: Sequence[str]) -> str:
    """A page that needs nothing else: table and plot."""
    rows = "".join(
        f"<tr><td>{html.escape(figure.name)}</td><td>{figure.value:g}</td><td>{figure.unit}</td></tr>"
        for figure in figures
    )
    about = "".join(f"<li>{html.escape(note)}</li>" for note in notes)
    return (
        '<!doctype html><meta charset="utf-8"><title>agi-bot laboratory</title>'
        "<style>body{font:15px sans-serif;margin:2em}td{padding:0 1em 0 0}</style>"
        f"<h1>How quickly the bot answers</h1><ul>{about}</ul>{plot(answered)}<table>{rows}</table>\n"
    )


def plot(answered: list[Turn]) -> str:
    """Share of replies that came within so many ms, one line a condition, as SVG."""
    lines = []
    names = list(dict.fromkeys(turn.condition for turn in answered))
    for number, name in enumerate(names):
        colour = f"hsl({number * 360 // max(1, len(names))} 70% 40%)"
        points = _curve([turn for turn in answered if turn.condition == name])
        lines.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{points}"/>')
        lines.append(f'<text x="{WIDTH - 110}" y="{20 + 16 * number}" fill="{colour}">{html.escape(name)}</text>')
    for ms in range(0, LONGEST_MS + 1, 250):
        lines.append(f'<text x="{ms * WIDTH / LONGEST_MS:.0f}" y="{HEIGHT + 16}" font-size="11">{ms} ms</text>')
    return f'<svg width="{WIDTH + 40}" height="{HEIGHT + 24}">{"".join(lines)}</svg>'


def _curve(answered: list[Turn]) -> str:
    replies = sorted(turn.reply_ms for turn in answered if turn.reply_ms is not None)
    points = [(0.0, 0.0)]
    for count, reply in enumerate(replies, 1):
        points.append((min(reply, LONGEST_MS), count / len(answered)))
    return " ".join(f"{x * WIDTH / LONGEST_MS:.1f},{HEIGHT * (1 - y):.1f}" for x, y in points)
