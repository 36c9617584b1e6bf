"""What a campaign's state does to its tasks, in one transaction with it.

Tasks of a campaign that is paused leave the queue, where they would take the trunk's pace
from others; when it runs again they come back.  Those of one that has ended are closed.
"""

from __future__ import annotations

import sqlite_utils

from agi_bot.campaign.permission import State

OF_PAUSED = "campaign_id IN (SELECT campaign_id FROM campaigns WHERE state = 'paused')"
"""Where a task's campaign is paused."""

ENDED = "campaign: the campaign has ended"
"""Why tasks are closed then."""

_BACK = """
INSERT OR IGNORE INTO queue_later (task_id, trunk, priority, due_at)
SELECT task_id, campaigns.trunk, priority, due_at FROM tasks JOIN campaigns USING (campaign_id)
WHERE campaign_id = ? AND tasks.state = 'waiting'
  AND task_id NOT IN (SELECT task_id FROM queue_ready) AND task_id NOT IN (SELECT task_id FROM queue_claimed)
"""


def set_state(db: sqlite_utils.Database, campaign_id: str, state: State, now: float) -> bool:
    """Pause, resume or end; ``False`` for an unknown campaign."""
    query = "UPDATE campaigns SET state = ? WHERE campaign_id = ?"
    if not db.execute(query, [state.value, campaign_id]).rowcount:
        return False
    if state is State.RUNNING:
        db.execute(_BACK, [campaign_id])
        return True
    for table in ("queue_later", "queue_ready"):
        of_it = "SELECT task_id FROM tasks WHERE campaign_id = ? AND state = 'waiting'"
        db.execute(f"DELETE FROM {table} WHERE task_id IN ({of_it})", [campaign_id])
    if state is State.ENDED:
        query = "UPDATE tasks SET state = 'done', reason = ?, updated_at = ? WHERE campaign_id = ? AND state IN (?, ?)"
        db.execute(query, [ENDED, now, campaign_id, "waiting", "paused"])
    return True
