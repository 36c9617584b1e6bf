"""What the tables say, added up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import sqlite_utils

from agi_bot.campaign.store.database import Database


@dataclass(frozen=True, slots=True)
class Figures:
    """The whole store in numbers; low cardinality: states, outcomes and rules, never people."""

    tasks: dict[str, int] = field(default_factory=dict)
    queue: dict[str, int] = field(default_factory=dict)
    outcomes: dict[str, int] = field(default_factory=dict)
    attempts: dict[str, int] = field(default_factory=dict)
    refusals: dict[str, int] = field(default_factory=dict)
    outbox: dict[str, int] = field(default_factory=dict)
    errors: dict[str, int] = field(default_factory=dict)
    outbox_lag_s: float = 0.0
    talk_s: float = 0.0


@dataclass(frozen=True, slots=True)
class CampaignReport:
    """What became of a campaign.

    ``ends``: attempts by how they ended; ``outcomes``: conversations by outcome;
    ``funnel``: conversations that reached a step, in the order of the first who did;
    ``unanswered``: what people said that nobody understood, with how often.
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
    attempts: int
    answered: int
    talk_s: float

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
        return await self._database.run(lambda db: _figures(db, now))

    async def campaign(self, campaign_id: str) -> CampaignReport:
        """One campaign."""
        return await self._database.run(lambda db: _campaign(db, campaign_id))


_TALKED = "coalesce(sum((julianday(ended_at) - julianday(started_at)) * 86400), 0)"


def _figures(db: sqlite_utils.Database, now: float) -> Figures:
    counted = _counter(db)
    oldest = db.execute("SELECT min(created_at) FROM outbox WHERE state = 'waiting'").fetchone()[0]
    queues = {name: f"SELECT count(*) FROM queue_{name}" for name in ("later", "ready", "claimed")}
    return Figures(
        tasks=counted("SELECT state, count(*) FROM tasks GROUP BY state"),
        queue={name: int(db.execute(query).fetchone()[0]) for name, query in queues.items()},
        outcomes=counted("SELECT outcome, count(*) FROM calls GROUP BY outcome"),
        attempts=counted("SELECT how, count(*) FROM attempts WHERE ended_at IS NOT NULL GROUP BY how"),
        refusals=counted("SELECT rule, count(*) FROM decisions WHERE allowed = 0 GROUP BY rule"),
        outbox=counted("SELECT state, count(*) FROM outbox GROUP BY state"),
        errors=counted(
            "SELECT key, sum(value) FROM calls, json_each(calls.counters) "
            "WHERE (key LIKE '%error%' OR key LIKE '%fallback%') AND key NOT LIKE 'step.%' GROUP BY key LIMIT 50"
        ),
        outbox_lag_s=max(0.0, now - oldest) if oldest is not None else 0.0,
        talk_s=float(db.execute(f"SELECT {_TALKED} FROM calls").fetchone()[0]),
    )


def _counter(db: sqlite_utils.Database, *values: str) -> Callable[[str], dict[str, int]]:
    return lambda query: {str(name): int(count) for name, count in db.execute(query, values).fetchall()}


_CALLS = (
    "calls JOIN attempts ON attempts.attempt_id = calls.call_id JOIN tasks USING (task_id) WHERE tasks.campaign_id = ?"
)


def _campaign(db: sqlite_utils.Database, campaign_id: str) -> CampaignReport:
    counted = _counter(db, campaign_id)
    of_attempts = "FROM attempts JOIN tasks USING (task_id) WHERE campaign_id = ? AND ended_at IS NOT NULL"
    title = db.execute("SELECT title FROM campaigns WHERE campaign_id = ?", [campaign_id]).fetchone()
    talked = f"SELECT {_TALKED.replace('ended_at', 'calls.ended_at')}, count(*) FROM {_CALLS}"
    talk_s, answered = db.execute(talked, [campaign_id]).fetchone()
    ends = counted(f"SELECT how, count(*) {of_attempts} GROUP BY how ORDER BY 2 DESC")
    return CampaignReport(
        campaign_id=campaign_id,
        title=str(title[0]) if title else "",
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
        attempts=sum(ends.values()),
        answered=int(answered),
        talk_s=round(float(talk_s), 1),
    )


def _funnel(db: sqlite_utils.Database, campaign_id: str) -> list[tuple[str, int]]:
    query = (
        "SELECT substr(key, 6), count(*) FROM calls, json_each(calls.counters) WHERE key LIKE 'step.%' AND call_id IN "
        f"(SELECT call_id FROM {_CALLS}) GROUP BY key ORDER BY 2 DESC, min(json_each.id) LIMIT 30"
    )
    return [(str(step), int(count)) for step, count in db.execute(query, [campaign_id]).fetchall()]


def _unanswered(db: sqlite_utils.Database, campaign_id: str) -> list[tuple[str, int]]:
    query = (
        "SELECT heard, count(*) FROM turns WHERE heard != '' AND intent = '' AND call_id IN "
        f"(SELECT call_id FROM {_CALLS}) GROUP BY heard ORDER BY 2 DESC LIMIT 20"
    )
    return [(str(heard), int(count)) for heard, count in db.execute(query, [campaign_id]).fetchall()]
