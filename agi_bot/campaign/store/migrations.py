"""The tables, as steps that are only ever added to: step n brings version n-1 to n."""

from __future__ import annotations

CALLS = """
CREATE TABLE calls (
    call_id     TEXT PRIMARY KEY,
    flow        TEXT NOT NULL,
    flow_version TEXT NOT NULL,
    language    TEXT NOT NULL,
    direction   TEXT NOT NULL,
    caller      TEXT NOT NULL,
    called      TEXT NOT NULL,
    channel     TEXT NOT NULL,
    unique_id   TEXT NOT NULL,
    started_at  TEXT NOT NULL,
    ended_at    TEXT,
    outcome     TEXT NOT NULL,
    result_class TEXT NOT NULL,
    ended_by    TEXT NOT NULL,
    transfer_to TEXT NOT NULL,
    tags        TEXT NOT NULL,
    task        TEXT NOT NULL,
    recording   TEXT NOT NULL,
    engines     TEXT NOT NULL,
    counters    TEXT NOT NULL
);
CREATE INDEX calls_started_at ON calls (started_at);
CREATE TABLE turns (
    call_id     TEXT NOT NULL REFERENCES calls (call_id) ON DELETE CASCADE,
    number      INTEGER NOT NULL,
    step        TEXT NOT NULL,
    said        TEXT NOT NULL,
    said_from_ms INTEGER,
    said_to_ms  INTEGER,
    cut_after_words INTEGER,
    heard       TEXT NOT NULL,
    keys        TEXT NOT NULL,
    heard_from_ms INTEGER,
    heard_to_ms INTEGER,
    recognition_confidence REAL,
    intent      TEXT NOT NULL,
    confidence  REAL,
    entities    TEXT NOT NULL,
    endpoint_ms INTEGER,
    interpret_ms REAL,
    reply_ms    INTEGER,
    notes       TEXT NOT NULL,
    PRIMARY KEY (call_id, number)
);
CREATE TABLE slots (
    call_id     TEXT NOT NULL REFERENCES calls (call_id) ON DELETE CASCADE,
    name        TEXT NOT NULL,
    kind        TEXT NOT NULL,
    value       TEXT NOT NULL,
    PRIMARY KEY (call_id, name)
);
"""

QUEUE = """
CREATE TABLE queue_later (
    task_id     TEXT PRIMARY KEY,
    trunk       TEXT NOT NULL,
    priority    INTEGER NOT NULL,
    due_at      REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX queue_later_due ON queue_later (due_at);
CREATE TABLE queue_ready (
    task_id     TEXT PRIMARY KEY,
    trunk       TEXT NOT NULL,
    priority    INTEGER NOT NULL,
    due_at      REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX queue_ready_order ON queue_ready (trunk, priority DESC, due_at);
CREATE TABLE queue_claimed (
    task_id     TEXT PRIMARY KEY,
    trunk       TEXT NOT NULL,
    priority    INTEGER NOT NULL,
    due_at      REAL NOT NULL,
    owner       TEXT NOT NULL,
    beat_at     REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX queue_claimed_beat ON queue_claimed (beat_at);
"""

MIGRATIONS: tuple[str, ...] = (CALLS, QUEUE)
