-- Durable work. A run is a job now; workflows and agents are runs too.
CREATE TABLE atom_runs (
    workspace_id    UUID NOT NULL,
    id              UUID NOT NULL,
    -- job | batch
    shape           TEXT NOT NULL,
    kind            TEXT NOT NULL,
    queue           TEXT NOT NULL,
    -- The limit that it counts towards: a hash of the limit's key; 0 is none.
    lane            BIGINT NOT NULL,
    -- held | delayed | waiting | running | succeeded | failed | cancelled | in_doubt
    state           TEXT NOT NULL,
    priority        INTEGER NOT NULL,
    run_at          TIMESTAMPTZ NOT NULL,
    input           JSONB NOT NULL,
    output          JSONB,
    error_reason    TEXT,
    error_text      TEXT,
    attempt         INTEGER NOT NULL DEFAULT 0,
    max_attempts    INTEGER NOT NULL,
    -- How to retry, where it differs from what the kind says.
    retry           JSONB,
    timeout_ms      BIGINT,
    keep_seconds    BIGINT NOT NULL,
    -- Whether its success is an event.
    announce        BOOLEAN NOT NULL,
    -- No two rows of a workspace have the same. It is given up when the job starts (`started`), ends (`ended`), or later.
    unique_key      BYTEA,
    unique_until    TEXT,
    unique_expires  TIMESTAMPTZ,
    parent_id       UUID,
    -- How many jobs of a batch wait for this one's turn, or have.
    children        INTEGER,
    user_id         UUID,
    -- Grows with every claim. Whoever made the last one may write, and nobody else.
    fence           BIGINT NOT NULL DEFAULT 0,
    lease_owner     UUID,
    cancelled_at    TIMESTAMPTZ,
    progress        JSONB,
    created_at      TIMESTAMPTZ NOT NULL,
    started_at      TIMESTAMPTZ,
    finished_at     TIMESTAMPTZ,
    keep_until      TIMESTAMPTZ,
    PRIMARY KEY (workspace_id, id)
);
-- Rows change a few times in a short life: clean up behind them early.
ALTER TABLE atom_runs SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_limit = 2000);
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
    workspace_id    UUID NOT NULL,
    run_id          UUID NOT NULL,
    key             TEXT NOT NULL,
    -- begun | done | in_doubt
    state           TEXT NOT NULL,
    output          JSONB,
    attempt         INTEGER NOT NULL,
    begun_at        TIMESTAMPTZ NOT NULL,
    finished_at     TIMESTAMPTZ,
    PRIMARY KEY (workspace_id, run_id, key)
);

-- Processes that run jobs. Their runs are theirs until `lease_until`.
CREATE TABLE atom_workers (
    id              UUID PRIMARY KEY,
    label           TEXT NOT NULL,
    queues          JSONB NOT NULL,
    concurrency     INTEGER NOT NULL,
    started_at      TIMESTAMPTZ NOT NULL,
    lease_until     TIMESTAMPTZ NOT NULL
);

-- How many jobs of a key may run at once, and how many may start in a time.
CREATE TABLE atom_limits (
    workspace_id    UUID NOT NULL,
    lane            BIGINT NOT NULL,
    key             TEXT NOT NULL,
    max_running     INTEGER,
    max_starts      INTEGER,
    per_ms          BIGINT,
    -- The starts of the last `per_ms`, counted per slice of time.
    starts          JSONB NOT NULL,
    -- When these let the next job start, if they let none.
    opens_at        TIMESTAMPTZ,
    PRIMARY KEY (workspace_id, lane)
);
CREATE INDEX atom_limits_opening ON atom_limits (opens_at) WHERE opens_at IS NOT NULL;

CREATE TABLE atom_queues (
    name            TEXT PRIMARY KEY,
    paused_at       TIMESTAMPTZ
);

CREATE TABLE atom_schedules (
    workspace_id    UUID NOT NULL,
    name            TEXT NOT NULL,
    rule            JSONB NOT NULL,
    job             JSONB NOT NULL,
    missed          TEXT NOT NULL,
    user_id         UUID,
    next_at         TIMESTAMPTZ,
    last_at         TIMESTAMPTZ,
    paused_at       TIMESTAMPTZ,
    created_at      TIMESTAMPTZ NOT NULL,
    updated_at      TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (workspace_id, name)
);
CREATE INDEX atom_schedules_due ON atom_schedules (next_at) WHERE next_at IS NOT NULL AND paused_at IS NULL;
