"""A campaign's report as one HTML file: no script, nothing from elsewhere.  Pure."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from agi_bot.campaign.store.reports import CampaignReport

BAR = 22
"""Height of a bar with its gap, px."""

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

WIDTH = 480
LABEL = 190

STYLE = """
body{font:15px/1.5 system-ui,"Noto Sans CJK SC","Microsoft YaHei",sans-serif;max-width:60rem;margin:2rem auto;
padding:0 1rem;color:#222}
h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}
.figures{display:flex;gap:2.5rem;flex-wrap:wrap}.figures b{display:block;font-size:1.8rem}
svg text{font-size:13px;fill:#222}td{padding:.1rem 1rem .1rem 0}
"""


def html(report: CampaignReport, made_at: str) -> str:
    """The page; ``made_at`` is printed as it is."""
    title = escape(report.title or report.campaign_id)
    parts = [
        f"<!doctype html><html lang='en'><meta charset='utf-8'><title>{title}</title><style>{STYLE}</style>",
        f"<h1>{title}</h1><p>{escape(' · '.join(_about(report)))}<br>made {escape(made_at)}</p>",
        _figures(report),
        _chart("How attempts ended", list(report.ends.items())),
        _chart("Who answered", list(report.answered_by.items())),
        _chart("Outcomes of conversations", list(report.outcomes.items())),
        _chart("Result classes", list(report.classes.items())),
        _chart("Funnel: conversations that reached a step", report.funnel, report.answered),
        _chart("Not permitted, by rule", list(report.refusals.items())),
        _chart("What a turn costs on average, ms", list(report.stages.items()), 0),
        _table("What nobody understood", report.unanswered),
    ]
    return "".join(parts) + "</html>\n"


def _about(report: CampaignReport) -> list[str]:
    """Name (unless it is the title), script, period and calling hours."""
    days = ", ".join(DAYS[day - 1] for day in report.days)
    about = [
        report.campaign_id if report.title else "",
        f"script {report.script_id}" if report.script_id else "",
        _period(report),
        f"hours {', '.join(report.hours)} on {days}" if report.hours else "",
        f"times of {report.zone}",
    ]
    return [part for part in about if part and part != report.title]


def _period(report: CampaignReport) -> str:
    if not report.first_call:
        return "no calls yet"
    return f"calls from {_minute(report.first_call)} to {_minute(report.last_call)}"


def _minute(iso: str) -> str:
    return iso[:16].replace("T", " ")


def _figures(report: CampaignReport) -> str:
    tasks = ", ".join(f"{count} {state}" for state, count in report.tasks.items()) or "none"
    minutes = report.talk_s / 60
    mean = report.talk_s / report.answered if report.answered else 0.0
    figures = [
        (f"{sum(report.tasks.values())}", f"tasks: {tasks}"),
        (f"{report.attempts}", "attempts"),
        (f"{report.answer_rate:.0%}", f"answered: {report.answered}"),
        (f"{minutes:.1f}", "minutes talked"),
        (f"{mean:.0f} s", "a conversation"),
    ]
    cells = "".join(f"<div><b>{escape(value)}</b>{escape(text)}</div>" for value, text in figures)
    return f"<div class='figures'>{cells}</div>"


def _chart(title: str, values: Sequence[tuple[str, int]], of: int | None = None) -> str:
    """Bars with their shares ``of`` so many (``None``: of all together; 0: without)."""
    if not values:
        return ""
    most = max(count for _, count in values) or 1
    whole = sum(count for _, count in values) if of is None else of
    bars = "".join(_bar(at, name, count, most, whole) for at, (name, count) in enumerate(values))
    size = f"width='{LABEL + WIDTH + 100}' height='{len(values) * BAR}'"
    return f"<h2>{escape(title)}</h2><svg {size} role='img' aria-label='{escape(title, quote=True)}'>{bars}</svg>"


def _bar(at: int, name: str, count: int, most: int, whole: int) -> str:
    top, length = at * BAR, max(2.0, WIDTH * count / most)
    share = f" · {count / whole:.0%}" if whole else ""
    return (
        f"<text x='{LABEL - 8}' y='{top + 15}' text-anchor='end'>{escape(name or '-')}</text>"
        f"<rect x='{LABEL}' y='{top + 2}' width='{length:.1f}' height='{BAR - 5}' fill='#3b78b5'/>"
        f"<text x='{LABEL + length + 6:.1f}' y='{top + 15}'>{count}{share}</text>"
    )


def _table(title: str, values: Sequence[tuple[str, int]]) -> str:
    if not values:
        return ""
    rows = "".join(f"<tr><td>{count}</td><td>{escape(text)}</td></tr>" for text, count in values)
    return f"<h2>{escape(title)}</h2><table>{rows}</table>"
