-- How connections are used, token sets that their providers refuse, and withdrawals that outlive their workspace.

-- How many calls were made with a connection, and when the last.
ALTER TABLE atom_connections ADD COLUMN use_count BIGINT NOT NULL DEFAULT 0;
ALTER TABLE atom_connections ADD COLUMN last_used_at TIMESTAMPTZ;

-- The same in more detail: per operation, in hours of the last days and in days of the time before.
CREATE TABLE atom_connection_usage (
    workspace_id    UUID NOT NULL,
    connection_id   UUID NOT NULL,
    -- hour | day
    span            TEXT NOT NULL,
    starts_at       TIMESTAMPTZ NOT NULL,
    operation       TEXT NOT NULL,
    calls           BIGINT NOT NULL,
    -- Requests that were sent once more within a call.
    retries         BIGINT NOT NULL,
    -- Calls that failed, each in one of these.
    unauthorized    BIGINT NOT NULL,
    rate_limited    BIGINT NOT NULL,
    refused         BIGINT NOT NULL,
    provider_faults BIGINT NOT NULL,
    unreachable     BIGINT NOT NULL,
    -- How long the calls took together, in microseconds.
    micros          BIGINT NOT NULL,
    bytes_sent      BIGINT NOT NULL,
    bytes_received  BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, connection_id, span, starts_at, operation),
    FOREIGN KEY (workspace_id, connection_id) REFERENCES atom_connections (workspace_id, id) ON DELETE CASCADE
);
CREATE INDEX atom_connection_usage_by_time ON atom_connection_usage (workspace_id, starts_at);
CREATE INDEX atom_connection_usage_by_age ON atom_connection_usage (span, starts_at);

-- Token sets that a provider refuses for an account, whether there is such a set or not. It is not asked for them before `until`, unless the
-- user connects again.
CREATE TABLE atom_token_set_refusals (
    workspace_id    UUID NOT NULL,
    connection_id   UUID NOT NULL,
    name            TEXT NOT NULL,
    until           TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (workspace_id, connection_id, name),
    FOREIGN KEY (workspace_id, connection_id) REFERENCES atom_connections (workspace_id, id) ON DELETE CASCADE
);

-- What is to be withdrawn at a provider outlives the workspace and its keys: it is sealed for the installation, and depends on no other row.
-- What an older release has left here is of another form, and is lost: end those grants at their providers.
DROP TABLE atom_revocations;
CREATE TABLE atom_revocations (
    workspace_id    UUID NOT NULL,
    id              UUID NOT NULL,
    connection_id   UUID NOT NULL,
    user_id         UUID NOT NULL,
    provider        TEXT NOT NULL,
    sealed          BYTEA NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (id)
);
