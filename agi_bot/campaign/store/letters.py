"""What follows an attempt's end in the outbox, written in the same transaction: the CRM's letter, text messages."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlite_utils

from agi_bot.campaign.model import AttemptEnd, Task
from agi_bot.campaign.retry import Again, Done
from agi_bot.campaign.sms import messages
from agi_bot.campaign.store import rules_json
from agi_bot.campaign.store.numbers import listed
from agi_bot.campaign.store.outbox import Post, post


def tell(
    db: sqlite_utils.Database, task: Task, attempt_id: str, key: str, end: AttemptEnd, follows: Again | Done
) -> None:
    """Write to the CRM, and the text messages of the campaign's rules."""
    payload = {
        "attempt_id": attempt_id,
        **_about(task),
        "script_id": task.flow,
        "outcome": end.how,
        "answered": end.answered,
        "at": datetime.fromtimestamp(end.at, UTC).isoformat(),
        "final": isinstance(follows, Done),
        "next_at": follows.at.isoformat() if isinstance(follows, Again) else None,
        **end.result,
    }
    post(db, Post(key, "attempt.ended", payload), end.at)
    if end.answered or isinstance(follows, Done):
        _text(db, task, attempt_id, end)


def _about(task: Task) -> dict[str, Any]:
    return {"task_id": task.task_id, "campaign_id": task.campaign_id, "customer_id": task.customer_id}


def _text(db: sqlite_utils.Database, task: Task, attempt_id: str, end: AttemptEnd) -> None:
    row = db.execute("SELECT rules FROM campaigns WHERE campaign_id = ?", [task.campaign_id]).fetchone()
    rules = rules_json.sms_rules(row[0]) if row else ()
    # People who do not want to hear from us get no text either.
    if not rules or end.refused or listed(db, task.number):
        return
    told = {"outcome": end.how, "result_class": end.result.get("result_class", "")}
    values = {**task.data, **end.result.get("slots", {}), **_about(task), **told}
    for one in messages(rules, end.how, values):
        payload = {"to": task.number, "text": one.text, **_about(task), "attempt_id": attempt_id, **told}
        error = f"nothing fills {{{one.missing}}}" if one.missing else ""
        # One message of a rule for a task, however many attempts it takes.
        letter = Post(f"{task.task_id}:sms:{one.number}", "sms", payload, receiver="sms", error=error)
        post(db, letter, end.at)
