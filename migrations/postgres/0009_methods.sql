-- Ways to connect besides the consent of OAuth 2.

-- Which one a connection was made with.
ALTER TABLE atom_connections ADD COLUMN method TEXT NOT NULL DEFAULT 'oauth2';

-- Codes that users type elsewhere (RFC 8628). `poll_at`: nobody asks the provider before; whoever moves it on may ask.
CREATE TABLE atom_device_flows (
    workspace_id     UUID NOT NULL,
    id               UUID NOT NULL,
    user_id          UUID NOT NULL,
    provider         TEXT NOT NULL,
    method           TEXT NOT NULL,
    sealed           BYTEA NOT NULL,
    interval_seconds BIGINT NOT NULL,
    poll_at          TIMESTAMPTZ NOT NULL,
    expires_at       TIMESTAMPTZ NOT NULL,
    state            TEXT NOT NULL,
    connection_id    UUID,
    created_at       TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, user_id) REFERENCES atom_memberships (workspace_id, user_id) ON DELETE CASCADE
);
CREATE INDEX atom_device_flows_by_user ON atom_device_flows (workspace_id, user_id, expires_at);
