"""Campaigns, tasks and attempts.  Each step of a call is one transaction, so that a crash falls between steps."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import sqlite_utils

from agi_bot.campaign.model import AttemptEnd, Campaign, Task, TaskState
from agi_bot.campaign.permission import History, Permission, State, may_call
from agi_bot.campaign.retry import Again, Done
from agi_bot.campaign.store import rules_json
from agi_bot.campaign.store.database import Database
from agi_bot.campaign.store.letters import tell
from agi_bot.campaign.store.numbers import ANY_SPELLING, known, listed
from agi_bot.campaign.store.states import OF_PAUSED, set_state
from agi_bot.contracts import Status

CAP_DAYS = 400
"""Calls older than this no cap can ask for."""

COLUMNS = (
    "task_id, campaign_id, customer_id, number, flow, data, priority, due_at, dedupe_key, state, reason, outcome, "
    "created_at, updated_at, not_after, appointment_id"
)
"""Of the table of tasks."""

NOT_PLACED = "not_placed"
"""How an attempt ended of which surely nothing went out, because the exchange was away."""

NO_CALL = (NOT_PLACED, "bad_task", Status.CONGESTION.value, Status.FAILED.value)
"""Ends of attempts that reached no telephone: they count for no cap and no interval of the person."""


class TaskStore:
    """What the dialer and the API know of campaigns."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # --- campaigns -------------------------------------------------------------------

    async def save_campaign(self, campaign: Campaign) -> None:
        """Create ``campaign`` or replace its settings."""
        row = {
            "campaign_id": campaign.campaign_id,
            "title": campaign.title,
            "flow": campaign.flow,
            "state": campaign.rules.state.value,
            "zone": campaign.zone,
            "trunk": campaign.trunk,
            "caller_id": campaign.caller_id,
            "rules": rules_json.dump(campaign),
            "created_at": datetime.now(UTC).isoformat(),
        }
        await self._database.run(lambda db: db.table("campaigns").upsert(row, pk="campaign_id"))

    async def campaign(self, campaign_id: str) -> Campaign | None:
        """The campaign, or ``None``."""
        rows = await self._database.run(
            lambda db: list(db.table("campaigns").rows_where("campaign_id = ?", [campaign_id]))
        )
        return rules_json.load(rows[0]) if rows else None

    async def campaigns(self) -> list[Campaign]:
        """All campaigns, oldest first."""
        rows = await self._database.run(lambda db: list(db.table("campaigns").rows_where(order_by="created_at")))
        return [rules_json.load(row) for row in rows]

    async def set_state(self, campaign_id: str, state: State) -> bool:
        """Pause, resume or end, with what it does to its tasks; ``False`` for an unknown campaign."""
        now = datetime.now(UTC).timestamp()
        return await self._database.run(lambda db: set_state(db, campaign_id, state, now))

    # --- tasks -----------------------------------------------------------------------

    async def add(self, tasks: Iterable[Task], now: float) -> list[Task]:
        """Keep ``tasks``; answers those that are new (an id or a dedupe key that is known is left as it is)."""
        wanted = list(tasks)
        return await self._database.run(lambda db: [task for task in wanted if _insert(db, task, now)])

    async def task(self, task_id: str) -> Task | None:
        """The task, or ``None``."""
        rows = await self._database.run(lambda db: list(db.table("tasks").rows_where("task_id = ?", [task_id])))
        return _task(rows[0]) if rows else None

    async def waiting(self, after: str, limit: int) -> list[Task]:
        """Tasks of campaigns that are not paused which wait, by id, those behind ``after`` first, to page through."""
        where = f"state = ? AND task_id > ? AND NOT {OF_PAUSED}"
        rows = await self._database.run(
            lambda db: list(
                db.table("tasks").rows_where(where, [TaskState.WAITING.value, after], order_by="task_id", limit=limit)
            )
        )
        return [_task(row) for row in rows]

    async def cancel(self, task_id: str, reason: str, now: float) -> bool:
        """Cancel a task that waits; ``False`` when it does not."""
        query = "UPDATE tasks SET state = ?, reason = ?, updated_at = ? WHERE task_id = ? AND state = ?"
        values = [TaskState.CANCELLED.value, reason, now, task_id, TaskState.WAITING.value]
        return await self._database.run(lambda db: bool(db.execute(query, values).rowcount))

    async def counts(self, campaign_id: str) -> dict[str, int]:
        """How many tasks of a campaign are in which state."""
        query = "SELECT state, count(*) FROM tasks WHERE campaign_id = ? GROUP BY state"
        return await self._database.run(lambda db: dict(db.execute(query, [campaign_id]).fetchall()))

    # --- what is known of a number ---------------------------------------------------

    async def history(self, task: Task, zone: str, now: float) -> History:
        """What is known of the task's number; ``zone`` is taken where the customer has none."""
        return await self._database.run(lambda db: _history(db, task, zone, now))

    async def add_do_not_call(self, name: str, numbers: Iterable[str], source: str, now: float) -> int:
        """Put ``numbers`` on the list ``name``; how many are new."""
        rows = [(name, number, now, source) for number in numbers]
        query = "INSERT OR IGNORE INTO do_not_call (list, number, added_at, source) VALUES (?, ?, ?, ?)"
        return await self._database.run(lambda db: int(db.conn.executemany(query, rows).rowcount))

    async def set_consent(self, numbers: Iterable[str], given: bool, source: str, now: float) -> None:
        """The people agreed at ``now`` to be called, or took it back; every change is kept."""
        rows = list(numbers)
        await self._database.run(lambda db: _consent(db, rows, given, source, now))

    async def decisions(self, number: str, limit: int = 100) -> list[dict[str, Any]]:
        """Every answer about a number, newest first."""
        return await self._database.run(
            lambda db: list(
                db.table("decisions").rows_where(ANY_SPELLING, [number], order_by="at desc, rowid desc", limit=limit)
            )
        )

    async def decide(self, task: Task, moment: str, permission: Permission, now: float) -> None:
        """Keep an answer that does not lead to a call."""
        await self._database.run(lambda db: _decide(db, task, moment, permission, now))

    # --- a call, step by step --------------------------------------------------------

    async def begin(
        self, task: Task, campaign: Campaign, attempt_id: str, owner: str, now: float, due: Permission | None = None
    ) -> Permission | None:
        """The last question before a call goes out, and the attempt's row, in one transaction.

        ``due`` is the answer when the task came due, to be kept beside this one.
        Two dialers that ask about one person at the same moment cannot both get a yes, and a
        campaign that was paused or changed an instant ago is asked as it is now.
        ``None`` when the task is not waiting any more: then nothing may go out either.
        """
        return await self._database.run(lambda db: _begin(db, task, campaign, attempt_id, owner, now, due))

    async def end(self, task: Task, attempt_id: str, end: AttemptEnd, follows: Again | Done) -> Again | Done:
        """The attempt's end, what follows, and what the CRM will be told: all of it or nothing.

        Answers what really follows: never again where the appointment was cancelled or moved meanwhile.
        """
        return await self._database.run(lambda db: _end(db, task, attempt_id, end, follows))

    async def not_placed(self, task: Task, attempt_id: str, why: str, now: float, again_at: float) -> bool:
        """Nothing went out: the attempt counts neither as a call nor as a try.

        Whether the task waits again: not where its appointment was cancelled or moved meanwhile.
        """
        return await self._database.run(lambda db: _not_placed(db, task, attempt_id, why, now, again_at))

    async def placed(self, attempt_id: str) -> Task | None:
        """The task of an attempt that has no known end yet."""
        query = (
            "SELECT tasks.* FROM tasks JOIN attempts USING (task_id) "
            "WHERE attempt_id = ? AND (attempts.ended_at IS NULL OR attempts.how = ?)"
        )
        rows = await self._database.run(lambda db: list(db.query(query, [attempt_id, Status.UNKNOWN.value])))
        return _task(rows[0]) if rows else None

    async def close_task(self, task: Task, state: TaskState, reason: str, now: float) -> None:
        """The task is over without a call, or nobody knows how its call ended."""
        await self._database.run(lambda db: _set_task(db, task.task_id, state, reason, now))

    async def ends(self, task_id: str, but: str = "") -> list[str]:
        """How the task's attempts ended, oldest first; without the attempt ``but``, and those never placed."""
        query = (
            "SELECT how FROM attempts WHERE task_id = ? AND attempt_id != ? AND how != ? AND ended_at IS NOT NULL "
            "ORDER BY placed_at"
        )
        values = [task_id, but, NOT_PLACED]
        return await self._database.run(lambda db: [str(row[0]) for row in db.execute(query, values)])

    async def open_attempt(self, task_id: str) -> str | None:
        """The attempt of a task that was begun and never ended."""
        query = "SELECT attempt_id FROM attempts WHERE task_id = ? AND ended_at IS NULL"
        row = await self._database.run(lambda db: db.execute(query, [task_id]).fetchone())
        return str(row[0]) if row else None


def _insert(db: sqlite_utils.Database, task: Task, now: float) -> bool:
    query = f"INSERT OR IGNORE INTO tasks ({COLUMNS}) VALUES ({','.join('?' * 16)})"
    return bool(db.execute(query, row_of(task, now)).rowcount)


def row_of(task: Task, now: float) -> tuple[Any, ...]:
    """The values of :data:`COLUMNS`."""
    return (
        task.task_id, task.campaign_id, task.customer_id, task.number, task.flow,
        json.dumps(dict(task.data), ensure_ascii=False), task.priority, task.due_at, task.dedupe_key,
        task.state.value, task.reason, task.outcome, now, now, task.not_after, task.appointment_id,
    )  # fmt: skip


def _task(row: dict[str, Any]) -> Task:
    return Task(
        task_id=row["task_id"],
        campaign_id=row["campaign_id"],
        number=row["number"],
        flow=row["flow"],
        due_at=row["due_at"],
        customer_id=row["customer_id"],
        data=json.loads(row["data"]),
        priority=row["priority"],
        dedupe_key=row["dedupe_key"],
        state=TaskState(row["state"]),
        reason=row["reason"],
        outcome=row["outcome"],
        not_after=row["not_after"],
        appointment_id=row["appointment_id"],
    )


def _history(db: sqlite_utils.Database, task: Task, zone: str, now: float) -> History:
    query = f"SELECT placed_at FROM attempts WHERE {ANY_SPELLING} AND placed_at > ? AND how NOT IN (?, ?, ?, ?)"
    calls = [_moment(row[0]) for row in db.execute(query, [task.number, now - CAP_DAYS * 86400, *NO_CALL])]
    person = known(db, task.number)
    customer = db.execute("SELECT zone FROM customers WHERE customer_id = ?", [task.customer_id]).fetchone()
    refused = person.get("refused_at")
    return History(
        zone=(customer[0] if customer else "") or zone,
        lists=listed(db, task.number),
        consented=person.get("consented_at") is not None,
        calls=calls,
        refused_at=None if refused is None else _moment(refused),
        reachable=not person.get("unallocated"),
        not_after=None if task.not_after is None else _moment(task.not_after),
    )


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _decide(db: sqlite_utils.Database, task: Task, moment: str, permission: Permission, now: float) -> None:
    db.table("decisions").insert(
        {
            "task_id": task.task_id,
            "number": task.number,
            "at": now,
            "moment": moment,
            "allowed": int(permission.allowed),
            "rule": permission.rule,
            "reason": permission.reason,
            "until": permission.until.timestamp() if permission.until else None,
        }
    )


def _may_call(db: sqlite_utils.Database, task: Task, now: float) -> Permission:
    """By the campaign as it is in this transaction: what the dialer read may be a round old."""
    rows = list(db.table("campaigns").rows_where("campaign_id = ?", [task.campaign_id]))
    if not rows:
        return Permission(False, "campaign", "the campaign does not exist")
    campaign = rules_json.load(rows[0])
    return may_call(campaign.rules, _history(db, task, campaign.zone, now), _moment(now))


def _begin(
    db: sqlite_utils.Database,
    task: Task,
    campaign: Campaign,
    attempt_id: str,
    owner: str,
    now: float,
    due: Permission | None,
) -> Permission | None:
    state = db.execute("SELECT state FROM tasks WHERE task_id = ?", [task.task_id]).fetchone()
    if state != (TaskState.WAITING.value,):
        return None
    if due is not None:
        _decide(db, task, "due", due, now)
    permission = _may_call(db, task, now)
    _decide(db, task, "dial", permission, now)
    if permission.allowed:
        _set_task(db, task.task_id, TaskState.DIALLING, "", now)
        db.table("attempts").insert(
            {
                "attempt_id": attempt_id, "task_id": task.task_id, "number": task.number, "trunk": campaign.trunk,
                "owner": owner, "placed_at": now, "ended_at": None, "how": "", "cause": 0, "sip": 0, "detail": "",
            }
        )  # fmt: skip
    return permission


def _end(
    db: sqlite_utils.Database, task: Task, attempt_id: str, end: AttemptEnd, follows: Again | Done
) -> Again | Done:
    (before,) = db.execute("SELECT how FROM attempts WHERE attempt_id = ?", [attempt_id]).fetchone() or ("",)
    if before and (before != Status.UNKNOWN or end.how == Status.UNKNOWN):
        return follows  # it has ended: only the truth in place of "unknown" is news
    gone = _withdrawn(db, task.task_id)
    if gone is not None and isinstance(follows, Again):
        follows = Done(gone)
    query = (
        "UPDATE attempts SET ended_at = ?, how = ?, cause = ?, sip = ?, detail = ?, "
        "answered_by = ?, answered_by_why = ? WHERE attempt_id = ?"
    )
    told = [end.cause, end.sip, end.detail, end.answered_by, end.answered_by_why]
    db.execute(query, [end.at, end.how, *told, attempt_id])
    if end.listed:
        query = "INSERT OR IGNORE INTO do_not_call (list, number, added_at, source) VALUES (?, ?, ?, ?)"
        db.execute(query, [end.listed, task.number, end.at, f"call {attempt_id}"])
    if end.refused:
        _note_number(db, task.number, refused_at=end.at)
    if isinstance(follows, Done):
        _note_number(db, task.number, unallocated=1) if follows.unallocated else None
        state = TaskState.ORPHANED if end.how == Status.UNKNOWN and not end.person else TaskState.DONE
        _set_task(db, task.task_id, state, follows.reason, end.at, end.how)
    else:
        _set_task(db, task.task_id, TaskState.WAITING, follows.reason, end.at, end.how)
        db.execute("UPDATE tasks SET due_at = ? WHERE task_id = ?", [follows.at.timestamp(), task.task_id])
    tell(db, task, attempt_id, f"{attempt_id}/late" if before else attempt_id, end, follows)
    return follows


def _withdrawn(db: sqlite_utils.Database, task_id: str) -> str | None:
    """Why nobody is to be reminded by this task any more, although it was being dialled then."""
    query = "SELECT reason FROM tasks WHERE task_id = ? AND appointment_id != '' AND dedupe_key IS NULL"
    row = db.execute(query, [task_id]).fetchone()
    return str(row[0]) if row else None


def _not_placed(db: sqlite_utils.Database, task: Task, attempt_id: str, why: str, now: float, again_at: float) -> bool:
    query = "UPDATE attempts SET ended_at = ?, how = ?, detail = ? WHERE attempt_id = ?"
    db.execute(query, [now, NOT_PLACED, why, attempt_id])
    gone = _withdrawn(db, task.task_id)
    if gone is not None:
        _set_task(db, task.task_id, TaskState.CANCELLED, gone, now)
        return False
    _set_task(db, task.task_id, TaskState.WAITING, f"not placed: {why}", now)
    db.execute("UPDATE tasks SET due_at = ? WHERE task_id = ?", [again_at, task.task_id])
    return True


def _set_task(
    db: sqlite_utils.Database, task_id: str, state: TaskState, reason: str, now: float, outcome: str = ""
) -> None:
    query = "UPDATE tasks SET state = ?, reason = ?, updated_at = ?, outcome = coalesce(nullif(?, ''), outcome)"
    db.execute(f"{query} WHERE task_id = ?", [state.value, reason, now, outcome, task_id])


def _consent(db: sqlite_utils.Database, numbers: list[str], given: bool, source: str, now: float) -> None:
    at = now if given else None
    db.conn.executemany("INSERT OR IGNORE INTO numbers (number) VALUES (?)", [(number,) for number in numbers])
    query = "UPDATE numbers SET consented_at = ?, consent_source = ? WHERE number = ?"
    db.conn.executemany(query, [(at, source, number) for number in numbers])
    query = "INSERT INTO consents (number, given, at, source) VALUES (?, ?, ?, ?)"
    db.conn.executemany(query, [(number, int(given), now, source) for number in numbers])


def _note_number(db: sqlite_utils.Database, number: str, **fields: Any) -> None:
    db.execute("INSERT OR IGNORE INTO numbers (number) VALUES (?)", [number])
    changes = ", ".join(f"{name} = ?" for name in fields)
    db.execute(f"UPDATE numbers SET {changes} WHERE number = ?", [*fields.values(), number])
