-- Where a workspace wants its events sent.
CREATE TABLE atom_webhook_endpoints (
    workspace_id    UUID NOT NULL REFERENCES atom_workspaces (id) ON DELETE CASCADE,
    id              UUID NOT NULL,
    url             TEXT NOT NULL,
    -- Names and prefixes of event types; none of them means all.
    event_names     JSONB NOT NULL,
    description     TEXT,
    enabled         BOOLEAN NOT NULL,
    -- Why Atom disabled it: gone | failing. NULL where somebody did.
    disabled_because TEXT,
    failing_since   TIMESTAMPTZ,
    last_failure_at TIMESTAMPTZ,
    last_success_at TIMESTAMPTZ,
    -- Nothing is sent before: the receiver asked for patience.
    paused_until    TIMESTAMPTZ,
    -- Up to which event its deliveries have been made. Whoever makes deliveries holds this row until the commit.
    sequence        BIGINT NOT NULL,
    created_by      UUID NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    updated_at      TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (workspace_id, id)
);

-- What an endpoint's webhooks are signed with: the newest key, and older ones until they expire. Sealed records.
CREATE TABLE atom_webhook_keys (
    workspace_id    UUID NOT NULL,
    endpoint_id     UUID NOT NULL,
    number          BIGINT NOT NULL,
    signing         TEXT NOT NULL,
    sealed          BYTEA NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    expires_at      TIMESTAMPTZ,
    PRIMARY KEY (workspace_id, endpoint_id, number),
    FOREIGN KEY (workspace_id, endpoint_id) REFERENCES atom_webhook_endpoints (workspace_id, id) ON DELETE CASCADE
);

-- One event on its way to one endpoint.
CREATE TABLE atom_webhook_deliveries (
    workspace_id    UUID NOT NULL,
    id              UUID NOT NULL,
    endpoint_id     UUID NOT NULL,
    event_id        UUID NOT NULL,
    event_name      TEXT NOT NULL,
    -- As it is signed and sent, to the byte.
    body            TEXT NOT NULL,
    -- pending | delivered | failed
    state           TEXT NOT NULL,
    -- Why it will not be tried again: no_more_attempts | endpoint_disabled. NULL unless it failed.
    reason          TEXT,
    attempts        INTEGER NOT NULL,
    next_attempt_at TIMESTAMPTZ,
    created_at      TIMESTAMPTZ NOT NULL,
    finished_at     TIMESTAMPTZ,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, endpoint_id) REFERENCES atom_webhook_endpoints (workspace_id, id) ON DELETE CASCADE
);
CREATE INDEX atom_webhook_deliveries_by_endpoint ON atom_webhook_deliveries (workspace_id, endpoint_id, id);
CREATE INDEX atom_webhook_deliveries_by_event ON atom_webhook_deliveries (workspace_id, event_id);
CREATE INDEX atom_webhook_deliveries_by_end ON atom_webhook_deliveries (finished_at) WHERE finished_at IS NOT NULL;

CREATE TABLE atom_webhook_attempts (
    workspace_id    UUID NOT NULL,
    delivery_id     UUID NOT NULL,
    number          INTEGER NOT NULL,
    at              TIMESTAMPTZ NOT NULL,
    duration_ms     BIGINT NOT NULL,
    status          INTEGER,
    reason          TEXT,
    answer          TEXT,
    PRIMARY KEY (workspace_id, delivery_id, number),
    FOREIGN KEY (workspace_id, delivery_id) REFERENCES atom_webhook_deliveries (workspace_id, id) ON DELETE CASCADE
);
