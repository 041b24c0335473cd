-- Ways to connect besides the consent of OAuth 2.

-- Which one a connection was made with.
ALTER TABLE atom_connections ADD COLUMN method TEXT NOT NULL DEFAULT 'oauth2';

-- Codes that users type elsewhere (RFC 8628). `poll_at`: nobody asks the provider before; whoever moves it on may ask.
CREATE TABLE atom_device_flows (
    workspace_id     BLOB NOT NULL,
    id               BLOB NOT NULL,
    user_id          BLOB NOT NULL,
    provider         TEXT NOT NULL,
    method           TEXT NOT NULL,
    sealed           BLOB NOT NULL,
    interval_seconds INTEGER NOT NULL,
    poll_at          INTEGER NOT NULL,
    expires_at       INTEGER NOT NULL,
    state            TEXT NOT NULL,
    connection_id    BLOB,
    created_at       INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, user_id) REFERENCES atom_memberships (workspace_id, user_id) ON DELETE CASCADE
) STRICT;
CREATE INDEX atom_device_flows_by_user ON atom_device_flows (workspace_id, user_id, expires_at);
