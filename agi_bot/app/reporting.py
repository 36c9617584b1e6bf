"""A campaign's report, on the terminal and as a file."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table

from agi_bot.campaign.report_html import html
from agi_bot.campaign.store.reports import CampaignReport


def write_html(found: CampaignReport, path: Path) -> None:
    """The report as one HTML file, its times by the campaign's clock."""
    path.write_text(html(found, f"{datetime.now(ZoneInfo(found.zone)):%Y-%m-%d %H:%M %Z}"), encoding="utf-8")


def show(found: CampaignReport, out: Console) -> None:
    """The report as tables."""
    rate = f"{found.answer_rate:.0%}"
    out.print(f"{found.campaign_id}: {found.attempts} attempts, {found.answered} answered ({rate}), {found.talk_s:g} s")
    parts = [
        ("tasks", list(found.tasks.items())),
        ("how attempts ended", list(found.ends.items())),
        ("answered by", list(found.answered_by.items())),
        ("outcomes", list(found.outcomes.items())),
        ("result classes", list(found.classes.items())),
        ("reached the step", found.funnel),
        ("not permitted, by rule", list(found.refusals.items())),
        ("a turn costs on average, ms", list(found.stages.items())),
        ("not understood", found.unanswered),
    ]
    for title, rows in parts:
        if rows:
            table = Table(title, "", box=None, title_justify="left", min_width=40)
            for name, count in rows:
                table.add_row(name or "-", str(count))
            out.print(table)
