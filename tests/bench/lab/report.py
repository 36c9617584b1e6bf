"""The laboratory's report: JSON, a table with intervals of confidence, a page and an image with plots."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from math import sqrt
from typing import Any

import numpy as np

from tests.bench.lab.caller import Tape
from tests.bench.lab.plots import plots
from tests.bench.lab.verdict import Event, Turn, events, turns
from tests.bench.results import FOLDER, Figure, save

Z = 1.96
"""Of a 95 % interval."""


def write(tapes: Sequence[Tape], asterisk: str, note: str, file: str = "lab") -> None:
    """``bench-results/FILE.json``, ``FILE.html`` and ``FILE.svg``, and the figures on the terminal."""
    answered = [turn for tape in tapes for turn in turns(tape)]
    over = [event for tape in tapes for event in events(tape)]
    broken = sum(bool(tape.broken) for tape in tapes)
    figures = overall(answered, over) + by_condition(answered, over)
    figures.append(Figure("broken_calls", broken, "calls"))
    cut = f", {broken} of them broken off" if broken else ""
    notes = (asterisk, f"{len(tapes)} calls{cut}, {len(answered)} answers, {len(over)} events", note)
    (FOLDER / f"{file}.json").unlink(missing_ok=True)
    save(f"{file}.json", figures, ("vosk", "onnxruntime"), notes)
    image, rows = plots(answered, over), table(answered, over)
    (FOLDER / f"{file}.svg").write_text(image + "\n", "utf-8")
    (FOLDER / f"{file}.html").write_text(page(image, rows, notes), "utf-8")
    print("\n".join("| " + " | ".join(row) + " |" for row in rows))


def overall(answered: list[Turn], over: list[Event]) -> list[Figure]:
    """The figures of all conditions together."""
    return [*reply_figures(answered, ""), *event_figures(over, "")]


def by_condition(answered: list[Turn], over: list[Event]) -> list[Figure]:
    """The same for each line."""
    figures: list[Figure] = []
    for name in conditions(answered, over):
        figures += reply_figures([turn for turn in answered if turn.condition == name], f"_{name}")
        figures += event_figures([event for event in over if event.condition == name], f"_{name}")
    return figures


def conditions(answered: Sequence[Turn], over: Sequence[Event]) -> list[str]:
    """Names of the lines, each once."""
    return sorted({turn.condition for turn in answered} | {event.condition for event in over})


def reply_figures(answered: list[Turn], suffix: str) -> list[Figure]:
    replies = [turn.reply_ms for turn in answered if turn.reply_ms is not None]
    return [
        *(figure for rank in (50, 95, 99) for figure in _percentile(f"reply_ms_p{rank}{suffix}", replies, rank)),
        *_share(f"early_cutoff_share{suffix}", answered, lambda turn: turn.early),
        *_share(f"missed_turn_share{suffix}", answered, _missed),
        Figure(f"answers{suffix}", len(answered), "answers"),
    ]


def event_figures(over: list[Event], suffix: str) -> list[Figure]:
    real, false = _split(over)
    stops = [event.stop_ms for event in real if event.stop_ms is not None]
    kinds = ((kind, [event for event in false if event.kind == kind]) for kind in ("backchannel", "cough", "noise"))
    return [
        *_percentile(f"barge_in_ms_p50{suffix}", stops, 50),
        *_percentile(f"barge_in_ms_p95{suffix}", stops, 95),
        *_share(f"barge_in_missed_share{suffix}", real, lambda event: event.stop_ms is None),
        *_share(f"false_stop_share{suffix}", false, _stopped),
        *(figure for kind, some in kinds for figure in _share(f"false_stop_share_{kind}{suffix}", some, _stopped)),
        *_share(f"resume_share{suffix}", [event for event in false if _stopped(event)], lambda event: event.resumed),
        *_percentile(f"false_alarm_silence_ms_p95{suffix}", [event.silence_ms for event in false], 95),
        Figure(f"interruptions{suffix}", len(real), "events"),
        Figure(f"false_alarms{suffix}", len(false), "events"),
        Figure(f"false_stops{suffix}", sum(map(_stopped, false)), "events"),
    ]


def table(answered: list[Turn], over: list[Event]) -> list[list[str]]:
    """Head and rows: one for each line, one for all; shares in percent with their 95 % interval."""
    head = ["line", "answers", "reply p50 / p95", "early cut-offs", "missed", "interruptions", "barge-in p50 / p95",
            "false alarms", "false stops"]  # fmt: skip
    rows = [head]
    for name in [*conditions(answered, over), "all"]:
        some = [turn for turn in answered if name in ("all", turn.condition)]
        events_ = [event for event in over if name in ("all", event.condition)]
        rows.append([name, *_reply_cells(some), *_event_cells(events_)])
    return rows


def _reply_cells(answered: list[Turn]) -> list[str]:
    replies = [turn.reply_ms for turn in answered if turn.reply_ms is not None]
    early, missed = sum(turn.early for turn in answered), sum(map(_missed, answered))
    return [str(len(answered)), _pair(replies), _percent(early, len(answered)), _percent(missed, len(answered))]


def _event_cells(over: list[Event]) -> list[str]:
    real, false = _split(over)
    stops = [event.stop_ms for event in real if event.stop_ms is not None]
    return [str(len(real)), _pair(stops), str(len(false)), _percent(sum(map(_stopped, false)), len(false))]


def _pair(values: Sequence[float]) -> str:
    return f"{np.percentile(values, 50):.0f} / {np.percentile(values, 95):.0f} ms" if values else "-"


def _percent(count: int, total: int) -> str:
    low, high = wilson(count, total)
    return f"{100 * count / total:.1f} % ({100 * low:.1f}-{100 * high:.1f})" if total else "-"


def wilson(count: int, total: int) -> tuple[float, float]:
    """95 % interval of a share (E. B. Wilson, 1927), which holds for small numbers and shares near 0, too."""
    if not total:
        return 0.0, 1.0
    share, extra = count / total, Z * Z / total
    middle = (share + extra / 2) / (1 + extra)
    half = Z * sqrt(share * (1 - share) / total + extra / total / 4) / (1 + extra)
    return max(0.0, middle - half), min(1.0, middle + half)


def _split(over: list[Event]) -> tuple[list[Event], list[Event]]:
    """Interruptions, and what is none."""
    return [e for e in over if e.kind == "interrupt"], [e for e in over if e.kind != "interrupt"]


def _missed(turn: Turn) -> bool:
    return turn.reply_ms is None and not turn.early


def _stopped(event: Event) -> bool:
    return event.stop_ms is not None


def _percentile(name: str, values: Sequence[float], rank: int) -> list[Figure]:
    """None where there was nothing to measure."""
    return [Figure(name, round(float(np.percentile(values, rank)), 1), "ms")] if values else []


def _share(name: str, items: Sequence[Any], fits: Callable[[Any], bool]) -> list[Figure]:
    """The share and the upper end of its interval; none where there was nothing to count."""
    if not items:
        return []
    count = sum(map(fits, items))
    upto = Figure(f"{name}_upto", round(wilson(count, len(items))[1], 4), "share")
    return [Figure(name, round(count / len(items), 4), "share"), upto]


def page(image: str, rows: list[list[str]], notes: Sequence[str]) -> str:
    """A page that needs nothing else: plots and table."""
    about = "".join(f"<li>{html.escape(note)}</li>" for note in notes)
    head = "".join(f"<th>{html.escape(cell)}</th>" for cell in rows[0])
    body = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows[1:])
    return (
        '<!doctype html><meta charset="utf-8"><title>agi-bot laboratory</title>'
        "<style>body{font:15px sans-serif;margin:2em}td,th{padding:.2em 1em .2em 0;text-align:left}"
        "tr:last-child{font-weight:bold}</style>"
        f"<h1>How quickly the bot answers, and what stops it</h1><ul>{about}</ul>{image}"
        f"<table><tr>{head}</tr>{body}</table>\n"
    )
