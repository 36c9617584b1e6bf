"""What the tables say, added up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlite_utils

from agi_bot.campaign.model import Campaign
from agi_bot.campaign.store import rules_json
from agi_bot.campaign.store.database import Database


@dataclass(frozen=True, slots=True)
class Figures:
    """What lies in the store now; low cardinality: states and receivers, never people.

    ``outbox`` is by (receiver, state), ``outbox_lag_s`` the age of the oldest letter to send, by receiver.
    """

    tasks: dict[str, int] = field(default_factory=dict)
    queue: dict[str, int] = field(default_factory=dict)
    outbox: dict[tuple[str, str], int] = field(default_factory=dict)
    outbox_lag_s: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CampaignReport:
    """What became of a campaign.

    ``ends``: attempts by how they ended; ``outcomes``: conversations by outcome;
    ``funnel``: conversations that reached a step, in the order of the first who did;
    ``answered_by``: attempts by who or what answered (``network``: an announcement, or a cause);
    ``unanswered``: what people said that nobody understood, with how often;
    ``stages``: what a turn costs on average, ms: from the end of speech until it is taken for
    one (``endpoint``), understanding (``interpret``), until the reply sounds (``reply``, which
    holds the others).
    ``script_id``, ``zone``, ``hours`` and ``days`` are the campaign's; ``first_call`` and
    ``last_call`` are ISO 8601 in its zone, empty before any call.
    """

    campaign_id: str
    title: str
    tasks: dict[str, int]
    ends: dict[str, int]
    outcomes: dict[str, int]
    classes: dict[str, int]
    funnel: list[tuple[str, int]]
    unanswered: list[tuple[str, int]]
    refusals: dict[str, int]
    answered_by: dict[str, int]
    attempts: int
    answered: int
    talk_s: float
    stages: dict[str, int] = field(default_factory=dict)
    script_id: str = ""
    zone: str = "UTC"
    first_call: str = ""
    last_call: str = ""
    hours: list[str] = field(default_factory=list)
    days: list[int] = field(default_factory=list)

    @property
    def answer_rate(self) -> float:
        """Answered of the attempts that ended, 0..1."""
        return self.answered / self.attempts if self.attempts else 0.0

    def plain(self) -> dict[str, Any]:
        """JSON-ready."""
        return {**asdict(self), "answer_rate": round(self.answer_rate, 4)}


class ReportStore:
    """Reads the tables for reports and metrics."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def figures(self, now: float) -> Figures:
        """The whole store at ``now``."""
        return await self._database.read(lambda db: _figures(db, now))

    async def campaign(self, campaign_id: str) -> CampaignReport:
        """One campaign."""
        return await self._database.read(lambda db: _campaign(db, campaign_id))


_TALKED = "coalesce(sum((julianday(ended_at) - julianday(started_at)) * 86400), 0)"


def _figures(db: sqlite_utils.Database, now: float) -> Figures:
    queues = {name: f"SELECT count(*) FROM queue_{name}" for name in ("later", "ready", "claimed")}
    letters = db.execute("SELECT receiver, state, count(*) FROM outbox GROUP BY 1, 2").fetchall()
    oldest = "SELECT receiver, min(created_at) FROM outbox WHERE state = 'waiting' GROUP BY receiver"
    return Figures(
        tasks=_counter(db)("SELECT state, count(*) FROM tasks GROUP BY state"),
        queue={name: int(db.execute(query).fetchone()[0]) for name, query in queues.items()},
        outbox={(receiver, state): count for receiver, state, count in letters},
        outbox_lag_s={receiver: max(0.0, now - at) for receiver, at in db.execute(oldest).fetchall()},
    )


def _counter(db: sqlite_utils.Database, *values: str) -> Callable[[str], dict[str, int]]:
    return lambda query: {str(name): int(count) for name, count in db.execute(query, values).fetchall()}


_CALLS = (
    "calls JOIN attempts ON attempts.attempt_id = calls.call_id JOIN tasks USING (task_id) WHERE tasks.campaign_id = ? "
    "AND calls.ended_at IS NOT NULL"
)


def _campaign(db: sqlite_utils.Database, campaign_id: str) -> CampaignReport:
    counted = _counter(db, campaign_id)
    of_attempts = "FROM attempts JOIN tasks USING (task_id) WHERE campaign_id = ? AND ended_at IS NOT NULL"
    rows = list(db.table("campaigns").rows_where("campaign_id = ?", [campaign_id]))
    talked = f"SELECT {_TALKED.replace('ended_at', 'calls.ended_at')}, count(*) FROM {_CALLS}"
    talk_s, answered = db.execute(talked, [campaign_id]).fetchone()
    ends = counted(f"SELECT how, count(*) {of_attempts} GROUP BY how ORDER BY 2 DESC")
    return CampaignReport(
        campaign_id=campaign_id,
        title=str(rows[0]["title"]) if rows else "",
        tasks=counted("SELECT state, count(*) FROM tasks WHERE campaign_id = ? GROUP BY state ORDER BY 2 DESC"),
        ends=ends,
        outcomes=counted(f"SELECT calls.outcome, count(*) FROM {_CALLS} GROUP BY 1 ORDER BY 2 DESC"),
        classes=counted(
            f"SELECT result_class, count(*) FROM {_CALLS} AND result_class != '' GROUP BY 1 ORDER BY 2 DESC"
        ),
        funnel=_funnel(db, campaign_id),
        unanswered=_unanswered(db, campaign_id),
        refusals=counted(
            "SELECT rule, count(*) FROM decisions JOIN tasks USING (task_id) "
            "WHERE campaign_id = ? AND allowed = 0 GROUP BY rule ORDER BY 2 DESC"
        ),
        answered_by=counted(
            f"SELECT answered_by, count(*) {of_attempts} AND answered_by != '' GROUP BY 1 ORDER BY 2 DESC"
        ),
        attempts=sum(ends.values()),
        answered=int(answered),
        talk_s=round(float(talk_s), 1),
        stages=_stages(db, campaign_id),
        **(_about(db, rules_json.load(rows[0])) if rows else {}),
    )


def _about(db: sqlite_utils.Database, campaign: Campaign) -> dict[str, Any]:
    """What the campaign is, and when its calls were."""
    query = "SELECT min(placed_at), max(placed_at) FROM attempts JOIN tasks USING (task_id) WHERE campaign_id = ?"
    zone = ZoneInfo(campaign.zone)
    first, last = (
        "" if at is None else datetime.fromtimestamp(at, zone).isoformat(timespec="seconds")
        for at in db.execute(query, [campaign.campaign_id]).fetchone()
    )
    return {
        "script_id": campaign.flow,
        "zone": campaign.zone,
        "first_call": first,
        "last_call": last,
        "hours": [f"{window.begin:%H:%M}-{window.end:%H:%M}" for window in campaign.rules.windows],
        "days": sorted({day for window in campaign.rules.windows for day in window.days}),
    }


def _stages(db: sqlite_utils.Database, campaign_id: str) -> dict[str, int]:
    query = (
        "SELECT avg(endpoint_ms), avg(interpret_ms), avg(reply_ms) FROM turns WHERE call_id IN "
        f"(SELECT call_id FROM {_CALLS})"
    )
    means = db.execute(query, [campaign_id]).fetchone()
    return {
        name: round(mean)
        for name, mean in zip(("endpoint", "interpret", "reply"), means, strict=True)
        if mean is not None
    }


def _funnel(db: sqlite_utils.Database, campaign_id: str) -> list[tuple[str, int]]:
    query = (
        "SELECT substr(key, 6), count(*) FROM calls, json_each(calls.counters) WHERE key LIKE 'step.%' AND call_id IN "
        f"(SELECT call_id FROM {_CALLS}) GROUP BY key ORDER BY 2 DESC, min(json_each.id) LIMIT 30"
    )
    return [(str(step), int(count)) for step, count in db.execute(query, [campaign_id]).fetchall()]


def _unanswered(db: sqlite_utils.Database, campaign_id: str) -> list[tuple[str, int]]:
    query = (
        "SELECT heard, count(*) FROM turns WHERE heard != '' AND intent = '' AND call_id IN "
        f"(SELECT call_id FROM {_CALLS} AND calls.answered_by != 'machine') GROUP BY heard ORDER BY 2 DESC LIMIT 20"
    )
    return [(str(heard), int(count)) for heard, count in db.execute(query, [campaign_id]).fetchall()]
