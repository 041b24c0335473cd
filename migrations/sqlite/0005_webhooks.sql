-- Where a workspace wants its events sent.
CREATE TABLE atom_webhook_endpoints (
    workspace_id    BLOB NOT NULL REFERENCES atom_workspaces (id) ON DELETE CASCADE,
    id              BLOB NOT NULL,
    url             TEXT NOT NULL,
    -- Names and prefixes of event types; none of them means all.
    event_names     TEXT NOT NULL,
    description     TEXT,
    enabled         INTEGER NOT NULL,
    -- Why Atom disabled it: gone | failing. NULL where somebody did.
    disabled_because TEXT,
    failing_since   INTEGER,
    last_failure_at INTEGER,
    last_success_at INTEGER,
    -- Nothing is sent before: the receiver asked for patience.
    paused_until    INTEGER,
    -- Up to which event its deliveries have been made. Whoever makes deliveries holds this row until the commit.
    sequence        INTEGER NOT NULL,
    created_by      BLOB NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, id)
) STRICT;

-- What an endpoint's webhooks are signed with: the newest key, and older ones until they expire. Sealed records.
CREATE TABLE atom_webhook_keys (
    workspace_id    BLOB NOT NULL,
    endpoint_id     BLOB NOT NULL,
    number          INTEGER NOT NULL,
    signing         TEXT NOT NULL,
    sealed          BLOB NOT NULL,
    created_at      INTEGER NOT NULL,
    expires_at      INTEGER,
    PRIMARY KEY (workspace_id, endpoint_id, number),
    FOREIGN KEY (workspace_id, endpoint_id) REFERENCES atom_webhook_endpoints (workspace_id, id) ON DELETE CASCADE
) STRICT;

-- One event on its way to one endpoint.
CREATE TABLE atom_webhook_deliveries (
    workspace_id    BLOB NOT NULL,
    id              BLOB NOT NULL,
    endpoint_id     BLOB NOT NULL,
    event_id        BLOB NOT NULL,
    event_name      TEXT NOT NULL,
    -- As it is signed and sent, to the byte.
    body            TEXT NOT NULL,
    -- pending | delivered | failed
    state           TEXT NOT NULL,
    -- Why it will not be tried again: no_more_attempts | endpoint_disabled. NULL unless it failed.
    reason          TEXT,
    attempts        INTEGER NOT NULL,
    next_attempt_at INTEGER,
    created_at      INTEGER NOT NULL,
    finished_at     INTEGER,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, endpoint_id) REFERENCES atom_webhook_endpoints (workspace_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX atom_webhook_deliveries_by_endpoint ON atom_webhook_deliveries (workspace_id, endpoint_id, id);
CREATE INDEX atom_webhook_deliveries_by_event ON atom_webhook_deliveries (workspace_id, event_id);
CREATE INDEX atom_webhook_deliveries_by_end ON atom_webhook_deliveries (finished_at) WHERE finished_at IS NOT NULL;

CREATE TABLE atom_webhook_attempts (
    workspace_id    BLOB NOT NULL,
    delivery_id     BLOB NOT NULL,
    number          INTEGER NOT NULL,
    at              INTEGER NOT NULL,
    duration_ms     INTEGER NOT NULL,
    status          INTEGER,
    reason          TEXT,
    answer          TEXT,
    PRIMARY KEY (workspace_id, delivery_id, number),
    FOREIGN KEY (workspace_id, delivery_id) REFERENCES atom_webhook_deliveries (workspace_id, id) ON DELETE CASCADE
) STRICT;
