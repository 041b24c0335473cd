-- Durable work. A run is a job now; workflows and agents are runs too.
CREATE TABLE atom_runs (
    workspace_id    BLOB NOT NULL,
    id              BLOB NOT NULL,
    -- job | batch
    shape           TEXT NOT NULL,
    kind            TEXT NOT NULL,
    queue           TEXT NOT NULL,
    -- The limit that it counts towards: a hash of the limit's key; 0 is none.
    lane            INTEGER NOT NULL,
    -- held | delayed | waiting | running | succeeded | failed | cancelled | in_doubt
    state           TEXT NOT NULL,
    priority        INTEGER NOT NULL,
    run_at          INTEGER NOT NULL,
    input           TEXT NOT NULL,
    output          TEXT,
    error_reason    TEXT,
    error_text      TEXT,
    attempt         INTEGER NOT NULL DEFAULT 0,
    max_attempts    INTEGER NOT NULL,
    -- How to retry, where it differs from what the kind says.
    retry           TEXT,
    timeout_ms      INTEGER,
    keep_seconds    INTEGER NOT NULL,
    -- Whether its success is an event.
    announce        INTEGER NOT NULL,
    -- No two rows of a workspace have the same. It is given up when the job starts (`started`), ends (`ended`), or later.
    unique_key      BLOB,
    unique_until    TEXT,
    unique_expires  INTEGER,
    parent_id       BLOB,
    -- How many jobs of a batch wait for this one's turn, or have.
    children        INTEGER,
    user_id         BLOB,
    -- Grows with every claim. Whoever made the last one may write, and nobody else.
    fence           INTEGER NOT NULL DEFAULT 0,
    lease_owner     BLOB,
    cancelled_at    INTEGER,
    progress        TEXT,
    created_at      INTEGER NOT NULL,
    started_at      INTEGER,
    finished_at     INTEGER,
    keep_until      INTEGER,
    PRIMARY KEY (workspace_id, id)
) STRICT;
-- What a worker looks for, in the order in which it takes it.
CREATE INDEX atom_runs_waiting ON atom_runs (queue, workspace_id, lane, priority DESC, run_at, id) WHERE state = 'waiting';
CREATE INDEX atom_runs_delayed ON atom_runs (run_at) WHERE state = 'delayed';
CREATE INDEX atom_runs_running ON atom_runs (lease_owner) WHERE state = 'running';
CREATE INDEX atom_runs_in_lane ON atom_runs (workspace_id, lane) WHERE state = 'running' AND lane <> 0;
CREATE INDEX atom_runs_dead ON atom_runs (workspace_id, id) WHERE state IN ('failed', 'in_doubt');
CREATE INDEX atom_runs_held ON atom_runs (workspace_id, id) WHERE state = 'held';
CREATE INDEX atom_runs_by_parent ON atom_runs (workspace_id, parent_id, finished_at) WHERE parent_id IS NOT NULL;
CREATE UNIQUE INDEX atom_runs_unique ON atom_runs (workspace_id, unique_key) WHERE unique_key IS NOT NULL;
CREATE INDEX atom_runs_by_expiry ON atom_runs (keep_until) WHERE keep_until IS NOT NULL;

-- What a run has done so far: a step that is done is not done again.
CREATE TABLE atom_steps (
    workspace_id    BLOB NOT NULL,
    run_id          BLOB NOT NULL,
    key             TEXT NOT NULL,
    -- begun | done | in_doubt
    state           TEXT NOT NULL,
    output          TEXT,
    attempt         INTEGER NOT NULL,
    begun_at        INTEGER NOT NULL,
    finished_at     INTEGER,
    PRIMARY KEY (workspace_id, run_id, key)
) STRICT;

-- Processes that run jobs. Their runs are theirs until `lease_until`.
CREATE TABLE atom_workers (
    id              BLOB PRIMARY KEY,
    label           TEXT NOT NULL,
    queues          TEXT NOT NULL,
    concurrency     INTEGER NOT NULL,
    started_at      INTEGER NOT NULL,
    lease_until     INTEGER NOT NULL
) STRICT;

-- How many jobs of a key may run at once, and how many may start in a time.
CREATE TABLE atom_limits (
    workspace_id    BLOB NOT NULL,
    lane            INTEGER NOT NULL,
    key             TEXT NOT NULL,
    max_running     INTEGER,
    max_starts      INTEGER,
    per_ms          INTEGER,
    -- The starts of the last `per_ms`, counted per slice of time.
    starts          TEXT NOT NULL,
    -- When these let the next job start, if they let none.
    opens_at        INTEGER,
    PRIMARY KEY (workspace_id, lane)
) STRICT;
CREATE INDEX atom_limits_opening ON atom_limits (opens_at) WHERE opens_at IS NOT NULL;

CREATE TABLE atom_queues (
    name            TEXT PRIMARY KEY,
    paused_at       INTEGER
) STRICT;

CREATE TABLE atom_schedules (
    workspace_id    BLOB NOT NULL,
    name            TEXT NOT NULL,
    rule            TEXT NOT NULL,
    job             TEXT NOT NULL,
    missed          TEXT NOT NULL,
    user_id         BLOB,
    next_at         INTEGER,
    last_at         INTEGER,
    paused_at       INTEGER,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, name)
) STRICT;
CREATE INDEX atom_schedules_due ON atom_schedules (next_at) WHERE next_at IS NOT NULL AND paused_at IS NULL;
