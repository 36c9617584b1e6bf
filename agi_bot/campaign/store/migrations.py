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

CAMPAIGNS = """
CREATE TABLE customers (
    customer_id TEXT PRIMARY KEY,
    number      TEXT NOT NULL,
    name        TEXT NOT NULL,
    zone        TEXT NOT NULL,
    data        TEXT NOT NULL,
    created_at  TEXT NOT NULL
);
CREATE INDEX customers_number ON customers (number);
CREATE TABLE customer_tags (
    customer_id TEXT NOT NULL REFERENCES customers (customer_id) ON DELETE CASCADE,
    tag         TEXT NOT NULL,
    PRIMARY KEY (customer_id, tag)
) WITHOUT ROWID;
CREATE TABLE campaigns (
    campaign_id TEXT PRIMARY KEY,
    title       TEXT NOT NULL,
    flow        TEXT NOT NULL,
    state       TEXT NOT NULL,
    zone        TEXT NOT NULL,
    trunk       TEXT NOT NULL,
    caller_id   TEXT NOT NULL,
    rules       TEXT NOT NULL,
    created_at  TEXT NOT NULL
);
CREATE TABLE tasks (
    task_id     TEXT PRIMARY KEY,
    campaign_id TEXT NOT NULL REFERENCES campaigns (campaign_id),
    customer_id TEXT NOT NULL,
    number      TEXT NOT NULL,
    flow        TEXT NOT NULL,
    data        TEXT NOT NULL,
    priority    INTEGER NOT NULL,
    due_at      REAL NOT NULL,
    dedupe_key  TEXT,
    state       TEXT NOT NULL,
    reason      TEXT NOT NULL,
    outcome     TEXT NOT NULL,
    created_at  REAL NOT NULL,
    updated_at  REAL NOT NULL,
    UNIQUE (campaign_id, dedupe_key)
);
CREATE INDEX tasks_campaign ON tasks (campaign_id, state);
CREATE INDEX tasks_number ON tasks (number);
CREATE TABLE attempts (
    attempt_id  TEXT PRIMARY KEY,
    task_id     TEXT NOT NULL REFERENCES tasks (task_id),
    number      TEXT NOT NULL,
    trunk       TEXT NOT NULL,
    owner       TEXT NOT NULL,
    placed_at   REAL NOT NULL,
    ended_at    REAL,
    how         TEXT NOT NULL,
    cause       INTEGER NOT NULL,
    sip         INTEGER NOT NULL,
    detail      TEXT NOT NULL
);
CREATE INDEX attempts_task ON attempts (task_id, placed_at);
CREATE INDEX attempts_number ON attempts (number, placed_at);
CREATE TABLE numbers (
    number      TEXT PRIMARY KEY,
    unallocated INTEGER NOT NULL DEFAULT 0,
    refused_at  REAL,
    consented_at REAL,
    consent_source TEXT NOT NULL DEFAULT ''
);
CREATE TABLE do_not_call (
    list        TEXT NOT NULL,
    number      TEXT NOT NULL,
    added_at    REAL NOT NULL,
    source      TEXT NOT NULL,
    PRIMARY KEY (number, list)
) WITHOUT ROWID;
CREATE TABLE decisions (
    decision_id INTEGER PRIMARY KEY,
    task_id     TEXT NOT NULL,
    number      TEXT NOT NULL,
    at          REAL NOT NULL,
    moment      TEXT NOT NULL,
    allowed     INTEGER NOT NULL,
    rule        TEXT NOT NULL,
    reason      TEXT NOT NULL,
    until       REAL
);
CREATE INDEX decisions_number ON decisions (number, at);
CREATE TABLE outbox (
    outbox_id   INTEGER PRIMARY KEY,
    key         TEXT NOT NULL UNIQUE,
    kind        TEXT NOT NULL,
    payload     TEXT NOT NULL,
    state       TEXT NOT NULL,
    tries       INTEGER NOT NULL,
    next_at     REAL NOT NULL,
    error       TEXT NOT NULL,
    created_at  REAL NOT NULL
);
CREATE INDEX outbox_next ON outbox (state, next_at);
CREATE TABLE trunks (
    trunk       TEXT PRIMARY KEY,
    arrival     REAL NOT NULL
);
"""

ACCESS = """
CREATE TABLE api_keys (
    key_id      TEXT PRIMARY KEY,
    name        TEXT NOT NULL UNIQUE,
    role        TEXT NOT NULL,
    salt        TEXT NOT NULL,
    hash        TEXT NOT NULL,
    created_at  REAL NOT NULL,
    revoked_at  REAL
);
CREATE TABLE idempotency (
    caller      TEXT NOT NULL,
    key         TEXT NOT NULL,
    digest      TEXT NOT NULL,
    status      INTEGER NOT NULL,
    answer      TEXT NOT NULL,
    created_at  REAL NOT NULL,
    PRIMARY KEY (caller, key)
) WITHOUT ROWID;
CREATE INDEX idempotency_created ON idempotency (created_at);
"""

PRIVACY = """
CREATE TABLE unmasked (
    call_id     TEXT PRIMARY KEY REFERENCES calls (call_id) ON DELETE CASCADE,
    record      TEXT NOT NULL
);
CREATE TABLE deletions (
    deletion_id INTEGER PRIMARY KEY,
    at          TEXT NOT NULL,
    kind        TEXT NOT NULL,
    call_id     TEXT NOT NULL,
    flow        TEXT NOT NULL,
    campaign_id TEXT NOT NULL,
    started_at  TEXT NOT NULL,
    recording   TEXT NOT NULL,
    reason      TEXT NOT NULL
);
CREATE INDEX deletions_at ON deletions (at);
"""

RESULTS = """
CREATE INDEX queue_claimed_trunk ON queue_claimed (trunk);
ALTER TABLE tasks ADD COLUMN not_after REAL;
ALTER TABLE tasks ADD COLUMN appointment_id TEXT NOT NULL DEFAULT '';
CREATE INDEX tasks_appointment ON tasks (appointment_id) WHERE appointment_id != '';
ALTER TABLE outbox ADD COLUMN receiver TEXT NOT NULL DEFAULT 'crm';
DROP INDEX outbox_next;
CREATE INDEX outbox_next ON outbox (receiver, state, next_at);
CREATE TABLE appointments (
    appointment_id TEXT PRIMARY KEY,
    campaign_id TEXT NOT NULL REFERENCES campaigns (campaign_id),
    customer_id TEXT NOT NULL,
    number      TEXT NOT NULL,
    data        TEXT NOT NULL,
    time_field  TEXT NOT NULL,
    event_time  TEXT NOT NULL,
    zone        TEXT NOT NULL,
    repeat      TEXT NOT NULL,
    state       TEXT NOT NULL,
    planned_until REAL NOT NULL,
    updated_at  REAL NOT NULL
);
CREATE INDEX appointments_planned ON appointments (state, planned_until);
CREATE TABLE consents (
    consent_id  INTEGER PRIMARY KEY,
    number      TEXT NOT NULL,
    given       INTEGER NOT NULL,
    at          REAL NOT NULL,
    source      TEXT NOT NULL
);
CREATE INDEX consents_number ON consents (number, at);
INSERT INTO consents (number, given, at, source)
    SELECT number, 1, consented_at, consent_source FROM numbers WHERE consented_at IS NOT NULL;
CREATE VIEW outcomes AS
SELECT tasks.campaign_id, tasks.task_id, tasks.customer_id, tasks.number, tasks.flow AS script_id, tasks.state,
    tasks.reason, tasks.outcome, calls.result_class, calls.tags,
    (SELECT count(*) FROM attempts WHERE attempts.task_id = tasks.task_id) AS attempts,
    last.attempt_id, last.placed_at, last.ended_at, last.how, last.cause, last.sip, last.detail, calls.call_id,
    round((julianday(calls.ended_at) - julianday(calls.started_at)) * 86400, 1) AS talk_s,
    calls.ended_by, calls.transfer_to, calls.recording
FROM tasks
LEFT JOIN attempts AS last ON last.attempt_id = (
    SELECT attempt_id FROM attempts WHERE attempts.task_id = tasks.task_id ORDER BY placed_at DESC LIMIT 1)
LEFT JOIN calls ON calls.call_id = last.attempt_id;
"""

ANSWERED = """
ALTER TABLE calls ADD COLUMN answered_by TEXT NOT NULL DEFAULT '';
ALTER TABLE calls ADD COLUMN answered_by_why TEXT NOT NULL DEFAULT '';
ALTER TABLE calls ADD COLUMN answered_by_ms INTEGER;
ALTER TABLE attempts ADD COLUMN answered_by TEXT NOT NULL DEFAULT '';
ALTER TABLE attempts ADD COLUMN answered_by_why TEXT NOT NULL DEFAULT '';
"""

OUTBOX_IN_ORDER = """
DROP INDEX outbox_next;
CREATE INDEX outbox_waiting ON outbox (receiver, outbox_id, next_at) WHERE state = 'waiting';
CREATE INDEX outbox_state ON outbox (state, receiver, created_at);
ALTER TABLE outbox ADD COLUMN task_id TEXT GENERATED ALWAYS AS (json_extract(payload, '$.task_id')) VIRTUAL;
CREATE INDEX outbox_task ON outbox (task_id, receiver, outbox_id, next_at) WHERE state = 'waiting';
"""

OPEN_CALLS = """
ALTER TABLE calls ADD COLUMN life TEXT NOT NULL DEFAULT '';
CREATE INDEX calls_open ON calls (life) WHERE life != '';
"""

MIGRATIONS: tuple[str, ...] = (CALLS, QUEUE, CAMPAIGNS, ACCESS, PRIVACY, RESULTS, ANSWERED, OUTBOX_IN_ORDER, OPEN_CALLS)
