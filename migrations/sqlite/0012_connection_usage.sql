-- How connections are used, token sets that their providers refuse, and withdrawals that outlive their workspace.

-- How many calls were made with a connection, and when the last.
ALTER TABLE atom_connections ADD COLUMN use_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE atom_connections ADD COLUMN last_used_at INTEGER;

-- The same in more detail: per operation, in hours of the last days and in days of the time before.
CREATE TABLE atom_connection_usage (
    workspace_id    BLOB NOT NULL,
    connection_id   BLOB NOT NULL,
    -- hour | day
    span            TEXT NOT NULL,
    starts_at       INTEGER NOT NULL,
    operation       TEXT NOT NULL,
    calls           INTEGER NOT NULL,
    -- Requests that were sent once more within a call.
    retries         INTEGER NOT NULL,
    -- Calls that failed, each in one of these.
    unauthorized    INTEGER NOT NULL,
    rate_limited    INTEGER NOT NULL,
    refused         INTEGER NOT NULL,
    provider_faults INTEGER NOT NULL,
    unreachable     INTEGER NOT NULL,
    -- How long the calls took together, in microseconds.
    micros          INTEGER NOT NULL,
    bytes_sent      INTEGER NOT NULL,
    bytes_received  INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, connection_id, span, starts_at, operation),
    FOREIGN KEY (workspace_id, connection_id) REFERENCES atom_connections (workspace_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX atom_connection_usage_by_time ON atom_connection_usage (workspace_id, starts_at);
CREATE INDEX atom_connection_usage_by_age ON atom_connection_usage (span, starts_at);

-- Token sets that a provider refuses for an account, whether there is such a set or not. It is not asked for them before `until`, unless the
-- user connects again.
CREATE TABLE atom_token_set_refusals (
    workspace_id    BLOB NOT NULL,
    connection_id   BLOB NOT NULL,
    name            TEXT NOT NULL,
    until           INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, connection_id, name),
    FOREIGN KEY (workspace_id, connection_id) REFERENCES atom_connections (workspace_id, id) ON DELETE CASCADE
) STRICT;

-- What is to be withdrawn at a provider outlives the workspace and its keys: it is sealed for the installation, and depends on no other row.
-- What an older release has left here is of another form, and is lost: end those grants at their providers.
DROP TABLE atom_revocations;
CREATE TABLE atom_revocations (
    workspace_id    BLOB NOT NULL,
    id              BLOB NOT NULL,
    connection_id   BLOB NOT NULL,
    user_id         BLOB NOT NULL,
    provider        TEXT NOT NULL,
    sealed          BLOB NOT NULL,
    created_at      INTEGER NOT NULL,
    PRIMARY KEY (id)
) STRICT;
