"""Plots as SVG: distributions of reply and barge-in times, one line a condition."""

from __future__ import annotations

import html
from collections.abc import Sequence

from tests.bench.lab.verdict import Event, Turn

WIDTH, HEIGHT, GAP = 420, 220, 70
LEFT, TOP = 46, 34
COLOURS = ("#1b6ca8", "#c0392b", "#27864a", "#b7791f", "#7b3fa0", "#444444")


def plots(answered: Sequence[Turn], over: Sequence[Event]) -> str:
    """Both distributions side by side; what was missed keeps a line below 100 %."""
    names = sorted({turn.condition for turn in answered} | {event.condition for event in over})
    replies = {name: [turn.reply_ms for turn in answered if turn.condition == name] for name in names}
    stops = {name: [e.stop_ms for e in over if e.condition == name and e.kind == "interrupt"] for name in names}
    width = LEFT + 2 * WIDTH + GAP + 110
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {TOP + HEIGHT + 44}" width="{width}" '
        'font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="white"/>'
        + _plot(LEFT, "Reply: ms after the caller's last sound", replies, 1000, (250, 500))
        + _plot(LEFT + WIDTH + GAP, "Barge-in: ms until the bot is silent", stops, 600, (200,))
        + _legend(LEFT + 2 * WIDTH + GAP + 12, names)
        + "</svg>"
    )


def _plot(left: int, title: str, data: dict[str, list[float | None]], longest: int, goals: Sequence[int]) -> str:
    parts = [f'<g transform="translate({left},{TOP})"><text x="0" y="-12" font-weight="bold">{title}</text>']
    parts += [_level(share) for share in (0, 25, 50, 75, 95, 100)]
    parts += [_tick(ms, longest) for ms in range(0, longest + 1, 100 if longest <= 600 else 250)]
    parts += [_goal(ms, longest) for ms in goals]
    parts += [_curve(times, longest, COLOURS[at % len(COLOURS)]) for at, times in enumerate(data.values()) if times]
    return "".join(parts) + "</g>"


def _level(share: int) -> str:
    y = HEIGHT * (1 - share / 100)
    line = f'<line x1="0" x2="{WIDTH}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>'
    return f'{line}<text x="-6" y="{y + 4:.1f}" text-anchor="end" fill="#666">{share} %</text>'


def _tick(ms: int, longest: int) -> str:
    x = ms * WIDTH / longest
    return f'<text x="{x:.1f}" y="{HEIGHT + 18}" text-anchor="middle" fill="#666">{ms}</text>'


def _goal(ms: int, longest: int) -> str:
    x = ms * WIDTH / longest
    return f'<line x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{HEIGHT}" stroke="#999" stroke-dasharray="4 3"/>'


def _curve(times: Sequence[float | None], longest: int, colour: str) -> str:
    came = sorted(ms for ms in times if ms is not None)
    points, share = [f"0,{HEIGHT}"], 0.0
    for count, ms in enumerate(came, 1):
        x = max(0.0, min(ms, longest)) * WIDTH / longest
        points.append(f"{x:.1f},{HEIGHT * (1 - share):.1f}")
        share = count / len(times)
        points.append(f"{x:.1f},{HEIGHT * (1 - share):.1f}")
    points.append(f"{WIDTH},{HEIGHT * (1 - share):.1f}")
    return f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{" ".join(points)}"/>'


def _legend(left: int, names: Sequence[str]) -> str:
    return "".join(
        f'<text x="{left}" y="{TOP + 16 + 18 * at}" fill="{COLOURS[at % len(COLOURS)]}">{html.escape(name)}</text>'
        for at, name in enumerate(names)
    )
